"""Two models side by side: matching blocks and matching parts at the same height, their numbers between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare.model import Change
from watcher.report.sketch import block, model, page, plan, strip, words
from watcher.report.sketch.describe import describe
from watcher.report.sketch.flow import wrap_spans
from watcher.report.sketch.marks import Marks, fact
from watcher.report.sketch.palette import Theme
from watcher.report.sketch.plan import Block
from watcher.report.sketch.scene import Box, Group, Span, hidden, spread
from watcher.report.sketch.svg import svg
from watcher.report.sketch.text import shorten, wrap

WIDTH: Final = 960.0
MARGIN: Final = page.MARGIN
LEFT_X: Final = MARGIN
RIGHT_X: Final = WIDTH - MARGIN - model.WIDTH
MIDDLE: Final = WIDTH / 2
ROOM: Final = RIGHT_X - LEFT_X - model.WIDTH - 36
"""Width of the numbers between the models."""
SIZE: Final = 15.0

Pairing = list[tuple[Block | None, Block | None]]


def draw_pair(a: Architecture, b: Architecture, changes: Sequence[Change] = (), theme: Theme = "light") -> str:
    """`a`, the baseline, on the left and `b` on the right, as SVG; what differs is coloured in `b`."""
    title = f"{words.short_name(a)} and {words.short_name(b)} side by side"
    return svg(layout(a, b, changes), title, f"{describe(a)[1]} Beside it: {describe(b, a)[1]}", theme)


def layout(a: Architecture, b: Architecture, changes: Sequence[Change] = ()) -> Group:
    """Both models, their numbers, and both pattern strips."""
    sheet, marks = Group(w=WIDTH), Marks(b, a, changes)
    y = max(_heading(sheet, record, x) for record, x in ((a, LEFT_X), (b, RIGHT_X)))
    y = _tiles(sheet, a, b, marks, y + 22)
    y = _models(sheet, a, b, marks, y + 24)
    for record in (a, b):
        pattern = strip.draw(record, page.INNER, f"Layers of {shorten(words.short_name(record), 420, 15.5, True)}")
        if pattern:
            sheet.place(pattern, MARGIN, y + 24)
            y += 24 + pattern.h
    sheet.part(Box(MARGIN, y + 21, 18, 14, "changed-fill", "changed", 3, 2.2))
    page.legend(sheet, marks, MARGIN + 26, y + 33.5, page.INNER - 30)
    sheet.h = y + 40 + MARGIN
    return sheet


def _heading(sheet: Group, record: Architecture, x: float) -> float:
    room = model.WIDTH
    size = page.title_size(words.short_name(record), room, (25, 21, 18))
    sheet.write(x, 48, shorten(words.short_name(record), room, size, True), size, "text", True)
    sheet.write(x, 75, shorten(words.decoder(record), room, SIZE), SIZE, "muted")
    placement = words.PLACEMENTS.get(record.norm.placement or "", "norm placement unknown")
    facts = [*words.positions(record), words.norm(record) if record.norm.kind else "norm unknown", placement]
    lines = wrap(" · ".join(facts), room, SIZE)
    for index, line in enumerate(lines):
        sheet.write(x, 96 + 21 * index, line, SIZE, "muted")
    return 75 + 21.0 * len(lines)


def _tiles(sheet: Group, a: Architecture, b: Architecture, marks: Marks, y: float) -> float:
    """The key numbers, of one and of the other."""
    found = {path: label for record in (a, b) for path, _, label in page.tiles(record, marks)}
    values = [{path: value for path, value, _ in page.tiles(record, marks)} for record in (a, b)]
    wide = (page.INNER - 10 * (len(found) - 1)) / len(found)
    for index, (path, label) in enumerate(found.items()):
        box = sheet.frame(Box(MARGIN + index * (wide + 10), y, wide, 76, "tile", "none", 10))
        before, after = (side.get(path, "–") for side in values)
        sheet.write(box.x + 12, y + 25, shorten(before, wide - 24, 16, True), 16, "muted", True)
        colour = "changed" if before != after else "number"
        text = shorten(f"→ {after}" if before != after else "the same", wide - 24, 16, True)
        sheet.write(box.x + 12, y + 46, text, 16, colour if before != after else "muted", before != after)
        sheet.write(box.x + 12, y + 65, shorten(label, wide - 24, 14), 14, "muted")
    return y + 76


def _models(sheet: Group, a: Architecture, b: Architecture, marks: Marks, y: float) -> float:
    """Both models with common rows and what stands between them; returns the lower edge."""
    (left, more_left), (right, more_right) = plan.blocks(a, Marks(a, None, ())), plan.blocks(b, marks)
    pairs = matched(left, right)
    sizes = _shapes(pairs)
    room = model.rows(a, more_left).joined(model.rows(b, more_right))
    first = model.draw(a, Marks(a, None, ()), [pair[0] for pair in pairs], sizes, more_left, room)
    second = model.draw(b, marks, [pair[1] for pair in pairs], sizes, more_right, room)
    sheet.place(first, LEFT_X, y, "a.")
    sheet.place(second, RIGHT_X, y, "b.")
    tall = max(first.h, second.h)
    return max(y + tall, _between(sheet, a, b, pairs, y, tall))


def matched(left: Sequence[Block], right: Sequence[Block]) -> Pairing:
    """Blocks of both that stand for the same thing, in the order of both; None where one has no such block."""
    best: dict[tuple[int, int], tuple[float, Pairing]] = {(0, 0): (0.0, [])}
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            options = []
            if i:
                score, pairs = best[i - 1, j]
                options.append((score, [*pairs, (left[i - 1], None)]))
            if j:
                score, pairs = best[i, j - 1]
                options.append((score, [*pairs, (None, right[j - 1])]))
            if i and j:
                score, pairs = best[i - 1, j - 1]
                options.append((score + _likeness(left[i - 1], right[j - 1]), [*pairs, (left[i - 1], right[j - 1])]))
            if options:
                best[i, j] = max(options, key=lambda option: option[0])
    return best[len(left), len(right)][1]


def _likeness(one: Block, other: Block) -> float:
    """How much two blocks stand for the same thing."""
    alike = 0.5
    for weight, of in ((4.0, _mixer_word), (1.5, _family), (2.0, _feed_style)):
        alike += weight * (of(one) == of(other))
    return alike


def _mixer_word(of: Block) -> str | None:
    return of.kinds[0].mixer if of.kinds else None


def _family(of: Block) -> str:
    return of.family


def _feed_style(of: Block) -> str:
    return of.feed.style if of.feed else ""


def _shapes(pairs: Pairing) -> list[model.Shape]:
    """One shape a pair: the places either block has, each as high as the higher one."""
    full = [_shape(pair, block.FULL) for pair in pairs]
    if sum(shape.height + model.BETWEEN for shape in full) <= model.FULL_HEIGHT + 120:
        return full
    weights = [(None not in pair, sum(side.count for side in pair if side)) for pair in pairs]
    main = weights.index(max(weights))
    return [full[index] if index == main else _shape(pair, block.SMALL) for index, pair in enumerate(pairs)]


def _shape(pair: tuple[Block | None, Block | None], measure: block.Measure) -> model.Shape:
    found = [block.heights(side, measure) for side in pair if side is not None]
    slots = {role: max(side.get(role, 0.0) for side in found) for role in block.ROLES}
    return model.Shape(measure, {role: tall for role, tall in slots.items() if tall})


def _between(sheet: Group, a: Architecture, b: Architecture, pairs: Pairing, y: float, tall: float) -> float:
    """The facts of matching parts, each with leaders to both; returns their lower edge."""
    groups = _facts(a, b, pairs)
    anchors = {name: box for name in groups if (box := _anchor(sheet, name)) is not None}
    names = sorted(anchors, key=lambda name: anchors[name].cy)
    tops = spread([(anchors[name].cy - y, 21.0 * len(groups[name])) for name in names], 12, tall)
    for name, top in zip(names, tops, strict=True):
        _lines(sheet, groups[name], name, y + top)
    return y + (tops[-1] + 21 * len(groups[names[-1]]) if names else 0)


def _anchor(sheet: Group, name: str) -> Box | None:
    return sheet.anchors.get(f"a.{name}") or sheet.anchors.get(f"b.{name}")


def _lines(sheet: Group, lines: Sequence[Sequence[Span]], name: str, top: float) -> None:
    """Centred lines, and the leaders to the part in either model."""
    widest = 0.0
    for index, spans in enumerate(lines):
        widest = max(widest, sheet.spans(MIDDLE, top + 21 * index + 15.5, spans, SIZE, ROOM, 0.5))
    middle = top + 21 * len(lines) / 2
    for side, sign in (("a", -1), ("b", 1)):
        part = sheet.anchors.get(f"{side}.{name}")
        if part is None or hidden(sheet, f"{side}.{name}", from_left=side == "b"):
            continue
        if side == "a" and name == "output":
            part = sheet.anchors.get("a.mtp", part)
        start, clear, edge = (MIDDLE + sign * far for far in (widest / 2 + 8, ROOM / 2 + 8, ROOM / 2 + 16))
        end = part.right if side == "a" else part.x
        sheet.stroke((start, middle), (clear, middle), (edge, part.cy), (end, part.cy), colour="muted", dots=True)


def _facts(a: Architecture, b: Architecture, pairs: Pairing) -> dict[str, list[list[Span]]]:
    """What is said about which part."""
    found = {
        "output": [[("Vocabulary", "plain")], _step(a, b, "vocab_size")],
        "embedding": [[("Embedding size", "plain")], _step(a, b, "hidden_size")],
        "input": [[("Context", "plain")], _step(a, b, "context_length")],
    }
    for index, (left, right) in enumerate(pairs):
        for name, lines in (("mixer", _mixers(left, right)), ("feed", _feeds(a, b, left, right))):
            if lines and lines not in found.values():
                found[f"{index}.{name}"] = lines
    return {name: [part for spans in lines for part in wrap_spans(spans, SIZE, ROOM)] for name, lines in found.items()}


def _step(a: Architecture, b: Architecture, path: str, noun: str = "") -> list[Span]:
    return change(fact(a, path), fact(b, path), noun)


def change(before: Any, after: Any, noun: str = "") -> list[Span]:
    """`7,168 → 6,144 noun`, coloured; one number where both are the same."""
    tail: list[Span] = [(f" {noun}", "plain")] if noun else []
    if before == after:
        return [(words.whole(after), "number" if after is not None else "muted"), *tail]
    arrow: list[Span] = [(words.whole(before), "muted"), (" → ", "muted")]
    return [*arrow, (words.whole(after), "changed" if after is not None else "muted"), *tail]


def _mixers(left: Block | None, right: Block | None) -> list[list[Span]]:
    one, other = (side.kinds[0] if side and side.kinds and side.mixer else None for side in (left, right))
    if one is None or other is None:
        return []
    lines: list[list[Span]] = []
    if one.mixer != other.mixer:
        before, after = words.mixer(one.mixer).short, words.mixer(other.mixer).short
        lines.append([(before, "muted"), (" → ", "muted"), (after, "changed")])
    told = (("num_attention_heads", "heads"), ("num_key_value_heads", "KV heads"), ("qk_dim", "head size"))
    return lines + [line for field, noun in told if (line := _kind_step(one, other, field, noun))]


def _kind_step(one: LayerKind, other: LayerKind, field: str, noun: str) -> list[Span]:
    """A fact of two layer kinds, where it means the same in both."""
    softmax = all(kind.mixer in words.SOFTMAX for kind in (one, other))
    if field == "num_key_value_heads" and (not softmax or "mla" in (one.mixer, other.mixer)):
        return []
    before, after = getattr(one, field), getattr(other, field)
    return [] if before is None and after is None else change(before, after, noun)


def _feeds(a: Architecture, b: Architecture, left: Block | None, right: Block | None) -> list[list[Span]]:
    styles = [side.feed.style if side and side.feed else "" for side in (left, right)]
    if "" in styles or "unknown" in styles:
        return []
    if styles == ["experts", "experts"]:
        return [_step(a, b, "moe.num_experts", "experts"), _step(a, b, "moe.num_experts_per_tok", "per token"),
                _step(a, b, "moe.moe_intermediate_size", "expert size")]  # fmt: skip
    if styles == ["feed", "feed"]:
        return [[("Feed-forward size", "plain")], _step(a, b, "feed_forward.intermediate_size")]
    dense, experts = ("feed-forward", "muted"), "mixture of experts"
    if styles[0] == "feed":
        return [[dense, (" → ", "muted"), (experts, "changed")]]
    return [[(experts, "muted"), (" → ", "muted"), ("feed-forward", "changed")]]
