"""From a record to what is drawn: which blocks, what stands in each, in which order, and what of it is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from watcher.architecture.record import Architecture, LayerKind
from watcher.report.sketch import words
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.palette import SHADES
from watcher.report.sketch.text import clean

MAX_BLOCKS = 4
"""Distinct blocks drawn; further kinds are in the pattern strip only."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A small property of a part: RoPE, QK-norm, window 1,024 …"""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One box of a block."""

    title: str
    style: str
    """norm, mixer, feed, experts or unknown."""
    detail: str = ""
    detail_changed: bool = False
    chips: tuple[Chip, ...] = ()
    changed: bool = False
    family: str = "unknown"


@dataclass(frozen=True, slots=True)
class Block:
    """One repeated block: a mixer and a feed-forward, or one of them alone, with its norms."""

    kinds: tuple[LayerKind, ...]
    """The layer kinds drawn as this block."""
    count: int
    family: str
    mixer: Part | None
    feed: Part | None
    norm: Part
    placement: str | None
    parallel: bool = False
    streams: int = 1
    alone: bool = False
    """Whether the stack has no other kind of layer."""

    @property
    def letters(self) -> str:
        """The ids of its kinds; nothing where it is the only block."""
        return "" if self.alone else clean("/".join(kind.id for kind in self.kinds))[:5]

    @property
    def name(self) -> str:
        """Its kind's name."""
        return words.kind_name(self.kinds[0]) if self.kinds else "unknown block"


def blocks(record: Architecture, marks: Marks) -> tuple[list[Block], int]:
    """The blocks in the order of first appearance, and how many further kinds are left out."""
    groups = _grouped(record.layers.kinds)
    kept = sorted(groups, key=lambda group: -sum(kind.count for kind in group))[:MAX_BLOCKS]
    drawn = [_block(record, marks, group) for group in groups if group in kept]
    return drawn or [_block(record, marks, ())], len(groups) - len(kept)


def _grouped(kinds: Sequence[LayerKind]) -> list[tuple[LayerKind, ...]]:
    """Kinds drawn as one block: each alone if few, else those that have the same mixer, feed-forward and norms."""
    if len(kinds) <= MAX_BLOCKS:
        return [(kind,) for kind in kinds]
    groups: dict[tuple[str | None, ...], list[LayerKind]] = {}
    for kind in kinds:
        groups.setdefault((kind.mixer, kind.ff, kind.norm), []).append(kind)
    return [tuple(group) for group in groups.values()]


def _block(record: Architecture, marks: Marks, kinds: tuple[LayerKind, ...]) -> Block:
    kind = max(kinds, key=lambda item: item.count) if kinds else LayerKind(id="", count=record.layers.count or 0)
    alone = kind.mixer in words.SUBLAYERS
    placement = kind.norm or record.norm.placement
    mixer = None if alone else _mixer(record, marks, kind)
    feed = _feed(record, marks, replace(kind, ff=_sublayer(kind)) if alone else kind)
    return Block(
        kinds=kinds,
        count=sum(item.count for item in kinds) if kinds else record.layers.count or 0,
        family=words.mixer(kind.mixer).family,
        mixer=mixer,
        feed=feed,
        norm=Part(words.norm(record), "norm", changed=marks.changed("norm.placement", "norm.kind")),
        placement=placement,
        parallel=bool(record.residual.parallel) and mixer is not None and feed is not None,
        alone=len(record.layers.kinds) < 2,
        streams=max(1, min(record.residual.streams or 1, 4)),
    )


def _sublayer(kind: LayerKind) -> str:
    return "moe" if kind.mixer == "moe" else "dense"


def _mixer(record: Architecture, marks: Marks, kind: LayerKind) -> Part:
    names = words.mixer(kind.mixer)
    new = marks.mixer_new(kind)
    if names.family == "unknown":
        return Part(names.name, "unknown")
    return Part(names.name, "mixer", chips=tuple(_chips(record, marks, kind)), changed=new, family=names.family)


def _chips(record: Architecture, marks: Marks, kind: LayerKind) -> Iterable[Chip]:
    """The properties of one kind's mixer, the telling ones first."""
    if kind.mixer not in words.SOFTMAX:
        return
    sparse = record.attention.sparse
    if sparse is not None and kind.mixer != sparse.kind and kind.mixer not in ("sliding", "chunked", "hca"):
        yield Chip(f"{clean(sparse.kind).upper()[:12]} sparse", marks.changed("attention.sparse"))
    if kind.window is not None:
        label = "chunks of" if kind.mixer == "chunked" else "window"
        yield Chip(f"{label} {words.whole(kind.window)}", marks.kind_changed(kind, "window"))
    position = _position(record, kind)
    if position:
        yield Chip(position, marks.kind_changed(kind, "rope"))
    if kind.qk_norm:
        label = {"per-head": "QK-norm", "full": "QK-norm (full)", "l2": "L2 QK-norm"}.get(kind.qk_norm, "QK-norm")
        yield Chip(label, marks.kind_changed(kind, "qk_norm"))
    if kind.gate:
        yield Chip(f"{clean(kind.gate)[:14]} gate", marks.kind_changed(kind, "gate"))
    if kind.sinks:
        yield Chip("sinks", marks.kind_changed(kind, "sinks"))
    if kind.shared_kv_from is not None:
        yield Chip("shared KV", marks.kind_changed(kind, "shared_kv_from"))


def _position(record: Architecture, kind: LayerKind) -> str:
    if kind.rope:
        return words.rotary(record)
    if "alibi" in record.position.kinds:
        return "ALiBi"
    if kind.rope is None:
        return "" if record.position.kinds and not _rotary(record) else "position unknown"
    return "NoPE" if unrotated(record, kind) else ""


def unrotated(record: Architecture, kind: LayerKind) -> bool:
    """Whether this kind is an attention without positions, in a model where that is worth saying."""
    told = _rotary(record) or "nope" in record.position.kinds
    return kind.rope is False and kind.mixer in words.SOFTMAX and told


def _rotary(record: Architecture) -> bool:
    return any("rope" in kind for kind in record.position.kinds)


def _feed(record: Architecture, marks: Marks, kind: LayerKind) -> Part | None:
    if kind.ff is None:
        unknown = not kind.id or record.is_unknown(f"layers.kinds.{kind.id}.ff")
        return Part("Feed-forward unknown", "unknown") if unknown else None
    if kind.ff == "moe":
        numbers = marks.changed("moe.num_experts", "moe.num_experts_per_tok", "moe.num_shared_experts")
        return Part("Mixture of experts", "experts", _routed(record), numbers, changed=marks.feed_new(kind))
    sort = words.feed_forward(record) or ""
    other = marks.changed("feed_forward.gated", "feed_forward.activation")
    title = "Feed-forward" if kind.ff == "dense" else clean(kind.ff)
    return Part(title, "feed", sort, other, changed=marks.feed_new(kind))


def _routed(record: Architecture) -> str:
    moe = record.moe
    if moe is None or moe.num_experts is None:
        return ""
    shared = f" + {words.whole(moe.num_shared_experts)} shared" if moe.num_shared_experts else ""
    return f"{words.whole(moe.num_experts_per_tok)} of {words.whole(moe.num_experts)}{shared}"


def shades(kinds: Sequence[LayerKind]) -> dict[str, str]:
    """The cell colour of each layer kind by id: the family's hue, the most frequent kind in its strongest shade."""
    used: dict[str, int] = {}
    colours: dict[str, str] = {}
    for kind in sorted(kinds, key=lambda item: -item.count):
        family = words.mixer(kind.mixer).family
        colours[kind.id] = f"{family}.cell{used.get(family, 0) % SHADES}"
        used[family] = used.get(family, 0) + 1
    return colours
