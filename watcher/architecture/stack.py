"""Config → the stack, layer by layer: which mixer, which feed-forward, how many heads, which window.

Every spelling of a layer pattern is a small decoder in `PATTERNS`; a new one is a function there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from watcher.architecture.config import MAX_LAYERS, Absent, Config

Words = list[str]
"""One word a layer: full, sliding, chunked, linear, csa, hca, window, moe, ffn, or the config's own."""

SLIDING = frozenset("sliding_attention sliding_window swa local sliding window_attention hybrid_sliding".split())
FULL = frozenset(
    "full_attention attention global full indexed_attention deepseek_sparse_attention full_attn moba".split()
)
LINEAR = frozenset("linear_attention mamba mamba2 kda conv recurrent gated_deltanet lightning short_conv".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of the stack."""

    mixer: str | None
    ff: str | None
    heads: int | None = None
    kv_heads: int | None = None
    qk_dim: int | None = None
    v_dim: int | None = None
    window: int | None = None
    rope: bool | None = None
    qk_norm: str | None = None
    gate: str | None = None
    sinks: bool = False
    norm: str | None = None
    ratio: int | None = None
    """Compression of the cache along the sequence (CSA, HCA)."""
    indexer: bool = False
    shared_kv_from: int | None = None


def read_layers(config: Config) -> tuple[list[Layer], str]:
    """Every layer, and the evidence for the pattern. Raises Absent when the number of layers cannot be told."""
    words, where = pattern(config)
    sparse = sparse_layers(config, words)
    return [_layer(config, index, word, words, sparse[index]) for index, word in enumerate(words)], where


def count_layers(config: Config) -> int:
    """The number of layers. Raises Absent."""
    concept = "num_layers" if (config.model_type or "").startswith("longcat") else "layers"
    count = config.size(concept, high=MAX_LAYERS)
    if count is None:
        raise Absent(f"{config.file} does not say how many layers there are")
    return count


# --- the pattern -----------------------------------------------------------------------------------------------------


def pattern(config: Config) -> tuple[Words, str]:
    """One word a layer, and the key that says so."""
    for key, decode in PATTERNS:
        if key in config.text or (config.family is not None and config.family.defaults.get(key) is not None):
            words = decode(config, key)
            if words:
                if len(words) > MAX_LAYERS:
                    raise Absent(f"{config.file}: {key} has {len(words)} entries, which is no stack")
                config.asked.add(key)
                return words, f"{config.file}: {config.path}{key}"
    count = count_layers(config)
    words = _by_class(config, count)
    return words, config.where("layers") or config.file


def _letters(config: Config, key: str) -> Words | None:
    """Nemotron-H: one letter a half-block."""
    text = config.get(key)
    known = {"M": "linear", "*": "full", "E": "moe", "-": "ffn"}
    if not isinstance(text, str) or not text or set(text) - known.keys() - {"|"}:
        return None
    return [known[letter] for letter in text if letter != "|"][: MAX_LAYERS + 1]


def _blocks(config: Config, key: str) -> Words | None:
    known = {"mamba": "linear", "linear_attention": "linear", "attention": "full", "moe": "moe", "mlp": "ffn"}
    items = config.items(key)
    return [known.get(str(item), str(item)[:40]) for item in items] if items else None


def _types(config: Config, key: str) -> Words | None:
    """layer_types may be longer than the stack: the tail is the extra prediction layers."""
    items = config.items(key)
    return [_word(str(item)[:40]) for item in items[: count_layers(config)]] if items else None


def _word(text: str) -> str:
    special = {
        "chunked_attention": "chunked",
        "compressed_sparse_attention": "csa",
        "heavily_compressed_attention": "hca",
        "moe": "moe",
        "mlp": "ffn",
    }
    if text in special:
        return special[text]
    if text in SLIDING:
        return "sliding"
    if text in LINEAR or "linear" in text or "mamba" in text:
        return "linear"
    return "full" if text in FULL else text


def _ratios(config: Config, key: str) -> Words | None:
    """DeepSeek V4: how much each layer compresses its cache; 0 keeps a window only."""
    items = config.items(key)
    if not items:
        return None
    ratios = [item if isinstance(item, int) else 0 for item in items[: count_layers(config)]]
    return ["window" if ratio == 0 else "csa" if ratio <= 16 else "hca" for ratio in ratios]


def _mask(full: int) -> Callable[[Config, str], Words | None]:
    def decode(config: Config, key: str) -> Words | None:
        items = config.items(key)
        other = "sliding" if key == "hybrid_layer_pattern" else "linear"
        return ["full" if item == full else other for item in items[: count_layers(config)]] if items else None

    return decode


def _linear_part(config: Config, key: str) -> Words | None:
    """Kimi Linear: 1-based numbers of the full layers."""
    full = config.part(key).get("full_attn_layers")
    if not isinstance(full, list):
        return None
    return ["full" if index + 1 in full else "linear" for index in range(count_layers(config))]


def _every(other: str, *, needs: str | None = None) -> Callable[[Config, str], Words | None]:
    """Every n-th layer is full, the others are `other`."""

    def decode(config: Config, key: str) -> Words | None:
        step = config.get(key)
        if isinstance(step, str) and step and set(step) <= {"L", "G"}:
            return ["sliding" if step[index % len(step)] == "L" else "full" for index in range(count_layers(config))]
        if isinstance(step, bool) or not isinstance(step, int) or step < 2 or (needs and not config.get(needs)):
            return None
        return ["full" if (index + 1) % step == 0 else other for index in range(count_layers(config))]

    return decode


def _groups(config: Config, key: str) -> Words | None:
    """Ling 2.5: the last of each group is full, and so is what is left over."""
    size = config.get(key)
    if not isinstance(size, int) or size < 2 or not config.get("kv_lora_rank"):
        return None
    count = count_layers(config)
    return ["full" if (i + 1) % size == 0 or i >= count // size * size else "linear" for i in range(count)]


def _indices(config: Config, key: str) -> Words | None:
    items = config.items(key)
    return ["full" if index in items else "linear" for index in range(count_layers(config))] if items else None


def _period(config: Config, key: str) -> Words | None:
    step, offset = config.get(key), config.get("attn_layer_offset", 0)
    if not isinstance(step, int) or step < 1 or not isinstance(offset, int):
        return None
    return ["full" if index % step == offset else "linear" for index in range(count_layers(config))]


def _chunks(config: Config, key: str) -> Words | None:
    """Llama 4: layers without RoPE see everything, the others a chunk."""
    items = config.items(key)
    if not items or not config.get("attention_chunk_size"):
        return None
    return ["chunked" if item else "full" for item in items[: count_layers(config)]]


def _from_layer(config: Config, key: str) -> Words | None:
    """Qwen2, Qwen3: windows from a layer on, and only when the flag is true."""
    first = config.get(key)
    if not config.flag("use_sliding_window") or not config.get("sliding_window") or not isinstance(first, int):
        return None
    return ["sliding" if index >= first else "full" for index in range(count_layers(config))]


PATTERNS: tuple[tuple[str, Callable[[Config, str], Words | None]], ...] = (
    ("hybrid_override_pattern", _letters),
    ("layers_block_type", _blocks),
    ("compress_ratios", _ratios),
    ("linear_attn_config", _linear_part),
    ("hybrid_layer_pattern", _mask(0)),
    ("layer_types", _types),
    ("attn_type_list", _mask(1)),
    ("global_attn_every_n_layers", _every("sliding")),
    ("full_attention_interval", _every("linear", needs="linear_num_value_heads")),
    ("layer_group_size", _groups),
    ("attn_layer_indices", _indices),
    ("full_attn_idxs", _indices),
    ("sliding_window_pattern", _every("sliding", needs="sliding_window")),
    ("_sliding_window_pattern", _every("sliding", needs="sliding_window")),
    ("no_rope_layers", _chunks),
    ("attn_layer_period", _period),
    ("max_window_layers", _from_layer),
)
"""Key → decoder, in look-up order. A decoder returns None when its key says nothing here."""

CLASS_RULES: dict[str, Callable[[int], str]] = {
    "llama4_text": lambda index: "full" if (index + 1) % 4 == 0 else "chunked",
    "gpt_oss": lambda index: "sliding" if index % 2 == 0 else "full",
    "gemma2": lambda index: "sliding" if index % 2 == 0 else "full",
    "gemma3_text": lambda index: "full" if (index + 1) % 6 == 0 else "sliding",
    "gemma4_text": lambda index: "full" if (index + 1) % 6 == 0 else "sliding",
    "cohere2": lambda index: "full" if (index + 1) % 4 == 0 else "sliding",
    "olmo3": lambda index: "full" if (index + 1) % 4 == 0 else "sliding",
    "qwen3_next": lambda index: "full" if (index + 1) % 4 == 0 else "linear",
    "qwen3_5_text": lambda index: "full" if (index + 1) % 4 == 0 else "linear",
    "qwen3_5_moe_text": lambda index: "full" if (index + 1) % 4 == 0 else "linear",
    "xlstm": lambda index: "linear",
    "mamba": lambda index: "linear",
    "mamba2": lambda index: "linear",
    "rwkv": lambda index: "linear",
    "falcon_mamba": lambda index: "linear",
}
"""Patterns that only the implementation tells."""

ALWAYS_SLIDING = frozenset({"mistral", "mixtral", "phi3", "starcoder2"})
"""Families whose `sliding_window`, when set, holds for every layer."""


def _by_class(config: Config, count: int) -> Words:
    names = [config.family.name] if config.family else []
    rule = next((CLASS_RULES[name] for name in (*names, config.model_type or "") if name in CLASS_RULES), None)
    if rule is not None:
        return [rule(index) for index in range(count)]
    window = config.get("sliding_window")
    if names and names[0] in ALWAYS_SLIDING and isinstance(window, int) and window > 0:
        return ["sliding"] * count
    if config.model_type == "zaya":
        return ["full" if index % 2 == 0 else "moe" for index in range(count)]
    return ["full"] * count


# --- sparse or dense feed-forward ------------------------------------------------------------------------------------


def sparse_layers(config: Config, words: Words) -> list[bool]:
    """Which layers have experts instead of a dense feed-forward part."""
    count = len(words)
    kinds = config.items("mlp_layer_types")
    if kinds:
        return [index < len(kinds) and kinds[index] == "sparse" for index in range(count)]
    frequency = config.get("moe_layer_freq")
    if isinstance(frequency, list):
        return [index < len(frequency) and bool(frequency[index]) for index in range(count)]
    if not config.size("experts", low=0) or not (config.size("top_k", low=0) or config.get("num_experts_per_tok")):
        return [False] * count
    if config.family and config.family.name.startswith("gemma4") and not config.flag("enable_moe_block"):
        return [False] * count
    return [_is_sparse(config, index) for index in range(count)]


def _is_sparse(config: Config, index: int) -> bool:
    listed = config.items("moe_layers")
    if listed:
        return index in listed
    prefix = config.get("dense_prefix")
    prefix = {"laguna": 1, "hy_v3": 1}.get(config.model_type or "", 0) if prefix is None else prefix
    if isinstance(prefix, int) and index < prefix:
        return False
    if index in (config.items("mlp_only_layers") or []):
        return False
    period, offset = config.get("expert_layer_period"), config.get("expert_layer_offset", 0)
    if isinstance(period, int) and period > 0 and isinstance(offset, int):
        return index % period == offset
    step = config.get("interleave_moe_layer_step") or config.get("decoder_sparse_step") or config.get("moe_layer_freq")
    return (index + 1) % step == 0 if isinstance(step, int) and step > 1 else True


# --- one layer -------------------------------------------------------------------------------------------------------


def _layer(config: Config, index: int, word: str, words: Words, sparse: bool) -> Layer:
    family = config.family
    norm = family.norm if family else None
    halves = "moe" in words or "ffn" in words
    if word in ("moe", "ffn"):
        return Layer(mixer=word, ff=None, norm=norm)
    ff = None if halves else "moe" if sparse else "dense"
    if word == "linear":
        return Layer(mixer=linear_kind(config), ff=ff, norm=norm, gate=_linear_gate(config))
    return _attention(config, index, word, words, ff, norm)


def linear_kind(config: Config) -> str:
    """Which recurrent or linear mixer, told by its own keys; else the config's word."""
    kind = config.model_type or ""
    if isinstance(config.text.get("linear_attn_config"), dict):
        return "kda"
    signs = (
        ("linear_num_value_heads", "gated-deltanet"),
        ("mamba_num_heads", "mamba2"),
        ("ssm_state_size", "mamba2"),
        ("mamba_n_heads", "mamba2"),
        ("mamba_d_state", "mamba"),
        ("conv_L_cache", "short-conv"),
        ("attn_type_list", "lightning"),
        ("layer_group_size", "lightning"),
    )
    if kind == "xlstm" or "mlstm" in kind:
        return "mlstm"
    for key, mixer in signs:
        if config.get(key) is not None:
            return mixer
    named = {"mamba": "mamba", "mamba2": "mamba2", "rwkv": "rwkv", "falcon_mamba": "mamba"}
    return named.get(kind, "linear")


def _linear_gate(config: Config) -> str | None:
    return "sigmoid" if linear_kind(config) in ("gated-deltanet", "kda", "lightning") else None


def _attention(config: Config, index: int, word: str, words: Words, ff: str | None, norm: str | None) -> Layer:
    family = config.family
    sizes = head_sizes(config, index, word)
    mixed = any(item == "linear" for item in words)
    mixer = _mixer(config, word, sizes, mixed)
    roped = None if family is None else _is_roped(config, index, word, words)
    qk_norm = _qk_norm(config, word)
    gate = family.query_gate if family else None
    return Layer(
        mixer=mixer,
        ff=ff,
        heads=sizes["heads"],
        kv_heads=sizes["kv_heads"],
        qk_dim=sizes["qk_dim"],
        v_dim=sizes["v_dim"],
        window=_window(config, word),
        rope=roped,
        qk_norm=qk_norm,
        gate={"elementwise": "sigmoid", "full": "sigmoid", "per-head": "per-head"}.get(gate or ""),
        sinks=bool(family and family.sinks) or _swa_sinks(config, word),
        norm=norm,
        ratio=_ratio(config, index, word),
        indexer=_has_indexer(config, index),
        shared_kv_from=_shared_from(config, index, words),
    )


def _swa_sinks(config: Config, word: str) -> bool:
    key = "add_swa_attention_sink_bias" if word == "sliding" else "add_full_attention_sink_bias"
    return config.flag(key)


def _ratio(config: Config, index: int, word: str) -> int | None:
    items = config.items("compress_ratios")
    if word in ("csa", "hca"):
        found = items[index] if items and index < len(items) else {"csa": 4, "hca": 128}[word]
        return found if isinstance(found, int) and found > 0 else None
    return None


def _mixer(config: Config, word: str, sizes: Mapping[str, int | None], mixed: bool) -> str:
    if word in ("sliding", "chunked", "csa", "hca"):
        return word
    if word == "window":
        return "sliding"
    if word != "full":
        return word.replace("_", "-")
    if config.model_type == "zaya":
        return "cca"
    if is_mla(config):
        return "mla"
    if mixed and config.family is not None and config.family.gate:
        return "gated-attention"
    heads, kv = sizes["heads"], sizes["kv_heads"]
    if heads is None or kv is None:
        return "gqa"
    return "mha" if kv == heads else "mqa" if kv == 1 else "gqa"


def is_mla(config: Config) -> bool:
    """Multi-head latent attention: a compressed cache with a decoupled RoPE part."""
    return bool(config.get("kv_lora_rank")) and config.get("qk_rope_head_dim") is not None


def head_sizes(config: Config, index: int, word: str) -> dict[str, int | None]:
    """Heads and head sizes of one attention layer, with the overrides that a kind of layer may have."""
    hidden, heads = config.size("hidden_size"), config.size("heads")
    per_layer = config.items("num_attention_heads_per_layer")
    if per_layer and index < len(per_layer) and isinstance(per_layer[index], int):
        heads = per_layer[index]
    kv = 1 if config.flag("multi_query") and not config.flag("new_decoder_architecture") else config.size("kv_heads")
    dim = config.size("head_dim")
    kv = heads if kv is None else kv
    if dim is None and hidden and heads:
        dim = hidden // heads
    value = config.size("v_head_dim") or dim
    if is_mla(config):
        dim = (config.size("qk_nope_head_dim", low=0) or 0) + (config.size("qk_rope_head_dim", low=0) or 0)
        return {"heads": heads, "kv_heads": kv, "qk_dim": dim, "v_dim": config.size("v_head_dim")}
    if word == "full" and config.size("global_head_dim"):
        dim = value = config.size("global_head_dim")
        if config.flag("attention_k_eq_v") and config.size("num_global_key_value_heads"):
            kv = config.size("num_global_key_value_heads")
    if word == "sliding" and config.size("swa_num_key_value_heads"):
        kv, heads = config.size("swa_num_key_value_heads"), config.size("swa_num_attention_heads") or heads
        dim, value = config.size("swa_head_dim") or dim, config.size("swa_v_head_dim") or value
    other = config.part("attention_other_setting")
    if word == "sliding" and isinstance(other.get("num_attention_groups"), int):
        kv = other["num_attention_groups"]
    return {"heads": heads, "kv_heads": kv, "qk_dim": dim, "v_dim": value}


def _window(config: Config, word: str) -> int | None:
    keys = {"sliding": ("sliding_window", "sliding_window_size", "window_size"), "chunked": ("attention_chunk_size",)}
    for key in keys.get(word if word != "window" else "sliding", ()):
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _is_roped(config: Config, index: int, word: str, words: Words) -> bool | None:
    flags = config.items("no_rope_layers")  # 1 means that the layer uses RoPE, whatever the name says
    if flags and index < len(flags):
        return bool(flags[index])
    interval = config.get("no_rope_layer_interval")
    if isinstance(interval, int) and interval > 1:
        return (index + 1) % interval != 0
    rope = config.family.rope if config.family else None
    if rope in ("all", "none"):
        return rope == "all"
    if "sliding" in words or "chunked" in words:
        return word in ("sliding", "chunked")
    return True


def _qk_norm(config: Config, word: str) -> str | None:
    family = config.family
    for key in ("use_qk_norm", "qk_layernorm", "use_qk_layernorm"):
        value = config.get(key)
        if isinstance(value, bool):
            kind = (family.qk_norm if family else None) or "per-head"
            return kind if value and not (kind == "l2" and word == "full") else None
    if family is None or (family.qk_norm == "l2" and word == "full"):
        return None
    return family.qk_norm


def _has_indexer(config: Config, index: int) -> bool:
    if not config.get("index_topk") or not config.get("index_head_dim"):
        return False
    kinds = config.items("indexer_types")
    return not (kinds and index < len(kinds) and kinds[index] == "shared")


def _shared_from(config: Config, index: int, words: Words) -> int | None:
    """Layers at the end that reuse the keys and values of the last layer of their kind that has its own."""
    shared = config.get("num_kv_shared_layers", 0)
    first = len(words) - shared if isinstance(shared, int) and 0 < shared < len(words) else len(words)
    if index < first:
        return None
    return next((other for other in range(first - 1, -1, -1) if words[other] == words[index]), None)
