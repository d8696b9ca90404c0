"""The layout model: boxes, lines and measured texts with their places, from which geometry can be checked and SVG made.

A `Group` is a piece of the picture in coordinates of its own; groups are placed into larger ones. Colours are names of
the palette. All lengths are px of the SVG's user space; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from watcher.report.sketch import text as measure

Point = tuple[float, float]
Span = tuple[str, str]
"""A text and its style, a key of `STYLES`."""

STYLES: dict[str, tuple[str, bool]] = {
    "plain": ("text", False),
    "strong": ("text", True),
    "muted": ("muted", False),
    "number": ("number", True),
    "changed": ("changed", True),
}
"""Colour and boldness by style."""

ASCENT, DESCENT = 0.76, 0.24
"""Of a text's line, in em: what the drawn text takes above and below its baseline (capitals, digits, brackets)."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, rounded by `radius`."""

    x: float
    y: float
    w: float
    h: float
    fill: str = "part"
    stroke: str = "edge"
    radius: float = 8
    line: float = 1.5
    dash: bool = False
    tab: bool = False
    """Whether it sits on the edge of another box, on purpose."""

    def moved(self, dx: float, dy: float) -> Box:
        """The same box elsewhere."""
        x, y = self.x + dx, self.y + dy
        return Box(x, y, self.w, self.h, self.fill, self.stroke, self.radius, self.line, self.dash, self.tab)

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """The middle."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """The middle."""
        return self.y + self.h / 2


@dataclass(frozen=True, slots=True)
class Run:
    """A text of one colour, `w` px wide from `x`, on the baseline `y`."""

    x: float
    y: float
    w: float
    text: str
    size: float
    colour: str = "text"
    bold: bool = False

    def moved(self, dx: float, dy: float) -> Run:
        """The same text elsewhere."""
        return Run(self.x + dx, self.y + dy, self.w, self.text, self.size, self.colour, self.bold)


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; `arrow` puts a head at its end, `dots` makes it a leader."""

    points: tuple[Point, ...]
    colour: str = "edge"
    line: float = 1.5
    dots: bool = False
    arrow: bool = False

    def moved(self, dx: float, dy: float) -> Line:
        """The same line elsewhere."""
        points = tuple((x + dx, y + dy) for x, y in self.points)
        return Line(points, self.colour, self.line, self.dots, self.arrow)


@dataclass(frozen=True, slots=True)
class Cells:
    """Many small rectangles (x, y, w, h) of one colour."""

    rects: tuple[tuple[float, float, float, float], ...]
    fill: str

    def moved(self, dx: float, dy: float) -> Cells:
        """The same cells elsewhere."""
        return Cells(tuple((x + dx, y + dy, w, h) for x, y, w, h in self.rects), self.fill)


@dataclass(slots=True)
class Group:
    """A piece of the picture; drawn in the order frames, lines, parts, texts."""

    w: float = 0
    h: float = 0
    frames: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    parts: list[Box | Cells | Line] = field(default_factory=list)
    texts: list[Run] = field(default_factory=list)
    anchors: dict[str, Box] = field(default_factory=dict)
    """Parts that leaders go to, by name."""

    def frame(self, box: Box) -> Box:
        """Add a box under all lines and parts."""
        self.frames.append(box)
        return box

    def part(self, box: Box, name: str = "") -> Box:
        """Add a box over the lines."""
        self.parts.append(box)
        if name:
            self.anchors[name] = box
        return box

    def stroke(self, *points: Point, colour: str = "edge", arrow: bool = False, dots: bool = False) -> None:
        """Add a line under the parts."""
        self.lines.append(Line(points, colour, 1.8 if dots else 1.5, dots, arrow))

    def place(self, other: Group, x: float, y: float, prefix: str = "") -> None:
        """Draw another group with its corner at (x, y)."""
        self.frames += [item.moved(x, y) for item in other.frames]
        self.lines += [item.moved(x, y) for item in other.lines]
        self.parts += [item.moved(x, y) for item in other.parts]
        self.texts += [item.moved(x, y) for item in other.texts]
        for name, box in other.anchors.items():
            self.anchors[prefix + name] = box.moved(x, y)

    def write(
        self, x: float, y: float, text: str, size: float, colour: str = "text", bold: bool = False, align: float = 0
    ) -> Run:
        """Add a text at a baseline; `align` is the share of its width left of x (0 start, 0.5 middle, 1 end).

        Spaces at its ends are room, not text: SVG would drop them and stretch the rest.
        """
        wide = measure.width(text, size, bold)
        run = Run(x - wide * align, y, wide, text, size, colour, bold)
        if bare := text.strip():
            before = measure.width(text[: text.index(bare[0])], size, bold)
            self.texts.append(Run(run.x + before, y, measure.width(bare, size, bold), bare, size, colour, bold))
        return run

    def spans(self, x: float, y: float, spans: Sequence[Span], size: float, room: float, align: float = 0) -> float:
        """Add texts of several styles on one baseline, cut to `room` px; returns the width they take."""
        fitted = fit_spans(spans, size, room)
        total = sum(measure.width(text, size, STYLES[style][1]) for text, style in fitted)
        left = x - total * align
        for text, style in fitted:
            colour, bold = STYLES[style]
            left += self.write(left, y, text, size, colour, bold).w
        return total

    def plus(self, x: float, y: float, radius: float, colour: str = "edge", times: bool = False) -> None:
        """Add a circled plus (or times) around (x, y)."""
        self.part(Box(x - radius, y - radius, 2 * radius, 2 * radius, "part", colour, radius, 1.8))
        arm = radius * (0.42 if times else 0.58)
        for ax, ay in ((arm, arm), (arm, -arm)) if times else ((arm, 0), (0, arm)):
            self.parts.append(Line(((x - ax, y - ay), (x + ax, y + ay)), colour, 1.8))


def fit_spans(spans: Sequence[Span], size: float, room: float) -> list[Span]:
    """As many of the spans as fit into `room` px, the last one shortened."""
    fitted: list[Span] = []
    for text, style in spans:
        bold = STYLES[style][1]
        short = measure.shorten(text, max(room, 0), size, bold)
        room -= measure.width(short, size, bold)
        if short.strip(" …") or text == short:
            fitted.append((short, style))
        if short != text:
            break
    return fitted


def hidden(group: Group, name: str, from_left: bool) -> bool:
    """Whether a mixer or feed-forward stands behind its parallel neighbour, seen from that side."""
    stem, _, sort = name.rpartition(".")
    mixer, feed = group.anchors.get(f"{stem}.mixer"), group.anchors.get(f"{stem}.feed")
    if mixer is None or feed is None or abs(mixer.cy - feed.cy) > 1:
        return False
    return sort == ("feed" if from_left else "mixer")


def spread(wanted: Iterable[tuple[float, float]], gap: float, height: float) -> list[float]:
    """Upper edges for items of (wanted middle, height), in their order, `gap` px apart, within `height` if they fit.

    Items that would overlap form a cluster around the mean of what they want (isotonic regression).
    """
    items = list(wanted)
    offsets, offset = [], 0.0
    clusters: list[tuple[float, int]] = []
    for middle, tall in items:
        offsets.append(offset)
        clusters.append((middle - tall / 2 - offset, 1))
        while len(clusters) > 1 and clusters[-2][0] > clusters[-1][0]:
            (first, many), (second, more) = clusters[-2:]
            clusters[-2:] = [((first * many + second * more) / (many + more), many + more)]
        offset += tall + gap
    free = max(height - (offset - gap), 0.0)
    bases = [min(max(base, 0.0), free) for base, many in clusters for _ in range(many)]
    return [base + start for base, start in zip(bases, offsets, strict=True)]
