"""Heads, head sizes and windows of one attention layer, and what a key says outright of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watcher.architecture.config import BIG, Absent, Config
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.mixers import is_mla
from watcher.architecture.witness import Fact

LayerFacts = dict[str, Fact]
"""What is told of one layer, by the name of a `Layer` attribute."""


def head_sizes(config: Config, index: int, word: str) -> LayerFacts:
    """Heads and head sizes of one attention layer, with the overrides that a kind of layer may have."""
    heads = _per_layer(config, "num_attention_heads_per_layer", index) or _per_layer(config, "heads", index)
    kv = _kv_heads(config, index, heads) or heads
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
    return _fitting(_given(heads=heads, kv_heads=kv, qk_dim=dim, v_dim=value))


def _fitting(sizes: LayerFacts) -> LayerFacts:
    """The sizes as they are. Raises Absent where heads cannot share keys and values evenly."""
    heads, kv = sizes.get("heads"), sizes.get("kv_heads")
    if heads is not None and kv is not None and heads.value % kv.value:
        raise Absent(f"{kv.where} is {kv.value}, which does not divide {heads.value} heads")
    return sizes


def _given(**facts: Fact | None) -> LayerFacts:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _size(config: Config, concept: str) -> Fact | None:
    value = config.size(concept)
    return None if value is None else Fact(value, config.where(concept) or config.file)


def _of(part: Mapping[str, Any], key: str, where: str | None) -> Fact | None:
    value = part.get(key)
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value < BIG
    return Fact(value, f"{where}.{key}") if good else None


def entry(config: Config, concept: str, index: int) -> Any:
    """The item of a per-layer list; None where there is no list."""
    value = config.get(concept)
    return value[index] if isinstance(value, list) and index < len(value) else None


def _per_layer(config: Config, concept: str, index: int) -> Fact | None:
    value, where = entry(config, concept, index), config.where(concept)
    if value is None:
        return None if concept == "num_attention_heads_per_layer" else _size(config, concept)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < BIG:
        return Fact(value, where or config.file)
    raise Absent(f"{where} has an entry that is no count")


def block(config: Config, index: int, part: str) -> Mapping[str, Any]:
    """A part (`attention`, `ffn`) of a layer's own object in `block_configs`; empty where there is none."""
    return as_mapping(as_mapping(entry(config, "block_configs", index)).get(part))


def _kv_heads(config: Config, index: int, heads: Fact | None) -> Fact | None:
    own, where = block(config, index, "attention"), f"{config.where('block_configs')}.{index}.attention"
    if own and heads is not None:
        group = _of(own, "n_heads_in_group", where)
        if group is None and own.get("n_heads_in_group") is not None:
            raise Absent(f"{where}.n_heads_in_group is no count")
        return Fact(heads.value // group.value, group.where) if group else _of(own, "num_key_value_heads", where)
    if config.told_flag("multi_query_attention") is False:
        return None
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        return Fact(1, config.where("multi_query") or config.file)
    return _per_layer(config, "kv_heads", index)


def _divided(config: Config, heads: Fact | None) -> Fact | None:
    hidden = config.size("hidden_size")
    if hidden is None or heads is None:
        return None
    if hidden % heads.value:
        raise Absent(f"{config.file} tells no head_dim, and {heads.value} heads do not divide hidden_size {hidden}")
    return Fact(hidden // heads.value, ("hidden_size", "attention.num_attention_heads"))


def _mla_dims(config: Config) -> dict[str, Fact | None]:
    nope, rope = config.need("qk_nope_head_dim"), config.need("qk_rope_head_dim")
    from_parts = ("attention.mla.qk_nope_head_dim", "attention.mla.qk_rope_head_dim")
    return {"qk_dim": Fact(nope + rope, from_parts), "v_dim": _size(config, "v_head_dim")}


def window(config: Config, word: str) -> LayerFacts:
    """How far back a layer of such a word sees."""
    concepts = {"sliding": "window", "window": "window", "chunked": "attention_chunk_size"}
    value = config.size(concepts[word]) if word in concepts else None
    return {} if value is None else {"window": Fact(value, config.where(concepts[word]) or config.file)}


# --- what a key says outright ----------------------------------------------------------------------------------------

QK_NORM_KEYS = ("use_qk_norm", "qk_layernorm", "use_qk_layernorm", "qk_norm", "apply_qk_norm")
SINK_KEYS = ("add_swa_attention_sink_bias", "add_full_attention_sink_bias")
GATE_KEYS = ("attn_output_gate", "attention_output_gate", "use_output_gate", "use_attn_gate", "gated_attention")


def told_flags(config: Config, index: int, word: str) -> LayerFacts:
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


def rotated(config: Config, index: int) -> bool | None:
    """Whether a key says that this layer is rotated: in `no_rope_layers` 1 means that it is, whatever the name says."""
    flags = config.items("no_rope_layers")
    if flags and index < len(flags):
        return bool(flags[index])
    interval = config.size("no_rope_layer_interval", low=0) or 0
    return (index + 1) % interval != 0 if interval > 1 else None


def _told_rope(config: Config, index: int) -> LayerFacts:
    roped = rotated(config, index)
    where = config.where("no_rope_layers", "no_rope_layer_interval") or config.file
    return {} if roped is None else {"rope": Fact(roped, where)}
