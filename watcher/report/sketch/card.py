"""The sketch of a model on a gallery's card: its blocks with what is in them, small enough for one glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.architecture.record import Architecture
from watcher.report.sketch import block as blocks
from watcher.report.sketch import plan, strip, words
from watcher.report.sketch.describe import describe
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.palette import Theme
from watcher.report.sketch.plan import Block, Part
from watcher.report.sketch.scene import Box, Group
from watcher.report.sketch.svg import svg
from watcher.report.sketch.text import shorten, width

WIDTH: Final = 340.0
MARGIN: Final = 10.0
INNER: Final = 288.0
"""Width of a part."""
GAP: Final = 8.0
PILL: Final = 78.0
"""Room at a block's left edge for its count."""
MEASURE: Final = blocks.SMALL


def draw_card(record: Architecture, *, theme: Theme = "light") -> str:
    """The small sketch as SVG."""
    title, description = describe(record)
    return svg(layout(record), title, description, theme)


def layout(record: Architecture) -> Group:
    """Everything in its place: output, blocks from top to bottom, embedding, pattern strip."""
    drawn, more = plan.blocks(record, Marks(record, None, ()))
    page = Group(w=WIDTH + 2 * MARGIN)
    y = _bar(page, "Output", MARGIN)
    for item in reversed(drawn):
        y = _block(page, item, y + 12)
    if more:
        page.write(page.w / 2, y + 28, f"and {more} more {words.plural(more, 'kind')} of layer", 14, "muted", align=0.5)
        y += 22
    y = _bar(page, "Embedding", y + 12)
    cells = strip.bare(record, WIDTH)
    if cells:
        page.place(cells, MARGIN, y + 14)
        y += 14 + cells.h
    page.h = y + MARGIN
    return page


def _bar(page: Group, text: str, y: float) -> float:
    page.part(Box(MARGIN + 90, y, WIDTH - 180, 26, "part", "edge", 8, 1.3))
    page.write(page.w / 2, y + 18, text, 14.5, align=0.5)
    return y + 26


def _block(page: Group, item: Block, y: float) -> float:
    """One block: a tinted box with its count, the feed-forward above the mixer (or beside it); its lower edge."""
    parts = [part for part in (item.feed, item.mixer) if part is not None]
    tall = _heights(parts, item.parallel)
    bottom = y + 34 + sum(tall) + GAP * (len(tall) - 1) + 12
    page.frame(Box(MARGIN, y, WIDTH, bottom - y, f"{item.family}.tint", "edge", 14, 1.3, item.family == "unknown"))
    page.stroke((page.w / 2, y), (page.w / 2, y - 12))
    _count(page, item, y)
    top = y + 34
    for index, part in enumerate(parts):
        box = _place(index, len(parts), item.parallel, top, tall)
        blocks.draw_part(page, part, box, MEASURE, f"{y}.{index}", box.w)
    page.stroke((page.w / 2, bottom), (page.w / 2, bottom + 12))
    return bottom


def _heights(parts: Sequence[Part], parallel: bool) -> list[float]:
    if parallel:
        return [max(blocks.part_height([part], MEASURE, True) for part in parts)]
    return [blocks.height_in(part, MEASURE, INNER) for part in parts]


def _place(index: int, many: int, parallel: bool, top: float, tall: Sequence[float]) -> Box:
    left = MARGIN + (WIDTH - INNER) / 2
    if parallel and many > 1:
        half = (INNER - GAP) / 2
        return Box(left + (1 - index) * (half + GAP), top, half, tall[0])
    return Box(left, top + sum(tall[:index]) + GAP * index, INNER, tall[min(index, len(tall) - 1)])


def _count(page: Group, item: Block, y: float) -> None:
    """`A 36 ×` on the upper left, and how the norms stand on the right."""
    many = words.whole(item.count) if 0 < item.count < 10_000 else words.count(item.count) if item.count else "?"
    left = MARGIN + (WIDTH - INNER) / 2
    letters = f"{item.letters}  " if item.letters else ""
    page.write(left, y + 23, letters, 15, "muted", True)
    start = left + width(letters, 15, True)
    page.write(start, y + 23, shorten(f"{many} ×", PILL, 18, True), 18, "number", True)
    norm = words.PLACEMENTS.get(item.placement or "", "")
    if norm:
        page.write(left + INNER, y + 22, shorten(norm, INNER - PILL - 50, 13.5), 13.5, "muted", align=1)
