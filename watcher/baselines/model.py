"""One known architecture: its record, the keys of its config that matter, where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare.similarity import Features, features


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One architecture, under the name of its earliest model."""

    name: str
    """`org/name`."""
    date: str
    """When the model came out, `YYYY-MM` or `YYYY-MM-DD`; empty when it is not known."""
    record: Architecture
    config: Mapping[str, Any] = field(default_factory=dict)
    """The config's architecture keys."""
    members: tuple[str, ...] = ()
    """Other models of the same architecture."""
    hub_id: str | None = None
    release_id: str | None = None
    first_seen_at: datetime | None = None
    """When we first saw it; None for the shipped catalog."""

    @cached_property
    def features(self) -> Features:
        """What a search for the nearest looks at; the same for every model it is held against."""
        return features(self.record)

    @property
    def names(self) -> tuple[str, ...]:
        """Every model of this architecture."""
        return (self.name, *self.members)
