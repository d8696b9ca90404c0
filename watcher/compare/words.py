"""How numbers and names are written in a sentence."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST = 80
"""Characters of one foreign word (a config's own) in a sentence."""

ATTENTION = {
    "mha": "multi-head attention (MHA)",
    "gqa": "grouped-query attention (GQA)",
    "mqa": "multi-query attention (MQA)",
    "mla": "multi-head latent attention (MLA)",
    "sliding": "sliding-window attention",
    "chunked": "chunked attention",
    "gated-attention": "gated attention",
    "gated-deltanet": "Gated DeltaNet",
    "kda": "Kimi Delta Attention (KDA)",
    "mamba2": "Mamba-2",
    "mamba": "Mamba",
    "lightning": "lightning attention",
    "mlstm": "mLSTM",
    "slstm": "sLSTM",
    "short-conv": "short convolutions",
    "rwkv": "RWKV",
    "rglru": "RG-LRU",
    "csa": "compressed sparse attention (CSA)",
    "hca": "heavily compressed attention (HCA)",
    "cca": "compressed convolutional attention (CCA)",
    "cross-attention": "cross-attention",
    "moe": "separate mixture-of-experts layers",
    "ffn": "separate feed-forward layers",
}
"""The words of the field for mixers."""

SHORT = {
    "mha": "MHA", "gqa": "GQA", "mqa": "MQA", "mla": "MLA", "kda": "Kimi Delta Attention", "cca": "CCA", "csa": "CSA",
    "hca": "HCA", "moe": "mixture of experts", "ffn": "feed-forward",
}  # fmt: skip
"""The same where it was said before, or where everyone knows it; the others as above."""

SPARSE = {"dsa": "DeepSeek Sparse Attention", "csa": "compressed sparse attention", "block": "block-sparse attention"}
PLACEMENT = {
    "pre": "pre-norm",
    "post": "post-norm",
    "post-inside": "post-norm inside the residual",
    "sandwich": "sandwich norms",
    "none": "no norms",
    "mixed": "mixed norm placement",
}
NORM = {"rmsnorm": "RMSNorm", "layernorm": "LayerNorm"}
QK_NORM = {"per-head": "per head", "full": "over the whole projection", "l2": "as L2 norm"}
ACTIVATION = {
    "silu": "SiLU", "swish": "SiLU", "gelu": "GELU", "gelu_new": "GELU (tanh)", "gelu_pytorch_tanh": "GELU (tanh)",
    "gelu_fast": "GELU", "relu": "ReLU", "relu2": "ReLU²", "quick_gelu": "quick GELU", "swiglu": "SwiGLU",
    "swigluoai": "SwiGLU (clamped)", "geglu": "GeGLU",
}  # fmt: skip
POSITION = {
    "rope": "RoPE", "partial-rope": "partial RoPE", "p-rope": "p-RoPE", "nope": "no positional encoding (NoPE)",
    "learned": "learned absolute positions", "alibi": "ALiBi", "mrope": "M-RoPE",
    "sinusoidal": "sinusoidal positions",
}  # fmt: skip
SCALING = {"yarn": "YaRN", "linear": "linear", "dynamic": "dynamic NTK", "llama3": "Llama 3", "longrope": "LongRoPE",
           "proportional": "proportional"}  # fmt: skip
ROUTER = {"softmax": "softmax", "sigmoid": "sigmoid", "sqrtsoftplus": "sqrt-softplus", "hash": "hash"}


def clean(value: Any, limit: int = LONGEST) -> str:
    """A foreign word as plain text of one line: no control or direction characters, shortened."""
    kept = (character if character.isprintable() else " " for character in str(value)[: 4 * limit])
    text = " ".join("".join(kept).split())
    text = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Cs", "Co"))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def word(value: Any) -> str:
    """A foreign word as it stands in a list: an empty one as a pair of quotes."""
    return clean(value) or "“”"


def short(mixer: Any) -> str:
    """`MLA`, `sliding-window attention`, `GQA with Mamba-2 in parallel`; a word we do not know in quotes."""
    return _mixer(str(mixer), ATTENTION | SHORT)


def mixer(kind: Any) -> str:
    """`multi-head latent attention (MLA)`: the long name of a mixer."""
    return _mixer(str(kind), ATTENTION)


def _mixer(kind: str, names: dict[str, str]) -> str:
    parts = [names.get(part) for part in kind.split("+")]
    known = [part for part in parts if part]
    if len(known) < len(parts):
        return f"“{clean(kind)}” layers"
    return known[0] if len(known) == 1 else f"{known[0]} with {listed(known[1:])} in parallel"


GATED = {"silu": "SwiGLU", "swish": "SwiGLU", "gelu": "GeGLU", "gelu_new": "GeGLU", "gelu_pytorch_tanh": "GeGLU",
         "relu": "ReGLU"}  # fmt: skip


def feed_forward(activation: Any, gated: Any) -> str:
    """`SwiGLU`, `GELU`, `gated ReLU²`: the name of the activation with its gate; without a word where it is unknown."""
    name = named(activation, ACTIVATION)
    return GATED.get(str(activation), f"gated {name}") if gated and "GLU" not in name else name


def named(value: Any, names: dict[str, str]) -> str:
    """The field's name for a word of the record, or the word itself."""
    return names.get(str(value)) or word(value)


def number(value: Any) -> str:
    """163840 → 163,840; a float as short as it is; a foreign value as plain text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "none" if value is None else clean(value)
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.6g}"
    return f"{value:,}" if abs(value) < 10**18 else f"{float_of(value):.3g}"


def float_of(value: int) -> float:
    """An integer as a float, without an error for one of thousands of digits."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def counted(count: Any, noun: str, plural: str = "") -> str:
    """`no layers`, `1 layer`, `61 layers`."""
    if not count:
        return f"no {plural or noun + 's'}"
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"


def ordinal(count: int) -> str:
    """`2nd`, `4th`, `11th`."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{number(count)}{ending}"


def parameters(count: int | float) -> str:
    """A count of parameters as people write it: 596M, 7.24B, 671B, 1.03T."""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= size * 0.9995:
            return f"{count / size:.3g}{unit}" if count < 9.995e14 else f"{float_of(int(count)) / size:.3g}{unit}"
    return number(count)


def size(count: Any) -> str:
    """Bytes in the unit that fits, powers of 1024: 68.6 KiB, 2.1 MiB."""
    if not isinstance(count, (int, float)):
        return clean(count)
    amount, units = float_of(int(count)) if isinstance(count, int) else count, ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while abs(amount) >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{decimal(amount)} {units[0]}"


def decimal(amount: float) -> str:
    """One digit behind the point, none where it is 0."""
    text = f"{amount:,.1f}" if abs(amount) < 1e15 else f"{amount:.3g}"
    return text.removesuffix(".0")


def percent(before: Any, after: Any) -> str:
    """`, +28 %`; a factor beyond a tripling (`, 4.2 times`); nothing when there was none before."""
    if not before or not all(isinstance(value, (int, float)) and math.isfinite(value) for value in (before, after)):
        return ""
    if after > 3 * before:
        return f", {decimal(after / before)} times"
    change = round(100 * (after - before) / before)
    return f", {change:+d} %".replace("-", "−") if change else ", less than 1 % apart"


def listed(words: Sequence[str], *, most: int = 8) -> str:
    """`a`, `a and b`, `a, b and c`; the rest beyond `most` as a number."""
    shown = [*words] if len(words) <= most else [*words[:most], f"{len(words) - most} more"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


def keys_listed(names: Iterable[str], *, most: int = 12) -> str:
    """Config keys, by commas."""
    names = [word(name) for name in names]
    return ", ".join([*names[:most], f"{len(names) - most} more"] if len(names) > most else names)
