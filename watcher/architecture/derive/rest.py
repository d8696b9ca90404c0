"""What is told by absence, and why the rest is not known."""

from __future__ import annotations

from watcher.architecture.belief import Beliefs
from watcher.architecture.config import Config

ABSENT: tuple[tuple[str, object, str | None], ...] = (
    ("mtp_layers", 0, None),
    ("moe.zero_experts", 0, "moe.num_experts"),
    ("moe.hash_layers", 0, "moe.num_experts"),
    ("moe.num_shared_experts", 0, "moe.num_experts"),
)
"""(fact, value, only if this is told): what a config means by having no key for it. The evidence is the file."""

STATED = (
    ("context_length", "context"),
    ("vocab_size", "vocab"),
    ("hidden_size", "hidden_size"),
    ("tied_embeddings", "tied"),
    ("feed_forward.activation", "activation"),
    ("feed_forward.intermediate_size", "intermediate_size"),
    ("norm.eps", "eps"),
    ("moe.num_experts", "experts"),
    ("moe.num_experts_per_tok", "top_k"),
    ("moe.moe_intermediate_size", "expert_size"),
    ("position.rope_theta", "theta"),
)
"""(fact, concept): what a config states; without it the fact is unknown."""

WRITTEN = (
    "norm.kind", "norm.placement", "residual.kind", "residual.parallel", "residual.streams", "feed_forward.gated",
    "attention.qk_norm", "attention.bias", "attention.sinks", "attention.gated", "position.kinds",
    "position.nope_layers", "moe.router", "moe.router_bias",
)  # fmt: skip
"""What only an implementation tells."""

OF_LAYERS = (
    "decoder_type",
    "attention.kinds",
    "attention.num_attention_heads",
    "attention.num_key_value_heads",
    "attention.head_dim",
    "attention.sliding_window",
    "attention.shared_kv_layers",
    "moe",
    "feed_forward.intermediate_size",
)
"""What cannot be said of a stack that is not known."""


def tell_rest(beliefs: Beliefs, config: Config, known: bool) -> None:
    """Facts by absence, then the list of what is unknown; `known` when the layers are."""
    if not any(
        told[name].value == "moe" for told in beliefs.layers.values() for name in ("ff", "mixer") if name in told
    ):
        for fact in [fact for fact in beliefs.told if fact.startswith("moe.")]:
            del beliefs.told[fact]  # what routes experts that no layer has
    if not known:
        why = beliefs.why("layers", f"{config.file} does not say how many layers there are")
        for fact in ("layers", *OF_LAYERS):
            beliefs.lack(fact, why)
    for fact, value, needs in ABSENT:
        if fact not in beliefs.told and beliefs.why(fact, "") == "" and (needs is None or needs in beliefs.told):
            beliefs.claim(fact, value, config.file)
    if beliefs.get("position.partial_rotary_factor") == 1:
        del beliefs.told["position.partial_rotary_factor"]  # the whole head
    if beliefs.get("residual.kind") == "plain":
        beliefs.claim("residual.streams", 1, ("residual.kind",))
    _list_unknown(beliefs, config)


def _list_unknown(beliefs: Beliefs, config: Config) -> None:
    for fact, concept in STATED:
        if _asked(beliefs, fact):
            key = config.keys(concept)[0]
            beliefs.lack(fact, beliefs.why(fact, f"{config.file} does not tell {key}"))
    for fact in WRITTEN:
        if _asked(beliefs, fact):
            beliefs.lack(fact, beliefs.why(fact, beliefs.default_why))
    for fact, why in beliefs.unread:
        if not fact.startswith(("layers[", "*", "defaults")) and _record_path(fact):
            beliefs.lack(fact, why)


def _asked(beliefs: Beliefs, fact: str) -> bool:
    """Whether a fact is missed: those of experts only where there are experts, RoPE's only where there is RoPE."""
    if fact in beliefs.told:
        return False
    if fact.startswith("moe."):
        return any(path.startswith("moe.") for path in beliefs.told)
    if fact == "feed_forward.intermediate_size":
        return _has_layer(beliefs, "dense", "ffn")
    if fact == "position.rope_theta":
        kinds = beliefs.get("position.kinds")
        return kinds is None or bool(set(kinds) & {"rope", "partial-rope", "p-rope", "mrope"})
    return True


def _has_layer(beliefs: Beliefs, *words: str) -> bool:
    """Whether a layer's feed-forward part, or the layer itself, is one of these."""
    told = ([item[name].value for name in ("ff", "mixer") if name in item] for item in beliefs.layers.values())
    return any(value in words for values in told for value in values)


def _record_path(fact: str) -> bool:
    return fact.partition(".")[0] in PARTS


PARTS = frozenset(
    "model decoder_type parameters context_length vocab_size hidden_size tied_embeddings layers attention position "
    "norm residual feed_forward moe mtp_layers towers quantization kv_cache memory".split()
)
