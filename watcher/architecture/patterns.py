"""Config → one word a layer. Every spelling of a layer pattern is a small decoder in `PATTERNS`; a new one is a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watcher.architecture.config import BIG, MAX_LAYERS, Absent, Config, is_word
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.mixers import NO_MIXER, linear_sign

Words = list[str]
"""One word a layer: full, sliding, chunked, linear, csa, hca, window, moe, ffn, or the config's own."""

Decoder = Callable[[Config, str], Words | None]

SLIDING = frozenset(
    "sliding_attention sliding_window swa local sliding window_attention hybrid_sliding local_attention".split()
)
FULL = frozenset(
    "full_attention attention attn global full indexed_attention deepseek_sparse_attention full_attn moba "
    "global_attention self_attention".split()
)
LINEAR = frozenset(
    "linear_attention mamba mamba2 kda conv recurrent gated_deltanet lightning short_conv linear ssm".split()
)
SPECIAL = {
    "chunked_attention": "chunked",
    "compressed_sparse_attention": "csa",
    "heavily_compressed_attention": "hca",
    "moe": "moe",
    "mlp": "ffn",
}


def count_layers(config: Config) -> int:
    """The number of layers. Raises Absent."""
    own = (config.model_type or "").startswith("longcat") and config.has("num_layers")
    count = config.size("num_layers" if own else "layers", high=MAX_LAYERS)
    if count is None:
        raise Absent(f"{config.file} does not say how many layers there are")
    return count


def pattern(config: Config) -> tuple[Words, str]:
    """One word a layer, and the key that says so. Raises Absent."""
    for key, decode in PATTERNS:
        if config.get(key) is None:
            continue
        words = decode(config, key)
        if words:
            if len(words) > MAX_LAYERS:
                raise Absent(f"{config.file}: {key} has {len(words)} entries, which is no stack")
            return words, config.where(key) or config.file
    count = count_layers(config)
    return _by_class(config, count)


def word_of(text: str) -> str:
    """The word for one entry of a list of layer types."""
    if text in SPECIAL:
        return SPECIAL[text]
    if text in SLIDING or text.startswith("sliding"):
        return "sliding"
    if text in LINEAR or "linear" in text or "mamba" in text or "deltanet" in text:
        return "linear"
    return "full" if text in FULL else text


# --- decoders --------------------------------------------------------------------------------------------------------


def _letters(config: Config, key: str) -> Words | None:
    """Nemotron-H: one letter a half-block."""
    text = config.get(key)
    if not isinstance(text, str):
        raise Absent(f"{config.where(key)} is no text of letters")
    known = {"M": "linear", "*": "full", "E": "moe", "-": "ffn"}
    if set(text) - known.keys() - {"|"}:
        raise Absent(f"{config.where(key)} has letters that are not known")
    return [known[letter] for letter in text if letter != "|"][: MAX_LAYERS + 1]


def _blocks(config: Config, key: str) -> Words | None:
    """A list of half-blocks (Nemotron-H v5), or of whole blocks repeated over the stack (RecurrentGemma)."""
    items = config.items(key)
    if not items:
        raise Absent(f"{config.where(key)} is empty")
    if not all(is_word(item) for item in items):
        raise Absent(f"{config.where(key)} is no list of words")
    words = [word_of(item[:40]) for item in items]
    if key == "layers_block_type":
        return words
    if key == "block_types" and config.size("attention_window_size"):
        words = ["sliding" if word == "full" else word for word in words]
    return [words[index % len(words)] for index in range(count_layers(config))]


def _types(config: Config, key: str) -> Words | None:
    """layer_types may be longer than the stack: the tail is the extra prediction layers. Shorter, it is no pattern."""
    items = config.row(key, count_layers(config))
    if items and not all(is_word(item) for item in items):
        raise Absent(f"{config.where(key)} is no list of words")
    if items and "hybrid" in items and not config.has(key):
        return None  # a class's word for blocks that this config lists apart
    return [word_of(item[:40]) for item in items] if items else None


def _listed(config: Config, key: str) -> Words | None:
    """GPT-Neo: `global` and `local`, one a layer; or groups of them with how often each is repeated."""
    items = config.items(key) or []
    if key == "attention_types":
        pairs = [item if isinstance(item, list) and len(item) == 2 else ((), 0) for item in items]
        if not all(isinstance(kinds, list) and isinstance(times, int) and 0 < times < 99 for kinds, times in pairs):
            raise Absent(f"{config.where(key)} is no list of kinds with their number")
        items = [kind for kinds, times in pairs for kind in kinds * times]
    if len(items) != count_layers(config) or not all(item in ("global", "local") for item in items):
        raise Absent(f"{config.where(key)} is no list of global and local for {count_layers(config)} layers")
    return [word_of(item) for item in items]


def _searched(config: Config, key: str) -> Words | None:
    """DeciLM, Nemotron-NAS: an object a block; attention may be left out, or be a matrix."""
    blocks = config.row(key, count_layers(config)) or []
    parts = [as_mapping(as_mapping(block).get("attention")) for block in blocks]
    flags = [(part.get("no_op", False), part.get("replace_with_linear", False)) for part in parts]
    if not all(parts) or not all(isinstance(flag, bool) for pair in flags for flag in pair):
        raise Absent(f"{config.where(key)} has a block that does not say whether it attends")
    return [NO_MIXER if any(pair) else "full" for pair in flags]


def _mamba_package(config: Config, key: str) -> Words | None:
    """Configs of the package mamba_ssm: every layer is linear but those listed."""
    full = _numbers_in(config, "attn_layer_idx")
    return ["full" if index in full else "linear" for index in range(count_layers(config))] if config.has(key) else None


def _ratios(config: Config, key: str) -> Words | None:
    """DeepSeek V4: how much each layer compresses its cache; 0 keeps a window only."""
    ratios = _numbers_of(config, key)
    if ratios is None:
        return None
    return ["window" if ratio == 0 else "csa" if ratio <= 16 else "hca" for ratio in ratios]


def _numbers_of(config: Config, key: str) -> list[int] | None:
    """One number a layer. Raises Absent for anything else."""
    items = config.row(key, count_layers(config))
    if items and not all(isinstance(item, int) and 0 <= item <= BIG for item in items):
        raise Absent(f"{config.where(key)} is no list of numbers")
    return items


def _mask(full: int, other: str) -> Decoder:
    """A list of 0 and 1."""

    def decode(config: Config, key: str) -> Words | None:
        items = _numbers_of(config, key)
        return ["full" if item == full else other for item in items] if items else None

    return decode


def _linear_part(config: Config, key: str) -> Words | None:
    """Kimi Linear: 1-based numbers of the full layers."""
    full = config.part(key).get("full_attn_layers")
    count = count_layers(config)
    if not isinstance(full, list) or not full or not _all_layers(full, 1, count):
        raise Absent(f"{config.where(key)}.full_attn_layers is no list of layers")
    return ["full" if index + 1 in full else "linear" for index in range(count)]


def _all_layers(items: list[Any], first: int, last: int) -> bool:
    """Whether each is the number of a layer."""
    return all(isinstance(item, int) and not isinstance(item, bool) and first <= item <= last for item in items)


def _numbers_in(config: Config, key: str) -> list[int]:
    """0-based numbers of layers, each within the stack. Raises Absent."""
    items = config.items(key) or []
    if not _all_layers(items, 0, count_layers(config) - 1):
        raise Absent(f"{config.where(key)} is no list of layers")
    return items


def _every(other: str, *, needs: str | None = None) -> Decoder:
    """Every n-th layer is full, the others are `other`; or a string of L and G, repeated."""

    def decode(config: Config, key: str) -> Words | None:
        step = config.get(key)
        if isinstance(step, str) and step and set(step) <= {"L", "G"}:
            return ["sliding" if step[index % len(step)] == "L" else "full" for index in range(count_layers(config))]
        step = config.size(key)
        if step is None or step < 2 or (needs and not config.size(needs)):
            return None
        return ["full" if (index + 1) % step == 0 else other for index in range(count_layers(config))]

    return decode


def _groups(config: Config, key: str) -> Words | None:
    """Ling 2.5: the last of each group is full, and so is what is left over."""
    size = config.size(key)
    if size is None or size < 2:
        return None
    count = count_layers(config)
    return ["full" if (i + 1) % size == 0 or i >= count // size * size else "linear" for i in range(count)]


def _indices(config: Config, key: str) -> Words | None:
    """0-based numbers of the full layers."""
    items = _numbers_in(config, key)
    return ["full" if index in items else "linear" for index in range(count_layers(config))] if items else None


def _crossing(config: Config, key: str) -> Words | None:
    """Llama 3.2 Vision: 0-based numbers of the layers that look at an image."""
    items = _numbers_in(config, key)
    return ["cross-attention" if i in items else "full" for i in range(count_layers(config))] if items else None


def _period(config: Config, key: str) -> Words | None:
    """Jamba: one full layer every n, from an offset on."""
    step, offset = config.size(key), config.size("attn_layer_offset", low=0) or 0
    if step is None:
        return None
    return ["full" if index % step == offset else "linear" for index in range(count_layers(config))]


def _chunks(config: Config, key: str) -> Words | None:
    """Llama 4: layers without RoPE see everything, the others a chunk."""
    if not config.size("attention_chunk_size"):
        return None
    items = _numbers_of(config, key)
    return ["chunked" if item else "full" for item in items] if items else None


def _from_layer(config: Config, key: str) -> Words | None:
    """Qwen2, Qwen3: windows from a layer on, and only when the flag is true."""
    first = config.size(key, low=0)
    if not config.flag("use_sliding_window") or not config.size("sliding_window") or first is None:
        return None
    return ["sliding" if index >= first else "full" for index in range(count_layers(config))]


PATTERNS: tuple[tuple[str, Decoder], ...] = (
    ("hybrid_override_pattern", _letters),
    ("layers_block_type", _blocks),
    ("compress_ratios", _ratios),
    ("linear_attn_config", _linear_part),
    ("hybrid_layer_pattern", _mask(0, "sliding")),
    ("layer_types", _types),
    ("attn_type_list", _mask(1, "linear")),
    ("global_attn_every_n_layers", _every("sliding")),
    ("full_attention_interval", _every("linear", needs="linear_num_value_heads")),
    ("layer_group_size", _groups),
    ("attn_layer_indices", _indices),
    ("cross_attention_layers", _crossing),
    ("full_attn_idxs", _indices),
    ("sliding_window_pattern", _every("sliding", needs="sliding_window")),
    ("_sliding_window_pattern", _every("sliding", needs="sliding_window")),
    ("no_rope_layers", _chunks),
    ("attn_layer_period", _period),
    ("block_types", _blocks),
    ("max_window_layers", _from_layer),
    ("block_configs", _searched),
    ("attention_layers", _listed),
    ("attention_types", _listed),
    ("ssm_cfg", _mamba_package),
)
"""Key → decoder, in look-up order. A decoder returns None when its key says nothing here."""


# --- patterns that only the implementation tells ---------------------------------------------------------------------


def _full_every(step: int, other: str) -> Callable[[int], str]:
    return lambda index: "full" if (index + 1) % step == 0 else other


def _even(even: str, odd: str) -> Callable[[int], str]:
    return lambda index: odd if index % 2 else even


CLASS_RULES: dict[str, Callable[[int], str]] = {
    "llama4_text": _full_every(4, "chunked"),
    "gpt_oss": _even("sliding", "full"),
    "gemma2": _even("sliding", "full"),
    "gemma3_text": _full_every(6, "sliding"),
    "gemma4_text": _full_every(6, "sliding"),
    "gemma3n_text": _full_every(5, "sliding"),
    "cohere2": _full_every(4, "sliding"),
    "olmo3": _full_every(4, "sliding"),
    "qwen3_next": _full_every(4, "linear"),
    "qwen3_5_text": _full_every(4, "linear"),
    "qwen3_5_moe_text": _full_every(4, "linear"),
    "minimax": _even("full", "linear"),
    "zaya": _even("full", "moe"),
    **dict.fromkeys(("xlstm", "mamba", "mamba2", "rwkv", "falcon_mamba"), lambda index: "linear"),
}
"""Patterns that only the implementation tells."""

ALWAYS_SLIDING = frozenset({"mistral", "mixtral", "phi3", "starcoder2", "phimoe"})
"""Families whose `sliding_window`, when set, holds for every layer."""


def _cuts(config: Config) -> bool:
    """Whether the window is narrower than the context: one that is not hides nothing."""
    window, context = config.size("sliding_window"), config.size("context")
    return window is not None and (context is None or window < context)


BESIDE = frozenset({"falcon_h1"})
"""Families whose layers have attention and a recurrent mixer side by side."""


def _by_class(config: Config, count: int) -> tuple[Words, str]:
    name = config.family.name if config.family else config.model_type or ""
    where = config.where("layers") or config.file
    sign = linear_sign(config)
    rule = CLASS_RULES.get(name) or CLASS_RULES.get(config.model_type or "")
    if rule is not None:
        return [rule(index) for index in range(count)], config.family.source if config.family else where
    if name in ALWAYS_SLIDING and _cuts(config):
        return ["sliding"] * count, config.where("sliding_window") or where
    if sign is not None and name not in BESIDE:
        raise Absent(
            f"{config.where(sign)} is of layers without softmax attention, and no known key says which they are"
        )
    return ["full"] * count, where
