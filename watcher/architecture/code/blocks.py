"""What the modules inside a layer tell by their weights and names: biases, sinks, gates, gated feed-forwards, norms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from watcher.architecture.code import classes
from watcher.architecture.code.build import EXPERTS
from watcher.architecture.code.forward import is_norm
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.values import Function, ModuleValue, Weight

SINK = re.compile(r"sink")
ROUTER_BIAS = re.compile(r"(e_score_correction_bias|expert_bias|routing_bias|score_bias)$")
PROJECTION = re.compile(
    r"^(q|k|v|o|qkv|query|key|value|out|dense|c_attn|c_proj|wqkv|wq|wk|wv|wo|query_key_value|W_pack|attn|proj|o_proj|"
    r"(q|k|v|qkv|out)(_a|_b)?_proj|kv_a_proj_with_mqa|kv_b_proj|qkv_proj|in_proj|out_proj)$"
)
GATE = re.compile(r"^(g_proj|gate_proj|gate|attn_gate|output_gate|o_gate|head_gate\w*|gate_\w+)$")
OUTPUT = re.compile(r"down|w2$|fc2|fc_out|4h_to_h|out_proj|c_proj|out_layer|wo$|output|lin_?2|linear_?2|^dense_2")
INPUT = re.compile(
    r"gate|up|w1$|w3$|v1$|fc1|fc_in|c_fc|h_to_4h|in_proj|in_layer|wi|input|lin_?1|^fc$|linear_?1|linear_v|^dense_1"
)
HYPER = re.compile(r"Hyper_?Conn|ManifoldHyper|^mHC", re.IGNORECASE)


def sinks(module: ModuleValue) -> str | None:
    """Where a mixer's attention sinks are made."""
    for _, child in module.walk():
        for name in child.weights:
            if SINK.search(name):
                return child.line or module.line
    return None


def router_bias(module: ModuleValue) -> str | None:
    """Where a bias that only the choice of experts sees is made, as a weight or as a buffer."""
    for _, child in module.walk():
        if any(ROUTER_BIAS.search(name) for name in (*child.weights, *child.attributes)):
            return child.line or module.line
    return None


def biased(module: ModuleValue) -> str | None:
    """Where a projection with a bias is made."""
    for path, child in module.walk():
        if PROJECTION.search(path.rpartition(".")[2]) and "bias" in child.weights and "." not in path:
            return child.line or module.line
    return None


def gated_per_head(module: ModuleValue) -> bool:
    """Whether the gate's projection gives one number a head."""
    for path, child in module.walk():
        weight = child.weights.get("weight")
        if GATE.search(path.rpartition(".")[2]) and weight is not None and weight.shape and len(weight.shape) == 2:
            rows, columns = weight.shape
            return isinstance(rows, int) and isinstance(columns, int) and rows < columns and rows <= 256
    return False


def is_experts(module: ModuleValue) -> bool:
    """Whether a module's weights are those of many experts at once."""
    return any(len(weight.shape or ()) == 3 for name, weight in module.weights.items() if "proj" in name or "w" in name)


def gated(module: ModuleValue) -> tuple[bool, str] | None:
    """(whether a feed-forward multiplies two projections, line); None where its weights do not tell."""
    for _, child in module.walk():
        found = _ratio(_sizes(child))
        if found is not None:
            return found > 1.5, child.line or module.line
    return None


def _sizes(module: ModuleValue) -> dict[str, int]:
    """Elements by name of the weights that a module holds, itself or in projections."""
    held = dict(module.weights)
    for name, child in module.children.items():
        if "weight" in child.weights and not child.children:
            held[name] = child.weights["weight"]
    return {name: weight.count() for name, weight in held.items() if _known(weight)}


def _known(weight: Weight) -> bool:
    """Whether it is a matrix, or a stack of them, of known size."""
    return weight.shape is not None and len(weight.shape) > 1 and all(isinstance(item, int) for item in weight.shape)


def _ratio(sizes: dict[str, int]) -> float | None:
    """Elements that go in over elements that come out."""
    outputs = [size for name, size in sizes.items() if OUTPUT.search(name) and not re.search(r"router|shared", name)]
    inputs = [
        size
        for name, size in sizes.items()
        if INPUT.search(name) and not OUTPUT.search(name) and not re.search(r"router|shared|^gate$", name)
    ]
    return sum(inputs) / outputs[0] if len(outputs) == 1 and outputs[0] and inputs else None


def width(module: ModuleValue, hidden: int | None) -> tuple[int, str] | None:
    """(inner width of a dense feed-forward, line): what goes into its last projection, which gives `hidden`."""
    ends = [(name, child) for name, child in module.children.items() if OUTPUT.search(name) and not child.children]
    shapes = [(child.weights["weight"].shape or (), child) for _, child in ends if "weight" in child.weights]
    if len(shapes) != 1 or len(shapes[0][0]) != 2 or hidden not in shapes[0][0]:
        return None
    (first, second), child = shapes[0]
    inner = second if first == hidden else first
    return (inner, child.line or module.line) if isinstance(inner, int) else None


def activation(module: ModuleValue) -> tuple[str, str] | None:
    """(activation of a feed-forward, line)."""
    for path, child in module.walk():
        if child.kind.startswith("Act:") and not path.endswith("router"):
            return child.kind.removeprefix("Act:"), child.line or module.line
        if child.kind in ("nn.SiLU", "nn.GELU", "nn.ReLU"):
            return child.kind.removeprefix("nn.").lower(), child.line or module.line
    return None


def hyper_connections(layers: Iterable[ModuleValue]) -> str | None:
    """Where residual streams are mixed, if there are several."""
    for layer in layers:
        for _, child in layer.walk():
            if HYPER.search(child.kind):
                return child.line or layer.line
    return None


def norm_kind(machine: Machine, layers: Iterable[ModuleValue]) -> tuple[str, str] | None:
    """(rmsnorm or layernorm, line) of the norms directly in the layers."""
    for layer in layers:
        for child in layer.children.values():
            if is_norm(child) and not child.children:
                return _norm(machine, child), child.line or layer.line
    for layer in layers:
        for _, child in layer.walk():
            if is_norm(child) and not child.children:
                return _norm(machine, child), child.line or layer.line
    return None


def _norm(machine: Machine, module: ModuleValue) -> str:
    """By what its forward does: taking the mean off makes it a LayerNorm."""
    if module.cls is not None:
        function, _ = classes.find(machine, module.cls, "forward")
        if isinstance(function, Function):
            text = ast.unparse(function.node)
            if re.search(r"layer_norm\(|\.var\(|-\s*\w*mean|torch\.var", text):
                return "layernorm"
            return "rmsnorm"
        paths = " ".join(classes.outside(machine, module.cls))
        return "rmsnorm" if "RMS" in paths else "layernorm"
    return "rmsnorm" if "RMS" in module.kind or "Rms" in module.kind else "layernorm"


def feed_kind(module: ModuleValue) -> str:
    """What a feed-forward is: moe or dense."""
    return "moe" if any(EXPERTS.search(path) or is_experts(child) for path, child in module.walk()) else "dense"
