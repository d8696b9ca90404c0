"""The table that gives each kind of difference its significance and its wording; README.md beside it is made from it.

Rows are tried from the top, each difference is told by the first row that fits, and within one significance changes
are ranked in the order of the rows. Every fact outside COSMETIC_FACTS is told by a row above cosmetic: that is what
makes a fingerprint (a hash over them) equal exactly when nothing above cosmetic lies between two models.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from watcher.compare import phrases, words
from watcher.compare import wording as say
from watcher.compare.facts import UNKNOWN
from watcher.compare.model import Significance
from watcher.compare.rules import CHANGED, GAINED, LOST, Rule, When

BREAKING, STRUCTURAL = Significance.BREAKING, Significance.STRUCTURAL
SCALE, COSMETIC = Significance.SCALE, Significance.COSMETIC

PLAIN_MIXERS = frozenset({"mha", "gqa", "mqa", "sliding", "gated-attention", "moe", "ffn", "none"})
"""Every engine has these; any other mixer that arrives needs code of its own."""

MANY_KEYS = 8
"""More novel config keys than this are told as one change."""

COSMETIC_FACTS = ("quantization", "model.license", "model.family", "model.class", "model.remote_code", "norm.eps")


def _new(known: Collection[str], what: str) -> When:
    """A word, or one of a set of words, arrives that is not among the known ones."""

    def test(before: Any, after: Any) -> bool:
        old, new = (set(value) if isinstance(value, Mapping) else {value} for value in (before, after))
        return any(isinstance(word, str) and word != UNKNOWN and word not in known for word in new - old)

    return When(what, test)


def _arrives(before: Any, after: Any) -> bool:
    return any(name not in (before or {}) for name in after or {})


_MANY = When(
    f"more than {MANY_KEYS} new ones", lambda before, after: len({*(after or {})} - {*(before or {})}) > MANY_KEYS
)
_NEW_ONES = When("new ones", _arrives)
_TO_OTHER = When("gained, or another one", lambda before, after: after not in (None, "plain"))

_HEADS = ("attention.num_key_value_heads", "attention.head_dim", "attention.mla")
_STACK = ("layers.mixers", "layers.mix", "layers.order", "layers.runs", "decoder_type")
_FEEDS = ("layers.ff", "layers.ff_order", "layers.runs", "decoder_type", "feed_forward.intermediate_size")

RULES: tuple[Rule, ...] = (
    # An engine needs new code.
    Rule("layers.words", _new(PLAIN_MIXERS, "a mixer arrives that is not plain attention"), BREAKING, say.mixers,
         (*_STACK, *_HEADS, "kv_cache.state_bytes", "attention.gated", "position.nope_layers"), "layers.mix"),
    Rule("attention.sparse", GAINED, BREAKING, say.sparse_gained),
    Rule("attention.sparse.kind", _TO_OTHER, BREAKING, phrases.other(words.SPARSE), ("attention.sparse",)),
    Rule("residual.kind", _TO_OTHER, BREAKING,
         phrases.other({"hyper-connections": "hyper-connections", "plain": "plain residuals"}, none="plain residuals"),
         ("residual.streams",)),
    Rule("moe.router", _new(("softmax", "sigmoid"), "to other than softmax or sigmoid"), BREAKING,
         phrases.other(words.ROUTER, "{after} routing instead of {before}")),
    Rule("moe.zero_experts", GAINED, BREAKING, phrases.adds_some("identity expert without weights",
                                                            "identity experts without weights")),
    Rule("moe.hash_layers", GAINED, BREAKING, phrases.hashed),
    Rule("moe.latent_size", GAINED, BREAKING, phrases.adds("experts that work in a narrower latent space")),
    Rule("position.kinds", _new(words.POSITION, "an unknown word arrives"), BREAKING,
         say.positions, ("layers.mixers.*.rope", "position.nope_layers")),
    Rule("norm.kind", _new(words.NORM, "to an unknown word"), BREAKING, phrases.other(words.NORM)),
    Rule("norm.placement", _new(words.PLACEMENT, "to an unknown word"), BREAKING, phrases.other(words.PLACEMENT),
         ("layers.mixers.*.norm",)),
    Rule("feed_forward.activation", _new(words.ACTIVATION, "to an unknown word"), BREAKING,
         phrases.other(words.ACTIVATION, "{after} in the feed-forward instead of {before}")),
    Rule("novel.classes", _NEW_ONES, BREAKING, say.novel("class", "classes")),
    Rule("novel.config_keys", _MANY, BREAKING, say.novel("config key", "config keys")),
    Rule("novel.config_keys.*", GAINED, BREAKING, say.novel_key),
    Rule("novel.tensor_names", _NEW_ONES, BREAKING, say.novel("tensor", "tensors")),
    # Another structure out of known parts.
    Rule("layers.words", CHANGED, STRUCTURAL, say.mixers,
         (*_STACK, *_HEADS, "attention.sliding_window", "attention.gated"), "layers.mix"),
    Rule("moe", GAINED, STRUCTURAL, say.moe_gained, _FEEDS),
    Rule("moe", LOST, STRUCTURAL, say.moe_lost, _FEEDS),
    Rule("layers.order", CHANGED, STRUCTURAL, say.order, ("layers.mix", "layers.runs"), "layers.pattern"),
    Rule("layers.ff_order", CHANGED, STRUCTURAL, say.feed_forward_order,
         ("layers.ff", "layers.runs", "moe.dense_layers"), "layers.pattern"),
    Rule("attention.sparse", LOST, STRUCTURAL, say.sparse_lost),
    Rule("residual.kind", CHANGED, STRUCTURAL,
         phrases.other({"hyper-connections": "hyper-connections", "plain": "plain residuals"}, none="plain residuals"),
         ("residual.streams",)),
    Rule("residual.parallel", GAINED, STRUCTURAL,
         lambda told: "attention and feed-forward in parallel instead of one after the other"),
    Rule("residual.parallel", LOST, STRUCTURAL,
         lambda told: "attention and feed-forward one after the other instead of in parallel"),
    Rule("norm.placement", CHANGED, STRUCTURAL, phrases.other(words.PLACEMENT, none="no norms"),
         ("layers.mixers.*.norm",)),
    Rule("norm.kind", CHANGED, STRUCTURAL, phrases.other(words.NORM)),
    Rule("attention.qk_norm", GAINED, STRUCTURAL, phrases.adds("QK-norm"), ("layers.mixers.*.qk_norm",)),
    Rule("attention.qk_norm", LOST, STRUCTURAL, phrases.drops("QK-norm"), ("layers.mixers.*.qk_norm",)),
    Rule("attention.sinks", GAINED, STRUCTURAL, phrases.adds("attention sinks"), ("layers.mixers.*.sinks",)),
    Rule("attention.sinks", LOST, STRUCTURAL, phrases.drops("attention sinks"), ("layers.mixers.*.sinks",)),
    Rule("attention.gated", GAINED, STRUCTURAL, phrases.adds("a gate on the attention output"),
         ("layers.mixers.*.gate",)),
    Rule("attention.gated", LOST, STRUCTURAL, phrases.drops("the gate on the attention output"),
         ("layers.mixers.*.gate",)),
    Rule("attention.shared_kv_layers", GAINED, STRUCTURAL,
         phrases.adds_some("layer that reuses another layer's keys and values",
                       "layers that reuse another layer's keys and values"), ("layers.mixers.*.shared_kv",)),
    Rule("attention.shared_kv_layers", LOST, STRUCTURAL,
         lambda told: "every layer has keys and values of its own again", ("layers.mixers.*.shared_kv",)),
    Rule("attention.mla", GAINED, STRUCTURAL, phrases.adds("low-rank keys and values (MLA)"), _HEADS),
    Rule("attention.mla", LOST, STRUCTURAL, phrases.drops("low-rank keys and values (MLA)"), _HEADS),
    Rule("attention.mla.q_lora_rank", GAINED, STRUCTURAL, phrases.adds("a low-rank projection of the queries")),
    Rule("attention.mla.q_lora_rank", LOST, STRUCTURAL, phrases.drops("the low-rank projection of the queries")),
    Rule("moe.groups", GAINED, STRUCTURAL,
         lambda told: f"routing is limited to some of {words.counted(told.after, 'expert group')}"),
    Rule("moe.groups", LOST, STRUCTURAL,
         lambda told: f"routing is no longer limited to expert groups ({words.counted(told.before, 'group')} before)"),
    Rule("moe.router", CHANGED, STRUCTURAL, phrases.other(words.ROUTER, "{after} routing instead of {before}")),
    Rule("moe.router_bias", GAINED, STRUCTURAL, phrases.adds("a bias that balances the choice of experts")),
    Rule("moe.router_bias", LOST, STRUCTURAL, phrases.drops("the bias that balances the choice of experts")),
    Rule("moe.num_shared_experts", GAINED, STRUCTURAL, phrases.adds_some("shared expert")),
    Rule("moe.num_shared_experts", LOST, STRUCTURAL, phrases.drops_some("shared expert")),
    Rule("moe.zero_experts", LOST, STRUCTURAL, phrases.drops_some("identity expert")),
    Rule("moe.hash_layers", LOST, STRUCTURAL, lambda told: "every layer's router is learned, none is a hash"),
    Rule("moe.latent_size", LOST, STRUCTURAL,
         lambda told: "experts work at the hidden size instead of a latent size"),
    Rule("position.kinds", CHANGED, STRUCTURAL, say.positions,
         ("layers.mixers.*.rope", "position.nope_layers", "position.partial_rotary_factor")),
    Rule("position.nope_layers", GAINED, STRUCTURAL,
         lambda told: say.without_positions(told.b.record), ("layers.mixers.*.rope",)),
    Rule("position.nope_layers", LOST, STRUCTURAL, lambda told: "positional encoding in every layer",
         ("layers.mixers.*.rope",)),
    Rule("feed_forward.gated", GAINED, STRUCTURAL, phrases.adds("a gate in the feed-forward")),
    Rule("feed_forward.gated", LOST, STRUCTURAL, phrases.drops("the gate in the feed-forward")),
    Rule("feed_forward.activation", CHANGED, STRUCTURAL,
         phrases.other(words.ACTIVATION, "{after} in the feed-forward instead of {before}")),
    Rule("attention.bias", GAINED, STRUCTURAL, phrases.adds("biases in the attention projections")),
    Rule("attention.bias", LOST, STRUCTURAL, phrases.drops("the biases in the attention projections")),
    Rule("residual.multiplier", GAINED, STRUCTURAL,
         lambda told: f"adds a residual multiplier of {words.number(told.after)}"),
    Rule("residual.multiplier", LOST, STRUCTURAL, phrases.drops("the residual multiplier")),
    Rule("mtp_layers", GAINED, STRUCTURAL, phrases.adds_some("multi-token-prediction layer")),
    Rule("mtp_layers", LOST, STRUCTURAL, phrases.drops_some("multi-token-prediction layer")),
    Rule("towers", GAINED, STRUCTURAL, lambda told: f"adds {_towers(told.after)}", ("model.modalities",)),
    Rule("towers", LOST, STRUCTURAL, lambda told: f"drops {_towers(told.before)}", ("model.modalities",)),
    Rule("towers.*", GAINED, STRUCTURAL, say.tower_gained, ("model.modalities",), "towers"),
    Rule("towers.*", LOST, STRUCTURAL, say.tower_lost, ("model.modalities",), "towers"),
    Rule("towers.*.class", CHANGED, STRUCTURAL, say.tower(phrases.other({})), (), "towers"),
    Rule("model.modalities", CHANGED, STRUCTURAL, say.modalities),
    Rule("novel.*", CHANGED, STRUCTURAL, say.novel("part", "parts")),
    Rule("layers.mixers.*.qk_norm", CHANGED, STRUCTURAL,
         phrases.in_layers(phrases.other(words.QK_NORM, "QK-norm {after} instead of {before}"))),
    Rule("layers.mixers.*.norm", CHANGED, STRUCTURAL, phrases.in_layers(phrases.other(words.PLACEMENT))),
    Rule("layers.mixers.*.gate", CHANGED, STRUCTURAL,
         phrases.in_layers(phrases.other({}, "output gate {after} instead of {before}"))),
    Rule("layers.mixers.*.rope", CHANGED, STRUCTURAL,
         phrases.in_layers(lambda told: "RoPE is applied" if told.after else "no RoPE")),
    Rule("layers.mixers.*.sinks", CHANGED, STRUCTURAL,
         phrases.in_layers(lambda told: "attention sinks" if told.after else "no attention sinks")),
    Rule("layers.mixers.*.shared_kv", CHANGED, STRUCTURAL,
         phrases.in_layers(lambda told: f"keys and values {'of another layer' if told.after else 'of their own'}")),
    Rule("layers.mixers.*", GAINED, STRUCTURAL, lambda told: f"adds layers of the kind {words.clean(told.name)}"),
    Rule("layers.mixers.*", LOST, STRUCTURAL, lambda told: f"drops the layers of the kind {words.clean(told.name)}"),
    Rule("decoder_type", CHANGED, STRUCTURAL, phrases.other({}, "decoder type {after} instead of {before}")),
    # Same structure, other sizes.
    Rule("parameters", CHANGED, SCALE, say.parameters),
    Rule("layers.count", CHANGED, SCALE, phrases.arrow("", "layer"),
         ("layers.mix", "layers.ff", "layers.runs", "attention.sparse.layers")),
    Rule("hidden_size", CHANGED, SCALE, phrases.arrow("hidden size")),
    Rule("moe.num_experts", CHANGED, SCALE, phrases.instead("expert")),
    Rule("moe.num_experts_per_tok", CHANGED, SCALE,
         lambda told: f"{phrases.instead('expert')(told).replace(' instead', ' active per token instead')}"),
    Rule("moe.num_shared_experts", CHANGED, SCALE, phrases.instead("shared expert")),
    Rule("moe.moe_intermediate_size", CHANGED, SCALE, phrases.arrow("expert size")),
    Rule("moe.dense_layers", CHANGED, SCALE, phrases.instead("dense layer"), ("layers.ff", "layers.runs")),
    Rule("kv_cache.nominal_bytes_per_token", CHANGED, SCALE,
         say.memory(say.NOMINAL), ("kv_cache.bytes_per_token",)),
    Rule("kv_cache.bytes_per_token", CHANGED, SCALE, say.memory("KV cache per token, as it grows")),
    Rule("kv_cache.state_bytes", CHANGED, SCALE, say.memory("constant state per sequence"),
         ("layers.mixers.*.state_bytes",)),
    Rule("context_length", CHANGED, SCALE, phrases.arrow("context length", "token")),
    Rule("attention.num_attention_heads", CHANGED, SCALE, phrases.instead("attention head"),
         ("layers.mixers.*.num_attention_heads",)),
    Rule("attention.num_key_value_heads", CHANGED, SCALE,
         lambda told: (phrases.instead("key-value head") if told.after and told.before else _own_heads)(told),
         ("layers.mixers.*.num_key_value_heads",)),
    Rule("attention.head_dim", CHANGED, SCALE, phrases.arrow("head size"),
         ("layers.mixers.*.qk_dim", "layers.mixers.*.v_dim")),
    Rule("attention.mla", CHANGED, SCALE, phrases.fields("MLA")),
    Rule("attention.sparse", CHANGED, SCALE, phrases.fields("sparse attention")),
    Rule("attention.sliding_window", GAINED, SCALE, lambda told: f"window of {words.counted(told.after, 'token')}",
         ("layers.mixers.*.window",)),
    Rule("attention.sliding_window", CHANGED, SCALE, phrases.arrow("window", "token"), ("layers.mixers.*.window",)),
    Rule("feed_forward.intermediate_size", CHANGED, SCALE, phrases.arrow("feed-forward size")),
    Rule("vocab_size", CHANGED, SCALE, phrases.arrow("vocabulary")),
    Rule("tied_embeddings", GAINED, SCALE, lambda told: "input and output embeddings are tied"),
    Rule("tied_embeddings", LOST, SCALE, lambda told: "input and output embeddings are no longer tied"),
    Rule("position.rope_theta", CHANGED, SCALE, phrases.arrow("RoPE base")),
    Rule("position.partial_rotary_factor", CHANGED, SCALE, phrases.arrow("rotated share of each head")),
    Rule("position.scaling", CHANGED, SCALE, say.scaling),
    Rule("position.nope_layers", CHANGED, SCALE, phrases.arrow("", "layer without positional encoding",
                                                          "layers without positional encoding")),
    Rule("attention.shared_kv_layers", CHANGED, SCALE, phrases.arrow("", "layer with shared keys and values",
                                                                "layers with shared keys and values")),
    Rule("mtp_layers", CHANGED, SCALE, phrases.instead("multi-token-prediction layer")),
    Rule("residual.streams", CHANGED, SCALE, phrases.instead("residual stream")),
    Rule("residual.multiplier", CHANGED, SCALE, phrases.arrow("residual multiplier")),
    Rule("moe.groups", CHANGED, SCALE, phrases.instead("expert group")),
    Rule("moe.zero_experts", CHANGED, SCALE, phrases.instead("identity expert")),
    Rule("moe.hash_layers", CHANGED, SCALE, phrases.instead("layer with hash routing", "layers with hash routing")),
    Rule("moe.latent_size", CHANGED, SCALE, phrases.arrow("latent size of the experts")),
    Rule("layers.mixers.*.num_attention_heads", CHANGED, SCALE, phrases.in_layers(phrases.instead("attention head"))),
    Rule("layers.mixers.*.num_key_value_heads", CHANGED, SCALE, phrases.in_layers(phrases.instead("key-value head"))),
    Rule("layers.mixers.*.qk_dim", CHANGED, SCALE, phrases.in_layers(phrases.arrow("query and key head size"))),
    Rule("layers.mixers.*.v_dim", CHANGED, SCALE, phrases.in_layers(phrases.arrow("value head size"))),
    Rule("layers.mixers.*.window", CHANGED, SCALE, phrases.in_layers(phrases.arrow("window"))),
    Rule("layers.mixers.*.state_bytes", CHANGED, SCALE,
         phrases.in_layers(say.memory("state of one layer per sequence"))),
    Rule("towers.*.*", CHANGED, SCALE, say.tower(say.generic), (), "towers"),
    Rule("layers.mix", CHANGED, SCALE, phrases.fields("layers of each kind"), ("layers.runs",)),
    Rule("layers.ff", CHANGED, SCALE, phrases.fields("layers of each feed-forward"), ("layers.runs",)),
    Rule("layers.runs", CHANGED, SCALE, lambda told: "the same layers in another order", (), "layers.sequence"),
    # Nothing of the architecture.
    Rule("quantization", CHANGED, COSMETIC, say.quantization),
    Rule("model.license", CHANGED, COSMETIC, phrases.other({}, "license {after} instead of {before}")),
    Rule("model.family", CHANGED, COSMETIC, phrases.other({}, "model type {after} instead of {before}")),
    Rule("model.class", CHANGED, COSMETIC, phrases.other({}, "class {after} instead of {before}")),
    Rule("model.remote_code", GAINED, COSMETIC, lambda told: "brings its own modeling code"),
    Rule("model.remote_code", LOST, COSMETIC, lambda told: "needs no modeling code of its own"),
    Rule("norm.eps", CHANGED, COSMETIC, phrases.arrow("epsilon of the norms")),
)  # fmt: skip

FALLBACK = Rule("*", CHANGED, STRUCTURAL, say.generic)
"""For a fact that a later record has and no row tells."""


def _towers(group: Any) -> str:
    names = [words.clean(name) for name in group] if isinstance(group, Mapping) else []
    names = ["vision" if name == "image" else name for name in names]
    if len(names) == 1:
        return f"{'an' if names[0][:1].lower() in 'aeiou' else 'a'} {names[0]} tower"
    return f"{words.listed(names)} towers"


def _own_heads(told: Any) -> str:
    if told.after:
        return f"{words.counted(told.after, 'key-value head')}, fewer than attention heads"
    return f"keys and values for every attention head instead of {words.number(told.before)} heads"
