"""The words of this room: events, and the releases they belong to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class EventKind(enum.StrEnum):
    """A difference between two sightings that someone may want to know."""

    RELEASED = "released"
    APPEARED = "appeared"
    """Just there, nothing to read yet."""
    VARIANT_ADDED = "variant_added"
    CONFIG_CHANGED = "config_changed"
    CODE_CHANGED = "code_changed"
    WEIGHTS_CHANGED = "weights_changed"
    TOKENIZER_CHANGED = "tokenizer_changed"
    """Tokenizer, chat template or generation config."""
    CARD_CHANGED = "card_changed"
    LICENSE_CHANGED = "license_changed"
    GATED_CHANGED = "gated_changed"
    DISABLED_CHANGED = "disabled_changed"
    RENAMED = "renamed"
    DISAPPEARED = "disappeared"
    """Deleted or made private: the Hub does not tell which."""
    RESTORED = "restored"
    RECREATED = "recreated"
    ALERT = "alert"
    """About the watcher itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a repo."""

    hub_id: str
    kind: EventKind
    version: int
    """The repo row's version that this event was drawn at; with `hub_id` and `kind` it is unique."""
    at: datetime
    name: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoRef:
    """One repo of a release as a report names it."""

    hub_id: str
    name: str
    sha: str | None
    variant: str | None = None
    """fp8, gguf, instruct …; None for an original."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the Hub's own key `_id`."""
        return {"_id": self.hub_id, "id": self.name, "sha": self.sha, "variant": self.variant}
