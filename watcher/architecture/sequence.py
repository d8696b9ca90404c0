"""A long row of layer kinds in short: runs and repeats, `A3 B58`, `(A3 B)12`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

MAX_PERIOD = 64
MAX_HEAD = 3
"""Runs that may stand before what repeats."""


def shorten(ids: Sequence[str], name: Callable[[str, int], str], repeat: Callable[[str, int], str]) -> str:
    """The row as runs, and as a repeated group where that is shorter.

    `name` writes one run (`A`, 3), `repeat` a group and how often it comes.
    """
    if not ids:
        return ""
    start, period, times = _period(ids)
    if times > 1:
        group = " ".join(name(kind, count) for kind, count in runs(ids[start : start + period]))
        head = " ".join(name(kind, count) for kind, count in runs(ids[:start]))
        tail = shorten(ids[start + period * times :], name, repeat)
        return f"{head} {repeat(group, times)} {tail}".strip()
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


def _period(ids: Sequence[str]) -> tuple[int, int, int]:
    """(start, period, how often) of the repetition that covers the stack with the fewest runs; (0, all, 1) for none."""
    whole = len(runs(ids))
    best = (whole, 0, len(ids), 1)
    for start in _starts(ids):
        for period in range(2, min(MAX_PERIOD, (len(ids) - start) // 2) + 1):
            times = _times(ids, start, period)
            if times < 2 or period * times < (len(ids) - start) - period or len(set(ids[start : start + period])) < 2:
                continue
            left = ids[start + period * times :]
            written = len(runs(ids[:start])) + len(runs(ids[start : start + period])) + len(runs(left))
            best = min(best, (written, start, period, times))
    return best[1:]


def _starts(ids: Sequence[str]) -> list[int]:
    """Where a repetition may begin: at the start, or after one of the first runs."""
    found, position = [0], 0
    for _, count in runs(ids)[:MAX_HEAD]:
        position += count
        found.append(position)
    return found


def _times(ids: Sequence[str], start: int, period: int) -> int:
    times = 1
    while ids[start + period * times : start + period * (times + 1)] == ids[start : start + period]:
        times += 1
    return times
