"""One repeated block with the true order of its operations: norms, mixer, feed-forward, adds and the residual lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.report.sketch import words
from watcher.report.sketch.plan import Block, Chip, Part
from watcher.report.sketch.scene import Box, Group
from watcher.report.sketch.text import clean, shorten, width, wrap

WIDTH: Final = 300
CENTRE: Final = 128
"""x of the trunk."""
LANE: Final = 268
"""x of the residual line."""
PART: Final = 212
HALF: Final = 114
"""Width of a part that stands beside another."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How large a block is drawn."""

    norm: float
    """Height of a norm; too low for a label in a small block."""
    gap: float
    branch: float
    """Extra gap where the residual line leaves the trunk."""
    add: float
    """Radius of the circled plus."""
    size: float
    top: float
    bottom: float
    pad: float
    """Above and below the text in a part."""


FULL: Final = Measure(norm=28, gap=15, branch=9, add=11, size=16.5, top=24, bottom=12, pad=9)
SMALL: Final = Measure(norm=8, gap=12, branch=7, add=8, size=15, top=20, bottom=8, pad=5)

ROLES: Final = (
    "note", "1.pre", "1.part", "1.inside", "1.add", "1.after", "2.pre", "2.part", "2.inside", "2.add", "2.after",
)  # fmt: skip
"""Every place of a block, from its input to its output."""

_NORMS: Final[dict[str, tuple[str, ...]]] = {
    "pre": ("pre",),
    "post-inside": ("inside",),
    "sandwich": ("pre", "inside"),
    "post": ("after",),
    "none": (),
}

Heights = Mapping[str, float]
FORK: Final = 12.0
"""Below and above parallel parts: where the trunk divides and joins."""
LABELLED: Final = 20.0
"""Lower norms are bars without a label."""
CHIP_SIZE: Final = 14.0
CHIP_HEIGHT: Final = 21.0


def heights(block: Block, measure: Measure) -> dict[str, float]:
    """The height of each place this block has, in order."""
    norms = _NORMS.get(block.placement or "")
    sides = ("pre", "part", "inside", "add", "after")
    found: dict[str, float] = {} if norms is not None else {"note": 24}
    for number, part in enumerate(_sublayers(block), start=1):
        for side in sides:
            if side == "part":
                found[f"{number}.part"] = part_height(part, measure, block.parallel) + 2 * FORK * block.parallel
            elif side == "add":
                found[f"{number}.add"] = 2 * measure.add
            elif norms is not None and side in norms:
                found[f"{number}.{side}"] = measure.norm
    return found


def _sublayers(block: Block) -> list[tuple[Part, ...]]:
    """The parts between two adds; parallel ones stand side by side."""
    parts = [part for part in (block.mixer, block.feed) if part is not None]
    return [tuple(parts)] if block.parallel else [(part,) for part in parts]


def part_height(parts: Sequence[Part], measure: Measure, parallel: bool = False) -> float:
    """The height of the tallest of the parts."""
    room = _room(parallel)
    return max((sum(_lines(part, measure, room)) + 2 * measure.pad for part in parts), default=0)


def height_in(part: Part, measure: Measure, room: float) -> float:
    """The height of one part that is `room` px wide."""
    return sum(_lines(part, measure, room)) + 2 * measure.pad


def _room(parallel: bool) -> float:
    return HALF if parallel else PART


def _lines(part: Part, measure: Measure, room: float) -> list[float]:
    """Heights of a part's lines: title, detail, rows of chips."""
    lines = [_size(measure, room) * 1.22] * len(title_lines(part, measure, room))
    lines += [18.0] if part.detail else []
    return lines + [CHIP_HEIGHT + 5] * len(chip_rows(part.chips, room - 12))


def title_lines(part: Part, measure: Measure, room: float) -> list[str]:
    """The title, wrapped."""
    narrow = room < PART
    return wrap(part.title, room - (8 if narrow else 18), _size(measure, room), True, lines=3 if narrow else 2)


def _size(measure: Measure, room: float) -> float:
    return measure.size if room >= PART else 14.5


def chip_rows(chips: Sequence[Chip], room: float) -> list[list[tuple[Chip, str, float]]]:
    """Chips set in rows: chip, its text shortened to fit, its width."""
    rows: list[list[tuple[Chip, str, float]]] = []
    left = 0.0
    for chip in chips:
        text = shorten(chip.text, room - 16, CHIP_SIZE)
        wide = width(text, CHIP_SIZE) + 14
        if not rows or left + wide > room:
            rows.append([])
            left = 0
        rows[-1].append((chip, text, wide))
        left += wide + 6
    return rows


def total(found: Heights, measure: Measure) -> float:
    """The height of a block whose places have these heights."""
    gaps = measure.gap * (len(found) + 1) + measure.branch * len(_first_roles(found))
    return measure.top + measure.bottom + sum(found.values()) + gaps


def _first_roles(found: Heights) -> list[str]:
    """The first place of each sublayer: the residual line leaves the trunk below it."""
    ordered = [role for role in ROLES if role in found and role != "note"]
    return [next(role for role in ordered if role[0] == number) for number in sorted({role[0] for role in ordered})]


def draw(block: Block, measure: Measure, slots: Heights | None = None) -> Group:
    """The block with its input at (CENTRE, h) and its output at (CENTRE, 0).

    `slots` may give larger places and places this block leaves empty, so that two blocks can be aligned.
    """
    own = heights(block, measure)
    slots = slots or own
    group = Group(w=WIDTH, h=total(slots, measure))
    group.frame(Box(0, 0, WIDTH, group.h, f"{block.family}.tint", "edge", 16, 1.4, block.family == "unknown"))
    group.anchors["block"] = Box(0, 0, WIDTH, group.h)
    places = _places(slots, own, measure, group.h)
    _pill(group, block)
    _trunk(group, [(role, places[role]) for role in ROLES if role in own], block.parallel)
    for role in own:
        _fill(group, block, role, places[role], measure)
    _residuals(group, block, own, places, measure)
    return group


def _places(slots: Heights, own: Heights, measure: Measure, height: float) -> dict[str, Box]:
    """What each place of this block takes: the middle of its slot."""
    firsts, y, places = _first_roles(slots), height - measure.bottom, {}
    for role in (role for role in ROLES if role in slots):
        y -= measure.gap + (measure.branch if role in firsts else 0) + slots[role]
        tall = own.get(role, 0)
        places[role] = Box(CENTRE - PART / 2, y + (slots[role] - tall) / 2, PART, tall)
    return places


def _pill(group: Group, block: Block) -> None:
    """The block's letters and how often it comes, on its upper left corner."""
    many = words.whole(block.count) if abs(block.count) < 10_000 else words.count(block.count)
    count = f"{shorten(many, 60, 17, True)} ×" if block.count else "? ×"
    letters = f"{shorten(block.letters, 26, 15, True)}  " if block.letters else ""
    wide = width(letters, 15, True) + width(count, 17, True) + 18
    group.part(Box(8, -13, wide, 26, "part", f"{block.family}.cell0", 13, 1.8, tab=True))
    run = group.write(17, 5.5, letters, 15, "muted", True)
    group.write(run.x + run.w, 6, count, 17, "number", True)


def _trunk(group: Group, places: Sequence[tuple[str, Box]], parallel: bool) -> None:
    below = group.h
    for role, box in places:
        arrow = role != "note" and not (parallel and role == "1.part")
        group.stroke((CENTRE, below), (CENTRE, box.bottom), arrow=arrow)
        below = box.y
    group.stroke((CENTRE, below), (CENTRE, 0))


def _fill(group: Group, block: Block, role: str, box: Box, measure: Measure) -> None:
    """What stands in one place."""
    number, _, side = role.partition(".")
    if role == "note":
        what = words.PLACEMENTS.get(block.placement or "", "norm placement unknown")
        _label(group, Box(box.x + 10, box.y, box.w - 20, box.h, "part", "faint", 6, 1.2, True), what, 14, "muted")
    elif side == "add":
        group.plus(CENTRE, box.cy, measure.add)
        group.anchors["add"] = Box(CENTRE - measure.add, box.y, 2 * measure.add, box.h)
    elif side == "part":
        _parts(group, block, _sublayers(block)[int(number) - 1], box, measure)
    else:
        _norm(group, block.norm, box, measure)


def _norm(group: Group, part: Part, box: Box, measure: Measure) -> None:
    stroke = "changed" if part.changed else "edge"
    if measure.norm < LABELLED:
        group.part(Box(box.x + 46, box.y, box.w - 92, box.h, "part", stroke, 4, 1.3), "small")
        return
    shape = Box(box.x + 30, box.y, box.w - 60, box.h, "part", stroke, 7, 2.2 if part.changed else 1.4)
    _label(group, shape, part.title, 15, "changed-text" if part.changed else "text")


def _label(group: Group, box: Box, text: str, size: float, colour: str) -> None:
    group.part(box)
    group.write(box.cx, box.cy + size * 0.36, shorten(clean(text), box.w - 10, size), size, colour, align=0.5)


def _parts(group: Group, block: Block, parts: Sequence[Part], box: Box, measure: Measure) -> None:
    if not block.parallel:
        draw_part(group, parts[0], box, measure, _anchor(parts[0]))
        return
    wide, tall = _room(True), box.h - 2 * FORK
    for part, x in zip(parts, (CENTRE - wide - 4, CENTRE + 4), strict=True):
        inner = Box(x, box.y + FORK, wide, tall)
        draw_part(group, part, inner, measure, _anchor(part), wide)
        group.stroke((CENTRE, box.bottom), (inner.cx, box.bottom), (inner.cx, inner.bottom), arrow=True)
        group.stroke((inner.cx, inner.y), (inner.cx, box.y), (CENTRE, box.y))


def _anchor(part: Part) -> str:
    return "feed" if part.style in ("feed", "experts") or part.title.startswith("Feed") else "mixer"


def draw_part(group: Group, part: Part, box: Box, measure: Measure, name: str, room: float = PART) -> None:
    """One part with its title, detail and chips."""
    fill = {"mixer": f"{part.family}.deep", "feed": "feed", "experts": "experts"}.get(part.style, "part")
    stroke = "changed" if part.changed else "edge"
    unknown = part.style == "unknown"
    group.part(Box(box.x, box.y, box.w, box.h, fill, stroke, 9, 3 if part.changed else 1.4, unknown), name)
    y = box.cy - (sum(_lines(part, measure, room)) / 2)
    size = _size(measure, room)
    for line in title_lines(part, measure, room):
        y += size * 1.22
        group.write(box.cx, y - size * 0.3, line, size, _ink(part), not unknown, 0.5)
    if part.detail:
        y += 18
        bold, colour = part.detail_changed, "changed-text" if part.detail_changed else "text"
        group.write(box.cx, y - 5, shorten(part.detail, box.w - 12, 14.5, bold), 14.5, colour, bold, 0.5)
    for row in chip_rows(part.chips, room - 12):
        _chips(group, row, box.cx, y + 5)
        y += CHIP_HEIGHT + 5


def _ink(part: Part) -> str:
    if part.style == "mixer":
        return "on-deep-changed" if part.changed else "on-deep"
    return "muted" if part.style == "unknown" else "changed-text" if part.changed else "text"


def _chips(group: Group, row: Sequence[tuple[Chip, str, float]], centre: float, y: float) -> None:
    x = centre - (sum(wide for _, _, wide in row) + 6 * (len(row) - 1)) / 2
    for chip, text, wide in row:
        fill, stroke = ("changed-fill", "changed") if chip.changed else ("chip", "none")
        group.part(Box(x, y, wide, CHIP_HEIGHT, fill, stroke, 6, 1.8))
        colour = "changed-text" if chip.changed else "chip-text"
        group.write(x + wide / 2, y + 15.4, text, CHIP_SIZE, colour, align=0.5)
        x += wide + 6


def _residuals(group: Group, block: Block, own: Heights, places: Mapping[str, Box], measure: Measure) -> None:
    """The lines around each sublayer; several streams are several lines."""
    firsts = _first_roles(own)
    for first in firsts:
        add = places[f"{first[0]}.add"]
        start = places[first].bottom + measure.gap * 0.5 + measure.branch * 0.5
        lines = block.streams if measure is FULL else min(block.streams, 2)
        for index in range(lines):
            shift = (index - (lines - 1) / 2) * 4.4
            lane, y, end = LANE + shift, start + shift, add.cy - shift
            reach = (measure.add**2 - shift**2) ** 0.5
            group.stroke((CENTRE, y), (lane, y), (lane, end), (CENTRE + reach, end), arrow=lines == 1)
