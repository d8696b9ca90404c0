"""Memory per sequence: what a KV cache really grows by, what published tables say, and the constant state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from watcher.architecture.config import Absent, Config
from watcher.architecture.mixers import HALVES, KNOWN, NO_MIXER, RECURRENT, is_mla
from watcher.architecture.parameters import kda_sizes, mamba2_sizes, mamba_sizes
from watcher.architecture.stack import Layer

BF16 = 2
FP32 = 4
WINDOWED = ("sliding", "chunked")
LENGTHS = (8192, 32768, 131072)
NO_CACHE = RECURRENT | HALVES | {"cross-attention", NO_MIXER}


def growth(config: Config, layer: Layer) -> float:
    """Bytes by which one layer's cache really grows per token, at bf16. Raises Absent when a size is missing."""
    if layer.mixer in NO_CACHE or layer.shared_kv_from is not None:
        return 0
    _cached(layer)
    if layer.ratio is not None:
        dim = _known(layer.qk_dim, "head_dim")
        index = config.size("index_head_dim") or 0 if layer.mixer == "csa" else 0
        return BF16 * (dim + index) / layer.ratio
    index = (config.size("index_head_dim") or 0) if layer.indexer else 0
    return BF16 * layer.sublayers * (_elements(config, layer) + index)


def nominal(config: Config, layer: Layer) -> float:
    """Bytes as published tables count: windows in full, no indexer keys, shared layers counted, K = V once."""
    if layer.mixer in NO_CACHE:
        return 0
    _cached(layer)
    if layer.ratio is not None:
        return BF16 * _known(layer.qk_dim, "head_dim") / layer.ratio
    if config.text.get("compress_ratios"):
        return 0  # a window of constant size beside compressed layers
    family = config.family.name if config.family else ""
    if family.startswith("gemma4") and layer.window is None:
        return BF16 * _known(layer.kv_heads, "num_key_value_heads") * _known(layer.qk_dim, "head_dim")
    return BF16 * layer.sublayers * _elements(config, layer)


def _cached(layer: Layer) -> None:
    """Raises Absent for a mixer of which nobody knows what it keeps."""
    strange = next((part for part in (layer.mixer or "").split("+") if part not in KNOWN), None)
    if strange is not None:
        raise Absent(f"what a {strange} layer keeps is not known")


def _elements(config: Config, layer: Layer) -> int:
    if is_mla(config):
        return (config.size("kv_lora_rank") or 0) + (config.size("qk_rope_head_dim", low=0) or 0)
    if config.text.get("compress_ratios"):
        return _known(layer.qk_dim, "head_dim")  # one shared vector is key and value
    dim = _known(layer.qk_dim, "head_dim")
    return _known(layer.kv_heads, "num_key_value_heads") * (dim + (layer.v_dim or dim))


def at_length(config: Config, layers: Sequence[Layer], length: int) -> int:
    """Bytes of the cache at a context length, without the constant state."""
    if any(layer.mixer in WINDOWED and layer.window is None for layer in layers):
        raise Absent(f"{config.file} does not tell the window of its windowed layers")
    return round(sum(growth(config, layer) * min(length, layer.window or length) for layer in layers))


def state(config: Config, layer: Layer) -> int:
    """Constant bytes per sequence of a layer: its recurrent state at fp32 and its convolutions at bf16.

    The shapes are those of DESIGN: heads · d_k · d_v for delta rules, heads · head_dim · state for Mamba-2,
    inner · state for Mamba-1, heads · d² for lightning, heads · (d_qk · d_v + d_qk + 1) for mLSTM. Raises Absent.
    """
    return sum(STATES[part](config) if part in STATES else _stateless(part) for part in (layer.mixer or "").split("+"))


def _stateless(mixer: str) -> int:
    if mixer in RECURRENT or mixer not in KNOWN:
        raise Absent(f"the state of a {mixer} layer is not known")
    return 0


def _delta(config: Config) -> int:
    heads, dim = config.need("linear_num_value_heads"), config.need("linear_value_head_dim")
    key = config.need("linear_key_head_dim")
    channels = 2 * config.need("linear_num_key_heads") * key + heads * dim
    return FP32 * heads * key * dim + BF16 * channels * (config.need("linear_conv_kernel_dim") - 1)


def _kda(config: Config) -> int:
    heads, dim, kernel = kda_sizes(config)
    return FP32 * heads * dim * dim + BF16 * 3 * heads * dim * (kernel - 1)


def _mamba2(config: Config) -> int:
    heads, dim, groups, size, kernel = mamba2_sizes(config)
    return FP32 * heads * dim * size + BF16 * (heads * dim + 2 * groups * size) * (kernel - 1)


def _mamba(config: Config) -> int:
    inner, size, kernel = mamba_sizes(config)
    return FP32 * inner * size + BF16 * inner * (kernel - 1)


def _lightning(config: Config) -> int:
    heads = config.need("heads")
    dim = config.size("head_dim") or config.need("hidden_size") // heads
    return FP32 * heads * dim * dim


def _short_conv(config: Config) -> int:
    return BF16 * config.need("hidden_size") * (config.need("conv_L_cache") - 1)


def _mlstm(config: Config) -> int:
    heads, inner = config.need("heads"), config.need("hidden_size")
    qk = int(inner * (config.number("qk_dim_factor", high=64) or 0.5)) // heads
    value = int(inner * (config.number("v_dim_factor", high=64) or 1)) // heads
    return FP32 * heads * (qk * value + qk + 1)


def _rglru(config: Config) -> int:
    width = config.size("lru_width") or config.need("hidden_size")
    return FP32 * width + BF16 * width * ((config.size("conv1d_width") or 4) - 1)


def _rwkv(config: Config) -> int:
    """Two shifted tokens, and what is summed up: a matrix a head since RWKV-5, before that three numbers a channel."""
    hidden = config.need("hidden_size")
    inner = config.size("attention_hidden_size") or hidden
    return BF16 * 2 * hidden + FP32 * inner * (config.size("head_size") or 3)


STATES: dict[str, Callable[[Config], int]] = {
    "gated-deltanet": _delta,
    "kda": _kda,
    "mamba2": _mamba2,
    "mamba": _mamba,
    "lightning": _lightning,
    "short-conv": _short_conv,
    "mlstm": _mlstm,
    "rglru": _rglru,
    "rwkv": _rwkv,
}
"""Mixer → its constant state. A new recurrent mixer is a function and a row."""


def _known(value: int | None, key: str) -> int:
    if value is None:
        raise Absent(f"the config does not tell {key}")
    return value
