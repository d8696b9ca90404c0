"""Which files of a repo hold its weights: one whole set of them, where a repo may hold several formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

SHARD = re.compile(r"(?P<stem>[^/]+?)(?:-(?P<number>\d{5})-of-(?P<count>\d{5}))?\.(?P<kind>safetensors|gguf)")
"""A weights file of the top folder; `number` and `count` where it is a part of several."""

STEMS = ("model", "consolidated", "pytorch_model", "diffusion_pytorch_model")
"""Names of whole sets, best first: a repo may hold the same weights twice."""

NO_MODEL = re.compile(r"adapter|lora|mmproj|imatrix|optimizer|training|eagle|\bmtp\b|draft")
"""Files that only go with a model."""


def main_set(paths: Iterable[str], weight_map: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The safetensors files that together are the model: those an index names, else the best set by name.

    An index that names a file which is not there tells of no whole set. Else the GGUF files of one copy.
    """
    found = {path: match for path in paths if (match := SHARD.fullmatch(path))}
    stored = {path: match for path, match in found.items() if match["kind"] == "safetensors"}
    if weight_map:
        named = {item for item in weight_map.values() if isinstance(item, str)}
        return tuple(sorted(named)) if named <= stored.keys() else ()
    if stored:
        return _best(stored)
    return _one_copy({path: match for path, match in found.items() if match["kind"] == "gguf"})


def _sets(found: Mapping[str, re.Match[str]]) -> dict[tuple[str, str], list[str]]:
    """Files by the name and the number of parts of the set that they belong to."""
    sets: dict[tuple[str, str], list[str]] = {}
    for path, match in sorted(found.items()):
        sets.setdefault((match["stem"], match["count"] or ""), []).append(path)
    return sets


def _whole(found: Mapping[str, re.Match[str]], stem: str | None = None) -> list[list[str]]:
    """The sets (of one name) of which no part is missing, those of fewest files first."""
    sets = ((name, int(count or 1), paths) for (name, count), paths in _sets(found).items())
    whole = sorted((count, paths) for name, count, paths in sets if len(paths) == count and stem in (None, name))
    return [paths for _, paths in whole]


def _best(found: Mapping[str, re.Match[str]]) -> tuple[str, ...]:
    """The set of the best known name; where none is known, everything that is not beside a model."""
    for stem in STEMS:
        whole = _whole(found, stem)
        if whole:
            return tuple(whole[-1])
    return tuple(path for path in sorted(found) if not NO_MODEL.search(path))


def _one_copy(found: Mapping[str, re.Match[str]]) -> tuple[str, ...]:
    """The first copy that is whole, single files before split ones: every copy is of the same architecture."""
    whole = _whole({path: match for path, match in found.items() if not NO_MODEL.search(path.lower())})
    return tuple(whole[0]) if whole else ()
