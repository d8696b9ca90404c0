"""PyTorch's own modules and functions as far as shapes go: the weights they make, what a function returns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from watcher.architecture.code.arithmetic import iterable
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.values import UNKNOWN, Copies, ModuleValue, Space, Tensor, Weight, opaque

Named = dict[str, Any]


def construct(name: str, args: list[Any], named: Named, module: ModuleValue | None = None) -> ModuleValue:
    """`nn.<name>(…)`, into `module` when a class of the code extends it."""
    made = module or ModuleValue(f"nn.{name}")
    for key, value in zip(SIZES.get(name, ()), args, strict=False):
        made.attributes[key] = value
    made.attributes |= {key: named[key] for key in SIZES.get(name, ()) if key in named}
    maker = CONSTRUCTORS.get(name)
    if maker is not None:
        maker(made, args, named)
    elif not WEIGHTLESS.search(name):
        made.weights["?"] = Weight(None)
    return made


WEIGHTLESS = re.compile(
    r"LU\d?$|Dropout|Drop|Pool|Pad|Identity|Flatten|Unflatten|Fold|Unfold|Upsampl|Shuffle|Soft|Loss|Sigmoid|Tanh|Mish|"
    r"Hard|Threshold|Shrink|LocalResponseNorm|CosineSimilarity|PairwiseDistance|^Module$|^Container$|Function"
)
"""PyTorch's modules without weights; one that is neither here nor in `CONSTRUCTORS` holds weights of unknown size."""


SIZES: dict[str, tuple[str, ...]] = {
    "Linear": ("in_features", "out_features"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "LayerNorm": ("normalized_shape", "eps"),
    "MultiheadAttention": ("embed_dim", "num_heads"),
    **dict.fromkeys(
        ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"),
        ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    ),
}
"""Module → what of its arguments can be read from it again."""


def _arg(args: list[Any], named: Named, position: int, name: str, default: Any = None) -> Any:
    return args[position] if len(args) > position else named.get(name, default)


def _yes(value: Any) -> bool:
    """A flag; one that is not known counts as set, which is what PyTorch's defaults are."""
    return True if value is UNKNOWN or isinstance(value, (Tensor, Space)) else bool(value)


def _linear(made: ModuleValue, args: list[Any], named: Named) -> None:
    rows, columns = _arg(args, named, 0, "in_features"), _arg(args, named, 1, "out_features")
    made.weights["weight"] = Weight((columns, rows))
    if _yes(_arg(args, named, 2, "bias", True)):
        made.weights["bias"] = Weight((columns,))


def _embedding(made: ModuleValue, args: list[Any], named: Named) -> None:
    shape = (_arg(args, named, 0, "num_embeddings"), _arg(args, named, 1, "embedding_dim"))
    made.weights["weight"] = Weight(shape)


def _norm(position: int, key: str, affine: int | None, bias: bool) -> Callable[[ModuleValue, list[Any], Named], None]:
    """A norm over the shape given at `position`."""

    def make(made: ModuleValue, args: list[Any], named: Named) -> None:
        shape = _arg(args, named, position, key)
        sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        default = args[affine] if affine is not None and len(args) > affine else True
        if _yes(named.get("elementwise_affine", named.get("affine", default))):
            made.weights["weight"] = Weight(sizes)
            if bias and _yes(named.get("bias", True)):
                made.weights["bias"] = Weight(sizes)

    return make


def _convolution(dimensions: int) -> Callable[[ModuleValue, list[Any], Named], None]:
    def make(made: ModuleValue, args: list[Any], named: Named) -> None:
        inputs, outputs = _arg(args, named, 0, "in_channels"), _arg(args, named, 1, "out_channels")
        kernel = _arg(args, named, 2, "kernel_size")
        sizes = tuple(kernel) if isinstance(kernel, (list, tuple)) else (kernel,) * dimensions
        groups = named.get("groups", args[6] if len(args) > 6 else 1)
        known = isinstance(inputs, int) and isinstance(groups, int) and groups > 0
        made.weights["weight"] = Weight((outputs, inputs // groups if known else UNKNOWN, *sizes))
        if _yes(named.get("bias", True)):
            made.weights["bias"] = Weight((outputs,))

    return make


def _listed(made: ModuleValue, args: list[Any], named: Named) -> None:
    args = args or [named[key] for key in ("modules", "parameters", "values") if key in named]
    if args and isinstance(args[0], Copies):
        made.children, made.copies = {"0": args[0].item}, args[0].times
        return
    items = iterable(args[0]) if args else []
    if items is None or any(item is UNKNOWN for item in items):
        raise Undecided("a list of modules that is not known")
    made.children |= {str(i): item for i, item in enumerate(items) if isinstance(item, ModuleValue)}


def _sequence(made: ModuleValue, args: list[Any], named: Named) -> None:
    _listed(made, [args] if not (len(args) == 1 and isinstance(args[0], (list, dict))) else args, named)


def _mapped(made: ModuleValue, args: list[Any], named: Named) -> None:
    args = args or [named[key] for key in ("modules",) if key in named]
    if args and isinstance(args[0], dict):
        made.children |= {str(key): item for key, item in args[0].items() if isinstance(item, ModuleValue)}


def _parameters(made: ModuleValue, args: list[Any], named: Named) -> None:
    args = args or [named[key] for key in ("parameters", "values") if key in named]
    items = iterable(args[0]) if args else []
    made.weights |= {str(i): item for i, item in enumerate(items or []) if isinstance(item, Weight)}


def _parameter_dict(made: ModuleValue, args: list[Any], named: Named) -> None:
    items = args[0] if args and isinstance(args[0], dict) else {}
    made.weights |= {str(key): item for key, item in items.items() if isinstance(item, Weight) and len(str(key)) < 200}


def _bilinear(made: ModuleValue, args: list[Any], named: Named) -> None:
    first, second = _arg(args, named, 0, "in1_features"), _arg(args, named, 1, "in2_features")
    outputs = _arg(args, named, 2, "out_features")
    made.weights["weight"] = Weight((outputs, first, second))
    if _yes(_arg(args, named, 3, "bias", True)):
        made.weights["bias"] = Weight((outputs,))


def _instance_norm(made: ModuleValue, args: list[Any], named: Named) -> None:
    if _yes(_arg(args, named, 3, "affine", False)):
        shape = (_arg(args, named, 0, "num_features"),)
        made.weights |= {"weight": Weight(shape), "bias": Weight(shape)}


def _prelu(made: ModuleValue, args: list[Any], named: Named) -> None:
    made.weights["weight"] = Weight((_arg(args, named, 0, "num_parameters", 1),))


def _recurrent(gates: int) -> Callable[[ModuleValue, list[Any], Named], None]:
    """An LSTM, GRU or RNN: `gates` projections of the input and of the state, a layer and direction."""

    def make(made: ModuleValue, args: list[Any], named: Named) -> None:
        inputs, width = _arg(args, named, 0, "input_size"), _arg(args, named, 1, "hidden_size")
        layers = _arg(args, named, 2, "num_layers", 1)
        ways = 2 if _yes(named.get("bidirectional", False)) else 1
        if not all(isinstance(item, int) for item in (inputs, width, layers)) or not 0 < layers < 100:
            made.weights["?"] = Weight(None)
            return
        for index in range(layers * ways):
            size = inputs if index < ways else width * ways
            made.weights[f"weight_ih_{index}"] = Weight((gates * width, size))
            made.weights[f"weight_hh_{index}"] = Weight((gates * width, width))
            if _yes(named.get("bias", True)):
                made.weights[f"bias_{index}"] = Weight((2, gates * width))

    return make


def _attention(made: ModuleValue, args: list[Any], named: Named) -> None:
    """`nn.MultiheadAttention(embed_dim, num_heads)`: one input projection for q, k and v, and the output projection."""
    width = _arg(args, named, 0, "embed_dim")
    bias = _yes(named.get("bias", True))
    made.weights["in_proj_weight"] = Weight((3, width, width))
    if bias:
        made.weights["in_proj_bias"] = Weight((3, width))
    made.children["out_proj"] = out = ModuleValue("nn.Linear")
    _linear(out, [width, width, bias], {})


CONSTRUCTORS: dict[str, Callable[[ModuleValue, list[Any], Named], None]] = {
    "Linear": _linear,
    "Embedding": _embedding,
    "LayerNorm": _norm(0, "normalized_shape", 2, True),
    "RMSNorm": _norm(0, "normalized_shape", 2, False),
    "GroupNorm": _norm(1, "num_channels", None, True),
    "BatchNorm1d": _norm(0, "num_features", None, True),
    "BatchNorm2d": _norm(0, "num_features", None, True),
    "Conv1d": _convolution(1),
    "Conv2d": _convolution(2),
    "Conv3d": _convolution(3),
    "ConvTranspose1d": _convolution(1),
    "ConvTranspose2d": _convolution(2),
    "ModuleList": _listed,
    "Sequential": _sequence,
    "ModuleDict": _mapped,
    "ParameterList": _parameters,
    "ParameterDict": _parameter_dict,
    "MultiheadAttention": _attention,
    "Bilinear": _bilinear,
    "PReLU": _prelu,
    "EmbeddingBag": _embedding,
    "BatchNorm3d": _norm(0, "num_features", None, True),
    "InstanceNorm1d": _instance_norm,
    "InstanceNorm2d": _instance_norm,
    "InstanceNorm3d": _instance_norm,
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "RNN": _recurrent(1),
}
"""Modules that hold weights or others; every other `nn` module holds none."""


def transposed_linear(args: list[Any], named: Named) -> ModuleValue:
    """`transformers`' Conv1D(nf, nx): a linear layer with its matrix the other way round."""
    made = ModuleValue("Conv1D")
    outputs, inputs = _arg(args, named, 0, "nf"), _arg(args, named, 1, "nx")
    made.weights["weight"] = Weight((inputs, outputs))
    made.weights["bias"] = Weight((outputs,))
    return made


def parameter(args: list[Any], named: Named) -> Weight:
    """`nn.Parameter(tensor)`."""
    data = args[0] if args else named.get("data")
    shape = data.shape if isinstance(data, Tensor) else None
    return Weight(shape if shape is not None else (UNKNOWN,))


def weight_norm(args: list[Any], named: Named) -> ModuleValue:
    """`weight_norm(module, name="weight", dim=0)`: the module, with a length beside the direction of that weight."""
    module, name, dim = args[0], _arg(args, named, 1, "name", "weight"), _arg(args, named, 2, "dim", 0)
    weight = module.weights.get(name) if isinstance(name, str) else None
    if weight is None or weight.shape is None or not isinstance(dim, int) or not 0 <= dim < len(weight.shape):
        module.weights["?"] = Weight(None)
    else:
        module.weights[f"{name}_g"] = Weight(tuple(length if i == dim else 1 for i, length in enumerate(weight.shape)))
    return module  # type: ignore[no-any-return]


FILLED = frozenset("empty zeros ones rand randn full normal".split())
ALIKE = frozenset("log exp sqrt zeros_like ones_like empty_like clamp rand_like expm1 log1p neg abs softplus".split())
ACTIVATIONS = frozenset("sigmoid silu gelu relu tanh softmax softplus topk logsigmoid".split())


def tensor_function(name: str, args: list[Any], named: Named) -> Any:
    """What `torch.<name>(…)` returns, as a tensor of known or unknown shape; None for a function not in the tables."""
    if name in FILLED:
        return Tensor(_shape(name, args, named))
    if name == "arange":
        return Tensor((_arange(args),))
    if name == "linspace":
        return Tensor((named.get("steps", args[2] if len(args) > 2 else UNKNOWN),))
    if name == "FloatTensor" and args and isinstance(args[0], int):
        return Tensor(tuple(args))
    if name in ("tensor", "as_tensor", "FloatTensor"):
        return Tensor(_nested(args[0] if args else None))
    if name in ALIKE:
        return Tensor(args[0].shape if args and isinstance(args[0], Tensor) else None)
    return None


def _shape(name: str, args: list[Any], named: Named) -> tuple[Any, ...] | None:
    if args and isinstance(args[0], (tuple, list)):
        return tuple(args[0])
    size = named.get("size")
    if isinstance(size, (tuple, list)):
        return tuple(size)
    if name == "full":
        return (args[0],) if args and isinstance(args[0], int) else (UNKNOWN,)
    return tuple(item for item in args if isinstance(item, int) or item is UNKNOWN)


def _arange(args: list[Any]) -> Any:
    if any(opaque(item) or not isinstance(item, (int, float)) for item in args) or not args:
        return UNKNOWN
    try:
        return len(range(*(int(item) for item in args)))
    except (ValueError, TypeError, OverflowError):
        return UNKNOWN


def _nested(value: Any) -> tuple[Any, ...]:
    shape: list[int] = []
    while isinstance(value, (list, tuple)) and len(shape) < 8:
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


SAME = frozenset("to contiguous float requires_grad_ clone type detach half bfloat16 type_as double cpu cuda".split())
KEEPS_SHAPE = frozenset("fill_ uniform_ clamp_ clamp log exp mul_ neg log_ normal_ zero_ sqrt abs".split())
NUMBERS = frozenset("size item tolist numel dim stride".split())


def tensor_method(tensor: Tensor, name: str, args: list[Any]) -> Any:
    """What `tensor.<name>(…)` returns: where it came from, and what was done to it, stays."""
    if name in SAME:
        return tensor
    if name in NUMBERS:
        return UNKNOWN
    if name in ("chunk", "split", "unbind", "tensor_split", "split_with_sizes"):
        return _parts(tensor, name, args)
    shape = tensor.shape if name in KEEPS_SHAPE else None
    if name in ("expand", "repeat") and tensor.shape is not None:
        shape = _repeated(tensor.shape, name, args)
    if name in ("view", "reshape") and tensor.shape is not None:
        shape = _reshaped(tensor.shape, args)
    return Tensor(shape, tensor.made, tensor.marks, tensor.terms)


def _parts(tensor: Tensor, name: str, args: list[Any]) -> Any:
    first = args[0] if args else None
    count = len(first) if isinstance(first, (list, tuple)) else first if name == "chunk" else None
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < 100:
        return Tensor(None, tensor.made, tensor.marks)  # unpacked, it stands for any number of parts
    return tuple(Tensor(None, tensor.made, tensor.marks) for _ in range(count))


def _repeated(shape: tuple[Any, ...], name: str, args: list[Any]) -> tuple[Any, ...] | None:
    if not all(isinstance(item, int) for item in args) or len(args) < len(shape):
        return None
    source = (1,) * (len(args) - len(shape)) + tuple(shape)
    if name == "expand":
        return tuple(old if new == -1 else new for new, old in zip(args, source, strict=True))
    return tuple(new * old if isinstance(old, int) else UNKNOWN for new, old in zip(args, source, strict=True))


def _reshaped(shape: tuple[Any, ...], args: list[Any]) -> tuple[Any, ...] | None:
    sizes = tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else tuple(args)
    if not all(isinstance(item, int) for item in (*sizes, *shape)):
        return None
    known = math.prod(item for item in sizes if item != -1)
    total = math.prod(shape)
    if known <= 0 or total % known:
        return None
    return tuple(total // known if item == -1 else item for item in sizes)
