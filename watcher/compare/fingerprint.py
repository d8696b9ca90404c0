"""The fingerprint: equal exactly when nothing between two models that are known equally well is above cosmetic."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare.facts import Facts, comparable
from watcher.compare.significance import COSMETIC_FACTS


def fingerprint(record: Architecture) -> str:
    """32 hex digits over every comparable fact that is not cosmetic.

    A fact that is not known counts as such: of two readings of one model, one with the code and one without, the
    fingerprints differ although `compare` asserts no difference between them.
    """
    text = json.dumps(_canonical(structural(comparable(record))), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def structural(facts: Facts) -> Facts:
    """The facts without the cosmetic ones."""
    cosmetic = {tuple(path.split(".")) for path in COSMETIC_FACTS}
    return {name: _without(value, (name,), cosmetic) for name, value in facts.items() if (name,) not in cosmetic}


def _without(value: Any, path: tuple[str, ...], cosmetic: set[tuple[str, ...]]) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: item for name, item in value.items() if (*path, name) not in cosmetic}
    return {name: _without(item, (*path, name), cosmetic) for name, item in kept.items()}


def _canonical(value: Any) -> Any:
    """Without what is None: a fact that a later version of the record adds changes no fingerprint by its absence."""
    if not isinstance(value, dict):
        return value
    return {name: _canonical(item) for name, item in value.items() if item is not None}
