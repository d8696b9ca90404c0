"""The insets of one record's mixers and feed-forward: which operations, with which sizes."""

from __future__ import annotations

import functools

from watcher.architecture.record import Architecture, LayerKind
from watcher.report.sketch import words
from watcher.report.sketch.flow import Flow, Node
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.operations import FIXED, INPUT, node
from watcher.report.sketch.scene import Span


def mixer(record: Architecture, marks: Marks, kind: LayerKind, name: str) -> Flow | None:
    """The inset of one mixer kind; None for a kind whose inside is not known."""
    if kind.mixer == "mla":
        return _mla(record, marks, kind, name)
    if kind.mixer in words.ATTENTION:
        return _attention(record, marks, kind, name)
    found = FIXED.get(kind.mixer or "")
    if found is None:
        return None
    title, (nodes, edges) = found
    facts = _sizes(kind, marks)
    if record.attention.sparse is not None and record.attention.sparse.kind == kind.mixer:
        facts += index(record, marks)
    return Flow(title, nodes, edges, facts, marks.mixer_new(kind), name)


def index(record: Architecture, marks: Marks) -> list[list[Span]]:
    """The indexer's sizes."""
    sparse = record.attention.sparse
    if sparse is None:
        return []
    changed = {name: marks.changed(f"attention.sparse.index_{name}") for name in ("n_heads", "head_dim", "topk")}
    lines: list[list[Span]] = []
    if sparse.index_n_heads:
        lines.append([number(sparse.index_n_heads, changed["n_heads"]), (" index heads", "plain")])
        if sparse.index_head_dim:
            lines[0] += [(" of size ", "plain"), number(sparse.index_head_dim, changed["head_dim"])]
    if sparse.index_topk:
        lines.append([("keeps the top ", "plain"), number(sparse.index_topk, changed["topk"])])
    return lines


def number(value: object, changed: bool = False) -> Span:
    """A number as a coloured span; what is unknown is no number."""
    if value is None:
        return (words.UNKNOWN, "muted")
    return (words.whole(value), "changed" if changed else "number")


def _sizes(kind: LayerKind, marks: Marks) -> list[list[Span]]:
    lines: list[list[Span]] = []
    if kind.num_attention_heads:
        changed = marks.kind_changed(kind, "num_attention_heads")
        line = [number(kind.num_attention_heads, changed), (" heads", "plain")]
        if kind.qk_dim:
            line += [(" of size ", "plain"), number(kind.qk_dim, marks.kind_changed(kind, "qk_dim"))]
        lines.append(line)
    if kind.state_bytes:
        changed = marks.kind_changed(kind, "state_bytes")
        lines.append([("state ", "plain"), (words.size(kind.state_bytes), "changed" if changed else "number"),
                      (" per layer and sequence", "plain")])  # fmt: skip
    return lines


def _attention(record: Architecture, marks: Marks, kind: LayerKind, name: str) -> Flow:
    """Softmax attention with its queries, keys and values, QK-norm, RoPE and gate where it has them."""
    changed = functools.partial(marks.kind_changed, kind)
    right = 0.885 if kind.gate else None
    q, k, v = (0.115, 0.365, 0.615) if right else (0.17, 0.5, 0.83)
    middle, span = k, v - q + (0.23 if right else 0.34)
    nodes = [INPUT, node("q", q, 1, "Linear Q"), node("k", k, 1, "Linear K"), node("v", v, 1, "Linear V")]
    through = (" n" if kind.qk_norm else "") + (" r" if kind.rope else "")
    if kind.qk_norm:
        label = "L2 norm" if kind.qk_norm == "l2" else words.norm(record)
        nodes.append(Node("n", (q + k) / 2, 2, f"{label}", "plain", k - q + 0.2, changed("qk_norm")))
    if kind.rope:
        label = words.rotary(record)
        nodes.append(Node("r", (q + k) / 2, 3, label, "plain", k - q + 0.2, changed("rope")))
    nodes.append(Node("att", middle, 4, _softmax(kind), _look(kind), span, changed("sinks") or changed("window")))
    edges = [f"in q{through} att", f"in k{through} att", "in v att"]
    if right:
        nodes += [node("lg", right, 1, "Linear"), Node("sg", right, 2, "sigmoid", changed=changed("gate"))]
        nodes.append(node("gate", middle, 5, "×"))
        edges += ["in lg sg >gate", "att gate out"]
    else:
        edges.append("att out")
    nodes.append(node("out", middle, 6, "Linear"))
    return Flow(words.mixer(kind.mixer).name, nodes, edges, _heads(marks, kind), marks.mixer_new(kind), name)


def _look(kind: LayerKind) -> str:
    """The colour that the block has."""
    return "window" if words.mixer(kind.mixer).family == "window" else "strong"


def _softmax(kind: LayerKind) -> str:
    return "Softmax attention with sinks" if kind.sinks else "Softmax attention"


def _heads(marks: Marks, kind: LayerKind) -> list[list[Span]]:
    heads, shared = kind.num_attention_heads, kind.num_key_value_heads
    if not heads:
        return [[("heads unknown", "muted")]]
    changed = marks.kind_changed(kind, "num_attention_heads")
    grouped = bool(shared) and shared != heads
    line = [number(heads, changed), (f" {'query ' if grouped else ''}{words.plural(heads, 'head')}", "plain")]
    if grouped:
        line += [(", ", "plain"), number(shared, marks.kind_changed(kind, "num_key_value_heads"))]
        line.append((f" key/value {words.plural(shared, 'head')}", "plain"))
    lines = [line]
    if kind.qk_dim:
        lines.append([("head size ", "plain"), number(kind.qk_dim, marks.kind_changed(kind, "qk_dim"))])
        if kind.v_dim and kind.v_dim != kind.qk_dim:
            lines[-1] += [(", values ", "plain"), number(kind.v_dim, marks.kind_changed(kind, "v_dim"))]
    return lines


def _mla(record: Architecture, marks: Marks, kind: LayerKind, name: str) -> Flow:
    """Latent attention: what is cached is one compressed vector and one rotary key."""
    mla = record.attention.mla
    ranks = [getattr(mla, field, None) for field in ("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim")]
    query, latent, rope = (words.whole(rank) if rank else "" for rank in ranks)
    changed = [marks.changed(f"attention.mla.{field}") for field in ("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim")]
    plain = mla is not None and mla.q_lora_rank is None and not record.is_unknown("attention.mla.q_lora_rank")
    nodes = [INPUT]
    if not plain:
        nodes.append(Node("lq", 0.165, 1, f"latent {query}".strip(), changed=changed[0]))
    key = "shared key" if kind.rope is False else "RoPE key"
    nodes += [
        Node("lkv", 0.5, 1, f"latent {latent}".strip(), "cache", changed=changed[1]),
        Node("rk", 0.83, 1, f"{key} {rope}".strip(), "cache", changed=changed[2]),
        node("q", 0.165, 1 if plain else 2, "Linear Q"), node("kv", 0.5, 2, "Linear K, V"),
        node("att", 0.5, 3, "Softmax attention", "latent", 1.0), node("out", 0.5, 4, "Linear"),
    ]  # fmt: skip
    edges = ["in q att" if plain else "in lq q att", "in lkv kv att out", "in rk att"]
    lines = [*_mla_heads(record, marks, kind)]
    if latent and rope:
        sizes = [(text, "changed" if mark else "number") for text, mark in ((latent, changed[1]), (rope, changed[2]))]
        lines.append([("cached per token: ", "plain"), sizes[0], (" + ", "plain"), sizes[1], (" values", "plain")])
    return Flow("Multi-head latent attention", nodes, edges, lines, marks.mixer_new(kind), name)


def _mla_heads(record: Architecture, marks: Marks, kind: LayerKind) -> list[list[Span]]:
    heads = kind.num_attention_heads or record.attention.num_attention_heads
    if not heads:
        return [[("heads unknown", "muted")]]
    line = [number(heads, marks.changed("attention.num_attention_heads")), (" heads", "plain")]
    if kind.qk_dim:
        line += [(", query/key ", "plain"), number(kind.qk_dim, marks.kind_changed(kind, "qk_dim"))]
    if kind.v_dim:
        line += [(", value ", "plain"), number(kind.v_dim, marks.kind_changed(kind, "v_dim"))]
    return [line]


def feed_forward(record: Architecture, marks: Marks, name: str) -> Flow:
    """The feed-forward, gated or not."""
    feed = record.feed_forward
    changed = marks.changed("feed_forward.activation", "feed_forward.gated")
    sort, act = words.feed_forward(record), words.activation(record)
    title = f"{sort} feed-forward" if sort else "Feed-forward"
    facts = _feed_sizes(record, marks)
    if feed.gated is None or act is None:
        text = "Linear, activation, Linear: gating unknown" if act is None else f"Linear, {act}, Linear"
        return Flow(title, [node("x", 0.5, 0, text)], (), facts, changed, name)
    if feed.gated:
        nodes = [
            INPUT,
            node("g", 0.28, 1, "Linear (gate)"),
            node("u", 0.74, 1, "Linear (up)"),
            Node("a", 0.28, 2, act, changed=marks.changed("feed_forward.activation")),
            Node("m", 0.28, 3, "×", changed=marks.changed("feed_forward.gated")),
            node("d", 0.28, 4, "Linear (down)"),
        ]
        return Flow(title, nodes, ("in g a m d", "in u >m"), facts, changed, name)
    nodes = [INPUT, node("u", 0.5, 1, "Linear (up)"), node("d", 0.5, 3, "Linear (down)")]
    nodes.append(Node("a", 0.5, 2, act, changed=changed))
    return Flow(title, nodes, ("in u a d",), facts, changed, name)


def _feed_sizes(record: Architecture, marks: Marks) -> list[list[Span]]:
    lines: list[list[Span]] = []
    dense = not record.moe or bool(record.moe.dense_layers)
    if dense:
        label = "in dense blocks: size " if record.moe else "hidden size "
        path = "feed_forward.intermediate_size"
        lines.append([(label, "plain"), number(record.feed_forward.intermediate_size, marks.changed(path))])
    if record.moe:
        size = number(record.moe.moe_intermediate_size, marks.changed("moe.moe_intermediate_size"))
        lines.append([("in each expert: size ", "plain"), size])
    return lines
