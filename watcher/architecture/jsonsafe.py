"""Hostile JSON → plain data, or one clause that says why not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ITEMS = 200_000
BIGGEST = 2**62


class Unreadable(ValueError):
    """The file cannot be read; the text is a clause: `is not JSON: …`."""


def load_object(data: bytes, *, limit: int = MAX_BYTES, items: int = MAX_ITEMS) -> dict[str, Any]:
    """A JSON object. Raises Unreadable for anything else.

    A byte order mark is accepted; of two equal keys the last one counts, as everywhere. NaN, Infinity and numbers too
    large for a size become words, which are no size of anything; whole floats become integers. More than `items` values
    are refused.
    """
    if len(data) > limit:
        raise Unreadable(f"has {len(data):,} bytes, more than a config can have")
    if not data.strip():
        raise Unreadable("is empty")
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON: {str(error)[:120]}") from None
    if not isinstance(value, dict):
        raise Unreadable(f"is a JSON {_kind(value)}, not an object")
    return dict(_clean(value, 0, [items]))


def _kind(value: Any) -> str:
    return {list: "list", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


def _clean(value: Any, depth: int, count: list[int]) -> Any:
    count[0] -= 1
    if depth > MAX_DEPTH:
        raise Unreadable("is nested too deeply")
    if count[0] < 0:
        raise Unreadable("has too many values")
    if isinstance(value, dict):
        return {key: _clean(item, depth + 1, count) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1, count) for item in value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > BIGGEST:
        return TOO_LARGE
    return value


TOO_LARGE = "a number too large"
SENSELESS = frozenset({"NaN", TOO_LARGE})
"""What stands for numbers that are none."""


def _number(value: float) -> int | float | str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else TOO_LARGE
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
