"""Calling a module in a forward pass: its own `forward` over symbolic tensors, or what PyTorch's would return."""

from __future__ import annotations

import re
from typing import Any

from watcher.architecture.code import classes
from watcher.architecture.code.arithmetic import ANGLES, L2, NORMED, ROTATED, summed
from watcher.architecture.code.protocol import Machine, Step
from watcher.architecture.code.stops import FAILURES
from watcher.architecture.code.values import UNKNOWN, Env, Function, ModuleValue, Tensor

SAME = frozenset({"nn.Dropout", "nn.Identity", "Dropout", "nn.Dropout1d", "nn.Dropout2d"})
NORM = re.compile(
    r"norm(?!\w*(attention|mlp|block|model|layer$|intermediate|output|hyper|residual|conv|encoder|decoder))",
    re.IGNORECASE,
)
ROTARY = re.compile(r"Rotary|RotaryEmbedding|RoPE")
BLACK_BOX = re.compile(r"Experts$")
"""Modules whose inside tells nothing that is asked for."""

ACTIVATION = re.compile(r"^Act:|^nn\.(Sigmoid|SiLU|GELU|ReLU|Tanh|Softmax|Softplus)$")
PROJECTION = re.compile(r"^(nn\.Linear|Conv1D|nn\.Conv1d|nn\.Embedding)$|Linear$")
MAX_STEPS = 60_000


def forward(machine: Machine, module: ModuleValue, args: list[Any], named: Env) -> Any:
    """The module's result, with the call kept in the trace."""
    tensor = _input(args, named)
    added = _added(module, args, named)
    if added is not None and tensor is not None:
        tensor = summed(tensor, added)
    if id(module) in machine.waiting:
        machine.waiting[id(module)].append((args, named))
        return Tensor(None, "in")
    step = Step(
        module.path,
        module,
        tensor.number if tensor is not None else 0,
        tensor.made if tensor is not None else "",
        tensor.terms if tensor is not None else (),
        machine.place(),
        machine.stack[-1] if machine.stack else "",
        tensor.marks if tensor is not None else frozenset(),
    )
    if len(machine.trace.steps) < MAX_STEPS:
        machine.trace.steps.append(step)
    result = _result(machine, module, tensor, args, named)
    first = _first(result)
    step.out = first.number if first is not None else 0
    return result


def _input(args: list[Any], named: Env) -> Tensor | None:
    main = named.get("hidden_states")
    if isinstance(main, Tensor):
        return main
    return next((item for item in (*args, *named.values()) if isinstance(item, Tensor)), None)


def _first(result: Any) -> Tensor | None:
    items = result if isinstance(result, (list, tuple)) else (result,)
    return next((item for item in items if isinstance(item, Tensor)), None)


def is_norm(module: ModuleValue) -> bool:
    """Whether a module normalises."""
    return bool(NORM.search(module.kind))


def _result(machine: Machine, module: ModuleValue, tensor: Tensor | None, args: list[Any], named: Env) -> Any:
    kind = module.kind
    before = tensor.marks if tensor is not None else frozenset()
    if kind in SAME:
        return tensor if tensor is not None else UNKNOWN
    if ROTARY.search(kind):
        angles = frozenset({ANGLES})
        return _rotary(machine, module, args, named, angles)
    if is_norm(module) and not _composite(module):
        normed = _normed(module, tensor, before)
        return (normed, tensor) if _added(module, args, named) is not None and _both(args, named) else normed
    if BLACK_BOX.search(kind):
        return Tensor(None, module.path)
    if module.cls is None:
        return _outside(machine, module, tensor)
    return _own(machine, module, args, named)


def _added(module: ModuleValue, args: list[Any], named: Env) -> Tensor | None:
    """The residual that a fused norm adds before it normalises: `norm(x, residual, prenorm=True)`."""
    if not is_norm(module) or "gate" in module.kind.lower():
        return None
    found = named.get("residual", args[1] if len(args) > 1 else None)
    return found if isinstance(found, Tensor) else None


def _both(args: list[Any], named: Env) -> bool:
    """Whether a fused norm gives the sum, too."""
    return named.get("prenorm", args[2] if len(args) > 2 else False) is True


def _normed(module: ModuleValue, tensor: Tensor | None, before: frozenset[str]) -> Tensor:
    kind = module.kind
    marks = (before & {ROTATED}) | {NORMED} | ({L2} if re.search(r"l2", kind, re.IGNORECASE) else set())
    return Tensor(tensor.shape if tensor is not None else None, module.path, marks)


def _composite(module: ModuleValue) -> bool:
    """A class named after a norm that holds projections (adaptive norms) is read inside."""
    return any(PROJECTION.search(child.kind) for child in module.children.values())


def _rotary(machine: Machine, module: ModuleValue, args: list[Any], named: Env, angles: frozenset[str]) -> Any:
    """A rotary embedding: cosines and sines; one that is given queries rotates them itself."""
    tensors = [item for item in (*args, *named.values()) if isinstance(item, Tensor)]
    inputs = [item for item in tensors if item.made not in ("", "in")]
    if machine.stack and len(inputs) > 1:
        machine.trace.rotated.append((machine.stack[-1], machine.place()))
        return tuple(Tensor(None, item.made, item.marks | {ROTATED}) for item in inputs[:2])
    return (Tensor(None, "", angles), Tensor(None, "", angles))


def _outside(machine: Machine, module: ModuleValue, tensor: Tensor | None) -> Any:
    if ACTIVATION.search(module.kind):
        name = module.kind.removeprefix("Act:").removeprefix("nn.").lower()
        where = machine.stack[-1] if machine.stack else ""
        machine.trace.operations.append((where, name, machine.place()))
        if tensor is not None:
            return Tensor(tensor.shape, tensor.made, tensor.marks | ({name} & {"sigmoid"}), tensor.terms)
    if module.kind == "nn.Sequential":
        result: Any = tensor
        for child in module.children.values():
            result = forward(machine, child, [result], {})
        return result
    return Tensor(None, module.path)


def _own(machine: Machine, module: ModuleValue, args: list[Any], named: Env) -> Any:
    assert module.cls is not None
    function, where = classes.find(machine, module.cls, "forward")
    result: Any = None
    if isinstance(function, Function):
        machine.stack.append(module.path)
        try:
            result = machine.run(function, [module, *args], named, where)
        except FAILURES as error:
            machine.doubt(f"forward of {module.kind}: {error or type(error).__name__}")
        finally:
            machine.stack.pop()
    elif any(PROJECTION.search(f"nn.{path.rpartition('.')[2]}") for path in classes.outside(machine, module.cls)):
        return Tensor(None, module.path)
    if result is None or result is UNKNOWN:
        return Tensor(None, module.path)
    return _named(module, result)


def _named(module: ModuleValue, result: Any) -> Any:
    """The result, as made by this module; a sum that a whole block returns is the block's."""
    if isinstance(result, Tensor):
        return Tensor(result.shape, module.path, result.marks - {"sigmoid"})
    if isinstance(result, (tuple, list)) and result and isinstance(result[0], Tensor):
        first = Tensor(result[0].shape, module.path, result[0].marks - {"sigmoid"})
        return (first, *result[1:])
    return result
