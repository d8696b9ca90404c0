"""The tall box: tokenized text, embedding, the repeated blocks, final norm and output layer, with what feeds in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.architecture.record import Architecture
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


@dataclass(frozen=True, slots=True)
class Shape:
    """How one block is drawn: its measure and the places it must leave for alignment."""

    measure: blocks.Measure
    slots: Mapping[str, float]

    @property
    def height(self) -> float:
        """Height of the block."""
        return blocks.total(self.slots, self.measure)


def shapes(drawn: Sequence[Block]) -> list[Shape]:
    """Blocks in full or small, so that the whole stays readable."""
    full = [Shape(blocks.FULL, blocks.heights(block, blocks.FULL)) for block in drawn]
    if sum(shape.height for shape in full) <= FULL_HEIGHT:
        return full
    main = max(range(len(drawn)), key=lambda index: drawn[index].count)
    return [
        full[index] if index == main else Shape(blocks.SMALL, blocks.heights(block, blocks.SMALL))
        for index, block in enumerate(drawn)
    ]


def draw(record: Architecture, marks: Marks, drawn: Sequence[Block], sizes: Sequence[Shape], more: int = 0) -> Group:
    """The model, `drawn` from bottom to top; anchors name its parts for leaders (`0.mixer`, `embedding` …)."""
    group = Group(w=WIDTH)
    top = 28.0
    y = _head(group, record, marks, top + 22)
    for index in range(len(drawn) - 1, -1, -1):
        y = _place_block(group, drawn[index], sizes[index], index, y)
    y = _left_out(group, more, y) if more > 0 else y
    y = _foot(group, record, marks, y)
    group.frame(Box(0, top, WIDTH, y - top, "model", "edge", 26, 1.6))
    group.frames.insert(0, group.frames.pop())
    group.stroke((CENTRE, top), (CENTRE, 0), arrow=True)
    group.stroke((CENTRE, y + 28), (CENTRE, y))
    group.h = _input(group, y + 28)
    return group


def _part(group: Group, y: float, text: str, name: str, changed: bool = False, wide: float = 184, tall: float = 32) -> Box:
    stroke = "changed" if changed else "edge"
    box = Box(CENTRE - wide / 2, y, wide, tall, "part", stroke, 8, 2.2 if changed else 1.5)
    group.part(box, name)
    colour = "changed-text" if changed else "text"
    group.write(CENTRE, box.cy + 5.6, shorten(text, wide - 12, 15.5), 15.5, colour, align=0.5)
    return box


def _head(group: Group, record: Architecture, marks: Marks, y: float) -> float:
    """Output layer, MTP, final norm; returns the edge below which the blocks begin."""
    output = _part(group, y, "Linear output layer", "output")
    group.stroke((CENTRE, output.y), (CENTRE, 28))
    below = output.bottom
    if record.norm.placement != "post" and (record.norm.kind or record.is_unknown("norm.kind")):
        changed = marks.changed("norm.kind")
        norm = _part(group, below + 24, f"Final {words.norm(record)}", "norm", changed, 156, 28)
        group.stroke((CENTRE, norm.y), (CENTRE, output.bottom), arrow=True)
        below = norm.bottom
    if record.mtp_layers:
        _mtp(group, record, marks, output, below)
    return below + BETWEEN


def _mtp(group: Group, record: Architecture, marks: Marks, output: Box, below: float) -> None:
    """The extra prediction layers, a box beside the output layer."""
    changed = marks.changed("mtp_layers")
    stroke = "changed" if changed else "edge"
    box = group.part(Box(252, output.y, 72, output.h, "part", stroke, 8, 2.2 if changed else 1.5, True), "mtp")
    y = output.bottom + 11
    group.stroke((CENTRE, y), (box.cx, y), (box.cx, box.bottom), arrow=True)
    label = shorten(f"MTP × {words.whole(record.mtp_layers)}", 64, 14)
    group.write(box.cx, box.cy + 5, label, 14, "changed-text" if changed else "text", align=0.5)


def _place_block(group: Group, drawn: Block, shape: Shape, index: int, y: float) -> float:
    piece = blocks.draw(drawn, shape.measure, shape.slots)
    group.place(piece, INSET, y, f"{index}.")
    group.stroke((CENTRE, y), (CENTRE, y - BETWEEN), arrow=True)
    return y + piece.h + BETWEEN


def _left_out(group: Group, more: int, y: float) -> float:
    """A line for the kinds that are only in the strip."""
    text = f"and {more} more {words.plural(more, 'kind')} of layer"
    box = Box(INSET + 22, y, blocks.PART, 28, "part", "faint", 8, 1.2, True)
    group.part(box)
    group.write(box.cx, box.cy + 5, text, 14.5, "muted", align=0.5)
    group.stroke((CENTRE, y), (CENTRE, y - BETWEEN), arrow=True)
    return box.bottom + BETWEEN


def _foot(group: Group, record: Architecture, marks: Marks, y: float) -> float:
    """Where towers feed in, positions that are added, the embedding; returns the edge of the tall box."""
    last = y - BETWEEN
    if record.towers:
        group.plus(CENTRE, y + 11, 11)
        group.anchors["merge"] = Box(CENTRE - 11, y, 22, 22)
        group.stroke((CENTRE, y), (CENTRE, last))
        last, y = y + 22, y + 22 + 22
    added = [kind for kind in ("learned", "sinusoidal") if kind in record.position.kinds]
    if added:
        changed = marks.changed("position.kinds")
        box = _part(group, y, f"+ {words.positions(record)[0]}", "position", changed, 184, 28)
        group.stroke((CENTRE, box.y), (CENTRE, last), arrow=not record.towers)
        last, y = box.bottom, box.bottom + 20
    box = _part(group, y, "Token embedding", "embedding")
    group.stroke((CENTRE, box.y), (CENTRE, last), arrow=True)
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
