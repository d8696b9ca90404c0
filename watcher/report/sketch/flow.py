"""A small language for the insets: boxes in rows and columns, joined from bottom to top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.report.sketch.scene import STYLES, Box, Group, Span
from watcher.report.sketch.text import shorten, width

SIZE: Final = 14.0
NODE: Final = 26.0
PITCH: Final = 40.0
"""From one row to the next."""
PAD: Final = 16.0
HEAD: Final = 40.0
"""Taken by the title."""
OPERATORS: Final = {"×": True, "+": False}


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a flow: `at` is its middle as a share of the width, `row` counts from the bottom."""

    id: str
    at: float
    row: int
    text: str
    look: str = "plain"
    """plain, strong (the heart of the matter), cache (what is kept per token), `point` (a bare junction)."""
    span: float = 0
    """Width as a share of the whole; 0 for as wide as its text."""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """A titled inset: nodes, edges (from, to; `>` before a name enters it from the side) and lines of facts."""

    title: str
    nodes: Sequence[Node]
    edges: Sequence[str]
    """`a b c` joins a to b and b to c."""
    facts: Sequence[Sequence[Span]] = ()
    changed: bool = False
    name: str = ""
    """What leaders call it."""


def draw(flow: Flow, wide: float) -> Group:
    """The inset, `wide` px, as high as it needs."""
    lines = [line for spans in flow.facts for line in wrap_spans(spans, SIZE + 1, wide - 2 * PAD)]
    rows = sorted({node.row for node in flow.nodes if node.look != "point"})
    order = {row: index for index, row in enumerate(rows)}
    tall = HEAD + len(rows) * PITCH + (10 if flow.edges else 0)
    group = Group(w=wide, h=tall + facts_height(lines))
    frame(group, flow.title, flow.changed)
    inner = wide - 2 * PAD
    widths = _widths(flow.nodes, inner)
    boxes = {
        node.id: _box(node, PAD + node.at * inner, tall - _level(node, order), widths[node.id]) for node in flow.nodes
    }
    for chain in flow.edges:
        _chain(group, chain.split(), boxes)
    for node in flow.nodes:
        _node(group, node, boxes[node.id])
    facts(group, lines, tall + 10)
    return group


def _level(node: Node, order: dict[int, int]) -> float:
    """How far above the flow's lower edge a node's middle is."""
    return 4 if node.look == "point" else 20 + NODE / 2 + PITCH * order[node.row]


def frame(group: Group, title: str, changed: bool) -> None:
    """The inset's frame and title."""
    group.frame(Box(0, 0, group.w, group.h, "inset", "changed" if changed else "edge", 14, 2.4 if changed else 1.4))
    colour = "changed-text" if changed else "text"
    group.write(PAD, 25, shorten(title, group.w - 2 * PAD, 16, True), 16, colour, True)


def wrap_spans(spans: Sequence[Span], size: float, room: float) -> list[list[Span]]:
    """Spans set in lines of at most `room` px, broken between spans where that helps."""
    lines: list[list[Span]] = [[]]
    left = room
    for text, style in spans:
        wide = width(text, size, STYLES[style][1])
        if wide > left and lines[-1]:
            lines.append([])
            left, text = room, text.lstrip(" ,")
        lines[-1].append((text, style))
        left -= wide
    return lines


def facts_height(lines: Sequence[Sequence[Span]]) -> float:
    """What lines of facts take below a drawing."""
    return 23 * len(lines) + 6 if lines else 0.0


def facts(group: Group, lines: Sequence[Sequence[Span]], y: float) -> None:
    """Lines of facts from the baseline `y + 6` on."""
    for index, spans in enumerate(lines):
        group.spans(PAD, y + 6 + 23 * index, spans, 15, group.w - 2 * PAD)


def _widths(nodes: Sequence[Node], inner: float) -> dict[str, float]:
    """As wide as the texts, but not beyond the frame's padding or into the neighbours."""
    widths: dict[str, float] = {}
    for node in nodes:
        beside = [other for other in nodes if other.row == node.row and other is not node]
        rooms = [_share(abs(other.at - node.at) * inner - 6, _natural(other)) for other in beside]
        edge = 2 * min(node.at, 1 - node.at) * inner + 8
        widths[node.id] = node.span * inner or min(_natural(node), edge, *rooms)
    return widths


def _natural(node: Node) -> float:
    return max(width(node.text, SIZE) + 14, 42)


def _share(apart: float, neighbour: float) -> float:
    """The width a node may have beside a neighbour: half of the room, more where the neighbour takes less."""
    return max(apart, 2 * apart - neighbour)


def _box(node: Node, x: float, y: float, wide: float) -> Box:
    if node.look == "point":
        return Box(x, y, 0, 0)
    if node.text in OPERATORS:
        return Box(x - 10, y - 10, 20, 20)
    return Box(x - wide / 2, y - NODE / 2, wide, NODE)


def _chain(group: Group, names: Sequence[str], boxes: Mapping[str, Box]) -> None:
    """Join boxes one after the other, straight up in one lane as long as the boxes are wide enough."""
    start = boxes[names[0]]
    x = start.cx
    for name in names[1:]:
        end = boxes[name.lstrip(">")]
        if name.startswith(">"):
            _side(group, start, end, x)
        elif end.x < x < end.right or abs(end.cx - x) < 1:
            group.stroke((x, start.y), (x, end.bottom), arrow=True)
        elif start.x < end.cx < start.right:
            x = end.cx
            group.stroke((x, start.y), (x, end.bottom), arrow=True)
        else:
            middle = end.bottom + (PITCH - NODE) / 2 + 1
            group.stroke((x, start.y), (x, middle), (end.cx, middle), (end.cx, end.bottom), arrow=True)
            x = end.cx
        start = end


def _side(group: Group, start: Box, end: Box, x: float) -> None:
    """Into a box from the side."""
    right = x > end.cx
    edge = end.right if right else end.x
    if abs(start.cy - end.cy) < 1:
        group.stroke((start.x if right else start.right, start.cy), (edge, end.cy), arrow=True)
    else:
        group.stroke((x, start.y), (x, end.cy), (edge, end.cy), arrow=True)


_LOOKS: Final[dict[str, tuple[str, str, str]]] = {
    "plain": ("part", "edge", "text"),
    "strong": ("attention.deep", "edge", "on-deep"),
    "window": ("window.deep", "edge", "on-deep"),
    "linear": ("linear.deep", "edge", "on-deep"),
    "latent": ("latent.deep", "edge", "on-deep"),
    "compressed": ("compressed.deep", "edge", "on-deep"),
    "convolution": ("convolution.deep", "edge", "on-deep"),
    "cache": ("experts", "edge", "text"),
    "feed": ("feed", "edge", "text"),
}


def _node(group: Group, node: Node, box: Box) -> None:
    if node.look == "point":
        return
    if node.text in OPERATORS:
        group.plus(box.cx, box.cy, 10, "changed" if node.changed else "edge", OPERATORS[node.text])
        return
    fill, stroke, ink = _LOOKS[node.look]
    if node.changed:
        stroke, ink = "changed", ink if ink == "on-deep" else "changed-text"
    group.part(Box(box.x, box.y, box.w, box.h, fill, stroke, 7, 2.4 if node.changed else 1.3))
    group.write(box.cx, box.cy + 5, shorten(node.text, box.w - 6, SIZE), SIZE, ink, align=0.5)
