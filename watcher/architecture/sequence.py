"""A long row of layer kinds in short: runs and repeats, `A3 B58`, `(A3 B)12`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

MAX_PERIOD = 64


def shorten(ids: Sequence[str], name: Callable[[str, int], str], repeat: Callable[[str, int], str]) -> str:
    """The row as runs, and as a repeated group where that is shorter.

    `name` writes one run (`A`, 3), `repeat` a group and how often it comes.
    """
    if not ids:
        return ""
    period, times = _period(ids)
    if times > 1 and len(set(ids[:period])) > 1:
        group = " ".join(name(kind, count) for kind, count in runs(ids[:period]))
        tail = shorten(ids[period * times :], name, repeat)
        return f"{repeat(group, times)} {tail}".strip()
    return " ".join(name(kind, count) for kind, count in runs(ids))


def runs(ids: Sequence[str]) -> list[tuple[str, int]]:
    """Neighbours that are the same, counted."""
    found: list[tuple[str, int]] = []
    for item in ids:
        if found and found[-1][0] == item:
            found[-1] = (item, found[-1][1] + 1)
        else:
            found.append((item, 1))
    return found


def _period(ids: Sequence[str]) -> tuple[int, int]:
    """The shortest group that repeats from the start, and how often; (all, 1) when none saves anything."""
    for period in range(2, min(MAX_PERIOD, len(ids) // 2) + 1):
        times = 1
        while ids[period * times : period * (times + 1)] == ids[:period]:
            times += 1
        if times > 1 and period * times >= len(ids) - period:
            return period, times
    return len(ids), 1
