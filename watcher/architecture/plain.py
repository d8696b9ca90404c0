"""Frozen data classes ⇄ JSON-safe data: keys in their stated order, lists for tuples, `class_` as `class`."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

ABSENT_WHEN_NONE: Mapping[str, bool] = {"absent_when_none": True}
"""Metadata of a field whose key is only there when it has a value."""


def to_plain(value: Any) -> Any:
    """A value as JSON-safe data."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    fields = _fields(typing.cast(type, type(value)))
    if fields:
        found = ((key, getattr(value, name), absent) for name, key, absent in fields)
        return {key: to_plain(item) for key, item, absent in found if not (absent and item is None)}
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], data: Mapping[str, Any]) -> T:
    """A data class back from `to_plain`'s form; unknown keys are ignored, absent ones take their default."""
    return typing.cast(T, _build(kind, data))


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """(attribute, key, whether it is absent when None) of a data class, worked out once; empty for any other type."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(
        (item.name, item.name.rstrip("_"), "absent_when_none" in item.metadata) for item in dataclasses.fields(kind)
    )


def _build(kind: Any, data: Any) -> Any:
    """Make a value of the annotated type `kind` from plain data."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if data is None:
            return None
        wanted = next((item for item in arguments if _accepts(item, data)), None)
        return data if wanted is None else _build(wanted, data)
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in data)
    if origin is dict:
        return {key: _build(arguments[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        given = {name: key for name, key, _ in _fields(typing.cast(type, kind)) if key in data}
        return kind(**{name: _build(hints[name], data[key]) for name, key in given.items()})  # type: ignore[operator]
    return data


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The annotations of a class, worked out once: they are strings in the source."""
    return typing.get_type_hints(kind)


def _accepts(kind: Any, data: Any) -> bool:
    if dataclasses.is_dataclass(kind):
        return isinstance(data, dict)
    return typing.get_origin(kind) is tuple and isinstance(data, list)
