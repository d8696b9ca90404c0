"""The shipped reference facts of a model type as a witness: what only an implementation tells, layer by layer."""

from __future__ import annotations

from watcher.architecture.config import Absent, Config
from watcher.architecture.families import PARTIAL_ROTARY, Family
from watcher.architecture.heads import QK_NORM_KEYS, SINK_KEYS
from watcher.architecture.mixers import HALVES, RECURRENT
from watcher.architecture.patterns import Words
from watcher.architecture.stack import Stack
from watcher.architecture.witness import Fact, Reading

GATES = {"elementwise": "sigmoid", "full": "sigmoid", "per-head": "per-head"}
GATED_MIXERS = frozenset({"gated-deltanet", "kda", "lightning"})
BIAS_WITHOUT_KEY = {"qkv": True, "all": True, "none": False}


def read_implementation(config: Config, stack: Stack | None) -> Reading:
    """Facts of the config's family; empty for one that nobody has read."""
    family = config.family
    if family is None:
        return Reading(witness="reference")
    try:
        told = {**_whole(config, family), **(_layers(config, family, stack) if stack else {})}
    except Absent as error:
        return Reading(witness="reference", unread=(("residual", str(error)), ("layers", str(error))))
    certain = config.doubt is None
    facts = {path: Fact(value, family.source, certain) for path, value in told.items()}
    return Reading(witness="reference", facts=facts)


def _whole(config: Config, family: Family) -> dict[str, object]:
    """Facts of the model as a whole."""
    facts: dict[str, object] = {
        **family.granted,
        "norm.kind": family.norm_kind,
        "norm.placement": family.norm,
        "residual.parallel": family.parallel,
        "residual.kind": "plain" if family.norm and config.number("streams") is None else None,
        "feed_forward.gated": family.gated_mlp,
        "moe.router": family.router,
        "position.partial_rotary_factor": PARTIAL_ROTARY.get(family.name),
    }
    if family.name in TABLES:
        facts["position.kinds"] = (TABLES[family.name],)
    if family.name == "llama4_text":
        facts["moe.num_shared_experts"] = 1
    bias = BIAS_WITHOUT_KEY.get(family.attention_bias)
    no_key = not any(config.find(key) for key in BIAS_KEYS)
    facts["attention.bias"] = False if bias is None and no_key and family.counted else bias
    return {path: value for path, value in facts.items() if value is not None}


BIAS_KEYS = ("attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias")
TABLES = {
    **dict.fromkeys(("gpt2", "gpt_bigcode", "opt", "gpt_neo", "openai-gpt", "biogpt"), "learned"),
    **dict.fromkeys(("bloom", "mpt"), "alibi"),
    **dict.fromkeys(("xglm", "ctrl"), "sinusoidal"),
}
"""Families whose positions are not rotary."""


def _layers(config: Config, family: Family, stack: Stack) -> dict[str, object]:
    """Facts of each layer, by `layers[i].…`."""
    facts: dict[str, object] = {}
    made: dict[tuple[str, str], dict[str, object]] = {}
    for index, (word, layer) in enumerate(zip(stack.words, stack.layers, strict=True)):
        mixer = str(layer["mixer"].value)
        if (word, mixer) not in made:
            made[word, mixer] = _layer(config, family, word, mixer, stack.words)
        facts |= {f"layers[{index}].{name}": value for name, value in made[word, mixer].items()}
    return facts


def _layer(config: Config, family: Family, word: str, mixer: str, words: Words) -> dict[str, object]:
    facts: dict[str, object] = {"norm": family.norm} if family.norm else {}
    if mixer in HALVES:
        return facts
    if mixer in RECURRENT:
        return facts | {"gate": "sigmoid" if mixer in GATED_MIXERS else None}
    if family.norm is None and not family.counted:
        return facts
    if all(config.told_flag(key) is None for key in SINK_KEYS):
        facts["sinks"] = family.sinks
    facts["gate"] = GATES.get(family.query_gate or "")
    facts["qk_norm"] = _qk_norm(config, family, word)
    told_by_key = config.items("no_rope_layers") or config.size("no_rope_layer_interval", low=0)
    if not told_by_key and (rope := _rope(family, word, words)) is not None:
        facts["rope"] = rope
    return facts


def _qk_norm(config: Config, family: Family, word: str) -> str | None:
    """The family's, unless a key that the family has switches it off."""
    off_here = family.qk_norm == "l2" and word == "full"
    switched = next((on for key in QK_NORM_KEYS if (on := config.told_flag(key)) is not None), None)
    if switched is not None:
        return (family.qk_norm or "per-head") if switched and not off_here else None
    return None if off_here else family.qk_norm


def _rope(family: Family, word: str, words: Words) -> bool | None:
    """Where a family rotates a part of its layers, the windowed ones are those."""
    if family.rope in ("all", "none"):
        return family.rope == "all"
    if family.rope == "some" and ("sliding" in words or "chunked" in words):
        return word in ("sliding", "chunked")
    return True if family.rope or family.counted else None
