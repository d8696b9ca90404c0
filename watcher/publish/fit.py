"""A page made to fit a platform: cut at structure, the least significant sections first, counted as it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from watcher.publish.document import Block, Run, Section, rows_as_items
from watcher.publish.text import boundaries

Measure = Callable[[Block], int]
"""What a block takes of a message once it is written: after escaping, with its line break."""

RANKS = (
    ("What changed", 1),
    ("In this digest", 1),
    ("In this release", 2),
    ("What it is", 4),
    ("Will it fit", 3),
    ("Facts", 3),
    ("Sources", 8),
    ("Not known", 7),
    ("Evidence", 9),
)
"""How early a section gets its room, by how its title begins; what stands before the first heading is first of all."""

UNRANKED = 5

WORTH = 80
"""In less room than this nothing is shortened: a few letters of a sentence tell nobody anything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform takes."""

    total: int
    """Over all blocks of a message."""
    block: int
    """Of one block."""
    blocks: int = 100_000
    tables: bool = False
    """Whether it shows tables; where not, each row becomes an item of a list."""


def fit(sections: Sequence[Section], limits: Limits, measure: Measure) -> list[Block]:
    """The blocks that fit, headings among them, in the page's order. Every block keeps to every limit.

    Sections get their room in the order of their rank. Of a section that does not fit, the first blocks stay and a
    line says how many are left out; a heading never stands alone.
    """
    kept: dict[int, list[Block]] = {}
    left, room = limits.total, limits.blocks
    for index in sorted(range(len(sections)), key=lambda i: (_rank(sections[i]), i)):
        taken = _take(list(_blocks(sections[index], limits)), left, room, limits.block, measure)
        left -= sum(map(measure, taken))
        room -= len(taken)
        kept[index] = taken
    return [block for index in sorted(kept) for block in kept[index]]


def _rank(section: Section) -> int:
    if not section.title:
        return 0
    return next((rank for prefix, rank in RANKS if section.title.startswith(prefix)), UNRANKED)


def _blocks(section: Section, limits: Limits) -> Iterator[Block]:
    if section.title:
        yield Block("heading", (Run(section.title, bold=True),))
    for block in section.blocks:
        if block.kind == "table" and not limits.tables:
            yield from rows_as_items(block)
        else:
            yield block


def _take(blocks: Sequence[Block], left: int, room: int, most: int, measure: Measure) -> list[Block]:
    """The first blocks within `left`, `room` and `most`; with a line for those left out."""
    taken: list[Block] = []
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        note = _left_out(len(blocks) - index)
        space = min(most, left - (0 if last else measure(note)))
        shrinks = space >= most or (space >= WORTH and _may_shrink(block, taken))
        fitted = shortened(block, space, measure) if shrinks else block
        if fitted is None or measure(fitted) > space or len(taken) + (1 if last else 2) > room:
            told = any(item.kind != "heading" for item in taken)
            return [*taken, note] if told and measure(note) <= min(most, left) and len(taken) < room else []
        taken.append(fitted)
        left -= measure(fitted)
    return taken if any(block.kind != "heading" for block in taken) else []


def _may_shrink(block: Block, taken: Sequence[Block]) -> bool:
    """Tables and code lose lines; words are shortened only when they are the first of their section."""
    return block.kind in ("table", "code") or all(item.kind == "heading" for item in taken)


def _left_out(number: int) -> Block:
    return Block("item", (Run(f"… and {number} more"),))


def shortened(block: Block, limit: int, measure: Measure) -> Block | None:
    """The block within the limit: a table with fewer rows, code with fewer lines, fewer words; None if nothing fits."""
    if measure(block) <= limit:
        return block
    shorten = _SHORTER.get(block.kind, _fewer_words)
    low, high = 0, _length(block)
    while low < high:  # the most that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(shorten(block, middle)) <= limit else (low, middle - 1)
    return shorten(block, low) if low and measure(shorten(block, low)) <= limit else None


def _length(block: Block) -> int:
    if block.kind == "table":
        return len(block.rows)
    return len(block.text.splitlines()) if block.kind == "code" else len(block.text)


def _fewer_rows(block: Block, number: int) -> Block:
    blank = ((Run("…"),), *(() for _ in block.rows[0][1:]))
    return replace(block, rows=(*block.rows[: max(number, 1)], blank))


def _fewer_lines(block: Block, number: int) -> Block:
    lines = block.text.splitlines()[:number]
    return replace(block, runs=(Run("\n".join([*lines, "…"]), code=True),))


def _fewer_words(block: Block, number: int) -> Block:
    """The first `number` code points, or fewer where a character would break; an ellipsis after them."""
    runs: list[Run] = []
    for run in block.runs:
        if number < len(run.text):
            end = max(place for place in boundaries(run.text) if place <= number)
            runs.append(replace(run, text=run.text[:end].rstrip() + "…"))
            break
        runs.append(run)
        number -= len(run.text)
    return replace(block, runs=tuple(runs))


_SHORTER: dict[str, Callable[[Block, int], Block]] = {"table": _fewer_rows, "code": _fewer_lines}
