"""The decoder stack of a built model, and a symbolic forward pass through each of its layers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from watcher.architecture.code import alike, classes
from watcher.architecture.code.alike import Passed
from watcher.architecture.code.arithmetic import ANGLES
from watcher.architecture.code.build import EXPERTS, EXTRA, TOWER, Built
from watcher.architecture.code.protocol import Step, Trace
from watcher.architecture.code.stops import FAILURES, Undecided
from watcher.architecture.code.values import UNKNOWN, Env, Function, ModuleValue, Tensor

LEFT_OUT: Env = {
    "attention_mask": None,
    "past_key_values": None,
    "past_key_value": None,
    "layer_past": None,
    "cache_params": None,
    "use_cache": False,
    "output_attentions": False,
    "encoder_hidden_states": None,
    "encoder_attention_mask": None,
    "output_router_logits": False,
    "head_mask": None,
    "layer_head_mask": None,
}
"""Arguments of a layer that a plain pass over a text does not give."""

MAX_LAYERS = 2000
MOST_KINDS = 16
"""Earlier passes that a layer is compared with."""

HIDDEN = frozenset("hidden_states x hidden hidden_state input_tensor inputs".split())
GIVEN = frozenset(
    "position_ids cache_position per_layer_input residual residuals original_hidden_states alibi rotary_emb emb".split()
)
TURNS = re.compile(r"^(cos|sin|freqs\w*|rotary_pos_emb|position_embeddings\w*|rope\w*|sin_cos|cos_sin)$")


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """What one layer's forward did."""

    index: int
    module: ModuleValue
    steps: list[Step]
    operations: list[tuple[str, str, str]]
    rotated: list[tuple[str, str]]
    products: list[tuple[str, frozenset[str], frozenset[str], str, bool]]
    followed: bool
    """Whether the forward was followed to its end."""
    line: str
    """Where its `forward` begins."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The decoder's list of layers."""

    path: str
    layers: list[ModuleValue]


def find_stack(built: Built) -> Stack:
    """The largest list of modules that is neither a tower's, nor experts, nor extra prediction layers.

    Raises Undecided when there is none.
    """
    lists = [
        (path, module)
        for path, module in built.model.walk()
        if module.kind == "nn.ModuleList" and module.children and not EXPERTS.search(path) and not EXTRA.search(path)
    ]
    chosen = [item for item in lists if not TOWER.search(item[0])] or lists
    chosen = [item for item in chosen if not re.search(r"(^|\.)encoder(\.|$)", item[0])] or chosen
    chosen = [item for item in chosen if len(item[1]) <= MAX_LAYERS]
    if not chosen:
        raise Undecided("there is no list of layers")
    path, module = max(chosen, key=lambda item: (_size(item[1]), -len(item[0])))
    return Stack(path, module.items())


def _size(module: ModuleValue) -> int:
    try:
        return module.count()
    except Undecided:
        return len(module) * 1_000_000


def trace_layers(built: Built, stack: Stack) -> Iterator[LayerTrace]:
    """A trace of each layer; of layers that do the same, all but the index is the first one's."""
    calls = _calls(built, stack)
    done: dict[int, LayerTrace] = {}
    passes: list[tuple[Passed, LayerTrace]] = []
    for index, layer in enumerate(stack.layers):
        if id(layer) not in done:
            found = calls.get(id(layer))
            done[id(layer)] = _trace(built, layer, index, found[0] if found else ([], {}), passes)
        yield replace(done[id(layer)], index=index)


def _trace(
    built: Built,
    layer: ModuleValue,
    index: int,
    call: tuple[list[Any], Env],
    passes: list[tuple[Passed, LayerTrace]],
) -> LayerTrace:
    """That of an earlier layer which does the same, else of a pass, which is kept."""
    function, _ = classes.find(built.machine, layer.cls, "forward") if layer.cls else (None, None)
    arguments = _arguments(function, *call) if isinstance(function, Function) else {}
    shape = alike.shape_of(layer)
    for first, trace in passes[-MOST_KINDS:]:
        if alike.goes_alike(built.machine, first, layer, shape, arguments):
            return trace
    looked: alike.Looked = {}
    built.machine.looked = looked
    try:
        made = _pass(built, layer, index, arguments)
    finally:
        built.machine.looked = None
    passes.append((alike.passed(layer, shape, arguments, looked), made))
    return made


def _calls(built: Built, stack: Stack) -> dict[int, list[tuple[list[Any], Env]]]:
    """How the model calls each of its layers: some get no positions there, by their number or kind."""
    machine = built.machine
    owner = next((module for path, module in built.model.walk() if path == stack.path.rpartition(".")[0]), None)
    function, where = classes.find(machine, owner.cls, "forward") if owner and owner.cls else (None, None)
    if not isinstance(function, Function) or owner is None:
        return {}
    names = [item.arg for item in (*function.node.args.args[1:], *function.node.args.kwonlyargs)]
    values = {name: None for name in names if name in MODEL_NONE} | dict.fromkeys(
        [name for name in names if name in ("inputs_embeds", "hidden_states", "position_ids")]
    )
    for name in ("inputs_embeds", "hidden_states", "position_ids"):
        if name in values:
            values[name] = Tensor(None, "")
    if "inputs_embeds" in values:
        values["input_ids"] = None
    machine.waiting = {id(layer): [] for layer in stack.layers}
    machine.trace, machine.stack, doubts = Trace(), [owner.path], dict(machine.doubts)
    try:
        machine.run(function, [owner], values, where)
    except FAILURES:
        pass  # what was not reached is called with symbols for all it takes
    finally:
        found, machine.waiting, machine.stack, machine.doubts = machine.waiting, {}, [], doubts
    return {key: calls for key, calls in found.items() if calls}


MODEL_NONE = frozenset(LEFT_OUT) | {
    "pixel_values",
    "labels",
    "visual_pos_masks",
    "deepstack_visual_embeds",
    "position_ids",
}


def _pass(built: Built, layer: ModuleValue, index: int, arguments: Env) -> LayerTrace:
    machine = built.machine
    machine.trace = trace = Trace()
    followed, line = False, layer.line
    function, where = classes.find(machine, layer.cls, "forward") if layer.cls else (None, None)
    if isinstance(function, Function):
        line = f"{function.module.path.rpartition('/')[2]}:{getattr(function.node, 'lineno', 0)}"
        machine.stack = [layer.path]
        try:
            machine.run(function, [layer], dict(arguments), where)
            followed = True
        except FAILURES as error:
            machine.doubt(f"forward of {layer.kind}: {error or type(error).__name__}")
        finally:
            machine.stack = []
    return LayerTrace(index, layer, trace.steps, trace.operations, trace.rotated, trace.products, followed, line)


def _arguments(function: Function, given: list[Any], named: Env) -> Env:
    """Arguments for a layer's forward: symbols by their names, and the model's own word on which are left out."""
    parameters = function.node.args
    names = [item.arg for item in parameters.args[1:]] + [item.arg for item in parameters.kwonlyargs]
    told = dict(zip(names, given, strict=False)) | named
    values: Env = {}
    hidden = next((name for name in names if name in HIDDEN), names[0] if names else "")
    for name in names:
        value = _argument(name, hidden, told.get(name, UNKNOWN))
        if value is not UNKNOWN:
            values[name] = value
    return values


def _argument(name: str, hidden: str, told: Any) -> Any:
    angles = frozenset({ANGLES})
    turns = TURNS.match(name)
    if name == hidden:
        return Tensor(None, "in")
    if told is None or (turns and _turning(told)):
        return told
    if name in LEFT_OUT:
        return LEFT_OUT[name]
    if name.startswith("position_embeddings"):
        return (Tensor(None, "", angles), Tensor(None, "", angles))
    if turns:
        return Tensor(None, "", angles)
    if name in GIVEN:
        return Tensor(None, "in" if name == "residual" else "")
    return told if isinstance(told, (int, str, float)) else UNKNOWN


def _turning(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return all(isinstance(item, Tensor) and ANGLES in item.marks for item in items)
