"""What a layer does, from the order of its calls: where norms stand, what is parallel, QK-norms, gates, RoPE."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watcher.architecture.code.arithmetic import L2, NORMED, SCORES
from watcher.architecture.code.build import EXPERTS
from watcher.architecture.code.forward import ROTARY, SAME, is_norm
from watcher.architecture.code.protocol import Step
from watcher.architecture.code.trace import LayerTrace
from watcher.architecture.code.values import ModuleValue

ASIDE = re.compile(
    r"HyperConn|_hc$|RotaryEmb|Activation$|^Act:|^Residual|Residual$|AltUp|Laurel|StochasticDepth|DropPath|"
    r"^nn\.(GELU|SiLU|ReLU|Tanh)"
)
MIXER = re.compile(
    r"attn|attention|mamba|linear_attn|conv|rwkv|temporal|ssm|time_mix|mlstm|recurrent|delta", re.IGNORECASE
)
FEED_FORWARD = re.compile(r"mlp|ffn|feed_?forward|moe|block_sparse|experts|^fc\d?$|channel|ff$|router", re.IGNORECASE)
FEED_FORWARD_CLASS = re.compile(r"(mlp|moe|ffn|feedforward|experts|router|SparseMoeBlock)$", re.IGNORECASE)
QUERY_KEY = re.compile(
    r"(q|k|query|key)_?(layer_?)?norm|(q|k)_?ln|ln_?(q|k)|q_layernorm|k_layernorm|qk_?norm|query_layernorm|key_layernorm|"
    r"query_layer_?norm|key_layer_?norm|(q|k)_head_?norm|norm_?(q|k)|self_attn_(q|k)_norm|(q|k)_pe_norm|q_norm\d?|k_norm\d?"
)
DENSE = re.compile(r"fc|dense|mlp|lin\d", re.IGNORECASE)
"""Projections that are a layer's feed-forward where it has no module of its own."""

NOT_QUERY_KEY = re.compile(r"indexer|compressor")
NOT_GATE = re.compile(r"router|gate$|experts|mlp|moe|ffn|feed|_hc\b|hyper_?conn|norm")


@dataclass(frozen=True, slots=True)
class Sublayer:
    """A mixer or a feed-forward in a layer."""

    step: Step
    pre: Step | None
    """The norm before it."""
    post: Step | None
    """The norm of its output, before it is added."""
    after: bool
    """Whether what it was added to is normalised."""

    @property
    def placement(self) -> str:
        """pre, post-inside, sandwich, post or none."""
        if self.pre and self.post:
            return "sandwich"
        return "pre" if self.pre else "post-inside" if self.post else "post" if self.after else "none"


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What one layer does."""

    index: int
    mixers: tuple[Sublayer, ...]
    feed_forwards: tuple[Sublayer, ...]
    parallel: bool
    qk_norm: str | None
    gate: str | None
    """Path of the module whose sigmoid gates the mixer's output."""
    rope: bool
    attends: bool
    """Whether queries meet keys."""
    qk_where: str = ""
    gate_where: str = ""
    rope_where: str = ""
    router: tuple[str, str] | None = None
    """(how experts are scored, line)."""


def read_layer(trace: LayerTrace, head_dim: int | None) -> LayerFacts:
    """The facts of one traced layer; `head_dim` tells a per-head norm from one over all heads."""
    top = [step for step in trace.steps if step.caller == trace.module.path]
    norms = [step for step in top if is_norm(step.module) and not _holds_more(step.module)]
    others = [step for step in top if step not in norms and step.module.kind not in SAME]
    blocks = [step for step in others if not ASIDE.search(step.module.kind) and not ROTARY.search(step.module.kind)]
    inner = [step for step in blocks if step.module.kind not in ("nn.Linear", "Conv1D")] or blocks
    mixing = [step for step in inner if _mixes(trace, step)]
    feeding = [step for step in inner if step not in mixing]
    if not feeding:
        feeding = [step for step in blocks if step not in mixing and DENSE.search(_name(step, trace.module.path))][:1]
    mixers = tuple(_sublayer(trace, step, norms) for step in mixing)
    feeds = tuple(_sublayer(trace, step, norms) for step in feeding)
    qk, qk_where = _query_key_norm(trace, head_dim)
    gate, gate_where = _gate(trace)
    rope = next((line for path, line in trace.rotated if _inside(path, trace.module.path)), "")
    return LayerFacts(
        trace.index,
        mixers,
        feeds,
        _parallel(mixers, feeds),
        qk,
        gate,
        bool(rope),
        any(_attends(trace, step.path) for step in mixing),
        qk_where,
        gate_where,
        rope,
        _router(trace, feeds),
    )


SCORES_EXPERTS = ("sqrtsoftplus", "sigmoid", "softmax")


def _router(trace: LayerTrace, feeds: tuple[Sublayer, ...]) -> tuple[str, str] | None:
    """How experts are scored: by the router where it is a module, else by the feed-forward that holds experts."""
    for feed in feeds:
        if not any(EXPERTS.search(path) for path, _ in feed.step.module.walk()):
            continue
        done = [item for item in trace.operations if _inside(item[0], feed.step.path) and item[1] in SCORES_EXPERTS]
        done = [item for item in done if "shared" not in item[0]]
        routing = [item for item in done if re.search(r"router|gate", item[0].removeprefix(feed.step.path))] or done
        softmax = [item for item in routing if item[1] != "sigmoid"] or routing
        if softmax:
            return softmax[0][1], softmax[0][2]
    return None


def _attends(trace: LayerTrace, path: str) -> bool:
    """Whether a softmax is taken over scores in a mixer, or a ready-made attention is called."""
    softmax = any(item[1] == "softmax" and _inside(item[0], path) for item in trace.operations)
    return softmax or any(_inside(item[0], path) and item[4] for item in trace.products)


def _inside(path: str, layer: str) -> bool:
    return path == layer or path.startswith(f"{layer}.")


def _holds_more(module: ModuleValue) -> bool:
    return any(child.kind == "nn.Linear" for child in module.children.values())


def _name(step: Step, layer: str) -> str:
    return step.path.removeprefix(f"{layer}.")


def _mixes(trace: LayerTrace, step: Step) -> bool:
    name = _name(step, trace.module.path)
    feeds = FEED_FORWARD.search(name) or FEED_FORWARD_CLASS.search(step.module.kind)
    return bool(MIXER.search(name)) or not feeds


def _sublayer(trace: LayerTrace, step: Step, norms: list[Step]) -> Sublayer:
    pre = next((norm for norm in norms if norm.path == step.source), None)
    adds_normed = pre is not None and any(step.path in norm.terms and pre.path in norm.terms for norm in norms)
    if adds_normed and pre is not None and pre.source == "+":
        pre = None  # what is added to is normalised itself: that norm ends the sublayer before
    post = next((norm for norm in norms if norm.source == step.path), None)
    after = any(step.path in norm.terms for norm in norms) or _normed_inside(trace, step)
    return Sublayer(step, pre, post, after)


def _normed_inside(trace: LayerTrace, step: Step) -> bool:
    """A block that adds and normalises within itself, as BERT's does."""
    inner = [item for item in trace.steps if item.path.startswith(f"{step.path}.") and is_norm(item.module)]
    return any(len(item.terms) > 1 for item in inner)


def _parallel(mixers: tuple[Sublayer, ...], feeds: tuple[Sublayer, ...]) -> bool:
    if not mixers or not feeds:
        return False
    one, other = mixers[0], feeds[0]
    if one.step.number == other.step.number and one.step.number:
        return True
    return bool(one.pre and other.pre and one.pre.path != other.pre.path and one.pre.number == other.pre.number)


def _query_key_norm(trace: LayerTrace, head_dim: int | None) -> tuple[str | None, str]:
    """(per-head, full, l2 or None, line): from what meets in the scores, else from the names of norms in the mixer."""
    layer = trace.module.path
    named = next((step for step in trace.steps if _is_query_key_norm(step, layer)), None)
    scores = [item for item in trace.products if SCORES not in item[1] | item[2] and not NOT_QUERY_KEY.search(item[0])]
    for _, left, right, line, _ in scores:
        if NORMED in left and NORMED in right:
            return _told(trace, named, head_dim) if named else ("l2" if L2 in left else "per-head", line)
    if named is None or any(NORMED not in left | right for _, left, right, _, whole in scores if not whole):
        return None, ""
    return _told(trace, named, head_dim)


def _told(trace: LayerTrace, norm: Step, head_dim: int | None) -> tuple[str, str]:
    return _width(norm, _own_head_dim(trace, _name(norm, trace.module.path)) or head_dim), norm.line


def _is_query_key_norm(step: Step, layer: str) -> bool:
    name = _name(step, layer)
    last = name.rpartition(".")[2].lower()
    named = "." in name and QUERY_KEY.fullmatch(last) and not NOT_QUERY_KEY.search(name)
    return bool(named) and is_norm(step.module)


def _own_head_dim(trace: LayerTrace, name: str) -> int | None:
    """The head size of the module that the norm stands in, where it has one of its own."""
    holder = trace.module
    for part in name.split(".")[:-1]:
        holder = holder.children.get(part, holder)
    value = holder.attributes.get("head_dim")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _width(step: Step, head_dim: int | None) -> str:
    kind = step.module.kind.lower()
    weight = step.module.weights.get("weight")
    if "l2" in kind:
        return "l2"
    shape = weight.shape if weight is not None and weight.shape else ()
    width = shape[-1] if shape and isinstance(shape[-1], int) else None
    if width is None or head_dim is None or len(shape) > 1:
        return "per-head"
    return "full" if width > head_dim else "per-head"


def _gate(trace: LayerTrace) -> tuple[str | None, str]:
    layer = trace.module.path
    for path, operation, line in trace.operations:
        name = path.removeprefix(layer).lstrip(".")
        if operation == "sigmoid" and _inside(path, layer) and not NOT_GATE.search(name):
            return name or "layer", line
    return None, ""


def first_line(layer: LayerFacts, line: str) -> str:
    """Where the first norm of a layer is called; else the given line."""
    for item in layer.mixers:
        step = item.pre or item.post
        if step is not None:
            return step.line
    return line


def shared(values: Iterable[Any]) -> Any:
    """The value that all share; `mixed` for several, None for none."""
    found = list(dict.fromkeys(values))
    return found[0] if len(found) == 1 else "mixed" if found else None
