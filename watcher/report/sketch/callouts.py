"""The callouts left of the model: numbers of a part, with a dotted leader to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.report.sketch import words
from watcher.report.sketch.marks import Marks, fact
from watcher.report.sketch.plan import Block
from watcher.report.sketch.scene import Group, Span, fit_spans
from watcher.report.sketch.text import width

SIZE: Final = 15.5
LEADING: Final = 20.0


@dataclass(frozen=True, slots=True)
class Callout:
    """Lines of text about the part called `anchor`."""

    anchor: str
    lines: Sequence[Sequence[Span]]


def callouts(record: Architecture, marks: Marks, blocks: Sequence[Block]) -> list[Callout]:
    """What is said about which part, from top to bottom."""
    found = [Callout("output", _vocabulary(record, marks))]
    told: set[str] = set()
    for index in range(len(blocks) - 1, -1, -1):
        found += _about(record, marks, blocks[index], index, told)
    size, context = _value(marks, "hidden_size"), _value(marks, "context_length")[:1]
    found.append(Callout("embedding", [[("Embedding size", "plain")], *size]))
    return [*found, Callout("input", [[("Context", "plain")], *context])]


def _vocabulary(record: Architecture, marks: Marks) -> list[list[Span]]:
    lines: list[list[Span]] = [[("Vocabulary", "plain")], *_value(marks, "vocab_size")]
    if record.tied_embeddings:
        style = "changed" if marks.changed("tied_embeddings") else "muted"
        lines.append([("tied embeddings", style)])
    elif marks.changed("tied_embeddings"):
        lines.append([("untied embeddings", "changed")])
    return lines


def _value(marks: Marks, path: str) -> list[list[Span]]:
    """The number, and below it what the baseline has."""
    value = fact(marks.record, path)
    if value is None:
        return [[(words.UNKNOWN, "muted")]]
    lines: list[list[Span]] = [[(words.whole(value), "changed" if marks.changed(path) else "number")]]
    was = marks.was(path)
    return [*lines, [(f"was {words.whole(was)}", "muted")]] if was is not None else lines


def _about(record: Architecture, marks: Marks, block: Block, index: int, told: set[str]) -> list[Callout]:
    """Heads of a block's attention, and the blocks of a dense prefix."""
    if not block.kinds:
        return []
    kind = max(block.kinds, key=lambda item: item.count)
    found = []
    prefix = _prefix(record, marks, kind)
    if prefix:
        found.append(Callout(f"{index}.feed", prefix))
    heads = _heads(marks, kind)
    if heads and kind.mixer in words.SOFTMAX and _texts(heads) not in told:
        told.add(_texts(heads))
        found.append(Callout(f"{index}.mixer", heads))
    if record.residual.multiplier not in (None, 1) and index == 0:
        value = words.significant(record.residual.multiplier or 0)
        style = "changed" if marks.changed("residual.multiplier") else "number"
        found.append(Callout("0.add", [[("Residual × ", "plain"), (value, style)]]))
    return found


def _texts(lines: Sequence[Sequence[Span]]) -> str:
    return " ".join(text for spans in lines for text, _ in spans)


def _prefix(record: Architecture, marks: Marks, kind: LayerKind) -> list[list[Span]]:
    """`First 3 blocks: dense feed-forward of 18,432`."""
    sequence = (record.layers.sequence or "").strip()
    if record.moe is None or kind.ff != "dense" or not kind.id or kind.mixer in words.SUBLAYERS:
        return []
    style = "changed" if marks.changed("moe.dense_layers", "feed_forward.intermediate_size") else "number"
    size = record.feed_forward.intermediate_size
    detail: list[Span] = [("dense", "plain")]
    if size is not None:
        detail = [("dense, size ", "plain"), (words.whole(size), style)]
    first = sequence.startswith(f"{kind.id}{kind.count if kind.count > 1 else ''}")
    if first and kind.count == 1:
        return [[("First block:", "plain")], detail]
    where: list[Span] = [("First " if first else "", "plain"), (words.whole(kind.count), style)]
    where.append((f" {words.plural(kind.count, 'block')}:", "plain"))
    return [where, detail]


def _heads(marks: Marks, kind: LayerKind) -> list[list[Span]]:
    heads = kind.num_attention_heads
    if not heads:
        return []
    lines: list[list[Span]] = [_count(marks, kind, "num_attention_heads", words.plural(heads, "head"))]
    shared = kind.num_key_value_heads
    if shared and shared != heads and kind.mixer != "mla":
        lines.append(_count(marks, kind, "num_key_value_heads", f"KV {words.plural(shared, 'head')}"))
    if kind.qk_dim:
        style = "changed" if marks.kind_changed(kind, "qk_dim") else "number"
        lines.append([("of size ", "plain"), (words.whole(kind.qk_dim), style)])
    return lines


def _count(marks: Marks, kind: LayerKind, field: str, noun: str) -> list[Span]:
    changed = marks.kind_changed(kind, field)
    return [(words.whole(getattr(kind, field)), "changed" if changed else "number"), (f" {noun}", "plain")]


def draw(callout: Callout, room: float) -> Group:
    """The lines, set flush right."""
    group = Group(w=room, h=LEADING * len(callout.lines))
    for index, spans in enumerate(callout.lines):
        fitted = fit_spans(spans, SIZE, room)
        wide = sum(width(text, SIZE, style in ("strong", "number", "changed")) for text, style in fitted)
        group.spans(room - wide, LEADING * index + 15, fitted, SIZE, room + 1)
    return group
