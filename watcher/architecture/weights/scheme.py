"""How the config says that the weights are packed: bits and group sizes, of the whole and of single modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from watcher.architecture.config import Config
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.sections.quantization import KEYS, STATED
from watcher.architecture.weights.packing import Quantized

Scheme = tuple[float | int, int]
"""Bits of a value, and how many values have a scale in common."""

LARGEST_GROUP = 2**20


def scheme(config: Config, method: str | None, bits: float | int | None) -> Quantized:
    """What the count needs to know; `method` and `bits` are the ones believed for the whole."""
    parts = [as_mapping(source.get(key)) for source in (config.raw, config.text) for key in KEYS]
    groups = dict.fromkeys(found for part in parts for found in _schemes(part))
    modules = {name: found for part in parts for name, value in part.items() if (found := _scheme(as_mapping(value)))}
    return Quantized(method or "", bits, tuple(groups), modules)


def _schemes(part: Mapping[str, Any]) -> Iterator[Scheme]:
    """The scheme of the whole (GPTQ, AWQ, MLX), then those of compressed-tensors' groups."""
    groups = (as_mapping(as_mapping(group).get("weights")) for group in as_mapping(part.get("config_groups")).values())
    for stated in (part, *groups):
        found = _scheme(stated)
        if found is not None:
            yield found


def _scheme(part: Mapping[str, Any]) -> Scheme | None:
    bits, size = next((part[key] for key in STATED if key in part), None), part.get("group_size")
    if isinstance(bits, bool) or not isinstance(bits, (int, float)) or not 0 < bits <= 32:
        return None
    return (bits, size) if isinstance(size, int) and not isinstance(size, bool) and 0 < size <= LARGEST_GROUP else None
