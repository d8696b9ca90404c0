"""What is wrong with a layout: things that collide, stick out or run through each other. Tests hold it to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from watcher.report.sketch.scene import ASCENT, DESCENT, Box, Cells, Group, Point, Run

SLACK: Final = 0.6
"""px that may overlap: rounding and line widths."""


BAND: Final = 48.0
"""px of height by which boxes are found again, so that a page of a thousand cells is looked at in moments."""


class _Bands:
    """Boxes by their height on the page."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self.boxes = boxes
        self._rows: dict[int, list[int]] = {}
        for index, box in enumerate(boxes):
            for row in _rows(box.y, box.bottom):
                self._rows.setdefault(row, []).append(index)

    def near(self, x: float, y: float, right: float, bottom: float) -> list[int]:
        """Those that a rectangle overlaps or touches, in their order; told by index."""
        found = {index for row in _rows(y, bottom) for index in self._rows.get(row, ())}
        boxes = self.boxes
        return sorted(
            index
            for index in found
            if boxes[index].x <= right
            and boxes[index].right >= x
            and boxes[index].y <= bottom
            and boxes[index].bottom >= y
        )

    def of(self, box: Box) -> list[int]:
        """Those that a box overlaps or touches."""
        return self.near(box.x, box.y, box.right, box.bottom)


def _rows(top: float, bottom: float) -> range:
    return range(int(top // BAND), int(bottom // BAND) + 1)


def problems(group: Group) -> list[str]:
    """One sentence for each fault; empty for a good layout."""
    parts, rooms = _parts(group), [text_box(run) for run in group.texts]
    return [
        *_outside(group, parts, rooms),
        *_texts(group.texts, rooms),
        *_cut(group, parts, rooms),
        *_boxes(group, parts),
        *_lines(group, parts, rooms),
    ]


def text_box(run: Run) -> Box:
    """The room a text takes."""
    return Box(run.x, run.y - ASCENT * run.size, run.w, (ASCENT + DESCENT) * run.size)


def _parts(group: Group) -> list[Box]:
    boxes = [item for item in group.parts if isinstance(item, Box)]
    cells = [Box(*rect) for item in group.parts if isinstance(item, Cells) for rect in item.rects]
    return boxes + cells


def _outside(group: Group, parts: Sequence[Box], rooms: Sequence[Box]) -> Iterator[str]:
    page = Box(0, 0, group.w, group.h)
    named = [(repr(run.text), room) for run, room in zip(group.texts, rooms, strict=True)]
    for name, box in [*named, *(("a box", box) for box in [*group.frames, *parts])]:
        if not _inside(box, page):
            yield f"{name} at {box.x:.0f}, {box.y:.0f} leaves the page"
    for line in group.lines:
        if any(not (0 <= x <= group.w and 0 <= y <= group.h) for x, y in line.points):
            yield f"a line {line.points} leaves the page"


def _texts(texts: Sequence[Run], rooms: Sequence[Box]) -> Iterator[str]:
    bands = _Bands(rooms)
    for index, room in enumerate(rooms):
        for other in bands.of(room):
            if other > index and _overlap(room, rooms[other]):
                yield f"{texts[index].text!r} runs into {texts[other].text!r}"


def _cut(group: Group, parts: Sequence[Box], rooms: Sequence[Box]) -> Iterator[str]:
    """Texts that cross the edge of a box, unless they stand on another box above it."""
    bands = _Bands([*group.frames, *parts])
    for run, room in zip(group.texts, rooms, strict=True):
        near = bands.of(room)
        for index in near:
            box = bands.boxes[index]
            cut = _overlap(room, box) and not _inside(room, box)
            if cut and not any(_inside(room, bands.boxes[over]) for over in near if over > index):
                yield f"{run.text!r} is cut by a box at {box.x:.0f}, {box.y:.0f}"


def _boxes(group: Group, parts: Sequence[Box]) -> Iterator[str]:
    for layer in (group.frames, parts):
        bands = _Bands(layer)
        for index, one in enumerate(layer):
            for other in (layer[near] for near in bands.of(one) if near > index):
                if _overlap(one, other) and not (_inside(one, other) or _inside(other, one) or one.tab or other.tab):
                    yield f"boxes at {one.x:.0f}, {one.y:.0f} and {other.x:.0f}, {other.y:.0f} overlap"
    for part in parts:
        for frame in group.frames:
            if _overlap(part, frame) and not (_inside(part, frame) or part.tab):
                yield f"a part at {part.x:.0f}, {part.y:.0f} crosses a frame at {frame.x:.0f}, {frame.y:.0f}"


def _lines(group: Group, parts: Sequence[Box], rooms: Sequence[Box]) -> Iterator[str]:
    """Lines under a text, or through a part that they neither leave nor reach."""
    solid, written = _Bands(parts), _Bands(rooms)
    for line in group.lines:
        for start, end in pairwise(line.points):
            across, down = sorted((start[0], end[0])), sorted((start[1], end[1]))
            span = (across[0], down[0], across[1], down[1])
            for part in (parts[near] for near in solid.near(*span)):
                if _crosses(start, end, part, _margin(part)):
                    yield f"a line {start} {end} runs through a part at {part.x:.0f}, {part.y:.0f}"
            for near in written.near(*span):
                room = rooms[near]
                standing = any(_inside(room, parts[under]) for under in solid.of(room))
                if not standing and _crosses(start, end, room, 0.5):
                    yield f"a line {start} {end} strikes {group.texts[near].text!r}"


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
