"""What a repo's name says: family stem, size, variant and format, told apart word by word.

A name is cut at `-`, `_` and spaces. Words that say size, tuning, quantisation or file format are taken away;
what is left, with its version and date, is the *stem* that repos of one release share. Sizes by word (Small,
Large) stay: they name models of their own. Example: `Qwen3-30B-A3B-Instruct-2507-FP8` → stem `qwen3-2507`, size
`30b-a3b`, variant `instruct-fp8`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COPIES = frozenset(
    """fp8 fp4 fp16 bf16 fp32 f16 f32 int4 int8 int2 int3 4bit 8bit 2bit 3bit 6bit nf4 nvfp4 mxfp4 mxfp8 awq gptq gguf
    ggml exl2 exl3 mlx onnx openvino bnb quantized quant qat q4 q5 q6 q8 q2 q3 w4a16 w8a8 w8a16 w4a8 w4a4 w8a8c8
    marlin eetq hqq aqlm autoround dynamic static block channel safetensors transformers hf original torch coreml litert
    tflite qnn ov trt tensorrt lmstudio gguf4 unquantized g128 g32 g64 lm deepspeed 4bits 8bits int hpu""".split()
)
"""Words for a copy: the same weights, quantised or in another file format."""

TUNINGS = frozenset(
    """base pt pretrain pretrained instruct instruction it chat thinking think reasoning reasoner sft dpo rl rlhf rlvr
    zero preview exp experimental final hybrid nothink non no stage1 stage2 midtrain midtraining annealed draft
    assistant eagle eagle3 mtp speculator user-lm""".split()
)
"""Words for a stage of training or a way of use: another set of weights of the same structure."""

_SIZE = re.compile(r"(?:\d+x)?\d+(?:[._p]\d+)?[bmt]|a\d+(?:\.\d+)?[bm]|e\d+b|\d+x\d+b|\d+e")
"""7b, 0.6b, 8x7b, 30b, a3b, e4b, 128e, 350m, 1t."""

_QUANT = re.compile(
    r"(?:i?q\d(?:_[a-z0-9]+)*|w\d+a\d+(?:kv\d+|c\d+)?|g\d{2,3}|\d(?:\.\d+)?bpw|gs\d+|int\d+|fp\d+|bf\d+)"
)


_WORD = re.compile(r"i?q\d_[a-z0-9]+(?:_[a-z]+)?|(?:[^-_\s:+.]|(?<=\d)\.(?=\d))+")
"""A llama.cpp quantisation with its underscores (q4_k_m), else a run without separators; a dot stays in a number."""


@dataclass(frozen=True, slots=True)
class NameParts:
    """A repo's name, taken apart. All lower case."""

    stem: str
    """Family with version and date; never empty."""
    size: str
    """`30b-a3b`, or empty."""
    variant: str
    """Tuning and copy words in their order: `instruct-fp8`, or empty for an original."""
    copy: str
    """The copy words alone (`fp8`, `gguf`), or empty."""


def words(name: str) -> list[str]:
    """The words of the part after the slash, lower case; a dot stays inside a number."""
    plain = name.rpartition("/")[2].lower()
    return _WORD.findall(plain)


def take_apart(name: str) -> NameParts:
    """The parts of `org/name`."""
    kept: list[str] = []
    size: list[str] = []
    variant: list[str] = []
    copies: list[str] = []
    for word in words(name):
        if _SIZE.fullmatch(word) and (kept or size):
            size.append(word)
        elif word in COPIES or _QUANT.fullmatch(word):
            variant.append(word)
            copies.append(word)
        elif word in TUNINGS and kept:
            variant.append(word)
        else:
            kept.append(word)
    stem = "-".join(kept) or "-".join(words(name)) or name.lower()
    return NameParts(stem[:250], "-".join(size), "-".join(variant), "-".join(copies))


def variant_of(name: str) -> str | None:
    """The variant as a report names it, or None for an original."""
    return take_apart(name).variant or None
