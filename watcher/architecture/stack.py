"""What the config tells of each layer: its mixer, its feed-forward part, heads, head sizes, window, cache sharing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watcher.architecture.config import BIG, Absent, Config
from watcher.architecture.patterns import Words, pattern, sparse_layers
from watcher.architecture.witness import Fact

LayerFacts = dict[str, Fact]
"""What is told of one layer, by the name of a `Layer` attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of the stack, as all witnesses together tell it."""

    mixer: str | None = None
    ff: str | None = None
    heads: int | None = None
    kv_heads: int | None = None
    qk_dim: int | None = None
    v_dim: int | None = None
    window: int | None = None
    rope: bool | None = None
    qk_norm: str | None = None
    gate: str | None = None
    sinks: bool | None = None
    norm: str | None = None
    parallel: bool | None = None
    ratio: int | None = None
    """Compression of the cache along the sequence (CSA, HCA)."""
    indexer: bool = False
    shared_kv_from: int | None = None
    sublayers: int = 1
    """Mixers of this kind in the layer (LongCat has two)."""
    parameters: int | None = None


RECURRENT = frozenset(
    "gated-deltanet deltanet kda mamba2 mamba lightning mlstm slstm short-conv rwkv rglru linear gla retnet".split()
)
"""Mixers with a state of constant size instead of a cache."""

HALVES = frozenset({"moe", "ffn"})
"""Entries of a stack of single sublayers that mix no tokens."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers as the config tells them."""

    words: Words
    where: str
    """The key that tells the pattern."""
    layers: list[LayerFacts]


def read_stack(config: Config) -> Stack:
    """Every layer. Raises Absent when the number of layers cannot be told or a list does not fit it."""
    words, where = pattern(config)
    sparse, sparse_where = sparse_layers(config, len(words))
    plan = _Plan(config, words, where, sparse_where)
    made: dict[Any, LayerFacts] = {}
    layers = []
    for index in range(len(words)):
        key = plan.variant(index, sparse[index])
        if key not in made:
            made[key] = plan.layer(index, sparse[index])
        layers.append(made[key])
    return Stack(words, where, layers)


@dataclass(slots=True)
class _Plan:
    """One config's layers; layers of the same variant are told once."""

    config: Config
    words: Words
    where: str
    sparse_where: str | None

    def variant(self, index: int, sparse: bool) -> tuple[Any, ...]:
        """What tells one layer from another."""
        lists = ("heads", "kv_heads", "num_attention_heads_per_layer", "compress_ratios", "indexer_types")
        own = tuple(str(_entry(self.config, name, index)) for name in lists)
        return (
            self.words[index],
            sparse,
            own,
            _shared_from(self.config, index, self.words),
            _skipped(self.config, index),
        )

    def layer(self, index: int, sparse: bool) -> LayerFacts:
        """One layer's facts."""
        word = self.words[index]
        if word in HALVES:
            return {"mixer": Fact(word, self.where)}
        facts: LayerFacts = {}
        name = self.config.family.name if self.config.family else self.config.model_type
        if not HALVES & set(self.words) and name not in MIXER_ONLY:
            facts["ff"] = Fact("moe" if sparse else "dense", self.sparse_where or self.config.file)
        if word == "linear":
            return facts | {"mixer": Fact(linear_kind(self.config), self.where)}
        return facts | self._attention(index, word)

    def _attention(self, index: int, word: str) -> LayerFacts:
        config = self.config
        facts = head_sizes(config, index, word)
        beside = word == "hybrid" or (config.family is not None and config.family.name in BESIDE)
        mixer = _mixer(config, "full" if beside else word, facts, "linear" in self.words)
        facts["mixer"] = Fact(f"{mixer}+{linear_kind(config)}" if beside else mixer, self.where)
        facts |= _window(config, word) | _told_flags(config, index, word)
        if word in ("csa", "hca"):
            facts["ratio"] = _ratio(config, index, word, self.where)
        if _has_indexer(config, index):
            facts["indexer"] = Fact(True, config.where("index_topk") or config.file)
        source = _shared_from(config, index, self.words)
        if source is not None:
            facts["shared_kv_from"] = Fact(source, config.where("num_kv_shared_layers") or config.file)
        if (config.family.name if config.family else config.model_type or "").startswith(TWO_MIXERS):
            facts["sublayers"] = Fact(2, config.family.source if config.family else config.file, config.doubt is None)
        return facts


TWO_MIXERS = ("longcat_flash",)
"""Beginnings of model types whose layers have two attention sublayers each."""

MIXER_ONLY = frozenset({"mamba", "mamba2", "falcon_mamba"})
"""Families whose layers are a mixer and nothing else."""

BESIDE = frozenset({"falcon_h1"})
"""Families whose layers have attention and a recurrent mixer side by side."""

# --- the mixer -------------------------------------------------------------------------------------------------------

LINEAR_SIGNS: tuple[tuple[str, str], ...] = (
    ("linear_attn_config", "kda"),
    ("linear_head_dim", "kda"),
    ("linear_num_value_heads", "gated-deltanet"),
    ("mamba_num_heads", "mamba2"),
    ("ssm_state_size", "mamba2"),
    ("mamba_n_heads", "mamba2"),
    ("mamba_d_state", "mamba"),
    ("conv_L_cache", "short-conv"),
    ("lru_width", "rglru"),
    ("qk_dim_factor", "mlstm"),
    ("attn_type_list", "lightning"),
    ("layer_group_size", "lightning"),
)
"""Key → the recurrent or linear mixer that has it, in look-up order."""

LINEAR_FAMILIES = {
    "xlstm": "mlstm",
    "mamba": "mamba",
    "falcon_mamba": "mamba",
    "jamba": "mamba",
    "mamba2": "mamba2",
    "rwkv": "rwkv",
    "minimax": "lightning",
    "minimax_m1": "lightning",
    "recurrent_gemma": "rglru",
    "bailing_hybrid": "lightning",
    "zamba": "mamba",
    "zamba2": "mamba2",
    "falcon_h1": "mamba2",
}
"""Families whose keys do not tell their linear mixer apart."""


def linear_kind(config: Config) -> str:
    """Which recurrent or linear mixer, told by its family or its own keys; else the plain word `linear`."""
    names = (config.family.name if config.family else "", config.model_type or "")
    named = next((LINEAR_FAMILIES[name] for name in names if name in LINEAR_FAMILIES), None)
    if named:
        return named
    return next((mixer for key, mixer in LINEAR_SIGNS if config.get(key) is not None), "linear")


def is_mla(config: Config) -> bool:
    """Multi-head latent attention: a compressed cache with a decoupled RoPE part."""
    return config.size("kv_lora_rank") is not None and config.size("qk_rope_head_dim") is not None


SAME_WORD = frozenset({"sliding", "chunked", "csa", "hca"})


def _mixer(config: Config, word: str, sizes: LayerFacts, mixed: bool) -> str:
    if word in SAME_WORD:
        return word
    if word == "window":
        return "sliding"
    if word != "full":
        return word.replace("_", "-")
    if config.get("cca") is True or config.model_type == "zaya":
        return "cca"
    if is_mla(config):
        return "mla"
    if mixed and config.family is not None and config.family.gate:
        return "gated-attention"
    heads, kv = (sizes[name].value if name in sizes else None for name in ("heads", "kv_heads"))
    if heads is None or kv is None:
        return "gqa"
    return "mha" if kv == heads else "mqa" if kv == 1 else "gqa"


# --- heads and windows -----------------------------------------------------------------------------------------------


def head_sizes(config: Config, index: int, word: str) -> LayerFacts:
    """Heads and head sizes of one attention layer, with the overrides that a kind of layer may have."""
    heads = _per_layer(config, "num_attention_heads_per_layer", index) or _per_layer(config, "heads", index)
    kv = _kv_heads(config, index) or heads
    if is_mla(config):
        return _given(heads=heads, kv_heads=kv, **_mla_dims(config))
    dim = _size(config, "head_dim") or _divided(config, heads)
    value = None if config.told_flag("use_mla") is False else _size(config, "v_head_dim")
    value = value or dim
    if word == "full" and config.size("global_head_dim"):
        dim = value = _size(config, "global_head_dim")
        if config.flag("attention_k_eq_v"):
            kv = _size(config, "num_global_key_value_heads") or kv
    if word in ("sliding", "window"):
        kv, heads = _size(config, "swa_num_key_value_heads") or kv, _size(config, "swa_num_attention_heads") or heads
        dim, value = _size(config, "swa_head_dim") or dim, _size(config, "swa_v_head_dim") or value
        other, where = config.part("attention_other_setting"), config.where("attention_other_setting")
        kv, heads = _of(other, "num_attention_groups", where) or kv, _of(other, "num_attention_heads", where) or heads
    return _given(heads=heads, kv_heads=kv, qk_dim=dim, v_dim=value)


def _given(**facts: Fact | None) -> LayerFacts:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _size(config: Config, concept: str) -> Fact | None:
    value = config.size(concept)
    return None if value is None else Fact(value, config.where(concept) or config.file)


def _of(part: Mapping[str, Any], key: str, where: str | None) -> Fact | None:
    value = part.get(key)
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value < BIG
    return Fact(value, f"{where}.{key}") if good else None


def _entry(config: Config, concept: str, index: int) -> Any:
    """The item of a per-layer list; None where there is no list."""
    value = config.get(concept)
    return value[index] if isinstance(value, list) and index < len(value) else None


def _per_layer(config: Config, concept: str, index: int) -> Fact | None:
    value, where = _entry(config, concept, index), config.where(concept)
    if value is None:
        return None if concept == "num_attention_heads_per_layer" else _size(config, concept)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < BIG:
        return Fact(value, where or config.file)
    raise Absent(f"{where} has an entry that is no count")


def _kv_heads(config: Config, index: int) -> Fact | None:
    if config.told_flag("multi_query_attention") is False:
        return None
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        return Fact(1, config.where("multi_query") or config.file)
    return _per_layer(config, "kv_heads", index)


def _divided(config: Config, heads: Fact | None) -> Fact | None:
    hidden = config.size("hidden_size")
    if hidden is None or heads is None:
        return None
    return (
        Fact(hidden // heads.value, ("hidden_size", "attention.num_attention_heads")) if heads.value <= hidden else None
    )


def _mla_dims(config: Config) -> dict[str, Fact | None]:
    nope, rope = config.need("qk_nope_head_dim"), config.need("qk_rope_head_dim")
    from_parts = ("attention.mla.qk_nope_head_dim", "attention.mla.qk_rope_head_dim")
    return {"qk_dim": Fact(nope + rope, from_parts), "v_dim": _size(config, "v_head_dim")}


def _window(config: Config, word: str) -> LayerFacts:
    concepts = {"sliding": "window", "window": "window", "chunked": "attention_chunk_size"}
    value = config.size(concepts[word]) if word in concepts else None
    return {} if value is None else {"window": Fact(value, config.where(concepts[word]) or config.file)}


# --- what a key says outright ----------------------------------------------------------------------------------------

QK_NORM_KEYS = ("use_qk_norm", "qk_layernorm", "use_qk_layernorm", "qk_norm", "apply_qk_norm")
SINK_KEYS = ("add_swa_attention_sink_bias", "add_full_attention_sink_bias")
GATE_KEYS = ("attn_output_gate", "attention_output_gate", "use_output_gate", "use_attn_gate", "gated_attention")


def _told_flags(config: Config, index: int, word: str) -> LayerFacts:
    """QK-norm, sinks, gate and RoPE where a key names them."""
    facts: LayerFacts = {}
    for key in QK_NORM_KEYS:
        if (on := config.told_flag(key)) is not None:
            width = "per-head" if on else None  # which width and which layers, the key does not say
            facts["qk_norm"] = Fact(width, config.where(key) or config.file, certain=not on)
            break
    for key in GATE_KEYS:
        if (on := config.told_flag(key)) is not None:
            facts["gate"] = Fact("sigmoid" if on else None, config.where(key) or config.file)
            break
    sinks = SINK_KEYS[word != "sliding"]
    if (on := config.told_flag(sinks)) is not None:
        facts["sinks"] = Fact(on, config.where(sinks) or config.file)
    return facts | _told_rope(config, index)


def _skipped(config: Config, index: int) -> bool | None:
    """Whether a key says that this layer is rotated: in `no_rope_layers` 1 means that it is, whatever the name says."""
    flags = config.items("no_rope_layers")
    if flags and index < len(flags):
        return bool(flags[index])
    interval = config.size("no_rope_layer_interval", low=0) or 0
    return (index + 1) % interval != 0 if interval > 1 else None


def _told_rope(config: Config, index: int) -> LayerFacts:
    roped = _skipped(config, index)
    where = config.where("no_rope_layers", "no_rope_layer_interval") or config.file
    return {} if roped is None else {"rope": Fact(roped, where)}


# --- caches ----------------------------------------------------------------------------------------------------------


def _ratio(config: Config, index: int, word: str, where: str) -> Fact:
    found = _entry(config, "compress_ratios", index)
    if found is None:
        rates = config.part("compress_rates")
        name = {"csa": "compressed_sparse_attention", "hca": "heavily_compressed_attention"}[word]
        found = rates.get(name, {"csa": 4, "hca": 128}[word])
    good = isinstance(found, int) and not isinstance(found, bool) and found > 0
    return Fact(found if good else None, config.where("compress_ratios", "compress_rates") or where)


def _has_indexer(config: Config, index: int) -> bool:
    if not config.size("index_topk") or not config.size("index_head_dim") or not is_mla(config):
        return False
    kinds = config.row("indexer_types", index + 1)
    return not kinds or kinds[index] != "shared"


def _shared_from(config: Config, index: int, words: Words) -> int | None:
    """Layers at the end that reuse the keys and values of the last layer of their kind that has its own."""
    shared = config.size("num_kv_shared_layers", low=0) or 0
    if shared >= len(words):
        raise Absent(f"{config.where('num_kv_shared_layers')} is {shared}, with {len(words)} layers")
    first = len(words) - shared
    if index < first:
        return None
    return next((other for other in range(first - 1, -1, -1) if words[other] == words[index]), None)
