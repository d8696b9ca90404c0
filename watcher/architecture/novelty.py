"""What neither a catalogued model nor the reference knows: config keys, tensor names, classes."""

from __future__ import annotations

from collections.abc import Iterable

from watcher.architecture.config import Config
from watcher.architecture.fitting import LONGEST, followed, new_keys, new_keys_around
from watcher.architecture.record import Novel
from watcher.architecture.witness import Reading

MAX_NAMES = 100


def novel_in(config: Config, readings: Iterable[Reading]) -> Novel:
    """Every new name that a witness met."""
    readings = list(readings)
    known = any(reading.witness == "reference" and followed(reading) for reading in readings)
    found: dict[str, list[str]] = {
        "config_keys": [*new_keys(config), *new_keys_around(config)],
        "tensor_names": [],
        "classes": _classes(config, known),
    }
    for reading in readings:
        for kind, names in reading.novel.items():
            found.setdefault(kind, []).extend(names)
    unique = {kind: tuple(dict.fromkeys(name[:LONGEST] for name in names))[:MAX_NAMES] for kind, names in found.items()}
    return Novel(config_keys=unique["config_keys"], tensor_names=unique["tensor_names"], classes=unique["classes"])


def _classes(config: Config, known: bool) -> list[str]:
    """The config's classes, unless the reference has them."""
    names = config.raw.get("architectures")
    if known or (config.family is not None and config.doubt is None) or not isinstance(names, list):
        return []
    return [name for name in names[:5] if isinstance(name, str)]
