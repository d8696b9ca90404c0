"""The insets that open a part: experts, indexer and residual streams drawn here, mixers and feed-forwards as flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.architecture.record import Architecture, Moe
from watcher.report.sketch import flow, flows, masks, model, words
from watcher.report.sketch.flow import PAD, Flow, Node
from watcher.report.sketch.flows import number
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.plan import Block
from watcher.report.sketch.scene import Box, Group, Span
from watcher.report.sketch.text import clean, shorten, width, wrap

MAX_MIXERS: Final = 3


@dataclass(frozen=True, slots=True)
class Inset:
    """A drawn inset and the part of the model it opens."""

    group: Group
    anchor: str
    """Name of the model's part."""
    solid: bool = False
    """It feeds into the part instead of opening it."""
    led: bool = True
    """Whether a leader goes to it."""
    optional: bool = False
    """Left out where there is no room: everybody knows it."""


def insets(record: Architecture, marks: Marks, blocks: Sequence[Block], wide: float) -> list[Inset]:
    """All insets of a record, from top to bottom as the parts they open stand."""
    found: list[Inset] = []
    streams = record.residual.kind == "hyper-connections" or (record.residual.streams or 1) > 1
    for index in range(len(blocks) - 1, -1, -1):
        if streams and index == _main(blocks):
            found.append(Inset(_streams(record, marks, wide), f"{index}.add"))
        found += _feed(record, marks, blocks, index, wide)
        found += _mixer(record, marks, blocks, index, wide)
    if not record.layers.kinds and record.unknown:
        found.append(Inset(_unknown(record, wide), "0.mixer"))
    towers = model.towers(record, marks, wide)
    return [*found, Inset(towers, "merge", solid=True)] if towers else found


def _main(blocks: Sequence[Block]) -> int:
    return max(range(len(blocks)), key=lambda index: blocks[index].count)


def _feed(record: Architecture, marks: Marks, blocks: Sequence[Block], index: int, wide: float) -> list[Inset]:
    """Experts and feed-forward, once, at the most frequent block that has them."""
    anchor, styles = f"{index}.feed", [block.feed.style if block.feed else "" for block in blocks]
    experts = "experts" in styles
    found = []
    if index == _first(blocks, "experts" if experts else "feed"):
        found.append(Inset(flow.draw(flows.feed_forward(record, marks, "feed"), wide), "" if experts else anchor))
        if experts:
            found.append(Inset(_experts(record, marks, wide), anchor))
    return found


def _first(blocks: Sequence[Block], style: str) -> int | None:
    having = [index for index, block in enumerate(blocks) if block.feed and block.feed.style == style]
    return max(having, key=lambda index: blocks[index].count) if having else None


def _mixer(record: Architecture, marks: Marks, blocks: Sequence[Block], index: int, wide: float) -> list[Inset]:
    """The inside of this block's mixer, if no more frequent block has the same one."""
    block = blocks[index]
    if block.mixer is None or not block.kinds or index not in _openers(blocks):
        return []
    kind = max(block.kinds, key=lambda item: item.count)
    opened = flows.mixer(record, marks, kind, "mixer")
    plain = kind.mixer in words.ATTENTION and not kind.gate
    found = []
    if opened:
        found.append(Inset(flow.draw(opened, wide), f"{index}.mixer", optional=plain))
    if plain and masks.windowed(record):
        found.append(Inset(masks.draw(record, wide), f"{index}.mixer", led=False, optional=True))
    if any(chip.text.endswith("sparse") for chip in block.mixer.chips):
        found.append(Inset(_indexer(record, marks, wide), f"{index}.mixer"))
    return found


def _openers(blocks: Sequence[Block]) -> list[int]:
    """The blocks whose mixers are opened: one for each sort of inside, the most frequent first."""
    chosen: dict[str, int] = {}
    for index in sorted(range(len(blocks)), key=lambda item: -blocks[item].count):
        kinds = blocks[index].kinds
        if kinds and kinds[0].mixer:
            word = kinds[0].mixer
            chosen.setdefault("attention" if word in words.ATTENTION else word, index)
    return list(chosen.values())[:MAX_MIXERS]


def _experts(record: Architecture, marks: Marks, wide: float) -> Group:
    """The router, the experts 1 … n, the shared expert and the sum."""
    moe = record.moe or Moe()
    lines = [line for spans in _expert_facts(moe, marks) for line in flow.wrap_spans(spans, 15, wide - 2 * PAD)]
    tall = 206.0
    group = Group(w=wide, h=tall + flow.facts_height(lines))
    flow.frame(group, "Mixture of experts", marks.baseline is not None and marks.baseline.moe is None)
    shared = bool(moe.num_shared_experts)
    routed = wide - 2 * PAD - (100 if shared else 40)
    middle = PAD + routed / 2
    out = Box(middle - 11, 48, 22, 22)
    router = Box(middle - 76, 162, 152, 28)
    _router(group, moe, marks, router)
    last = words.whole(moe.num_experts) if moe.num_experts is not None else "?"
    wider = min(max(44.0, width(last, 15, True) + 16), 84.0)
    for x, room, label in ((PAD, 44.0, "1"), (PAD + 50, 44.0, "2"), (PAD + routed - wider, wider, last)):
        _expert(group, Box(x, 96, room, 32), label, marks.changed("moe.num_experts") and x > PAD + 50, router, out)
    group.write(PAD + 94 + (routed - wider - 94) / 2, 117, "…", 18, "text", True, 0.5)
    if shared:
        _shared(group, moe, marks, Box(wide - PAD - 92, 96, 92, 32), out, router)
    group.plus(out.cx, out.cy, 11)
    group.stroke((out.cx, out.y), (out.cx, out.y - 10))
    group.stroke((router.cx, tall - 6), (router.cx, router.bottom), arrow=True)
    flow.facts(group, lines, tall + 8)
    return group


def _router(group: Group, moe: Moe, marks: Marks, box: Box) -> None:
    changed = marks.changed("moe.router")
    label = f"{clean(moe.router)} router" if moe.router else "Router"
    group.part(Box(box.x, box.y, box.w, box.h, "part", "changed" if changed else "edge", 8, 2.2 if changed else 1.5))
    ink = "changed-text" if changed else "text"
    group.write(box.cx, box.cy + 5, shorten(label[:1].upper() + label[1:], box.w - 8, 14.5), 14.5, ink, align=0.5)


def _expert(group: Group, box: Box, label: str, changed: bool, router: Box, out: Box) -> None:
    stroke, line = ("changed", 2.4) if changed else ("edge", 1.4)
    group.part(Box(box.x, box.y, box.w, box.h, "experts", stroke, 7, line))
    ink = "changed-text" if changed else "text"
    group.write(box.cx, box.cy + 5, shorten(label, box.w - 6, 15, True), 15, ink, True, 0.5)
    group.stroke((router.cx, router.y), (box.cx, box.bottom), arrow=True)
    group.stroke((box.cx, box.y), (out.cx, out.bottom))


def _shared(group: Group, moe: Moe, marks: Marks, box: Box, out: Box, router: Box) -> None:
    """The shared experts see every token: around the router."""
    changed = marks.changed("moe.num_shared_experts")
    group.part(Box(box.x, box.y, box.w, box.h, "feed", "changed" if changed else "edge", 7, 2.4 if changed else 1.4))
    label = f"{words.whole(moe.num_shared_experts)} shared"
    ink = "changed-text" if changed else "text"
    group.write(box.cx, box.cy + 5, shorten(label, box.w - 6, 14.5, True), 14.5, ink, True, 0.5)
    y = router.bottom + 8
    group.stroke((router.cx, y), (box.cx, y), (box.cx, box.bottom), arrow=True)
    group.stroke((box.cx, box.y), (box.cx, out.cy), (out.right, out.cy), arrow=True)


def _expert_facts(moe: Moe, marks: Marks) -> list[list[Span]]:
    if moe.num_experts is None:
        return [[("number of experts unknown", "muted")]]
    per_token, total = (marks.changed(f"moe.{name}") for name in ("num_experts_per_tok", "num_experts"))
    line = [number(moe.num_experts_per_tok, per_token), (" of ", "plain"), number(moe.num_experts, total)]
    line.append((" experts per token", "plain"))
    if moe.num_shared_experts:
        shared = number(moe.num_shared_experts, marks.changed("moe.num_shared_experts"))
        line += [(" + ", "plain"), shared, (" shared", "plain")]
    lines = [line]
    extra: list[Span] = []
    if moe.groups and moe.groups > 1:
        extra += [("in ", "plain"), number(moe.groups, marks.changed("moe.groups")), (" groups", "plain")]
    if moe.zero_experts:
        extra += [(", " if extra else "", "plain"), number(moe.zero_experts, marks.changed("moe.zero_experts"))]
        extra.append((" of them identity", "plain"))
    if moe.latent_size:
        extra += [(", " if extra else "", "plain"), ("in a latent space of ", "plain")]
        extra.append(number(moe.latent_size, marks.changed("moe.latent_size")))
    return [*lines, extra] if extra else lines


_NAMES: Final = {"dsa": "DeepSeek Sparse Attention (DSA)", "csa": "Compressed sparse attention (CSA)"}


def _indexer(record: Architecture, marks: Marks, wide: float) -> Group:
    """The indexer that picks the tokens that attention reads."""
    sparse = record.attention.sparse
    assert sparse is not None
    changed = marks.changed("attention.sparse.index_topk")
    nodes = (
        Node("in", 0.5, 0, "", "point"),
        Node("q", 0.2, 1, "Index queries"),
        Node("k", 0.74, 1, "Index keys", "cache"),
        Node("s", 0.5, 2, "Score every earlier token", span=0.96),
        Node("t", 0.5, 3, "Keep the top-k", changed=changed),
        Node("a", 0.5, 4, "Attention reads only these", "latent", 0.96),
    )
    title = _NAMES.get(sparse.kind.lower(), f"{clean(sparse.kind)} sparse attention")
    new = marks.baseline is not None and marks.baseline.attention.sparse is None
    return flow.draw(Flow(title, nodes, ("in q s", "in k s", "s t a"), flows.index(record, marks), new), wide)


def _streams(record: Architecture, marks: Marks, wide: float) -> Group:
    """Hyper-connections: several residual streams, mixed before and after each sublayer."""
    streams = record.residual.streams or 1
    drawn, changed = max(2, min(streams, 4)), marks.changed("residual.streams", "residual.kind")
    group = Group(w=wide, h=168)
    flow.frame(group, "Hyper-connections", changed)
    left, right = Box(PAD + 34, 48, 54, 70), Box(wide - PAD - 88, 48, 54, 70)
    for index in range(drawn):
        y = 56 + index * 54 / (drawn - 1)
        group.stroke((PAD, y), (left.x, y))
        group.stroke((right.right, y), (wide - PAD, y), arrow=True)
    sub = Box(left.right + 26, 62, right.x - left.right - 52, 42, "feed", "edge", 8)
    for box, text in ((left, "mix"), (right, "mix"), (sub, "sublayer")):
        group.part(Box(box.x, box.y, box.w, box.h, box.fill, "edge", 8, 1.5))
        group.write(box.cx, box.cy + 5, shorten(text, box.w - 6, 14.5), 14.5, align=0.5)
    group.stroke((left.right, 83), (sub.x, 83), arrow=True)
    group.stroke((sub.right, 83), (right.x, 83), arrow=True)
    line = [number(record.residual.streams, changed), (" parallel residual streams", "plain")]
    flow.facts(group, [line], 142)
    return group


def _unknown(record: Architecture, wide: float) -> Group:
    """Why the inside of the model is not shown."""
    reasons: dict[str, int] = {}
    for item in record.unknown[:500]:
        why = clean(item.why) or "no reason given"
        reasons[why] = reasons.get(why, 0) + 1
    lines = [line for why in list(reasons)[:4] for line in wrap(why, wide - 2 * PAD, 15, lines=3)]
    group = Group(w=wide, h=44 + 22 * len(lines))
    group.frame(Box(0, 0, wide, group.h, "inset", "edge", 14, 1.4, True))
    group.write(PAD, 27, "Not known", 16, "text", True)
    for index, line in enumerate(lines):
        group.write(PAD, 51 + 22 * index, line, 15, "muted")
    return group
