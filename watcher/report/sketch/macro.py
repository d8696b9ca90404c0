"""A long order of layers as few repeated units: the macro blocks that an expert would see in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

Run = tuple[str, int]
Segment = tuple[tuple[Run, ...], int]
"""Runs, and how many times they come in a row."""

MAX_RUNS: Final = 192
MAX_UNIT: Final = 16
"""Runs of one unit."""


def macro(runs: Sequence[Run]) -> list[Segment]:
    """The shortest way to write the runs as units that repeat; empty for an order too long to be looked through.

    A unit costs its runs and one more for standing there, so what does not repeat stays in one piece.
    """
    if len(runs) > MAX_RUNS:
        return []
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    """By end: cost, start of the last segment, length of its unit."""
    for end in range(1, len(runs) + 1):
        found = [(best[start][0] + end - start + 1, start, end - start) for start in range(end)]
        for unit in range(1, min(MAX_UNIT, end // 2) + 1):
            start = end - unit
            while start >= unit and runs[start - unit : start] == runs[end - unit : end]:
                start -= unit
                found.append((best[start][0] + unit + 1, start, unit))
        best.append(min(found))
    segments, end = [], len(runs)
    while end:
        _, start, unit = best[end]
        segments.append((tuple(runs[start : start + unit]), (end - start) // unit))
        end = start
    return segments[::-1]
