"""Beliefs → the record: the one place where an `Architecture` is made."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from functools import cache
from typing import Any

from watcher.architecture.belief import Beliefs
from watcher.architecture.record import Architecture, Novel, Tower, Unknown
from watcher.architecture.witness import RepoFiles

OPTIONAL = ("moe", "quantization", "attention.mla", "attention.sparse")
"""Parts that a model may not have: there when a fact of theirs is told."""

INTERNAL = re.compile(
    r"parameters\.(experts|active_experts|lm_head)|position\.sections|defaults\..*|lineage.*|layers\[.*|layers\.pattern_key"
)
"""Facts that only serve to derive others."""


def build(files: RepoFiles, beliefs: Beliefs, novel: Novel, remote_code: bool) -> Architecture:
    """The record of one repo."""
    told = {path: item.value for path, item in beliefs.told.items()}
    told |= {"model.id": files.name, "model.revision": files.revision, "model.remote_code": remote_code}
    told["towers"] = tuple(
        _part(Tower, f"towers.{name}", told, frozenset())
        for name in ("image", "audio")
        if f"towers.{name}.modality" in told
    )
    unknown = {fact: why for fact, why in beliefs.unknown.items() if fact not in told}
    record: Architecture = _part(Architecture, "", told, frozenset(unknown))
    return dataclasses.replace(
        record,
        evidence={path: item.evidence for path, item in sorted(beliefs.told.items()) if _shown(path, item.value)},
        disagreements=beliefs.disagreements(),
        unknown=tuple(Unknown(fact=fact, why=why) for fact, why in unknown.items()),
        novel=novel,
    )


def _shown(path: str, value: Any) -> bool:
    return value is not None and not INTERNAL.fullmatch(path)


def _part(kind: Any, path: str, told: dict[str, Any], unknown: frozenset[str]) -> Any:
    """A data class of the record, each field from the fact at its path.

    A field that nobody tells keeps its default, or is None when it is listed as unknown.
    """
    values: dict[str, Any] = {}
    for name, inner in _fields(kind):
        fact = f"{path}.{name.rstrip('_')}" if path else name
        if fact in told:
            values[name] = told[fact]
        elif inner is not None and fact in OPTIONAL and not any(other.startswith(f"{fact}.") for other in told):
            values[name] = None
        elif inner is not None:
            values[name] = _part(inner, fact, told, unknown)
        elif name in TABLES:
            values[name] = {key: told.get(f"{fact}.{key}") for key in TABLES[name]}
        elif fact in unknown or any(fact.startswith(f"{part}.") for part in unknown):
            values[name] = None if name not in TUPLES else ()
    return kind(**values)


TABLES = {"weights_bytes": ("bf16", "fp8", "int4", "published"), "at": ("8192", "32768", "131072")}
"""Fields that are tables, with keys that are always present."""

TUPLES = frozenset({"kinds", "mix", "modalities"})
OWN = frozenset({"evidence", "disagreements", "unknown", "novel", "schema"})
"""Fields of the record that are filled in at the end."""


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    """(field, the data class it holds or None) of a data class of the record."""
    hints = typing.get_type_hints(kind)
    return tuple((item.name, _inner(hints[item.name])) for item in dataclasses.fields(kind) if item.name not in OWN)


def _inner(hint: Any) -> Any:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next((part for part in parts if dataclasses.is_dataclass(part)), None)
