"""What happens inside each kind of mixer whose inside is always the same, as data: boxes and what joins them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.report.sketch.flow import Node

Nodes = Sequence[Node]
Edges = Sequence[str]


def node(name: str, at: float, row: int, text: str, look: str = "plain", span: float = 0) -> Node:
    """A node that is never marked as changed."""
    return Node(name, at, row, text, look, span)


INPUT: Final = node("in", 0.5, 0, "", "point")


def _delta(rule: str, gate: str) -> tuple[Nodes, Edges]:
    """The delta rules share everything but the decay's shape and the output gate."""
    return (
        (
            INPUT,
            node("lqk", 0.155, 1, "Linear Q, K"), node("lv", 0.47, 1, "Linear V"),
            node("lab", 0.69, 1, "α, β"), node("lg", 0.89, 1, "Linear"),
            node("cqk", 0.155, 2, "Conv, SiLU"), node("cv", 0.47, 2, "Conv, SiLU"), node("sg", 0.89, 2, gate),
            node("l2", 0.155, 3, "L2 norm"),
            node("rule", 0.385, 4, rule, "linear", 0.77),
            node("norm", 0.385, 5, "RMSNorm"), node("gate", 0.385, 6, "×"), node("out", 0.385, 7, "Linear"),
        ),
        ("in lqk cqk l2 rule", "in lv cv rule", "in lab rule", "in lg sg >gate", "rule norm gate out"),
    )  # fmt: skip


_MAMBA2: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("lin", 0.5, 1, "Linear: x, B, C, Δ and gate z", span=0.9),
        node("conv", 0.28, 2, "Conv, SiLU"), node("silu", 0.82, 2, "SiLU"),
        node("ssm", 0.28, 3, "State-space update", "linear"),
        node("gate", 0.28, 4, "×"), node("norm", 0.28, 5, "RMSNorm"), node("out", 0.28, 6, "Linear"),
    ),
    ("in lin conv ssm gate norm out", "lin silu >gate"),
)  # fmt: skip
_MAMBA: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("lin", 0.5, 1, "Linear: x and gate z", span=0.9),
        node("conv", 0.28, 2, "Conv, SiLU"), node("silu", 0.82, 2, "SiLU"),
        node("ssm", 0.28, 3, "Selective scan: A, B, C, Δ", "linear"),
        node("gate", 0.28, 4, "×"), node("out", 0.28, 5, "Linear"),
    ),
    ("in lin conv ssm gate out", "lin silu >gate"),
)  # fmt: skip
_LIGHTNING: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("qkv", 0.34, 1, "Linear Q, K, V, SiLU"), node("lg", 0.85, 1, "Linear"),
        node("sg", 0.85, 3, "sigmoid"), node("rule", 0.34, 2, "Linear attention, fixed decay", "linear"),
        node("norm", 0.34, 3, "RMSNorm"), node("gate", 0.34, 4, "×"), node("out", 0.34, 5, "Linear"),
    ),
    ("in qkv rule norm gate out", "in lg sg >gate"),
)  # fmt: skip
_MLSTM: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("qkv", 0.2, 1, "Linear Q, K, V"), node("if", 0.56, 1, "gates i, f"), node("lg", 0.88, 1, "Linear"),
        node("sg", 0.88, 2, "sigmoid"), node("rule", 0.35, 2, "Matrix memory", "linear", 0.7),
        node("norm", 0.35, 3, "Norm per head"), node("gate", 0.35, 4, "×"), node("out", 0.35, 5, "Linear"),
    ),
    ("in qkv rule", "in if rule", "in lg sg >gate", "rule norm gate out"),
)  # fmt: skip
_CONV: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("lin", 0.5, 1, "Linear: B, C, x", span=0.9), node("bx", 0.28, 2, "×"),
        node("conv", 0.28, 3, "Short convolution", "convolution"), node("cx", 0.28, 4, "×"),
        node("out", 0.28, 5, "Linear"), node("c", 0.82, 2, "C"), node("b", 0.55, 2, "B"),
    ),
    ("in lin bx conv cx out", "lin b >bx", "lin c >cx"),
)  # fmt: skip
_RWKV: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("shift", 0.34, 1, "Token shift"), node("lin", 0.34, 2, "Linear R, K, V, decay w"),
        node("lg", 0.85, 2, "gate"), node("rule", 0.34, 3, "WKV state", "linear"), node("norm", 0.34, 4, "GroupNorm"),
        node("gate", 0.34, 5, "×"), node("out", 0.34, 6, "Linear"),
    ),
    ("in shift lin rule norm gate out", "shift lg >gate"),
)  # fmt: skip
_RGLRU: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("lx", 0.28, 1, "Linear"), node("ly", 0.8, 1, "Linear"), node("conv", 0.28, 2, "Conv"),
        node("gelu", 0.8, 2, "GELU"), node("rule", 0.28, 3, "Gated recurrence", "linear"), node("gate", 0.28, 4, "×"),
        node("out", 0.28, 5, "Linear"),
    ),
    ("in lx conv rule gate out", "in ly gelu >gate"),
)  # fmt: skip
_CSA: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("q", 0.15, 1, "Linear Q"), node("kv", 0.52, 1, "Linear KV"), node("i", 0.86, 1, "Indexer"),
        node("c", 0.52, 2, "Compress tokens", "cache"), node("top", 0.86, 2, "top-k"),
        node("att", 0.42, 3, "Attention + local window", "compressed", 0.84), node("out", 0.42, 4, "Linear"),
    ),
    ("in q att out", "in kv c att", "in i top >att"),
)  # fmt: skip
_HCA: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("q", 0.2, 1, "Linear Q"), node("kv", 0.68, 1, "Linear KV"),
        node("c", 0.68, 2, "Compress many tokens", "cache"),
        node("att", 0.5, 3, "Attention + local window", "compressed", 0.9), node("out", 0.5, 4, "Linear"),
    ),
    ("in q att out", "in kv c att"),
)  # fmt: skip
_CCA: Final[tuple[Nodes, Edges]] = (
    (
        INPUT, node("q", 0.2, 1, "Linear Q"), node("k", 0.5, 1, "Linear K"), node("v", 0.8, 1, "Linear V"),
        node("c", 0.35, 2, "Convolution", "compressed", 0.5),
        node("att", 0.5, 3, "Attention in the latent space", "compressed", 0.9), node("out", 0.5, 4, "Linear"),
    ),
    ("in q c", "in k c att out", "in v att"),
)  # fmt: skip

FIXED: Final[dict[str, tuple[str, tuple[Nodes, Edges]]]] = {
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
"""Title, nodes and edges by mixer word."""
