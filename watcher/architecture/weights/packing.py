"""How many parameters a stored tensor stands for: packed values unpacked, scales and other helpers left out.

Every way of packing is a row of `PACKINGS`. A tensor's own neighbours (its scales, zero points, group index) are asked
before the config: a checkpoint may mix precisions, and its shapes cannot lie about themselves.

Formats: AutoGPTQ and AutoAWQ pack 32 / bits values into a 32-bit word (AWQ along the outputs, GPTQ along the inputs);
compressed-tensors and MLX likewise along the inputs; NVFP4 and MXFP4 (blocks of 16 and 32 with one 8-bit scale) and
bitsandbytes' NF4 and FP4 put two into a byte; EXL2 and EXL3, AQLM, BitNet, and the bitmask of 2:4 sparsity as below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from watcher.architecture.weights.tensors import Tensor

HELPERS = re.compile(
    r"(\.|_)(qzeros|g_idx|weight_scale(_inv|_2)?|scale_inv|(input|output|activation|pre_quant|prob_output)_scale|"
    r"(input|output|weight)_global_scale|input_scale_ub|qscale_(weight|act)|(q|k|v)_scale|weight_shape|weight_zero_point|zero_points?|"
    r"weight_g_idx|absmax|quant_map|nested_absmax|nested_quant_map|SCB|weight_format|(input|weight|output)_amax)$|"
    r"\.quant_state\.|bitsandbytes__"
)
"""Tensors that only serve to unpack another one, whatever stands beside them."""

COMPANIONS = re.compile(
    r"(?P<stem>.+?)(\.|_)(scales?|biases|zeros|meta|perm|shape|compressed|row_offsets|codebooks|suh?|svh?|mcg|mul1|"
    r"q_scale(_max)?|q_groups|q_group_map|q_perm|q_invperm)$"
)
"""Names that are a helper's only beside the tensor that it unpacks: a norm may call its weight `scale` too."""

MAINS = (".weight", ".qweight", ".weight_packed", "_blocks", ".q_weight", ".trellis", ".codes", ".bitmask", "")

BUFFERS = re.compile(
    r"(inv_freq|rotary_emb\.\w+|position_ids|masked_bias|attn\.bias|e_score_correction_bias|num_batches_tracked|"
    r"rope_freqs\.weight|exp_probs_b(\.bias)?)$"
)
"""Tensors that are stored and are no parameters."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4", "C64"})
"""Types whose shapes count values; safetensors doubles the last dimension of an F4 tensor, so its shape does too."""
INTEGERS = frozenset({"I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8", "BOOL"})
WIDTHS = {"I32": 32, "U32": 32, "I16": 16, "U16": 16, "I8": 8, "U8": 8, "I64": 64, "U64": 64}
WORDS = frozenset({"I32", "U32"})
BYTES = frozenset({"I8", "U8"})
EIGHT_BITS = frozenset({"U8", "F8_E4M3", "F8_E5M2", "F8_E8M0"})


@dataclass(frozen=True, slots=True)
class Quantized:
    """How the config says that the weights are packed."""

    method: str = ""
    bits: float | int | None = None
    groups: tuple[tuple[float | int, int], ...] = ()
    """(bits, values with a scale in common) of every scheme that the config names."""
    modules: Mapping[str, tuple[float | int, int]] = field(default_factory=dict)
    """The same of single modules, by name."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A tensor that may hold packed values, with all that stands beside it."""

    tensor: Tensor
    stem: str
    """Its name without what the row's pattern matched."""
    names: Mapping[str, Tensor]
    quantized: Quantized

    def beside(self, *endings: str) -> Tensor | None:
        """The first neighbour of one of these endings that has a shape."""
        found = (self.names.get(self.stem + ending) for ending in endings)
        return next((tensor for tensor in found if tensor is not None and tensor.shape), None)


MOST_VALUES = 32
"""Values in one element: single bits in a 32-bit word. Neighbours that tell more than that are no neighbours."""

Teller = Callable[[Packed], Fraction | None]
"""Values in one stored element; None when this cannot tell."""


def _ratio(values: int | float, elements: int | float) -> Fraction | None:
    return Fraction(values) / Fraction(elements) if values > 0 and elements > 0 else None


def _exactly(values: int) -> Teller:
    return lambda packed: Fraction(values)


def _by_zeros(packed: Packed) -> Fraction | None:
    """Zero points are packed as the weights are, and there are as many as scales."""
    zeros, scales = packed.beside(".qzeros"), packed.beside(".scales")
    return _ratio(scales.last, zeros.last) if zeros is not None and scales is not None else None


def _by_index(packed: Packed) -> Fraction | None:
    """The group index has an entry an input, the packed tensor a row for several."""
    index, shape = packed.beside(".g_idx", ".q_invperm", ".q_perm"), packed.tensor.shape or ()
    return _ratio(index.size, shape[-2]) if index is not None and len(shape) == 2 else None


def _by_groups(packed: Packed) -> Fraction | None:
    """Scales × their group's size are the inputs: the first scheme of the config that fits the packed width."""
    scales = packed.beside(".scales", ".weight_scale")
    if scales is None:
        return None
    own = packed.quantized.modules.get(packed.stem)
    width = WIDTHS[packed.tensor.dtype]
    for bits, size in (own,) if own else packed.quantized.groups:
        inputs = scales.last * size
        if packed.tensor.last == -(-inputs * bits // width):
            return _ratio(inputs, packed.tensor.last)
    return None


def _by_bits(packed: Packed) -> Fraction | None:
    own = packed.quantized.modules.get(packed.stem)
    bits = own[0] if own else packed.quantized.bits
    return _ratio(WIDTHS[packed.tensor.dtype], bits) if bits is not None and 1 <= bits <= 32 else None


def _whole(packed: Packed) -> Fraction | None:
    """A signed byte is one value; two in a byte are unsigned, or have the scales of a block."""
    return Fraction(1) if packed.tensor.dtype == "I8" else None


BLOCKS = {8: 2, 16: 2}
"""Bytes with one 8-bit scale in common → values in a byte: NVFP4, MXFP4."""


def _by_blocks(packed: Packed) -> Fraction | None:
    scales = packed.beside(".weight_scale", "_weight_scale", ".scale", "_scale", "_scales")
    if scales is None or scales.dtype not in EIGHT_BITS or not scales.last or packed.tensor.last % scales.last:
        return None
    values = BLOCKS.get(packed.tensor.last // scales.last)
    return None if values is None else Fraction(values)


def _by_tile(packed: Packed) -> Fraction | None:
    """EXL3: a row of the trellis is a tile of 16 × 16."""
    return _ratio(256, packed.tensor.last)


def _by_codebooks(packed: Packed) -> Fraction | None:
    """AQLM: codebooks are [books, entries, outputs, inputs of a group]; every book has a code for each group."""
    books = packed.beside(".codebooks")
    shape = books.shape if books is not None else None
    return _ratio(shape[2] * shape[3], shape[0]) if shape is not None and len(shape) == 4 else None


@dataclass(frozen=True, slots=True)
class Packing:
    """One way of packing."""

    name: str
    pattern: re.Pattern[str]
    """What the packed tensor's name ends in; what stands before it is its neighbours' stem."""
    dtypes: frozenset[str]
    tellers: tuple[Teller, ...]
    """Asked in turn for the values in an element."""
    beside: tuple[str, ...] = ()
    """Neighbours one of which must be there."""
    method: str = ""
    """The config's method must hold this word."""


def _end(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})$")


SCALED = (".weight_scale", "_weight_scale", ".scale", "_scale", "_scales")
NF4 = (".weight.absmax", ".weight.quant_map", ".weight.quant_state.bitsandbytes__nf4",
       ".weight.quant_state.bitsandbytes__fp4")  # fmt: skip

PACKINGS: tuple[Packing, ...] = (
    Packing("GPTQ, AWQ, AutoRound", _end(r"\.qweight"), WORDS, (_by_zeros, _by_index, _by_groups, _by_bits)),
    Packing("FP-Quant", _end(r"\.qweight"), BYTES, (_exactly(2),)),
    Packing("compressed-tensors, integers", _end(r"\.weight_packed"), WORDS, (_by_groups, _by_bits)),
    Packing("compressed-tensors, FP4", _end(r"\.weight_packed"), BYTES, (_exactly(2),)),
    Packing("sparse bitmask", _end(r"\.bitmask"), BYTES, (_exactly(8),), (".compressed",)),
    Packing("MXFP4 blocks", _end(r"_blocks"), BYTES, (_exactly(2),), ("_scales",)),
    Packing("bitsandbytes, 4 bits", _end(r"\.weight"), BYTES, (_exactly(2),), NF4),
    Packing("BitNet", _end(r"\.weight"), BYTES, (_exactly(4),), method="bitnet"),
    Packing("MLX", _end(r"\.weight"), WORDS, (_by_groups, _by_bits), (".scales",)),
    Packing("blocks of 4 or 8 bits", _end(r"\.weight|"), BYTES, (_by_blocks, _whole, _by_bits), SCALED),
    Packing("EXL3", _end(r"\.trellis"), frozenset({"I16"}), (_by_tile,)),
    Packing("EXL2", _end(r"\.q_weight"), WORDS, (_by_index,)),
    Packing("AQLM", _end(r"\.codes"), frozenset({"I8", "I16", "I32"}), (_by_codebooks,)),
)
"""The first row that fits a tensor's name, type and neighbours says how many values an element of it holds."""
