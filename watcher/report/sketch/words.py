"""What the sketch calls things: names of mixers, feed-forwards and norms, numbers as people in the field write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.report.sketch.text import clean

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Mixer:
    """How one kind of mixer is called, and the family that gives it its colour."""

    name: str
    short: str
    family: str


MIXERS: Final[dict[str, Mixer]] = {
    "mha": Mixer("Multi-head attention", "MHA", "attention"),
    "gqa": Mixer("Grouped-query attention", "GQA", "attention"),
    "mqa": Mixer("Multi-query attention", "MQA", "attention"),
    "gated-attention": Mixer("Gated attention", "Gated attention", "attention"),
    "sliding": Mixer("Sliding-window attention", "Sliding window", "window"),
    "chunked": Mixer("Chunked attention", "Chunked attention", "window"),
    "mla": Mixer("Multi-head latent attention", "MLA", "latent"),
    "csa": Mixer("Compressed sparse attention", "CSA", "compressed"),
    "hca": Mixer("Heavily compressed attention", "HCA", "compressed"),
    "cca": Mixer("Compressed convolutional attention", "CCA", "compressed"),
    "gated-deltanet": Mixer("Gated DeltaNet", "Gated DeltaNet", "linear"),
    "kda": Mixer("Kimi Delta Attention", "KDA", "linear"),
    "lightning": Mixer("Lightning attention", "Lightning", "linear"),
    "mamba2": Mixer("Mamba-2", "Mamba-2", "linear"),
    "mamba": Mixer("Mamba", "Mamba", "linear"),
    "mlstm": Mixer("mLSTM", "mLSTM", "linear"),
    "slstm": Mixer("sLSTM", "sLSTM", "linear"),
    "rwkv": Mixer("RWKV time mixing", "RWKV", "linear"),
    "rglru": Mixer("RG-LRU recurrence", "RG-LRU", "linear"),
    "short-conv": Mixer("Short convolution", "Short conv", "convolution"),
    "moe": Mixer("Mixture of experts", "MoE", "experts"),
    "ffn": Mixer("Feed-forward", "Feed-forward", "feed"),
}
SUBLAYERS: Final = frozenset({"moe", "ffn"})
"""Mixer words that name a feed-forward standing alone as a layer (Nemotron-H)."""

ATTENTION: Final = frozenset({"mha", "gqa", "mqa", "gated-attention", "sliding", "chunked"})
"""Mixers with queries, keys and values of their own and a softmax."""
SOFTMAX: Final = ATTENTION | {"mla", "csa", "hca", "cca"}

_NORMS: Final = {"rmsnorm": "RMSNorm", "layernorm": "LayerNorm", "groupnorm": "GroupNorm", "dyt": "DyT"}
PLACEMENTS: Final = {
    "pre": "pre-norm",
    "post-inside": "post-norm inside the residual",
    "sandwich": "sandwich norm",
    "post": "post-norm",
    "none": "no norms in the block",
    "mixed": "mixed norm placement",
}
_DECODERS: Final = {
    "dense": "Dense decoder",
    "sparse-moe": "Sparse mixture-of-experts decoder",
    "dense-hybrid": "Dense hybrid decoder",
    "sparse-hybrid": "Sparse mixture-of-experts hybrid decoder",
    "recurrent": "Recurrent decoder",
}
_POSITIONS: Final = {
    "rope": "RoPE",
    "partial-rope": "partial RoPE",
    "p-rope": "p-RoPE",
    "mrope": "M-RoPE",
    "nope": "NoPE",
    "alibi": "ALiBi",
    "learned": "learned positions",
    "sinusoidal": "sinusoidal positions",
}
_ACTIVATIONS: Final = {
    "silu": "SiLU", "swish": "SiLU", "swiglu": "SiLU", "swigluoai": "SiLU", "gelu": "GELU", "gelu_new": "GELU",
    "gelu_fast": "GELU", "gelu_pytorch_tanh": "GELU", "quick_gelu": "GELU", "geglu": "GELU", "relu": "ReLU",
    "relu2": "ReLU²", "relu_squared": "ReLU²", "sigmoid": "sigmoid", "tanh": "tanh", "xielu": "xIELU",
}  # fmt: skip
_GATED: Final = {"SiLU": "SwiGLU", "GELU": "GeGLU", "ReLU": "ReGLU", "ReLU²": "ReLU² GLU", "sigmoid": "GLU"}
_SCALINGS: Final = {"yarn": "YaRN", "llama3": "Llama 3 scaling", "longrope": "LongRoPE", "linear": "linear scaling",
                    "dynamic": "dynamic NTK", "proportional": "proportional"}  # fmt: skip
_MODALITIES: Final = {"image": "Vision", "video": "Video", "audio": "Audio", "text": "Text"}


def mixer(word: str | None) -> Mixer:
    """The names of a mixer; a kind without a name of its own keeps the config's word."""
    if not word:
        return Mixer("Token mixer unknown", UNKNOWN, "unknown")
    return MIXERS.get(word) or Mixer(clean(word), clean(word), "other")


def norm(record: Architecture) -> str:
    """The norm's name."""
    kind = record.norm.kind
    return _NORMS.get(kind.lower(), clean(kind)) if kind else "norm"


def activation(record: Architecture) -> str | None:
    """The activation's name."""
    word = record.feed_forward.activation
    return _ACTIVATIONS.get(word.lower(), clean(word)) if word else None


def feed_forward(record: Architecture) -> str | None:
    """SwiGLU, GeGLU, ReLU² …; None when activation or gating is unknown."""
    word, gated = activation(record), record.feed_forward.gated
    if not word or gated is None:
        return None
    return _GATED.get(word, f"gated {word}") if gated else word


def decoder(record: Architecture) -> str:
    """What kind of decoder it is."""
    kind = record.decoder_type
    return _DECODERS.get(kind, clean(kind)) if kind else "Decoder"


def positions(record: Architecture) -> list[str]:
    """How order gets in, one word a kind, with the scaling of RoPE."""
    words = [_POSITIONS.get(kind, clean(kind)) for kind in record.position.kinds]
    scaling = record.position.scaling
    if scaling and words:
        words[0] += f" ({_SCALINGS.get(scaling, clean(scaling))})"
    return words


def rotary(record: Architecture) -> str:
    """The name of this model's rotary positions."""
    special = (kind for kind in ("mrope", "p-rope", "partial-rope") if kind in record.position.kinds)
    return _POSITIONS[next(special, "rope")]


def modality(word: str) -> str:
    """Vision, Audio …"""
    return _MODALITIES.get(word, clean(word))


def kind_name(kind: LayerKind) -> str:
    """One layer kind in a few words: `MLA + MoE`."""
    short = mixer(kind.mixer).short
    feed = {"moe": "MoE", "dense": "dense feed-forward", None: None}.get(kind.ff, clean(kind.ff or ""))
    return f"{short} + {feed}" if feed else short


def short_name(record: Architecture, limit: int = 120) -> str:
    """The model's name without its organization."""
    return clean((record.model.id or "").rpartition("/")[2])[:limit] or "unnamed model"


def whole(value: Any) -> str:
    """A count with thousands separators; `unknown` for None."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return clean(str(value)[:40])
    if not abs(value) < 10**15:
        return f"{scaled(value, 1000, _LARGE)}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


_COUNTS: Final = ("", "K", "M", "B", "T")
_LARGE: Final = ("", "K", "M", "B", "T", "P", "E")
_BYTES: Final = (" B", " KiB", " MiB", " GiB", " TiB")


def count(value: Any) -> str:
    """A parameter count: 671B, 36.6B, 596M."""
    return scaled(value, 1000, _COUNTS)


def size(value: Any) -> str:
    """Bytes: 68.6 KiB."""
    return scaled(value, 1024, _BYTES)


def scaled(value: Any, base: int, units: tuple[str, ...]) -> str:
    """Three significant digits and a unit; `unknown` for None."""
    if value is None:
        return UNKNOWN
    if not isinstance(value, (int, float)) or not abs(value) < base ** (len(units) + 1):
        return "out of range"
    left, index = float(value), 0
    while abs(left) >= base - 0.5 and index < len(units) - 1:
        left, index = left / base, index + 1
    return f"{significant(left)}{units[index]}"


def significant(value: float) -> str:
    """Three significant digits, no trailing zeros behind the point."""
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(number: Any, one: str, many: str | None = None) -> str:
    """The noun that goes with a number."""
    return one if number == 1 else many or one + "s"
