"""The whole sketch on one page: heading, key numbers, callouts, model, insets, pattern strip and legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.architecture.record import Architecture
from watcher.compare.model import Change
from watcher.report.sketch import callouts, insets, model, plan, strip, words
from watcher.report.sketch.describe import describe
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.palette import Theme
from watcher.report.sketch.scene import Box, Group, Span, hidden, spread
from watcher.report.sketch.svg import svg
from watcher.report.sketch.text import clean, shorten, width

WIDTH: Final = 960.0
MARGIN: Final = 24.0
INNER: Final = WIDTH - 2 * MARGIN
LEFT: Final = 172.0
"""Width of the callouts."""
MODEL_X: Final = MARGIN + LEFT + 28
INSET_X: Final = MODEL_X + model.WIDTH + 44
GAP: Final = 18.0
"""Between insets."""
INSET: Final = WIDTH - MARGIN - INSET_X


def draw(
    record: Architecture,
    *,
    baseline: Architecture | None = None,
    changes: Sequence[Change] = (),
    theme: Theme = "light",
) -> str:
    """The sketch of a record as SVG; what differs from `baseline` is coloured and named in the legend."""
    title, description = describe(record, baseline)
    return svg(layout(record, baseline=baseline, changes=changes), title, description, theme)


def layout(record: Architecture, *, baseline: Architecture | None = None, changes: Sequence[Change] = ()) -> Group:
    """Everything in its place; the geometry that tests check."""
    marks = Marks(record, baseline, changes)
    page = Group(w=WIDTH)
    y = heading(page, record)
    y = _tiles(page, record, marks, y + 18)
    y = _diagram(page, record, marks, y + 26)
    pattern = strip.draw(record, INNER)
    if pattern:
        page.place(pattern, MARGIN, y + 26)
        y += 26 + pattern.h
    page.h = _footer(page, record, marks, y + 18)
    return page


def heading(page: Group, record: Architecture) -> float:
    """Name and what it is; returns the lower edge."""
    size = title_size(words.short_name(record), INNER, (32, 26, 22))
    page.write(MARGIN, 52, shorten(words.short_name(record), INNER, size, True), size, "text", True)
    facts = [words.decoder(record), *words.positions(record)]
    kind = record.norm.kind
    facts.append(words.norm(record) if kind else "norm unknown")
    facts.append(words.PLACEMENTS.get(record.norm.placement or "", "norm placement unknown"))
    if record.residual.parallel:
        facts.append("parallel attention and feed-forward")
    page.write(MARGIN, 79, shorten(" · ".join(facts), INNER, 16), 16, "muted")
    return 86


def title_size(text: str, room: float, sizes: Sequence[float]) -> float:
    """The largest of the sizes at which a title fits, else the smallest."""
    return next((size for size in sizes if width(text, size, True) <= room), sizes[-1])


def tiles(record: Architecture, marks: Marks) -> list[tuple[str, str, str]]:
    """The key numbers: fact path, value, label."""
    parameters, cache = record.parameters, record.kv_cache
    found = [("parameters.total", words.count(parameters.total), "parameters")]
    if record.moe is not None or parameters.active is None:
        found.append(("parameters.active", words.count(parameters.active), "active per token"))
    found.append(("layers.count", words.whole(record.layers.count), "layers"))
    context = record.context_length
    stated = context is not None or record.is_unknown("context_length")
    found.append(("context_length", words.whole(context) if stated else "–", "tokens of context"))
    found.append(("kv_cache.bytes_per_token", words.size(cache.bytes_per_token), "KV cache / token"))
    if cache.state_bytes:
        found.append(("kv_cache.state_bytes", words.size(cache.state_bytes), "state / sequence"))
    return found


def _tiles(page: Group, record: Architecture, marks: Marks, y: float) -> float:
    found = tiles(record, marks)
    wide = (INNER - 10 * (len(found) - 1)) / len(found)
    was = [_was(marks, path) for path, _, _ in found]
    tall = 78 if any(was) else 60
    for index, (path, value, label) in enumerate(found):
        box = Box(MARGIN + index * (wide + 10), y, wide, tall, "tile", "none", 10)
        page.frame(box)
        known = value != words.UNKNOWN
        colour = "changed" if marks.changed(path) else "number" if known else "muted"
        size = 24 if known and width(value, 24, True) <= wide - 20 else 18
        page.write(box.x + 12, y + 30, shorten(value, wide - 20, size, known), size, colour, known)
        page.write(box.x + 12, y + 49, shorten(label, wide - 20, 14), 14, "muted")
        page.write(box.x + 12, y + 67, shorten(was[index], wide - 20, 14), 14, "muted")
    return y + tall


def _was(marks: Marks, path: str) -> str:
    before = marks.was(path)
    if not before:
        return ""
    how = words.count if path.startswith("parameters") else words.size if path.startswith("kv") else words.whole
    return f"was {how(before)}"


def _diagram(page: Group, record: Architecture, marks: Marks, y: float) -> float:
    """The model with its callouts and insets; returns the lower edge."""
    blocks, more = plan.blocks(record, marks)
    found = insets.insets(record, marks, blocks, INSET)
    drawn = model.draw(record, marks, blocks, model.shapes(blocks, _stacked(found)), more)
    page.place(drawn, MODEL_X, y)
    low = _callouts(page, callouts.callouts(record, marks, blocks), y, drawn.h)
    return max(y + drawn.h, low, _insets(page, _fitting(found, drawn.h), y, drawn.h))


def _stacked(found: Sequence[insets.Inset]) -> float:
    """The height insets take one above the other."""
    return sum(item.group.h + GAP for item in found) - GAP


def _fitting(found: Sequence[insets.Inset], tall: float) -> list[insets.Inset]:
    """The insets without the well-known ones, where all would be higher than the model."""
    return [item for item in found if not item.optional] if _stacked(found) > tall + 40 else list(found)


def _callouts(page: Group, said: Sequence[callouts.Callout], y: float, tall: float) -> float:
    found = [item for item in said if item.anchor in page.anchors]
    pieces = [callouts.draw(item, LEFT) for item in found]
    targets = [page.anchors[item.anchor] for item in found]
    tops = spread([(target.cy - y, piece.h) for target, piece in zip(targets, pieces, strict=True)], 14, tall)
    for item, piece, target, top in zip(found, pieces, targets, tops, strict=True):
        page.place(piece, MARGIN, y + top)
        if hidden(page, item.anchor, from_left=True):
            continue
        middle = y + top + piece.h / 2
        start = MARGIN + LEFT + 6
        page.stroke((start, middle), (MODEL_X - 4, target.cy), (target.x, target.cy), colour="muted", dots=True)
    return y + (tops[-1] + pieces[-1].h if tops else 0)


def _insets(page: Group, found: Sequence[insets.Inset], y: float, tall: float) -> float:
    middles = _middles(page, found, y)
    tops = spread(zip(middles, [item.group.h for item in found], strict=True), GAP, tall)
    edge = MODEL_X + model.WIDTH
    for index, (item, top) in enumerate(zip(found, tops, strict=True)):
        page.place(item.group, INSET_X, y + top, f"inset{index}.")
        middle = y + top + item.group.h / 2
        if not item.anchor:
            _between(page, found, tops, index, y)
            continue
        target = page.anchors[item.anchor]
        if item.solid:
            lane = edge + 22
            page.stroke((INSET_X, middle), (lane, middle), (lane, target.cy), (target.right, target.cy), arrow=True)
        elif item.led and not hidden(page, item.anchor, from_left=False):
            page.stroke((target.right, target.cy), (edge + 5, target.cy), (INSET_X, middle), colour="muted", dots=True)
    return y + (tops[-1] + found[-1].group.h if tops else 0)


def _middles(page: Group, found: Sequence[insets.Inset], y: float) -> list[float]:
    """Where each inset would like to stand."""
    anchors = [item.anchor or found[index + 1].anchor for index, item in enumerate(found)]
    return [page.anchors[anchor].cy - y for anchor in anchors]


def _between(page: Group, found: Sequence[insets.Inset], tops: Sequence[float], index: int, y: float) -> None:
    """A leader from the inset below, whose experts this one opens."""
    x = INSET_X + 30
    page.stroke((x, y + tops[index + 1]), (x, y + tops[index] + found[index].group.h), colour="muted", dots=True)


def _footer(page: Group, record: Architecture, marks: Marks, y: float) -> float:
    """What the colours mean, and what was drawn; returns the page's height."""
    x = MARGIN
    if marks.compared:
        page.frame(Box(x, y + 3, 18, 14, "changed-fill", "changed", 3, 2.2))
        x += 26 + legend(page, marks, x + 26, y + 15.5, INNER * 0.6) + 26
    if any(name.endswith("small") for name in page.anchors):
        page.part(Box(x, y + 6, 40, 8, "part", "edge", 4, 1.3))
        x += 48 + page.write(x + 48, y + 15.5, shorten(words.norm(record), 110, 15), 15).w + 26
    source = clean((record.model.id or "") + (f" @ {record.model.revision[:7]}" if record.model.revision else ""))
    room = WIDTH - MARGIN - x
    if width(source, 14) > room:
        y, room = y + 24, INNER
    page.write(WIDTH - MARGIN, y + 15.5, shorten(source, room, 14), 14, "muted", align=1)
    return y + 22 + MARGIN


def legend(page: Group, marks: Marks, x: float, y: float, room: float) -> float:
    """The words of the legend; returns their width."""
    spans: list[Span] = [("changed", "changed")]
    if marks.baseline is not None:
        spans += [(" against ", "plain"), (words.short_name(marks.baseline), "strong")]
    return page.spans(x, y, spans, 15, room)
