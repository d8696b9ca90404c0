"""A laid-out group as SVG: the same bytes for the same picture, text as text, no style sheet and no script."""

from __future__ import annotations

import math
import zlib
from html import escape

from watcher.report.sketch import palette
from watcher.report.sketch.scene import Box, Cells, Group, Line, Point, Run
from watcher.report.sketch.text import valid

FONTS = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
HEAD_LENGTH, HEAD_WIDTH = 7.0, 3.5


def svg(group: Group, title: str, description: str, theme: palette.Theme) -> str:
    """The document. `title` and `description` are plain text for those who cannot see the picture."""
    colours = palette.colours(theme)
    title, description = escape(valid(title), quote=False), escape(valid(description), quote=False)
    mark = f"{zlib.crc32(f'{theme}{title}{description}'.encode()):08x}"
    wide, tall = _number(group.w), _number(group.h)
    body = [_box(item, colours) for item in group.frames]
    body += [_line(item, colours) for item in group.lines]
    body += [_part(item, colours) for item in group.parts]
    body += [_run(item, colours) for item in group.texts]
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}" '
        f'role="img" aria-labelledby="t{mark} d{mark}" font-family="{FONTS}">'
    )
    words = [f'<title id="t{mark}">{title}</title>', f'<desc id="d{mark}">{description}</desc>']
    page = f'<rect width="{wide}" height="{tall}" fill="{colours["page"]}"/>'
    return "\n".join([start, *words, page, *body, "</svg>", ""])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _part(item: Box | Cells | Line, colours: dict[str, str]) -> str:
    if isinstance(item, Box):
        return _box(item, colours)
    return _cells(item, colours) if isinstance(item, Cells) else _line(item, colours)


def _box(box: Box, colours: dict[str, str]) -> str:
    x, y, w, h = map(_number, (box.x, box.y, box.w, box.h))
    stroke = "" if box.stroke == "none" else f' stroke="{colours[box.stroke]}" stroke-width="{_number(box.line)}"'
    dash = ' stroke-dasharray="5 4"' if box.dash else ""
    radius = f' rx="{_number(box.radius)}"' if box.radius else ""
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}"{radius} fill="{colours[box.fill]}"{stroke}{dash}/>'


def _cells(cells: Cells, colours: dict[str, str]) -> str:
    path = "".join(f"M{_number(x)} {_number(y)}h{_number(w)}v{_number(h)}h-{_number(w)}z" for x, y, w, h in cells.rects)
    return f'<path d="{path}" fill="{colours[cells.fill]}"/>'


def _line(line: Line, colours: dict[str, str]) -> str:
    points, head = line.points, ""
    colour = colours[line.colour]
    if line.arrow:
        points, triangle = _arrow(points)
        head = f'<path d="{triangle}" fill="{colour}"/>'
    path = "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    dots = ' stroke-dasharray="0.1 5" stroke-linecap="round"' if line.dots else ""
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{_number(line.line)}"{dots}/>{head}'


def _arrow(points: tuple[Point, ...]) -> tuple[tuple[Point, ...], str]:
    """The line shortened by its head, and the head's path."""
    (ax, ay), (bx, by) = points[-2:]
    length = math.hypot(bx - ax, by - ay) or 1.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    foot = (bx - ux * HEAD_LENGTH, by - uy * HEAD_LENGTH)
    corners = (
        (bx, by),
        (foot[0] - uy * HEAD_WIDTH, foot[1] + ux * HEAD_WIDTH),
        (foot[0] + uy * HEAD_WIDTH, foot[1] - ux * HEAD_WIDTH),
    )
    triangle = "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in corners) + "z"
    return (*points[:-1], (bx - ux * (HEAD_LENGTH - 1), by - uy * (HEAD_LENGTH - 1))), triangle


def _run(run: Run, colours: dict[str, str]) -> str:
    weight = ' font-weight="600"' if run.bold else ""
    return (
        f'<text x="{_number(run.x)}" y="{_number(run.y)}" font-size="{_number(run.size)}"{weight} '
        f'fill="{colours[run.colour]}" textLength="{_number(run.w)}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(run.text, quote=False)}</text>"
    )
