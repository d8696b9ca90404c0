"""The order of layers, free of the stack's depth: what repeats, and what stands before and after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice

MAX_LAYERS = 4_096
"""A longer stack is compared as written."""
MAX_PERIOD = 48
MAX_TAIL = 3

Run = tuple[str, int]

_TOKEN = re.compile(r"\s*(?:(\()|(\))(\d{0,6})|([A-Za-z]+)(\d{0,6}))")


@dataclass(frozen=True, slots=True)
class Order:
    """A stack as prefix, repeated unit and tail."""

    prefix: tuple[str, ...]
    """Distinct runs before the repetition, their lengths left out: how many is a size."""
    unit: tuple[Run, ...]
    """What repeats, with run lengths: they are the mix. Empty when nothing repeats."""
    tail: tuple[str, ...] = ()
    """Runs after the last whole unit that do not begin another one."""

    def __str__(self) -> str:
        unit = " ".join(name if count == 1 else f"{count}×{name}" for name, count in self.unit)
        repeated = f"({unit})…" if len(self.unit) > 1 else f"{unit}…"
        return " ".join([*(f"{name}…" for name in self.prefix), *([repeated] if unit else []), *self.tail])


def expand(sequence: str, limit: int = MAX_LAYERS) -> list[str] | None:
    """One kind id a layer from `A3 B58` or `(A3 B)12`; None when it is malformed or longer than `limit`."""
    stack: list[list[str]] = [[]]
    position, text = 0, sequence.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return None
        position = found.end()
        opening, closing, times, name, count = found.groups()
        if opening:
            stack.append([])
        elif closing and len(stack) > 1:
            group = stack.pop()
            stack[-1].extend(islice(_repeated(group, int(times or 1)), limit + 1))
        elif name:
            stack[-1].extend(islice(_repeated([name], int(count or 1)), limit + 1))
        else:
            return None
        if len(stack) > 8 or len(stack[-1]) > limit:
            return None
    return stack[0] if len(stack) == 1 else None


def _repeated(items: list[str], times: int) -> Sequence[str]:
    return items * min(times, MAX_LAYERS + 1) if len(items) <= 1 else items * min(times, 1 + MAX_LAYERS // len(items))


def runs(items: Sequence[str]) -> tuple[Run, ...]:
    """Run lengths."""
    return tuple((name, len(list(group))) for name, group in groupby(items))


def written(items: Sequence[str]) -> str:
    """Run lengths as text: `3×dense 58×moe`."""
    return " ".join(name if count == 1 else f"{count}×{name}" for name, count in runs(items))


def order(items: Sequence[str]) -> Order:
    """The arrangement of a stack.

    The shortest prefix, period and tail that explain it are taken; two stacks of another depth with the same mix
    have the same order. When nothing repeats the distinct kinds are the prefix, sorted.
    """
    return _order(tuple(items))


@lru_cache(1024)  # one stack is held against many others
def _order(items: tuple[str, ...]) -> Order:
    best: tuple[int, int, int, int] | None = None
    for tail in range(min(MAX_TAIL, max(len(items) - 2, 0)) + 1):
        body = items[: len(items) - tail] if tail else items
        for period in range(1, min(MAX_PERIOD, len(body) // 2) + 1):
            start = _start(body, period)
            if len(body) - start >= 2 * period and start + period + tail <= max(len(items) // 2, 4):
                candidate = (start + period + 2 * tail, tail, start, period)
                best = candidate if best is None else min(best, candidate)
    if best is None:
        return Order(tuple(sorted(set(items))), ()) if len(set(items)) > 1 else Order((), runs(items[:1]))
    _, tail, start, period = best
    unit = runs(items[start : start + period])
    return Order(
        tuple(name for name, _ in runs(items[:start])),
        unit,
        tuple(name for name, _ in runs(items[len(items) - tail :])) if tail else (),
    )


def _start(items: Sequence[str], period: int) -> int:
    """Where a repetition with this period begins that lasts to the end."""
    for index in range(len(items) - period - 1, -1, -1):
        if items[index] != items[index + period]:
            return index + 1
    return 0
