"""Why a change matters, in one sentence: a table of facts → reasons. A change without a row speaks for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare.model import Change, Comparison, Significance

Test = Callable[[Change, Comparison], bool]


@dataclass(frozen=True, slots=True)
class Why:
    """One row: for which fact, when, and what it means to whoever builds, runs or writes about the model."""

    fact: str
    """Dotted path, `*` for any part."""
    when: Test
    text: str


def _always(change: Change, comparison: Comparison) -> bool:
    return True


def _gained(change: Change, comparison: Comparison) -> bool:
    return bool(change.after) and not change.before


def _lost(change: Change, comparison: Comparison) -> bool:
    return bool(change.before) and not change.after


def _grew(change: Change, comparison: Comparison) -> bool:
    return _number(change.after) > _number(change.before)


def _shrank(change: Change, comparison: Comparison) -> bool:
    return _number(change.after) < _number(change.before)


def _grew_by(factor: float) -> Test:
    return lambda change, comparison: _number(change.after) >= factor * _number(change.before) > 0


def _shrank_by(factor: float) -> Test:
    return lambda change, comparison: _number(change.before) >= factor * _number(change.after)


def _says(word: str) -> Test:
    return lambda change, comparison: word in change.sentence


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 0.0
    try:
        return float(value)
    except OverflowError:  # a number from a model repo may be of any size
        return float("inf")


def _brings(*mixers: str) -> Test:
    """The model mixes one of these in, and its baseline does not."""
    return lambda change, comparison: bool(
        set(mixers) & (_mixers(comparison.b) - _mixers(comparison.a))
    )  # fmt: skip


def _mixers(record: Architecture) -> set[str]:
    return {kind.mixer or "" for kind in record.layers.kinds}


LINEAR = ("gated-deltanet", "kda", "lightning", "mamba", "mamba2", "mlstm", "slstm", "rwkv", "rglru")

TABLE: tuple[Why, ...] = (
    Why("layers.mix", _brings("mla"),
        "one compressed latent per token is cached instead of keys and values per head: a far smaller KV cache, and "
        "kernels of its own"),
    Why("layers.mix", _brings(*LINEAR),
        "these layers keep a state of constant size instead of a cache that grows with the context; an engine needs "
        "their kernels and their state beside the KV cache"),
    Why("layers.mix", _brings("csa", "hca", "cca"),
        "attention works on compressed keys and values: less cache and compute at long context, and new kernels"),
    Why("layers.mix", _brings("sliding", "chunked"),
        "a windowed layer caches its window only, so long contexts cost less memory"),
    Why("layers.mix", _brings("short-conv"), "short convolutions keep a few steps of state instead of a cache"),
    Why("layers.mix", _brings("gqa", "mqa"), "query heads share keys and values: a smaller KV cache"),
    Why("layers.mix", _brings("mha"), "every head has keys and values of its own: a larger KV cache"),
    Why("attention.sparse", _gained,
        "each query reads only the tokens an indexer selects: long contexts cost less compute, and an engine must "
        "run and cache the indexer"),
    Why("attention.sparse", _lost, "every query reads all tokens again"),
    Why("attention.mla", _gained, "one compressed latent per token is cached instead of keys and values per head"),
    Why("attention.sinks", _gained, "the softmax gets a learned extra logit that attention kernels must support"),
    Why("attention.gated", _gained, "the attention output is multiplied by a learned gate before its projection"),
    Why("attention.qk_norm", _gained,
        "queries and keys are normalised before the dot product, which keeps attention logits in bounds in training"),
    Why("attention.qk_norm", _lost, "nothing bounds the attention logits any more"),
    Why("attention.shared_kv_layers", _gained, "these layers add nothing to the KV cache"),
    Why("attention.bias", _always, "conversion and fused kernels must know about the extra tensors"),
    Why("residual.multiplier", _gained, "the branches are scaled before the add: a factor that engines must read"),
    Why("residual.kind", _always, "the residual stream itself is widened and mixed; every layer's plumbing changes"),
    Why("residual.parallel", _gained, "both read the same input, so their matrix products can run together"),
    Why("norm.placement", _always, "where the norms stand decides training stability, and what an engine may fuse"),
    Why("norm.kind", _always, "another formula, and with LayerNorm a bias and a mean to keep"),
    Why("moe", _gained, "only a few experts run per token: far more parameters than compute"),
    Why("moe", _lost, "every parameter works for every token"),
    Why("moe.router", _always, "the gate scores, and so which experts run, are computed by another formula"),
    Why("moe.groups", _gained, "a token's experts come from a few groups, which bounds traffic between devices"),
    Why("moe.groups", _lost, "any expert may be chosen: a simpler router, no bound on the traffic between devices"),
    Why("moe.router_bias", _gained, "load is balanced by a bias that only the choice sees, without an auxiliary loss"),
    Why("moe.router_bias", _lost, "what balances the experts' load has to be in the training loss"),
    Why("moe.num_shared_experts", _gained, "one expert sees every token, so the routed ones can specialise"),
    Why("moe.num_shared_experts", _lost, "all expert capacity is routed"),
    Why("moe.zero_experts", _gained, "a token may choose to do nothing, so the compute per token varies"),
    Why("moe.zero_experts", _lost, "every chosen expert costs compute again"),
    Why("moe.hash_layers", _gained, "there a token's experts follow from its id, by a table instead of a learned gate"),
    Why("moe.latent_size", _gained, "experts work in a narrower space: less weight traffic per expert"),
    Why("moe.num_experts", _grew, "more experts to choose from: capacity without compute per token"),
    Why("moe.num_experts", _shrank, "fewer experts to choose from"),
    Why("moe.num_experts_per_tok", _always, "this sets the compute per token of the expert layers"),
    Why("layers.pattern", _says("experts"), "no layer is left whose feed-forward is dense"),
    Why("layers.pattern", _says("dense"), "their feed-forward is no mixture of experts: another kind of layer to load"),
    Why("layers.pattern", _always, "layer types alternate differently; code that assumes a fixed order breaks"),
    Why("position.*", _says("(NoPE) in"), "these layers see order only through the causal mask"),
    Why("position.nope_layers", _gained, "these layers see order only through the causal mask"),
    Why("position.kinds", _always, "position enters attention in another way"),
    Why("position.scaling", _always, "this is how the context is stretched beyond the length trained first"),
    Why("position.rope_theta", _grew, "slower rotations, for longer contexts"),
    Why("feed_forward.activation", _always, "another activation function in every feed-forward"),
    Why("feed_forward.gated", _gained, "a third matrix gates the feed-forward"),
    Why("mtp_layers", _gained, "extra layers predict tokens ahead: a draft for speculative decoding"),
    Why("mtp_layers", _lost, "there is no built-in draft for speculative decoding"),
    Why("towers", _says("adds "), "it takes another modality: a tower, its projector and its preprocessing come along"),
    Why("towers", _says("drops "), "it takes one modality less: no tower, projector and preprocessing to run"),
    Why("model.modalities", _always, "what goes in, and so the preprocessing, is different"),
    Why("novel.*", _always, "any other fact may depend on it"),
    Why("config.*", _says("no reference knows"), "any other fact may depend on it"),
    Why("kv_cache.*", _grew_by(1.1), "fewer concurrent sequences fit beside the weights"),
    Why("kv_cache.*", _shrank_by(1.1), "more concurrent sequences fit beside the weights"),
    Why("context_length", _grew, "longer inputs, if the memory for their cache is there"),
    Why("tied_embeddings", _gained, "one table serves input and output: fewer parameters"),
    Why("tied_embeddings", _lost, "the output layer has a table of its own"),
    Why("vocab_size", _grew_by(1.1), "fewer tokens for the same text, and larger embedding and output tables"),
    Why("vocab_size", _shrank_by(1.1), "more tokens for the same text, and smaller embedding and output tables"),
    Why("attention.sliding_window", _always, "it bounds what the windowed layers cache"),
)  # fmt: skip
"""The first row whose fact and condition hold is told. A new reason is a row here."""

GENERAL = {
    Significance.BREAKING: "an engine needs new code for this",
    Significance.STRUCTURAL: "known parts, put together differently",
}


def why(change: Change, comparison: Comparison) -> str:
    """A clause without capital and full stop; empty where there is nothing to add."""
    for row in TABLE:
        if fnmatchcase(change.fact, row.fact) and row.when(change, comparison):
            return row.text
    return GENERAL.get(change.significance, "")
