"""A tiny checkpoint whose true count is known, stored in every way that packs weights: real safetensors bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

H, WIDE, V, HEADS, KV, D = 64, 128, 500, 4, 2, 16
CONFIG: dict[str, Any] = {
    "architectures": ["BrandNewForCausalLM"],
    "model_type": "brandnew",
    "hidden_size": H,
    "intermediate_size": WIDE,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV,
    "head_dim": D,
    "vocab_size": V,
    "tie_word_embeddings": False,
}
LINEARS = {
    "self_attn.q_proj": (HEADS * D, H),
    "self_attn.k_proj": (KV * D, H),
    "self_attn.v_proj": (KV * D, H),
    "self_attn.o_proj": (H, HEADS * D),
    "mlp.gate_proj": (WIDE, H),
    "mlp.up_proj": (WIDE, H),
    "mlp.down_proj": (H, WIDE),
}
"""(outputs, inputs) of the linear layers of a block."""
NORMS = ("input_layernorm.weight", "post_attention_layernorm.weight")
TOTAL = 2 * (sum(prod(shape) for shape in LINEARS.values()) + 2 * H) + 2 * V * H + H

BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "U32": 32, "I16": 16, "F4": 4}
"""Bits of an element; other types have 8."""

Stored = dict[str, tuple[str, tuple[int, ...]]]
"""Tensor → (type, shape)."""


def header(stored: Stored) -> bytes:
    """The JSON header of a safetensors file with these tensors, every offset as it must be."""
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, (dtype, shape) in stored.items():
        end = at + prod(shape) * BITS.get(dtype, 8) // 8
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    return json.dumps(entries).encode()


def whole_file(stored: Stored) -> bytes:
    """The file itself, all weights zero."""
    head = header(stored)
    last = max(entry["data_offsets"][1] for name, entry in json.loads(head).items() if name != "__metadata__")
    return struct.pack("<Q", len(head)) + head + bytes(last)


Pack = Callable[[str, int, int], Stored]
"""(stem, outputs, inputs) → the tensors that hold one linear layer."""


def checkpoint(pack: Pack, loose: Pack | None = None) -> Stored:
    """Two packed blocks between an embedding and a head, which `loose` may pack too."""
    plain: Pack = loose or (lambda stem, rows, columns: {f"{stem}.weight": ("BF16", (rows, columns))})
    stored = plain("model.embed_tokens", V, H) | plain("lm_head", V, H) | {"model.norm.weight": ("BF16", (H,))}
    for index in range(2):
        block = f"model.layers.{index}."
        for name, (rows, columns) in LINEARS.items():
            stored |= pack(block + name, rows, columns)
        stored |= {block + name: ("BF16", (H,)) for name in NORMS}
    return stored


# --- the ways of packing ---------------------------------------------------------------------------------------------


def gptq(bits: int, group: int = 32, *, zeros: bool = True, index: bool = True) -> Pack:
    def pack(stem: str, rows: int, columns: int) -> Stored:
        groups = columns // group
        stored: Stored = {
            f"{stem}.qweight": ("I32", (columns * bits // 32, rows)),
            f"{stem}.scales": ("F16", (groups, rows)),
        }
        if zeros:
            stored[f"{stem}.qzeros"] = ("I32", (groups, rows * bits // 32))
        if index:
            stored[f"{stem}.g_idx"] = ("I32", (columns,))
        return stored

    return pack


def awq(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.qweight": ("I32", (columns, rows // 8)),
        f"{stem}.qzeros": ("I32", (columns // 32, rows // 8)),
        f"{stem}.scales": ("F16", (columns // 32, rows)),
    }


def compressed(bits: int, group: int) -> Pack:
    return lambda stem, rows, columns: {
        f"{stem}.weight_packed": ("I32", (rows, columns * bits // 32)),
        f"{stem}.weight_scale": ("BF16", (rows, columns // group)),
        f"{stem}.weight_shape": ("I64", (2,)),
        f"{stem}.weight_zero_point": ("I32", (rows * bits // 32, columns // group)),
    }


def mixed(stem: str, rows: int, columns: int) -> Stored:
    """4 bits in the feed-forward part, 8 in attention."""
    return (compressed(4, 32) if "mlp" in stem else compressed(8, 64))(stem, rows, columns)


def nvfp4_packed(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.weight_packed": ("U8", (rows, columns // 2)),
        f"{stem}.weight_scale": ("F8_E4M3", (rows, columns // 16)),
        f"{stem}.weight_global_scale": ("F32", (1,)),
        f"{stem}.input_global_scale": ("F32", (1,)),
    }


def nvfp4(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.weight": ("U8", (rows, columns // 2)),
        f"{stem}.weight_scale": ("F8_E4M3", (rows, columns // 16)),
        f"{stem}.weight_scale_2": ("F32", ()),
        f"{stem}.input_scale": ("F32", ()),
    }


def half_fp8(stem: str, rows: int, columns: int) -> Stored:
    """NVFP4 in the feed-forward part, FP8 in attention, scales of its cache."""
    if "mlp" in stem:
        return nvfp4(stem, rows, columns)
    scale: Stored = {f"{stem}.k_scale": ("F32", ())} if "k_proj" in stem else {}
    return {f"{stem}.weight": ("F8_E4M3", (rows, columns)), f"{stem}.weight_scale": ("F32", ())} | scale


def mxfp4_of(dtype: str, scale: str, end: str) -> Pack:
    return lambda stem, rows, columns: {
        f"{stem}.weight": (dtype, (rows, columns // 2)),
        f"{stem}{end}": (scale, (rows, columns // 32)),
    }


def blocks(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}_blocks": ("U8", (rows, columns // 32, 16)),
        f"{stem}_scales": ("U8", (rows, columns // 32)),
    }


def mlx(bits: int, group: int, *, mode: str = "affine") -> Pack:
    def pack(stem: str, rows: int, columns: int) -> Stored:
        stored: Stored = {
            f"{stem}.weight": ("U32", (rows, columns * bits // 32)),
            f"{stem}.scales": ("BF16" if mode == "affine" else "U8", (rows, columns // group)),
        }
        return stored | ({f"{stem}.biases": ("BF16", (rows, columns // group))} if mode == "affine" else {})

    return pack


def mlx_mixed(stem: str, rows: int, columns: int) -> Stored:
    return (mlx(8, 64) if "down_proj" in stem else mlx(4, 32))(stem, rows, columns)


def nf4(stem: str, rows: int, columns: int) -> Stored:
    size = rows * columns
    return {
        f"{stem}.weight": ("U8", (size // 2, 1)),
        f"{stem}.weight.absmax": ("U8", (size // 64,)),
        f"{stem}.weight.quant_map": ("F32", (16,)),
        f"{stem}.weight.nested_absmax": ("F32", (1,)),
        f"{stem}.weight.nested_quant_map": ("F32", (256,)),
        f"{stem}.weight.quant_state.bitsandbytes__nf4": ("U8", (118,)),
    }


def int8(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.weight": ("I8", (rows, columns)),
        f"{stem}.SCB": ("F32", (rows,)),
        f"{stem}.weight_format": ("U8", ()),
    }


def fp8(stem: str, rows: int, columns: int) -> Stored:
    return {f"{stem}.weight": ("F8_E4M3", (rows, columns)), f"{stem}.weight_scale_inv": ("F32", (1, 1))}


def whole_bytes(stem: str, rows: int, columns: int) -> Stored:
    return {f"{stem}.weight": ("I8", (rows, columns)), f"{stem}.weight_scale": ("BF16", (rows, 1))}


def native_f4(stem: str, rows: int, columns: int) -> Stored:
    return {f"{stem}.weight": ("F4", (rows, columns)), f"{stem}.weight_scale": ("F8_E8M0", (rows, columns // 32))}


def bitnet(stem: str, rows: int, columns: int) -> Stored:
    return {f"{stem}.weight": ("U8", (rows // 4, columns)), f"{stem}.weight_scale": ("BF16", (1,))}


def exl2(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.q_weight": ("I32", (columns * 5 // 32 + 3, rows)),
        f"{stem}.q_invperm": ("I16", (columns,)),
        f"{stem}.q_scale": ("I32", (columns // 32, rows // 8)),
        f"{stem}.q_scale_max": ("F16", (columns // 32,)),
        f"{stem}.q_groups": ("I16", (columns // 16,)),
    }


def exl3(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.trellis": ("I16", (columns // 16, rows // 16, 16 * 3)),
        f"{stem}.suh": ("F16", (columns,)),
        f"{stem}.svh": ("F16", (rows,)),
    }


def aqlm(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.codes": ("I16", (rows, columns // 8, 2)),
        f"{stem}.codebooks": ("F16", (2, 65536, 1, 8)),
        f"{stem}.scales": ("F16", (rows, 1, 1, 1)),
    }


def bitmask(stem: str, rows: int, columns: int) -> Stored:
    return {
        f"{stem}.compressed": ("BF16", (rows, columns // 2)),
        f"{stem}.bitmask": ("U8", (rows, columns // 8)),
        f"{stem}.shape": ("I64", (2,)),
        f"{stem}.row_offsets": ("I64", (rows, 1)),
    }


@dataclass(frozen=True)
class Sample:
    """One way of packing: what is stored, and what the config says of it."""

    pack: Pack
    quantization: dict[str, Any]
    loose: Pack | None = None
    key: str = "quantization_config"
    config: dict[str, Any] = field(default_factory=dict)

    def stored(self) -> Stored:
        return checkpoint(self.pack, self.loose)

    def full_config(self) -> dict[str, Any]:
        return CONFIG | {self.key: self.quantization} | self.config


def _groups(*schemes: tuple[int, int]) -> dict[str, Any]:
    groups = {
        f"group_{i}": {"weights": {"num_bits": bits, "group_size": size}} for i, (bits, size) in enumerate(schemes)
    }
    return {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": groups}


GPTQ4 = {"quant_method": "gptq", "bits": 4, "group_size": 32}
MLX_MIXED = {"group_size": 32, "bits": 4} | {
    f"model.layers.{i}.mlp.down_proj": {"group_size": 64, "bits": 8} for i in range(2)
}
SAMPLES: dict[str, Sample] = {
    "gptq": Sample(gptq(4), GPTQ4),
    "gptq, 3 bits": Sample(gptq(3), {"quant_method": "gptq", "bits": 3, "group_size": 32}),
    "gptq, 8 bits in a config of 4": Sample(gptq(8), GPTQ4),
    "gptq without zero points": Sample(gptq(8, zeros=False), GPTQ4),
    "gptq without index": Sample(gptq(4, zeros=False, index=False), GPTQ4),
    "auto-round": Sample(gptq(4, index=False), {"quant_method": "auto-round", "bits": 4, "group_size": 32}),
    "awq": Sample(awq, {"quant_method": "awq", "bits": 4, "group_size": 32}),
    "awq, bits not told": Sample(awq, {"quant_method": "awq"}),
    "packed int4": Sample(compressed(4, 32), _groups((4, 32))),
    "packed int4 and int8": Sample(mixed, _groups((4, 32), (8, 64))),
    "nvfp4, compressed-tensors": Sample(nvfp4_packed, {"quant_method": "compressed-tensors", "format": "nvfp4-pack"}),
    "nvfp4, ModelOpt": Sample(nvfp4, {"quant_method": "modelopt", "quant_algo": "NVFP4"}),
    "nvfp4 and fp8": Sample(half_fp8, {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}),
    "mxfp4 blocks": Sample(blocks, {"quant_method": "mxfp4"}),
    "mxfp4, Quark": Sample(mxfp4_of("U8", "U8", ".weight_scale"), {"quant_method": "quark"}),
    "mxfp4 in signed bytes": Sample(mxfp4_of("I8", "F8_E8M0", ".scale"), {"quant_method": "fp8"}),
    "fp4 of safetensors": Sample(native_f4, {"quant_method": "mxfp4"}),
    "mlx": Sample(mlx(4, 32), {"group_size": 32, "bits": 4}, loose=mlx(4, 32), key="quantization"),
    "mlx, 6 bits": Sample(mlx(6, 64), {"group_size": 64, "bits": 6}, loose=mlx(6, 64), key="quantization"),
    "mlx, mixed": Sample(mlx_mixed, MLX_MIXED, loose=mlx(4, 32), key="quantization"),
    "mlx, mxfp4": Sample(mlx(4, 32, mode="mxfp4"), {"group_size": 32, "bits": 4, "mode": "mxfp4"}, key="quantization"),
    "bitsandbytes, nf4": Sample(nf4, {"quant_method": "bitsandbytes", "load_in_4bit": True}),
    "bitsandbytes, int8": Sample(int8, {"quant_method": "bitsandbytes", "load_in_8bit": True}),
    "fp8": Sample(fp8, {"quant_method": "fp8"}),
    "int8 beside int4": Sample(whole_bytes, _groups((4, 32), (8, 64))),
    "bitnet": Sample(bitnet, {"quant_method": "bitnet"}),
    "exl2": Sample(exl2, {"quant_method": "exl2", "bits": 5.0}),
    "exl3": Sample(exl3, {"quant_method": "exl3", "bits": 3.0}),
    "aqlm": Sample(aqlm, {"quant_method": "aqlm", "nbits_per_codebook": 16}),
    "sparse bitmask": Sample(bitmask, {"quant_method": "compressed-tensors", "format": "sparse-24-bitmask"}),
}
"""Every row of the table of packings at least once, and what mixes them."""


def shards(stored: Stored, count: int) -> Iterator[tuple[str, Stored]]:
    """The same tensors over several files."""
    names = list(stored)
    for number in range(count):
        part = {name: stored[name] for name in names[number::count]}
        yield f"model-{number + 1:05d}-of-{count:05d}.safetensors", part


# --- GGUF ------------------------------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def entry(key: str, value: object) -> bytes:
    kinds: list[tuple[type, int, str]] = [(int, 4, "<I"), (float, 6, "<f")]
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        body = b"".join(text(item) for item in value)
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + body
    _, kind, form = next(row for row in kinds if isinstance(value, row[0]))
    return text(key) + struct.pack("<I", kind) + struct.pack(form, value)


def gguf(metadata: dict[str, object], tensors: dict[str, tuple[list[int], int]]) -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata)), *(entry(*item) for item in metadata.items())]
    for name, (shape, kind) in tensors.items():
        dimensions = b"".join(struct.pack("<Q", size) for size in reversed(shape))
        parts.append(text(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", kind, 0))
    return b"".join(parts)


METADATA: dict[str, object] = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 2,
    "qwen3.embedding_length": H,
    "qwen3.feed_forward_length": WIDE,
    "qwen3.attention.head_count": HEADS,
    "qwen3.attention.head_count_kv": KV,
    "qwen3.attention.key_length": D,
    "qwen3.attention.value_length": D,
    "qwen3.context_length": 4096,
    "qwen3.rope.freq_base": 1e6,
    "tokenizer.ggml.tokens": ["a", "b", "c"],
}
NAMES = {
    "attn_q.weight": [HEADS * D, H],
    "attn_k.weight": [KV * D, H],
    "attn_v.weight": [KV * D, H],
    "attn_output.weight": [H, HEADS * D],
    "attn_q_norm.weight": [D],
    "attn_k_norm.weight": [D],
    "ffn_gate.weight": [WIDE, H],
    "ffn_up.weight": [WIDE, H],
    "ffn_down.weight": [H, WIDE],
    "attn_norm.weight": [H],
    "ffn_norm.weight": [H],
}
Q4_K, F32 = 12, 0
TENSORS = {
    f"blk.{index}.{name}": (shape, Q4_K if len(shape) == 2 else F32)
    for index in range(2)
    for name, shape in NAMES.items()
} | {"token_embd.weight": ([V, H], Q4_K), "output_norm.weight": ([H], F32)}
