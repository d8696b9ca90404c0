"""What stands in the insets of mixers and feed-forwards, as data: the operations of each kind in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.report.sketch import words
from watcher.report.sketch.flow import Flow, Node
from watcher.report.sketch.marks import Marks
from watcher.report.sketch.scene import Span

Nodes = Sequence[Node]
Edges = Sequence[str]


def _n(name: str, at: float, row: int, text: str, look: str = "plain", span: float = 0) -> Node:
    return Node(name, at, row, text, look, span)


_IN: Final = _n("in", 0.5, 0, "", "point")



def _delta(rule: str, gate: str) -> tuple[Nodes, Edges]:
    """The delta rules share everything but the decay's shape and the output gate."""
    return (
        (
            _IN,
            _n("lqk", 0.155, 1, "Linear Q, K"), _n("lv", 0.47, 1, "Linear V"),
            _n("lab", 0.69, 1, "α, β"), _n("lg", 0.89, 1, "Linear"),
            _n("cqk", 0.155, 2, "Conv, SiLU"), _n("cv", 0.47, 2, "Conv, SiLU"), _n("sg", 0.89, 2, gate),
            _n("l2", 0.155, 3, "L2 norm"),
            _n("rule", 0.385, 4, rule, "linear", 0.77),
            _n("norm", 0.385, 5, "RMSNorm"), _n("gate", 0.385, 6, "×"), _n("out", 0.385, 7, "Linear"),
        ),
        ("in lqk cqk l2 rule", "in lv cv rule", "in lab rule", "in lg sg >gate", "rule norm gate out"),
    )  # fmt: skip


_MAMBA2: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("lin", 0.5, 1, "Linear: x, B, C, Δ and gate z", span=0.9),
        _n("conv", 0.28, 2, "Conv, SiLU"), _n("silu", 0.82, 2, "SiLU"),
        _n("ssm", 0.28, 3, "State-space update", "linear"),
        _n("gate", 0.28, 4, "×"), _n("norm", 0.28, 5, "RMSNorm"), _n("out", 0.28, 6, "Linear"),
    ),
    ("in lin conv ssm gate norm out", "lin silu >gate"),
)  # fmt: skip
_MAMBA: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("lin", 0.5, 1, "Linear: x and gate z", span=0.9),
        _n("conv", 0.28, 2, "Conv, SiLU"), _n("silu", 0.82, 2, "SiLU"),
        _n("ssm", 0.28, 3, "Selective scan: A, B, C, Δ", "linear"),
        _n("gate", 0.28, 4, "×"), _n("out", 0.28, 5, "Linear"),
    ),
    ("in lin conv ssm gate out", "lin silu >gate"),
)  # fmt: skip
_LIGHTNING: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("qkv", 0.34, 1, "Linear Q, K, V, SiLU"), _n("lg", 0.85, 1, "Linear"), _n("sg", 0.85, 2, "sigmoid"),
        _n("rule", 0.34, 2, "Linear attention, fixed decay", "linear"),
        _n("norm", 0.34, 3, "RMSNorm"), _n("gate", 0.34, 4, "×"), _n("out", 0.34, 5, "Linear"),
    ),
    ("in qkv rule norm gate out", "in lg sg >gate"),
)  # fmt: skip
_MLSTM: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("qkv", 0.2, 1, "Linear Q, K, V"), _n("if", 0.56, 1, "gates i, f"), _n("lg", 0.88, 1, "Linear"),
        _n("sg", 0.88, 2, "sigmoid"), _n("rule", 0.35, 2, "Matrix memory", "linear", 0.7),
        _n("norm", 0.35, 3, "Norm per head"), _n("gate", 0.35, 4, "×"), _n("out", 0.35, 5, "Linear"),
    ),
    ("in qkv rule", "in if rule", "in lg sg >gate", "rule norm gate out"),
)  # fmt: skip
_CONV: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("lin", 0.5, 1, "Linear: B, C, x", span=0.9), _n("bx", 0.28, 2, "×"),
        _n("conv", 0.28, 3, "Short convolution", "convolution"), _n("cx", 0.28, 4, "×"), _n("out", 0.28, 5, "Linear"),
        _n("c", 0.82, 2, "C"), _n("b", 0.55, 2, "B"),
    ),
    ("in lin bx conv cx out", "lin b >bx", "lin c >cx"),
)  # fmt: skip
_RWKV: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("shift", 0.34, 1, "Token shift"), _n("lin", 0.34, 2, "Linear R, K, V, decay w"),
        _n("lg", 0.85, 2, "gate"), _n("rule", 0.34, 3, "WKV state", "linear"), _n("norm", 0.34, 4, "GroupNorm"),
        _n("gate", 0.34, 5, "×"), _n("out", 0.34, 6, "Linear"),
    ),
    ("in shift lin rule norm gate out", "shift lg >gate"),
)  # fmt: skip
_RGLRU: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("lx", 0.28, 1, "Linear"), _n("ly", 0.8, 1, "Linear"), _n("conv", 0.28, 2, "Conv"),
        _n("gelu", 0.8, 2, "GELU"), _n("rule", 0.28, 3, "Gated recurrence", "linear"), _n("gate", 0.28, 4, "×"),
        _n("out", 0.28, 5, "Linear"),
    ),
    ("in lx conv rule gate out", "in ly gelu >gate"),
)  # fmt: skip
_CSA: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("q", 0.15, 1, "Linear Q"), _n("kv", 0.52, 1, "Linear KV"), _n("i", 0.86, 1, "Indexer"),
        _n("c", 0.52, 2, "Compress tokens", "cache"), _n("top", 0.86, 2, "top-k"),
        _n("att", 0.42, 3, "Attention + local window", "compressed", 0.84), _n("out", 0.42, 4, "Linear"),
    ),
    ("in q att out", "in kv c att", "in i top >att"),
)  # fmt: skip
_HCA: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("q", 0.2, 1, "Linear Q"), _n("kv", 0.68, 1, "Linear KV"),
        _n("c", 0.68, 2, "Compress many tokens", "cache"),
        _n("att", 0.5, 3, "Attention + local window", "compressed", 0.9), _n("out", 0.5, 4, "Linear"),
    ),
    ("in q att out", "in kv c att"),
)  # fmt: skip
_CCA: Final[tuple[Nodes, Edges]] = (
    (
        _IN, _n("q", 0.2, 1, "Linear Q"), _n("k", 0.5, 1, "Linear K"), _n("v", 0.8, 1, "Linear V"),
        _n("c", 0.35, 2, "Convolution", "compressed", 0.5),
        _n("att", 0.5, 3, "Attention in the latent space", "compressed", 0.9), _n("out", 0.5, 4, "Linear"),
    ),
    ("in q c", "in k c att out", "in v att"),
)  # fmt: skip

_FIXED: Final[dict[str, tuple[str, tuple[Nodes, Edges]]]] = {
    "gated-deltanet": ("Gated DeltaNet", _delta("Gated delta rule", "SiLU")),
    "kda": ("Kimi Delta Attention (KDA)", _delta("Delta rule, decay per channel", "sigmoid")),
    "mamba2": ("Mamba-2", _MAMBA2),
    "mamba": ("Mamba", _MAMBA),
    "lightning": ("Lightning attention", _LIGHTNING),
    "mlstm": ("mLSTM", _MLSTM),
    "short-conv": ("Short convolution", _CONV),
    "rwkv": ("RWKV time mixing", _RWKV),
    "rglru": ("RG-LRU recurrence", _RGLRU),
    "csa": ("Compressed sparse attention (CSA)", _CSA),
    "hca": ("Heavily compressed attention (HCA)", _HCA),
    "cca": ("Compressed convolutional attention", _CCA),
}


def mixer(record: Architecture, marks: Marks, kind: LayerKind, name: str) -> Flow | None:
    """The inset of one mixer kind; None for a kind whose inside is not known."""
    if kind.mixer == "mla":
        return _mla(record, marks, kind, name)
    if kind.mixer in words.ATTENTION:
        return _attention(record, marks, kind, name)
    found = _FIXED.get(kind.mixer or "")
    if found is None:
        return None
    title, (nodes, edges) = found
    facts = _sizes(kind, marks)
    if record.attention.sparse is not None and record.attention.sparse.kind == kind.mixer:
        facts += index(record, marks)
    return Flow(title, nodes, edges, facts, marks.mixer_new(kind), name)


def index(record: Architecture, marks: Marks) -> list[list[Span]]:
    """The indexer's sizes."""
    sparse, lines = record.attention.sparse, []
    if sparse is not None and sparse.index_n_heads:
        line = [number(sparse.index_n_heads, marks.changed("attention.sparse.index_n_heads")), (" index heads", "plain")]
        if sparse.index_head_dim:
            line += [(" of size ", "plain"), number(sparse.index_head_dim, marks.changed("attention.sparse.index_head_dim"))]
        lines.append(line)
    if sparse is not None and sparse.index_topk:
        changed = marks.changed("attention.sparse.index_topk")
        lines.append([("keeps the top ", "plain"), number(sparse.index_topk, changed)])
    return lines


def number(value: object, changed: bool = False) -> Span:
    """A number as a coloured span."""
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
    changed: Callable[[str], bool] = lambda field: marks.kind_changed(kind, field)  # noqa: E731
    right = 0.885 if kind.gate else None
    q, k, v = (0.115, 0.365, 0.615) if right else (0.17, 0.5, 0.83)
    middle, span = k, v - q + (0.23 if right else 0.34)
    nodes = [_IN, _n("q", q, 1, "Linear Q"), _n("k", k, 1, "Linear K"), _n("v", v, 1, "Linear V")]
    through = (" n" if kind.qk_norm else "") + (" r" if kind.rope else "")
    if kind.qk_norm:
        label = "L2 norm" if kind.qk_norm == "l2" else words.norm(record)
        nodes.append(Node("n", (q + k) / 2, 2, f"{label}", "plain", k - q + 0.2, changed("qk_norm")))
    if kind.rope:
        label = words.rotary(record)
        nodes.append(Node("r", (q + k) / 2, 3, label, "plain", k - q + 0.2, changed("rope")))
    nodes.append(Node("att", middle, 4, _softmax(kind), "strong", span, changed("sinks") or changed("window")))
    edges = [f"in q{through} att", f"in k{through} att", "in v att"]
    if right:
        nodes += [_n("lg", right, 1, "Linear"), Node("sg", right, 2, "sigmoid", changed=changed("gate")), _n("gate", middle, 5, "×")]
        edges += ["in lg sg >gate", "att gate out"]
    else:
        edges.append("att out")
    nodes.append(_n("out", middle, 6, "Linear"))
    return Flow(words.mixer(kind.mixer).name, nodes, edges, _heads(record, marks, kind), marks.mixer_new(kind), name)


def _softmax(kind: LayerKind) -> str:
    return "Softmax attention with sinks" if kind.sinks else "Softmax attention"


def _heads(record: Architecture, marks: Marks, kind: LayerKind) -> list[list[Span]]:
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
    nodes = [_IN]
    if not plain:
        nodes.append(Node("lq", 0.165, 1, f"latent {query}".strip(), changed=changed[0]))
    key = "shared key" if kind.rope is False else "RoPE key"
    nodes += [
        Node("lkv", 0.5, 1, f"latent {latent}".strip(), "cache", changed=changed[1]),
        Node("rk", 0.83, 1, f"{key} {rope}".strip(), "cache", changed=changed[2]),
        _n("q", 0.165, 1 if plain else 2, "Linear Q"), _n("kv", 0.5, 2, "Linear K, V"),
        _n("att", 0.5, 3, "Softmax attention", "latent", 1.0), _n("out", 0.5, 4, "Linear"),
    ]  # fmt: skip
    edges = ["in q att" if plain else "in lq q att", "in lkv kv att out", "in rk att"]
    lines = [*_mla_heads(record, marks, kind)]
    if latent and rope:
        lines.append([("cached per token: ", "plain"), (latent, "changed" if changed[1] else "number"),
                      (" + ", "plain"), (rope, "changed" if changed[2] else "number"), (" values", "plain")])  # fmt: skip
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
        return Flow(title, [_n("x", 0.5, 0, text)], (), facts, changed, name)
    if feed.gated:
        nodes = [_IN, _n("g", 0.28, 1, "Linear (gate)"), _n("u", 0.74, 1, "Linear (up)"),
                 Node("a", 0.28, 2, act, changed=marks.changed("feed_forward.activation")),
                 Node("m", 0.28, 3, "×", changed=marks.changed("feed_forward.gated")), _n("d", 0.28, 4, "Linear (down)")]  # fmt: skip
        return Flow(title, nodes, ("in g a m d", "in u >m"), facts, changed, name)
    nodes = [_IN, _n("u", 0.5, 1, "Linear (up)"), Node("a", 0.5, 2, act, changed=changed), _n("d", 0.5, 3, "Linear (down)")]
    return Flow(title, nodes, ("in u a d",), facts, changed, name)


def _feed_sizes(record: Architecture, marks: Marks) -> list[list[Span]]:
    lines: list[list[Span]] = []
    dense = not record.moe or bool(record.moe.dense_layers)
    if dense:
        label = "in dense blocks: size " if record.moe else "hidden size "
        path = "feed_forward.intermediate_size"
        lines.append([(label, "plain"), number(record.feed_forward.intermediate_size, marks.changed(path))])
    if record.moe:
        path = "moe.moe_intermediate_size"
        lines.append([("in each expert: size ", "plain"), number(record.moe.moe_intermediate_size, marks.changed(path))])
    return lines
