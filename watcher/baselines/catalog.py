"""The catalog of known architectures that ships with the package."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from watcher.architecture.record import Architecture
from watcher.baselines.model import Baseline


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every shipped baseline."""

    version: str
    baselines: tuple[Baseline, ...]


@cache
def load_catalog() -> Catalog:
    """The catalog, read once."""
    data = json.loads(gzip.decompress(files("watcher.baselines").joinpath("data/catalog.json.gz").read_bytes()))
    return Catalog(data["version"], tuple(_baseline(item) for item in data["baselines"]))


def _baseline(item: dict[str, Any]) -> Baseline:
    return Baseline(
        name=item["name"],
        date=item["date"],
        record=Architecture.from_dict(item["record"]),
        config=item["config"],
        members=tuple(item["members"]),
    )
