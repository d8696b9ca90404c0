"""Names outside of what is read: PyTorch's modules and functions, and the few of `transformers` that bear on facts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from watcher.architecture.code import configs, layers
from watcher.architecture.code.arithmetic import (
    ANGLES,
    BUILTINS,
    L2,
    MATH,
    NORMED,
    ROTATED,
    bounded,
    call_builtin,
    iterable,
    multiplied,
    product,
    summed,
)
from watcher.architecture.code.classes import PRETRAINED
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.tables import ACTIVATIONS
from watcher.architecture.code.values import (
    UNKNOWN,
    ClassValue,
    ConfigValue,
    Env,
    Function,
    Method,
    ModuleValue,
    Tensor,
    Walk,
    Weight,
)

NORM_CLASSES = re.compile(r"^(Fused|MixedFused|Triton|T5)?(RMSNorm|RmsNorm)\w*$")
"""Norm classes of other packages: one weight a channel."""

STANDARD = frozenset("hf typing collections enum abc dataclasses logging functools itertools pathlib re os".split())
"""First words of names that are no modules with weights."""

WEIGHTLESS = re.compile(r"Rotary|RoPE|Loss|Dropout|DropPath|Identity|Cache|Activation|Config|Output|SiLU|SwiGLU|GELU")
PRODUCTS = frozenset("matmul bmm einsum baddbmm mm scaled_dot_product_attention".split())
FUNCTION_NORMS = frozenset("rms_norm layer_norm normalize group_norm l2norm l2_norm".split())
ATTENDS = re.compile(r"scaled_dot_product|flash_attn|attention_forward|_attention$|^attention", re.IGNORECASE)
FLAGS: dict[str, bool] = {
    "is_flash_attention_requested": False,
    "is_torchdynamo_compiling": False,
    "is_torch_greater_or_equal": True,
    "is_torch_fx_proxy": False,
    "is_tracing": False,
    "is_torch_available": True,
}


def fresh(args: list[Any], named_: Env) -> Any:
    """What an unknown function of a tensor returns: some tensor; of anything else: UNKNOWN."""
    found = next((item for item in (*args, *named_.values()) if isinstance(item, Tensor)), None)
    return UNKNOWN if found is None else Tensor(None, found.made, found.marks)


def rotate(name: str, tensors: list[Tensor]) -> Any:
    """What a function that applies rotary positions returns."""
    turned = [item for item in tensors if ANGLES not in item.marks] or tensors
    made = [Tensor(item.shape, item.made, item.marks | {ROTATED}) for item in turned]
    single = re.search(r"single|_one|_half", name) or len(turned) == 1
    return made[0] if single else tuple(made[:2])


def call(machine: Machine, path: str, args: list[Any], named_: Env) -> Any:
    """What calling an outside name gives."""
    last = path.rpartition(".")[2]
    if path.startswith(("torch.nn.", "nn.")) and last[:1].isupper():
        return _module(machine, last, args, named_)
    if path.startswith("activation."):
        return ACTIVATIONS.make(last)
    if path in ("copy.deepcopy", "copy.copy"):
        return configs.copied(machine, args[0] if args else UNKNOWN)
    if path == "itertools.cycle":
        items = iterable(args[0]) if args else None
        return Walk(items, endless=True) if items else UNKNOWN
    if path == "functools.partial" and args:
        return Method(args[0], call=partial(_partial, machine, args, named_))
    if path.startswith(("math.", "numpy.")):
        return _math(last, args)
    if path == "hf.Conv1D":
        return layers.transposed_linear(args, named_)
    if last == "__init__" and args and isinstance(args[0], ModuleValue):
        return initialise(machine, args[0], [path.removesuffix(".__init__")], args[1:], named_)
    if last == "SubConfigSpec":
        return configs.sub_config(args, named_)
    if path == "inspect.signature":
        return _signature(machine, args[0] if args else None)
    if path == "hf.AutoConfig.for_model":
        return _for_model(machine, args, named_)
    if path.startswith("hf.") and last.endswith("Activation"):
        return ModuleValue(f"Act:{last.removesuffix('Activation').lower()}")
    if last == "get_activation":
        return ACTIVATIONS.make(args[0] if args else None)
    if last == "apply_chunking_to_forward" and len(args) > 3:
        return machine.call(args[0], args[3:], {})
    if last in ("_from_config", "from_config"):
        return automatic(machine, path.split(".")[-2], args, named_)
    if last in FLAGS or re.fullmatch(r"is_\w+_available", last):
        return FLAGS.get(last, False)
    if last == "weight_norm" and args and isinstance(args[0], ModuleValue):
        return layers.weight_norm(args, named_)
    if path.startswith(("torch.", "einops.")):
        return _function(machine, last, args, named_)
    return _foreign(machine, path, last, args, named_)


def _module(machine: Machine, last: str, args: list[Any], named_: Env) -> Any:
    if last == "Parameter":
        return layers.parameter(args, named_)
    if last == "Buffer":
        return args[0] if args else UNKNOWN
    machine.made()
    made = layers.construct(last, args, named_)
    made.line = machine.place()
    return made


def _math(last: str, args: list[Any]) -> Any:
    if last == "prod":
        items = iterable(args[0]) if args else None
        known = items is not None and len(items) < 100 and all(isinstance(item, (int, float)) for item in items)
        return bounded(math.prod(items)) if items is not None and known else UNKNOWN
    function = MATH.get(last)
    if last == "isclose" and len(args) > 1 and all(isinstance(item, (int, float)) for item in args[:2]):
        return math.isclose(args[0], args[1], rel_tol=1e-5)
    if function is None or any(not isinstance(item, (int, float)) for item in args):
        return UNKNOWN
    if any(abs(item) > 2**200 for item in args) or (last == "pow" and any(abs(item) > 2**40 for item in args)):
        return UNKNOWN
    try:
        found = function(*args)
    except (ValueError, TypeError, ArithmeticError):
        return UNKNOWN
    return found if not isinstance(found, float) or math.isfinite(found) else UNKNOWN


def automatic(machine: Machine, name: str, args: list[Any], named_: Env) -> Any:
    """`AutoModel.from_config(config)`: the class that the auto tables name for it."""
    config = args[0] if args else named_.get("config")
    cls = machine.auto(config, name) if isinstance(config, ConfigValue) and machine.auto is not None else None
    if cls is None:
        machine.doubt("a sub-model whose class is not known")
        return UNKNOWN
    return machine.call(cls, [config], {})


def _signature(machine: Machine, function: Any) -> Any:
    """`inspect.signature(f)`: the names of its parameters; of a config class's `__init__`, its fields."""
    names: list[str] = []
    if isinstance(function, Function):
        names = [item.arg for item in (*function.node.args.args, *function.node.args.kwonlyargs)]
    elif isinstance(function, Method) and isinstance(function.owner, ClassValue):
        names = [name for name in configs.fields(machine, function.owner) if not name.startswith("$")]
    return ConfigValue({"parameters": dict.fromkeys(names)})


def _partial(machine: Machine, bound: list[Any], before: Env, *args: Any, **named_: Any) -> Any:
    return machine.call(bound[0], [*bound[1:], *args], {**before, **named_})


def _for_model(machine: Machine, args: list[Any], named_: Env) -> Any:
    """`AutoConfig.for_model(model_type, **values)`."""
    values = dict(named_)
    model_type = args[0] if args else values.pop("model_type", None)
    cls = machine.config_class(model_type) if isinstance(model_type, str) else None
    return UNKNOWN if cls is None else machine.call(cls, [], values)


def note(machine: Machine, operation: str) -> None:
    """Keep that the module at work does this."""
    machine.trace.operations.append((machine.stack[-1] if machine.stack else "", operation, machine.place()))


def _function(machine: Machine, last: str, args: list[Any], named_: Env) -> Any:
    made = layers.tensor_function(last, args, named_)
    if made is not None:
        return made
    tensors = [item for item in (*args, *named_.values()) if isinstance(item, Tensor)]
    if last in ("cos", "sin", "polar", "view_as_complex"):
        marks = tensors[0].marks if tensors and last == "view_as_complex" else frozenset({ANGLES})
        return Tensor(None, tensors[0].made if tensors else "", marks)
    if last in layers.ACTIVATIONS:
        note(machine, last)
        first = tensors[0] if tensors else Tensor()
        made = Tensor(first.shape, first.made, first.marks | ({last} & {"sigmoid"}))
        return (made, Tensor()) if last == "topk" else made
    if last in PRODUCTS and len(tensors) > 1:
        return product(machine, tensors[0], tensors[1], last == "scaled_dot_product_attention")
    if last in FUNCTION_NORMS:
        first = tensors[0] if tensors else Tensor()
        note(machine, "norm")
        return Tensor(
            first.shape, first.made, first.marks | {NORMED} | ({L2} if last in ("normalize", "l2norm") else set())
        )
    if last in ("add", "sub") and len(tensors) > 1:
        return summed(tensors[0], tensors[1])
    if last in ("mul", "multiply") and len(tensors) > 1:
        return multiplied(machine, tensors[0], tensors[1])
    return _joined(last, args, tensors, named_)


def _joined(last: str, args: list[Any], tensors: list[Tensor], named_: Env) -> Any:
    if last in ("cat", "concat", "concatenate", "stack", "hstack", "vstack"):
        parts = args[0] if args and isinstance(args[0], (list, tuple)) else ()
        tensors = [item for item in parts if isinstance(item, Tensor)]
        marks = frozenset().union(*(item.marks for item in tensors)) if tensors else frozenset()
        shape = _concatenated([item.shape for item in tensors], args[1] if len(args) > 1 else named_.get("dim", 0))
        return Tensor(shape if "stack" not in last else None, tensors[0].made if tensors else "", marks)
    if last in ("split", "chunk", "unbind", "tensor_split") and tensors:
        return layers.tensor_method(tensors[0], last, args[1:] or list(named_.values()))
    if last in ("dropout", "contiguous", "clone") and tensors:
        return tensors[0]
    return fresh(args, named_)


def _concatenated(shapes: list[Any], dim: Any) -> tuple[Any, ...] | None:
    """The shape of tensors put together along a dimension."""
    same = bool(shapes) and all(shape is not None and len(shape) == len(shapes[0] or ()) for shape in shapes)
    if not same or not isinstance(dim, int) or not -len(shapes[0]) <= dim < len(shapes[0]):
        return None
    lengths = [shape[dim] for shape in shapes]
    total = sum(lengths) if all(isinstance(item, int) for item in lengths) else UNKNOWN
    made = list(shapes[0])
    made[dim] = total
    return tuple(made)


STAND_INS: dict[str, tuple[str, Callable[[Any, Any], dict[str, Any]]]] = {
    "ShortConvolution": (
        "Conv1d",
        lambda width, kernel: {
            "in_channels": width,
            "out_channels": width,
            "kernel_size": kernel,
            "groups": width,
            "bias": False,
        },
    ),
}
"""Modules of other packages that models build on → PyTorch's module with the same weights, by their first arguments."""


def _stand_in(last: str, args: list[Any], named_: Env) -> ModuleValue:
    name, arguments = STAND_INS[last]
    width = args[0] if args else named_.get("hidden_size", UNKNOWN)
    kernel = args[1] if len(args) > 1 else named_.get("kernel_size", UNKNOWN)
    made = layers.construct(name, [], arguments(width, kernel) | ({"bias": True} if named_.get("bias") is True else {}))
    made.kind = last
    return made


def _foreign(machine: Machine, path: str, last: str, args: list[Any], named_: Env) -> Any:
    """A name of another package, or of the parts of `transformers` that are not read."""
    if last in STAND_INS:
        return _stand_in(last, args, named_)
    if NORM_CLASSES.match(last):
        size = next((named_[key] for key in ("hidden_size", "dim", "normalized_shape") if key in named_), UNKNOWN)
        made = layers.construct("RMSNorm", args or [size], named_)
        made.kind = last
        return made
    tensors = [item for item in (*args, *named_.values()) if isinstance(item, Tensor)]
    if len(tensors) > 1 and ATTENDS.search(last):
        return product(machine, tensors[0], tensors[1], True)
    if last in FUNCTION_NORMS and tensors:
        return _function(machine, last, args, named_)
    if last in ("OrderedDict", "defaultdict"):
        return call_builtin(machine, BUILTINS["dict"], args if last == "OrderedDict" else [], {})
    if last[:1].isupper() and path.partition(".")[0] not in STANDARD:
        machine.doubt(f"{path} is defined elsewhere")
        if not machine.stack:
            made = ModuleValue(last, None, machine.place())
            made.weights = {} if WEIGHTLESS.search(last) else {"?": Weight(None)}
            return made
    return fresh(args, named_)


def initialise(machine: Machine, module: ModuleValue, paths: list[str], args: list[Any], named_: Env) -> None:
    """`__init__` of a class whose own line of classes has none: PyTorch's, or that of `PreTrainedModel`."""
    for path in paths:
        last = path.rpartition(".")[2]
        if path.startswith(("torch.nn.", "nn.")) and last != "Module":
            layers.construct(last, args, named_, module)
            return
        if PRETRAINED.match(last):
            config = args[0] if args else named_.get("config")
            module.attributes["config"] = config
            return
