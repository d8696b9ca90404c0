"""The inset that shows what a token may attend to: the whole past, a sliding window, its chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from watcher.architecture.record import Architecture
from watcher.report.sketch import flow, words
from watcher.report.sketch.scene import Box, Cells, Group
from watcher.report.sketch.text import shorten

TOKENS: Final = 9
CELL: Final = 9.0
WINDOW: Final = 3

_SEES: Final[dict[str, Callable[[int, int], bool]]] = {
    "full": lambda query, key: key <= query,
    "sliding": lambda query, key: query - WINDOW < key <= query,
    "chunked": lambda query, key: key <= query and key // WINDOW == query // WINDOW,
}
_NAMES: Final = {"full": "full", "sliding": "window", "chunked": "chunk"}


def draw(record: Architecture, wide: float) -> Group:
    """A small grid for each sort of mask in the stack, with how many layers use it."""
    counts = _counts(record)
    group = Group(w=wide, h=40 + TOKENS * CELL + 40)
    flow.frame(group, "What a token attends to", False)
    room = (wide - 2 * flow.PAD) / max(len(counts), 1)
    for index, (sort, count) in enumerate(counts.items()):
        x = flow.PAD + index * room
        _grid(group, sort, x + (room - TOKENS * CELL) / 2, 42)
        label = shorten(f"{_NAMES[sort]}, {words.whole(count)} {words.plural(count, 'layer')}", room - 6, 14.5)
        group.write(x + room / 2, 42 + TOKENS * CELL + 24, label, 14.5, align=0.5)
    return group


def windowed(record: Architecture) -> bool:
    """Whether some layers see less than the whole past."""
    return any(sort != "full" for sort in _counts(record))


def _counts(record: Architecture) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in record.layers.kinds:
        if kind.mixer in words.ATTENTION:
            sort = kind.mixer if kind.mixer in _SEES else "full"
            counts[sort] = counts.get(sort, 0) + kind.count
    return counts


def _grid(group: Group, sort: str, left: float, top: float) -> None:
    side = TOKENS * CELL
    group.part(Box(left, top, side, side, "part", "faint", 2, 1))
    rects = tuple(
        (left + key * CELL + 0.5, top + query * CELL + 0.5, CELL - 1, CELL - 1)
        for query in range(TOKENS)
        for key in range(TOKENS)
        if _SEES[sort](query, key)
    )
    group.parts.append(Cells(rects, "attention.cell0" if sort == "full" else "window.cell0"))
