"""deepdiff, with the settings that were measured to be needed: which leaves differ, and its JSON view."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

MAX_DEPTH = 24
MAX_ITEMS = 4_096
"""Items of one list, keys of one object."""
MAX_NODES = 40_000
"""Values of one config; what is beyond is told as a count."""
MAX_TEXT = 2_000
MAX_DIGITS = 40

_SETTINGS: dict[str, Any] = {
    "threshold_to_diff_deeper": 0,  # else a small dict that changed much is one change
    "ignore_nan_inequality": True,
    "zip_ordered_iterables": True,  # by position: the search for a best match takes minutes for 4,000 items
}


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The paths at which two nested dicts of plain values differ, in a stable order.

    A group that only one side has is one path, unless the other side's is None: a missing key and None are the same.
    """
    from deepdiff import DeepDiff

    diff = DeepDiff(dict(a), dict(b), view="tree", **_SETTINGS)
    paths: set[tuple[str, ...]] = set()
    for items in diff.values():
        for item in items:
            if not (_nothing(item.t1) and _nothing(item.t2)):
                paths.add(tuple(map(str, item.path(output_format="list"))))
    return sorted(paths)


def _nothing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NotPresent"


def json_view(a: Any, b: Any) -> dict[str, Any]:
    """deepdiff's JSON view of two raw configs: numbers normalised, lists by position, safe to dump."""
    from deepdiff import DeepDiff

    diff = DeepDiff(bounded(a), bounded(b), verbose_level=2, **_SETTINGS)
    view: dict[str, Any] = json.loads(diff.to_json())
    return view


def bounded(value: Any) -> Any:
    """A parsed JSON value that is safe to compare and to dump.

    1.0 becomes 1; NaN and infinities, huge integers and what is too deep, too long or too much become short texts
    that say so.
    """
    return _bounded(value, 0, [MAX_NODES])


def _bounded(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if isinstance(value, Mapping):
        return _mapping(value, depth, budget)
    if isinstance(value, (list, tuple)):
        return _sequence(value, depth, budget)
    return _scalar(value)


def _mapping(value: Mapping[Any, Any], depth: int, budget: list[int]) -> Any:
    if depth >= MAX_DEPTH or budget[0] <= 0:
        return f"({len(value)} keys, not compared)"
    kept = {_key(key): _bounded(item, depth + 1, budget) for key, item in [*value.items()][:MAX_ITEMS]}
    if len(value) > MAX_ITEMS:
        kept["…"] = f"({len(value) - MAX_ITEMS} more keys, not compared)"
    return kept


def _sequence(value: Sequence[Any], depth: int, budget: list[int]) -> Any:
    if depth >= MAX_DEPTH or budget[0] <= 0:
        return f"({len(value)} items, not compared)"
    kept = [_bounded(item, depth + 1, budget) for item in value[:MAX_ITEMS]]
    return kept if len(value) <= MAX_ITEMS else [*kept, f"({len(value) - MAX_ITEMS} more items, not compared)"]


def _key(key: Any) -> str:
    text = str(key)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else f"(an integer of more than {MAX_DIGITS} digits)"
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"
