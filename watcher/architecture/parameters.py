"""Closed-form parameter counts from the stack, part by part, each formula checked against real implementations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.architecture.config import Absent, Config, is_word
from watcher.architecture.mixers import is_mla
from watcher.architecture.stack import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Weights of the language part."""

    per_layer: tuple[int, ...]
    experts: int
    """All routed experts."""
    active_experts: int
    """Those that one token uses."""
    embedding: int
    head: int
    """The output matrix; 0 when it is tied to the embedding."""
    rest: int
    """Final norm, learned positions, per-layer embeddings."""

    @property
    def text(self) -> int:
        """The language part."""
        return sum(self.per_layer) + self.embedding + self.head + self.rest

    @property
    def active_with_embedding(self) -> int:
        """Rule A: everything a token touches."""
        return self.text - self.experts + self.active_experts

    @property
    def active(self) -> int:
        """Rule B: without the input table, unless the head uses it too."""
        return self.active_with_embedding - (self.embedding if self.head else 0)


def count(config: Config, layers: Sequence[Layer], tied: bool) -> Counts:
    """Count the language part. Raises Absent when a size is missing."""
    hidden, vocab = config.need("hidden_size"), config.need("vocab")
    parts = [_layer(config, layer, index, len(layers), hidden) for index, layer in enumerate(layers)]
    positions = config.need("context") * hidden if config.family and config.family.name == "gpt2" else 0
    final = (1 if _norm_kind(config) == "rmsnorm" else 2) * hidden
    if config.family and config.family.name in ("cohere", "cohere2"):
        final = hidden
    return Counts(
        per_layer=tuple(part[0] for part in parts),
        experts=sum(part[1] for part in parts),
        active_experts=sum(part[2] for part in parts),
        embedding=vocab * hidden,
        head=0 if tied else vocab * hidden,
        rest=final + positions + _per_layer_embeddings(config, len(layers), hidden, vocab),
    )


def _norm_kind(config: Config) -> str:
    return (config.family.norm_kind if config.family else None) or "rmsnorm"


def _layer(config: Config, layer: Layer, index: int, total: int, hidden: int) -> tuple[int, int, int]:
    """(all weights, routed experts, routed experts of one token) of one layer."""
    weights = _norms(config, layer, hidden)
    experts = active = 0
    if layer.mixer == "moe" or layer.ff == "moe":
        fixed, experts, active = _moe(config, hidden)
        weights += fixed + experts
    if _has_dense(config, layer):
        weights += _dense(config, layer, index, total, hidden)
    if layer.mixer not in ("moe", "ffn"):
        weights += _mixer(config, layer, hidden)
    return weights, experts, active


def _has_dense(config: Config, layer: Layer) -> bool:
    beside = bool(config.family and config.family.name.startswith("gemma4"))  # dense and experts side by side
    return layer.ff == "dense" or layer.mixer == "ffn" or (beside and layer.ff == "moe")


def _norms(config: Config, layer: Layer, hidden: int) -> int:
    family = config.family
    count = 1 if layer.ff is None or (family and family.parallel) else 4 if layer.norm == "sandwich" else 2
    width = 2 if _norm_kind(config) == "layernorm" and family and family.name not in ("cohere", "cohere2") else 1
    return count * width * hidden


# --- feed-forward ----------------------------------------------------------------------------------------------------


def _matrices(config: Config) -> int:
    """3 when gated (gate, up, down), 2 when not."""
    gated = config.family.gated_mlp if config.family else None
    return 2 if gated is False else 3


def _dense(config: Config, layer: Layer, index: int, total: int, hidden: int) -> int:
    size = config.size("intermediate_size_mlp") or config.size("dense_intermediate_size")
    size = size or config.size("intermediate_size")
    if size is None and config.family and config.family.name == "gpt2":
        size = 4 * hidden
    if size is None:
        raise Absent(f"{config.file} does not tell intermediate_size")
    if layer.shared_kv_from is not None and config.flag("use_double_wide_mlp"):
        size *= 2
    biases = size + hidden if (config.family and config.family.mlp_bias) else 0
    if config.flag("mlp_bias"):
        biases = (_matrices(config) - 1) * size + hidden
    return _matrices(config) * hidden * size + biases


def _moe(config: Config, hidden: int) -> tuple[int, int, int]:
    """(router and shared experts, routed experts, those of one token)."""
    family = config.family
    experts, chosen = config.need("experts"), config.need("top_k")
    size = config.size("expert_size") or config.need("intermediate_size")
    latent = config.size("latent")
    width = latent or hidden
    one = _matrices(config) * width * size + ((2 * size + hidden) if family and family.expert_bias else 0)
    zero = config.size("zero_experts", low=0) or 0
    fixed = hidden * (experts + zero) + (experts if family and family.router_bias else 0)
    fixed += 2 * hidden * latent if latent else 0
    if family and family.name == "llama4_text":
        fixed += 3 * hidden * config.need("intermediate_size")
    else:
        fixed += _matrices(config) * hidden * _shared_size(config, size)
    if family and family.shared_gate:
        fixed += hidden
    if family and family.name.startswith("gemma4"):
        fixed += hidden + experts + 3 * hidden
    return fixed, experts * one, min(chosen, experts) * one


def _shared_size(config: Config, expert: int) -> int:
    """Width of the shared experts together."""
    own = config.size("shared_size", low=0)
    number = config.size("shared_experts", low=0)
    if own:
        per_expert = "shared_expert_intermediate_size" not in config.text and config.model_type != "nemotron_h"
        return own * (number if number and per_expert else 1)
    return (number or 0) * expert


# --- mixers ----------------------------------------------------------------------------------------------------------


def _mixer(config: Config, layer: Layer, hidden: int) -> int:
    kinds = {
        "gated-deltanet": _gated_deltanet,
        "kda": _kda,
        "mamba2": _mamba2,
        "short-conv": _short_conv,
    }
    if layer.mixer in kinds:
        return kinds[layer.mixer](config, hidden)
    if layer.qk_dim is None or layer.heads is None:
        raise Absent(f"the weights of a {layer.mixer} layer are not known from {config.file}")
    return _mla(config, layer, hidden) if is_mla(config) else _attention(config, layer, hidden)


def _attention(config: Config, layer: Layer, hidden: int) -> int:
    heads, kv, dim = layer.heads or 0, layer.kv_heads or 0, layer.qk_dim or 0
    value, family = layer.v_dim or dim, config.family
    own_kv = layer.shared_kv_from is None
    query = heads * dim * (2 if family and family.query_gate == "elementwise" else 1)
    unified = config.flag("attention_k_eq_v") and layer.mixer != "sliding"
    keys, values = (kv * dim, 0 if unified else kv * value) if own_kv else (0, 0)
    weights = hidden * (query + keys + values) + heads * value * hidden
    weights += _biases(config, query, keys + values, hidden)
    weights += _qk_norms(layer, heads * dim, kv * dim, dim, own_kv)
    if layer.sinks:
        weights += heads
    if family and family.query_gate in ("full", "per-head"):
        weights += hidden * heads * (value if family.query_gate == "full" else 1)
    return weights


def _qk_norms(layer: Layer, query: int, keys: int, dim: int, own_kv: bool) -> int:
    if layer.qk_norm == "full":
        return query + keys
    return dim * (2 if own_kv else 1) if layer.qk_norm == "per-head" else 0


def _biases(config: Config, query: int, keys_values: int, hidden: int) -> int:
    rule = config.family.attention_bias if config.family else "key"
    on = config.flag("attention_bias") or config.flag("qkv_bias") or config.flag("use_qkv_bias")
    inside = query + keys_values
    return {
        "none": 0,
        "all": inside + hidden,
        "qkv": inside,
        "qkv-key": inside if on else 0,
        "key": inside + hidden if on else 0,
    }[rule]


def _mla(config: Config, layer: Layer, hidden: int) -> int:
    heads, rank = layer.heads or 0, config.need("kv_lora_rank")
    nope, rope = config.size("qk_nope_head_dim", low=0) or 0, config.size("qk_rope_head_dim", low=0) or 0
    value, low = config.need("v_head_dim"), config.size("q_lora_rank", low=0)
    weights = hidden * low + low + low * heads * (nope + rope) if low else hidden * heads * (nope + rope)
    weights += hidden * (rank + rope) + rank + rank * heads * (nope + value) + heads * value * hidden
    if layer.indexer:
        number, dim = config.need("index_n_heads"), config.need("index_head_dim")
        weights += (low or hidden) * number * dim + hidden * dim + 2 * dim + hidden * number
    return weights


def _gated_deltanet(config: Config, hidden: int) -> int:
    number, dim = config.need("linear_num_value_heads"), config.need("linear_value_head_dim")
    keys = config.need("linear_num_key_heads") * config.need("linear_key_head_dim")
    values, kernel = number * dim, config.need("linear_conv_kernel_dim")
    weights = hidden * (2 * keys + 2 * values) + hidden * 2 * number
    return weights + (2 * keys + values) * kernel + 2 * number + dim + values * hidden


def kda_sizes(config: Config) -> tuple[int, int, int]:
    """Heads, head size and convolution kernel of Kimi Delta Attention."""
    part = config.part("linear_attn_config")
    if not part and config.size("linear_head_dim"):
        kernel = config.size("linear_conv_kernel_dim") or 4
        return config.need("linear_num_heads"), config.need("linear_head_dim"), kernel
    heads, dim, kernel = part.get("num_heads"), part.get("head_dim"), part.get("short_conv_kernel_size", 4)
    if not all(isinstance(item, int) and 0 < item < 2**20 for item in (heads, dim, kernel)):
        raise Absent(f"{config.file}: linear_attn_config does not tell its heads")
    return int(heads or 0), int(dim or 0), int(kernel)


def _kda(config: Config, hidden: int) -> int:
    heads, dim, kernel = kda_sizes(config)
    wide = heads * dim
    low_rank = hidden * dim + dim * wide
    return 3 * hidden * wide + 3 * wide * kernel + heads + 2 * low_rank + wide + hidden * heads + dim + wide * hidden


def first_size(config: Config, *keys: str) -> int | None:
    """The first of several spellings of a size; a word such as `auto` is none."""
    told = (key for key in keys if config.get(key) is not None and not is_word(config.get(key)))
    key = next(told, None)
    return None if key is None else config.size(key)


def mamba2_sizes(config: Config) -> tuple[int, int, int, int, int]:
    """Heads, head size, groups, state size and kernel of Mamba-2."""
    heads = first_size(config, "mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads")
    dim = first_size(config, "mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim")
    inner = first_size(config, "mamba_d_ssm") or (first_size(config, "mamba_expand", "expand") or 2) * config.need(
        "hidden_size"
    )
    dim = inner // heads if dim is None and heads else dim
    groups = first_size(config, "n_groups", "mamba_n_groups", "mamba_ngroups") or 1
    state = first_size(config, "ssm_state_size", "mamba_d_state", "state_size")
    kernel = first_size(config, "conv_kernel", "mamba_d_conv", "conv_kernel_size") or 4
    if heads is None or dim is None or state is None:
        raise Absent(f"{config.file} does not tell the sizes of its Mamba-2 layers")
    return heads, dim, groups, state, kernel


def mamba_sizes(config: Config) -> tuple[int, int, int]:
    """Inner width, state size and kernel of Mamba-1."""
    expand = first_size(config, "mamba_expand", "expand") or 2
    inner = config.size("intermediate_size") if config.has_own("state_size") else None
    state = first_size(config, "mamba_d_state", "state_size")
    if state is None:
        raise Absent(f"{config.file} does not tell the state of its Mamba layers")
    return inner or expand * config.need("hidden_size"), state, first_size(config, "mamba_d_conv", "conv_kernel") or 4


def _mamba2(config: Config, hidden: int) -> int:
    heads, dim, groups, state, kernel = mamba2_sizes(config)
    inner, mixed = heads * dim, heads * dim + 2 * groups * state
    bias = 1 if config.flag("use_conv_bias", True) else 0
    return hidden * (inner + mixed + heads) + mixed * (kernel + bias) + 3 * heads + inner + inner * hidden


def _short_conv(config: Config, hidden: int) -> int:
    kernel, bias = config.need("conv_L_cache"), config.flag("conv_bias")
    return 4 * hidden * hidden + hidden * kernel + (5 * hidden if bias else 0)


def _per_layer_embeddings(config: Config, layers: int, hidden: int, vocab: int) -> int:
    """Weights of Gemma's per-layer embeddings."""
    size = config.size("hidden_size_per_layer_input", low=0)
    if not size:
        return 0
    table = (config.size("vocab_size_per_layer_input") or vocab) * layers * size
    return table + hidden * layers * size + size + layers * (2 * hidden * size + hidden)
