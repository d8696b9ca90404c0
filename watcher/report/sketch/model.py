"""The tall box: tokenized text, embedding, the repeated blocks, final norm and output layer, with what feeds in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.architecture.record import Architecture
from watcher.compare import stack
from watcher.report.sketch import block as blocks
from watcher.report.sketch import words
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.plan import Block
from watcher.report.sketch.scene import Box, Group
from watcher.report.sketch.text import shorten, wrap

WIDTH: Final = 340
INSET: Final = 20
CENTRE: Final = INSET + blocks.CENTRE
"""x of the trunk."""
FULL_HEIGHT: Final = 640
"""All blocks are drawn in full while they take no more than this; else only the most frequent one."""
BETWEEN: Final = 32
AROUND: Final = 300
"""What the model takes above and below its blocks."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one block is drawn: its measure and the places it must leave for alignment."""

    measure: blocks.Measure
    slots: Mapping[str, float]

    @property
    def height(self) -> float:
        """Height of the block."""
        return blocks.total(self.slots, self.measure)


def shapes(drawn: Sequence[Block], beside: float = 0) -> list[Shape]:
    """Blocks in full or small, so that the whole stays readable and about as high as what stands `beside` it."""
    full = [Shape(blocks.FULL, blocks.heights(block, blocks.FULL)) for block in drawn]
    if sum(shape.height + BETWEEN for shape in full) <= max(FULL_HEIGHT, beside - AROUND):
        return full
    main = max(range(len(drawn)), key=lambda index: drawn[index].count)
    return [
        full[index] if index == main else Shape(blocks.SMALL, blocks.heights(block, blocks.SMALL))
        for index, block in enumerate(drawn)
    ]


@dataclass(frozen=True, slots=True)
class Rows:
    """Which of the rows that not every model has are there, or left free so that two models align."""

    norm: bool
    merge: bool
    """Where towers feed in."""
    position: bool
    """Positions that are added to the embedding."""
    more: bool
    """A line for kinds of layer that are not drawn."""

    def joined(self, other: Rows) -> Rows:
        """The rows that either has."""
        return Rows(
            self.norm or other.norm,
            self.merge or other.merge,
            self.position or other.position,
            self.more or other.more,
        )


def rows(record: Architecture, more: int) -> Rows:
    """The rows this model has."""
    normed = record.norm.kind is not None or record.is_unknown("norm.kind")
    return Rows(
        norm=normed and record.norm.placement != "post",
        merge=bool(record.towers),
        position=_added(record),
        more=more > 0,
    )


def _added(record: Architecture) -> bool:
    return any(kind in ("learned", "sinusoidal") for kind in record.position.kinds)


def draw(
    record: Architecture,
    marks: Marks,
    drawn: Sequence[Block | None],
    sizes: Sequence[Shape],
    more: int = 0,
    room: Rows | None = None,
) -> Group:
    """The model, `drawn` from bottom to top; anchors name its parts for leaders (`0.mixer`, `embedding` …).

    Where a block is None its room is left free, as are the rows of `room` that this model does not have.
    """
    group, top = Group(w=WIDTH), 28.0
    own = rows(record, more)
    room = own if room is None else room
    y = _head(group, record, marks, own, room)
    y = _stack(group, record, drawn, sizes, y)
    y = _left_out(group, more, y) if room.more else y
    fed = more > 0 or drawn[0] is not None
    y = _foot(group, record, marks, (own, room), y, fed)
    if room is not own and own.merge:
        _feeding(group, record)
    group.frames.insert(0, Box(0, top, WIDTH, y - top, "model", "edge", 26, 1.6))
    group.stroke((CENTRE, top), (CENTRE, 0), arrow=True)
    group.stroke((CENTRE, y + 28), (CENTRE, y))
    group.h = _input(group, y + 28)
    return group


def _stack(
    group: Group, record: Architecture, drawn: Sequence[Block | None], sizes: Sequence[Shape], y: float
) -> float:
    """The blocks from top to bottom, each with the arrow out of it."""
    order = stack.expand(record.layers.sequence or "") or []
    for index in range(len(drawn) - 1, -1, -1):
        block, tall = drawn[index], sizes[index].height
        group.stroke((CENTRE, y), (CENTRE, y - BETWEEN), arrow=block is not None)
        if block is None:
            group.stroke((CENTRE, y + tall), (CENTRE, y))
        else:
            group.place(blocks.draw(block, sizes[index].measure, sizes[index].slots), INSET, y, f"{index}.")
        y += tall + BETWEEN
        lower = drawn[index - 1] if index else None
        if block and lower and _alternate(order, lower, block):
            group.write(CENTRE + 14, y - BETWEEN + 15, "alternating, see Layers", 13.5, "muted")
    return y


def _part(
    group: Group, y: float, text: str, name: str, changed: bool = False, wide: float = 184, tall: float = 32
) -> Box:
    stroke = "changed" if changed else "edge"
    box = Box(CENTRE - wide / 2, y, wide, tall, "part", stroke, 8, 2.2 if changed else 1.5)
    group.part(box, name)
    colour = "changed-text" if changed else "text"
    group.write(CENTRE, box.cy + 5.6, shorten(text, wide - 12, 15.5), 15.5, colour, align=0.5)
    return box


def _head(group: Group, record: Architecture, marks: Marks, own: Rows, room: Rows) -> float:
    """Output layer, MTP, final norm; returns the edge below which the blocks begin."""
    output = _part(group, 50, "Linear output layer", "output")
    group.stroke((CENTRE, output.y), (CENTRE, 28))
    below = output.bottom
    if own.norm:
        changed = marks.changed("norm.kind")
        norm = _part(group, below + 24, f"Final {words.norm(record)}", "norm", changed, 156, 28)
        group.stroke((CENTRE, norm.y), (CENTRE, output.bottom), arrow=True)
    elif room.norm:
        group.stroke((CENTRE, below + 52), (CENTRE, below), arrow=True)
    if record.mtp_layers:
        _mtp(group, record, marks, output)
    return below + (52 if room.norm else 0) + BETWEEN


def _mtp(group: Group, record: Architecture, marks: Marks, output: Box) -> None:
    """The extra prediction layers, a box beside the output layer."""
    changed = marks.changed("mtp_layers")
    stroke = "changed" if changed else "edge"
    box = group.part(Box(252, output.y, 72, output.h, "part", stroke, 8, 2.2 if changed else 1.5, True), "mtp")
    y = output.bottom + 11
    group.stroke((CENTRE, y), (box.cx, y), (box.cx, box.bottom), arrow=True)
    label = shorten(f"MTP × {words.whole(record.mtp_layers)}", 64, 14)
    group.write(box.cx, box.cy + 5, label, 14, "changed-text" if changed else "text", align=0.5)


def _alternate(order: Sequence[str], lower: Block, upper: Block) -> bool:
    """Whether the lower block comes back after the upper one has begun."""
    above, below = {kind.id for kind in upper.kinds}, {kind.id for kind in lower.kinds}
    begun = next((index for index, name in enumerate(order) if name in above), len(order))
    return any(name in below for name in order[begun:])


def _left_out(group: Group, more: int, y: float) -> float:
    """A line for the kinds that are only in the strip."""
    group.stroke((CENTRE, y + 28 if not more else y), (CENTRE, y - BETWEEN), arrow=True)
    if more:
        text = f"and {more} more {words.plural(more, 'kind')} of layer"
        box = Box(INSET + 22, y, blocks.PART, 28, "part", "faint", 8, 1.2, True)
        group.part(box)
        group.write(box.cx, box.cy + 5, text, 14.5, "muted", align=0.5)
    return y + 28 + BETWEEN


def _feeding(group: Group, record: Architecture) -> None:
    """What the towers are for, beside the place where they feed in."""
    merge = group.anchors["merge"]
    label = shorten(", ".join(words.modality(tower.modality) for tower in record.towers[:3]), 92, 14)
    box = group.part(Box(220, merge.cy - 13, 104, 26, "part", "edge", 8, 1.4))
    group.write(box.cx, box.cy + 5, label, 14, align=0.5)
    group.stroke((box.x, merge.cy), (merge.right, merge.cy), arrow=True)


def _foot(group: Group, record: Architecture, marks: Marks, shown: tuple[Rows, Rows], y: float, fed: bool) -> float:
    """Where towers feed in, positions that are added, the embedding; returns the edge of the tall box."""
    (own, room), last = shown, y - BETWEEN
    if own.merge:
        group.plus(CENTRE, y + 11, 11)
        group.anchors["merge"] = Box(CENTRE - 11, y, 22, 22)
        group.stroke((CENTRE, y), (CENTRE, last), arrow=fed)
        last, fed = y + 22, True
    y += 44 if room.merge else 0
    if own.position:
        text = "+ learned positions" if "learned" in record.position.kinds else "+ sinusoidal positions"
        box = _part(group, y, text, "position", marks.changed("position.kinds"), 184, 28)
        group.stroke((CENTRE, box.y), (CENTRE, last), arrow=fed)
        last, fed = box.bottom, True
    y += 48 if room.position else 0
    box = _part(group, y, "Token embedding", "embedding")
    group.stroke((CENTRE, box.y), (CENTRE, last), arrow=fed)
    group.stroke((CENTRE, box.bottom + 22), (CENTRE, box.bottom), arrow=True)
    return box.bottom + 22


def _input(group: Group, y: float) -> float:
    box = _part(group, y, "Tokenized text", "input", wide=148, tall=30)
    return box.bottom


def towers(record: Architecture, marks: Marks, width: float) -> Group | None:
    """The encoders for other modalities, a box each."""
    if not record.towers:
        return None
    group, y = Group(w=width), 0.0
    known = {tower.modality for tower in marks.baseline.towers} if marks.baseline is not None else None
    for tower in record.towers[:3]:
        new = known is not None and tower.modality not in known
        facts = [
            f"{words.whole(tower.layers)} layers" if tower.layers is not None else "",
            f"{words.whole(tower.hidden_size)} wide" if tower.hidden_size is not None else "",
            f"{words.count(tower.parameters)} parameters" if tower.parameters else "",
        ]
        lines = wrap(" · ".join(filter(None, facts)) or "sizes unknown", width - 24, 15, lines=2)
        box = Box(0, y, width, 36 + 20 * len(lines), "inset", "changed" if new else "edge", 12, 2.2 if new else 1.4)
        group.frame(box)
        title = f"{words.modality(tower.modality)} encoder"
        group.write(14, y + 24, shorten(title, width - 28, 16, True), 16, "changed-text" if new else "text", True)
        for index, line in enumerate(lines):
            group.write(14, y + 44 + 20 * index, line, 15, "muted")
        y = box.bottom + 10
    group.h = y - 10
    return group
