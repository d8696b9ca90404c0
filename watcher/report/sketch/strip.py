"""The pattern strip: one cell a layer, coloured by kind, with a legend; long stacks compressed by their repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare import stack
from watcher.report.sketch import plan, words
from watcher.report.sketch.macro import macro
from watcher.report.sketch.scene import Box, Cells, Group
from watcher.report.sketch.text import clean, shorten, width

MAX_CELLS: Final = 192
"""Longer stacks are compressed if that makes them shorter."""
MOST_CELLS: Final = 1_536
"""More than this is never drawn one by one."""
MAX_LEGEND: Final = 12
MAX_SEGMENTS: Final = 60
MAX_SAID: Final = 6
"""Segments of an order that are told in words."""
ROW: Final = 22.0
_GROUP = re.compile(r"\(([^()]*)\)(\d{1,9})|([A-Za-z]+)(\d{0,9})")


@dataclass(frozen=True, slots=True)
class Segment:
    """Runs (kind id, length) that come `times` times in a row."""

    runs: tuple[tuple[str, int], ...]
    times: int = 1


def draw(record: Architecture, wide: float, title: str = "Layers") -> Group | None:
    """Title, cells and legend, `wide` px; None when no layer kind is known."""
    layers = record.layers
    if not layers.kinds:
        return None
    colours = plan.shades(layers.kinds)
    group = Group(w=wide)
    spans = [(title, "strong")]
    if len(layers.kinds) > 1:
        spans.append((f"   {_arrangement(record)}", "muted"))
    group.spans(0, 14, spans, 15.5, wide)
    y = _cells(group, record, colours, wide, 26)
    group.h = _legend(group, record, colours, wide, y + 12)
    return group


def bare(record: Architecture, wide: float) -> Group | None:
    """The cells alone, `wide` px; None when no layer kind is known."""
    if not record.layers.kinds:
        return None
    group = Group(w=wide)
    group.h = _cells(group, record, plan.shades(record.layers.kinds), wide, 0)
    return group


def _arrangement(record: Architecture) -> str:
    """The order in words: `(3 A, 1 B) × 12`."""
    if not record.layers.sequence:
        return "order unknown"
    segments = _segments(record.layers.sequence)
    if len(segments) > MAX_SAID:
        ids = stack.expand(record.layers.sequence, MAX_CELLS) or []
        segments = [Segment(runs, times) for runs, times in macro(stack.runs(ids))]
    if len(segments) > MAX_SAID or not segments:
        return ""
    return ", then ".join(_segment_words(segment) for segment in segments)


def _segment_words(segment: Segment) -> str:
    """`(3 A, 1 B) × 12`; where every layer stands alone `(A B C) × 2`."""
    single = len(segment.runs) > 1 and all(count == 1 for _, count in segment.runs)
    pieces = [clean(name) if single else f"{count} {clean(name)}" for name, count in segment.runs]
    runs = (" " if single else ", ").join(pieces)
    return f"({runs}) × {words.whole(segment.times)}" if segment.times > 1 else runs


def _segments(sequence: str) -> list[Segment]:
    """`A3 (A3 B)12` as segments; empty where the sequence is not flat enough to be read so."""
    segments: list[Segment] = []
    for found in _GROUP.finditer(sequence[:20_000]):
        inner, times, name, count = found.groups()
        if inner is None:
            segments.append(Segment(((name, int(count or 1)),)))
        else:
            runs = tuple((item[3], int(item[4] or 1)) for item in _GROUP.finditer(inner))
            segments.append(Segment(runs, int(times)))
        if len(segments) > 2_000:
            return []
    return segments if _covers(sequence, segments) else []


def _covers(sequence: str, segments: Sequence[Segment]) -> bool:
    left = _GROUP.sub("", sequence[:20_000])
    return not left.strip() and all(segment.runs for segment in segments)


def _cells(group: Group, record: Architecture, colours: Mapping[str, str], wide: float, y: float) -> float:
    """The strip; returns its lower edge."""
    sequence = record.layers.sequence or ""
    ids = stack.expand(sequence, MOST_CELLS) if sequence else None
    if ids is not None and all(item in colours for item in ids) and ids:
        segments = _segments(sequence)
        if len(ids) <= MAX_CELLS or not segments or _segments_width(segments) > wide:
            return _one_by_one(group, ids, colours, wide, y)
        return _compressed(group, segments, colours, wide, y)
    segments = [segment for segment in _segments(sequence) if all(name in colours for name, _ in segment.runs)]
    if not segments:
        segments = [Segment(((kind.id, max(kind.count, 1)),)) for kind in record.layers.kinds]
    return _compressed(group, segments[:MAX_SEGMENTS], colours, wide, y)


def _one_by_one(group: Group, ids: Sequence[str], colours: Mapping[str, str], wide: float, y: float) -> float:
    """Rows of cells; where a cell is wide enough it carries its letter."""
    rows = 1 if len(ids) <= 100 else -(-len(ids) // 96) if len(ids) <= MAX_CELLS else -(-len(ids) // 128)
    a_row = -(-len(ids) // rows)
    step = min(34.0, (wide - (46 if rows > 1 else 0)) / a_row)
    tall = ROW if rows <= 2 else 12.0
    rects: dict[str, list[tuple[float, float, float, float]]] = {}
    for index, name in enumerate(ids):
        row, column = divmod(index, a_row)
        place = (column * step, y + row * (tall + 4), step - (2.0 if step > 8 else 1.0), tall)
        rects.setdefault(name, []).append(place)
    for name, places in rects.items():
        group.parts.append(Cells(tuple(places), colours[name]))
    if rows > 1:
        for row in range(rows):
            last = min(len(ids), (row + 1) * a_row)
            size, middle = 13 if tall > 12 else 11, y + row * (tall + 4) + tall / 2
            group.write(wide, middle + 4.5, str(last), size, "muted", align=1)
    return y + rows * (tall + 4) - 4


def _segment_cells(segment: Segment) -> Iterable[tuple[str, int, float]]:
    """Kind, run length, width; short runs are cells, long ones one wide cell with its length."""
    for name, count in segment.runs:
        if count <= 4:
            for _ in range(count):
                yield name, 1, 16.0
        else:
            yield name, count, max(46.0, width(words.whole(count), 14, True) + 18)


def _segments_width(segments: Sequence[Segment]) -> float:
    if len(segments) > MAX_SEGMENTS:
        return float("inf")
    return sum(_segment_width(segment) + 14 for segment in segments)


def _segment_width(segment: Segment) -> float:
    cells = sum(wide + 2 for _, _, wide in _segment_cells(segment))
    return max(cells, width(_times(segment), 14, True) + 4 if segment.times > 1 else 0)


def _times(segment: Segment) -> str:
    return f"× {words.whole(segment.times)}"


def _compressed(group: Group, segments: Sequence[Segment], colours: Mapping[str, str], wide: float, y: float) -> float:
    """Each repeated unit once, with a bracket that says how often."""
    x = 0.0
    for index, segment in enumerate(segments):
        if x + _segment_width(segment) > wide - (20 if index < len(segments) - 1 else 0):
            group.write(x, y + 15, "…", 16, "muted", True)
            break
        left = x
        for name, count, room in _segment_cells(segment):
            _run_cell(group, Box(x, y, room, ROW, colours[name], "none", 3), count)
            x += room + 2
        if segment.times > 1:
            high, low, right = y + ROW + 3, y + ROW + 7, x - 2
            group.stroke((left, high), (left, low), (right, low), (right, high), colour="muted")
            group.write(left, y + ROW + 22, _times(segment), 14, "number", True)
        x = max(x, left + _segment_width(segment)) + 12
    return y + ROW + (24 if any(segment.times > 1 for segment in segments) else 0)


def _run_cell(group: Group, box: Box, count: int) -> None:
    if count == 1:
        group.parts.append(Cells(((box.x, box.y, box.w, box.h),), box.fill))
        return
    group.part(box)
    label = words.whole(count)
    wide = width(label, 13, True) + 10
    group.part(Box(box.cx - wide / 2, box.y + 3, wide, box.h - 6, "part", "none", 4))
    group.write(box.cx, box.cy + 4.8, label, 13, "text", True, 0.5)


def _legend(group: Group, record: Architecture, colours: Mapping[str, str], wide: float, y: float) -> float:
    """One entry a kind, in as many rows as needed; returns the lower edge."""
    x, kinds = 0.0, record.layers.kinds
    for kind in kinds[:MAX_LEGEND]:
        spans = _entry(record, kind)
        room = wide - 26
        total = min(room, sum(width(text, 15, style in ("number", "strong")) for text, style in spans))
        if x and x + 26 + total > wide:
            x, y = 0, y + 24
        group.parts.append(Cells(((x, y + 3, 18, 14),), colours[kind.id]))
        group.spans(x + 25, y + 15.5, spans, 15, room)
        x += 26 + total + 26
    if len(kinds) > MAX_LEGEND:
        group.write(0, y + 39.5, f"and {len(kinds) - MAX_LEGEND} more kinds", 15, "muted")
        y += 24
    return y + 22


def _entry(record: Architecture, kind: LayerKind) -> list[tuple[str, str]]:
    name = shorten(words.kind_name(kind), 420, 15)
    count = words.whole(kind.count)
    letter = [] if len(record.layers.kinds) == 1 else [(f"{clean(kind.id)[:6]}  ", "strong")]
    facts = [*letter, (name, "plain")]
    extra = [f"window {words.whole(kind.window)}"] if kind.window else []
    if plan.unrotated(record, kind):
        extra.append("no RoPE")
    if kind.shared_kv_from is not None:
        extra.append("shared KV")
    extra += _apart(record, kind)
    if extra:
        facts.append((f" ({', '.join(extra)})", "muted"))
    return [*facts, ("  ", "plain"), (count, "number"), (f" {words.plural(kind.count, 'layer')}", "plain")]


_APART: Final[tuple[tuple[str, Callable[[object], str]], ...]] = (
    ("num_key_value_heads", lambda value: f"{words.whole(value)} KV heads"),
    ("num_attention_heads", lambda value: f"{words.whole(value)} heads"),
    ("qk_dim", lambda value: f"head size {words.whole(value)}"),
    ("cache_bytes_per_token", lambda value: f"{words.size(value)} cached per token"),
    ("parameters", lambda value: f"{words.count(value)} parameters"),
)
"""What tells kinds of one name apart, the plainest first."""


def _apart(record: Architecture, kind: LayerKind) -> list[str]:
    """Where the legend would say the same of another kind: the first fact that is another for each of them."""
    same = [other for other in record.layers.kinds if _shown(other) == _shown(kind)]
    for name, say in _APART if len(same) > 1 else ():
        values = [getattr(other, name) for other in same]
        if None not in values and len(set(values)) == len(values):
            return [say(getattr(kind, name))]
    return []


def _shown(kind: LayerKind) -> tuple[object, ...]:
    return words.kind_name(kind), kind.window, kind.rope, kind.shared_kv_from is None
