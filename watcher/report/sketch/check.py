"""What is wrong with a layout: things that collide, stick out or run through each other. Tests hold it to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from watcher.report.sketch.scene import ASCENT, DESCENT, Box, Cells, Group, Point, Run

SLACK = 0.6
"""px that may overlap: rounding and line widths."""


def problems(group: Group) -> list[str]:
    """One sentence for each fault; empty for a good layout."""
    return [*_outside(group), *_texts(group.texts), *_cut(group), *_boxes(group), *_lines(group)]


def text_box(run: Run) -> Box:
    """The room a text takes."""
    return Box(run.x, run.y - ASCENT * run.size, run.w, (ASCENT + DESCENT) * run.size)


def _parts(group: Group) -> list[Box]:
    boxes = [item for item in group.parts if isinstance(item, Box)]
    cells = [Box(*rect) for item in group.parts if isinstance(item, Cells) for rect in item.rects]
    return boxes + cells


def _outside(group: Group) -> Iterator[str]:
    page = Box(0, 0, group.w, group.h)
    named = [(repr(run.text), text_box(run)) for run in group.texts]
    for name, box in [*named, *(("a box", box) for box in [*group.frames, *_parts(group)])]:
        if not _inside(box, page):
            yield f"{name} at {box.x:.0f}, {box.y:.0f} leaves the page"
    for line in group.lines:
        if any(not (0 <= x <= group.w and 0 <= y <= group.h) for x, y in line.points):
            yield f"a line {line.points} leaves the page"


def _texts(texts: Sequence[Run]) -> Iterator[str]:
    for one, other in combinations(texts, 2):
        if abs(one.y - other.y) < 40 and _overlap(text_box(one), text_box(other)):
            yield f"{one.text!r} runs into {other.text!r}"


def _cut(group: Group) -> Iterator[str]:
    """Texts that cross the edge of a box, unless they stand on another box above it."""
    boxes = [*group.frames, *_parts(group)]
    for run in group.texts:
        room = text_box(run)
        for index, box in enumerate(boxes):
            cut = _overlap(room, box) and not _inside(room, box)
            if cut and not any(_inside(room, over) for over in boxes[index + 1 :]):
                yield f"{run.text!r} is cut by a box at {box.x:.0f}, {box.y:.0f}"


def _boxes(group: Group) -> Iterator[str]:
    for layer in (group.frames, _parts(group)):
        for one, other in combinations(layer, 2):
            if _overlap(one, other) and not (_inside(one, other) or _inside(other, one) or one.tab or other.tab):
                yield f"boxes at {one.x:.0f}, {one.y:.0f} and {other.x:.0f}, {other.y:.0f} overlap"
    for part in _parts(group):
        for frame in group.frames:
            if _overlap(part, frame) and not (_inside(part, frame) or part.tab):
                yield f"a part at {part.x:.0f}, {part.y:.0f} crosses a frame at {frame.x:.0f}, {frame.y:.0f}"


def _lines(group: Group) -> Iterator[str]:
    """Lines under a text, or through a part that they neither leave nor reach."""
    parts = _parts(group)
    for line in group.lines:
        for start, end in pairwise(line.points):
            for part in parts:
                if _crosses(start, end, part, _margin(part)):
                    yield f"a line {start} {end} runs through a part at {part.x:.0f}, {part.y:.0f}"
            for run in group.texts:
                room = text_box(run)
                if _crosses(start, end, room, 0.5) and not any(_inside(room, part) for part in parts):
                    yield f"a line {start} {end} strikes {run.text!r}"


def _margin(part: Box) -> float:
    """What of a part a line may touch: its edge, and the corners of a circle's square."""
    return part.w * 0.25 if part.w == part.h == 2 * part.radius else 2.0


def _overlap(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    return across > SLACK and down > SLACK


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner.x >= outer.x - SLACK
        and inner.right <= outer.right + SLACK
        and inner.y >= outer.y - SLACK
        and inner.bottom <= outer.bottom + SLACK
    )


def _crosses(start: Point, end: Point, box: Box, margin: float) -> bool:
    """Whether the segment passes through the box, its outer `margin` px left out (Liang and Barsky)."""
    (x, y), dx, dy = start, end[0] - start[0], end[1] - start[1]
    enter, leave = 0.0, 1.0
    across = ((-dx, x - box.x - margin), (dx, box.right - margin - x))
    down = ((-dy, y - box.y - margin), (dy, box.bottom - margin - y))
    for slope, room in across + down:
        if slope == 0:
            if room <= 0:
                return False
        elif slope < 0:
            enter = max(enter, room / slope)
        else:
            leave = min(leave, room / slope)
    return enter < leave
