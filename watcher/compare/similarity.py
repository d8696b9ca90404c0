"""How near two architectures are, 0 … 1: structure weighs much more than sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare.facts import UNKNOWN, Facts, at, comparable

Features = Mapping[str, Any]
Measure = Callable[[Any, Any], float]

SOFTMAX_ATTENTION = frozenset({"mha", "gqa", "mqa", "gated-attention"})
HALF_KNOWN = 0.5
"""What a feature counts that only one side knows."""


def _same(a: Any, b: Any) -> float:
    return float(a == b)


def _present(a: Any, b: Any) -> float:
    return float(bool(a) == bool(b))


def _ratio(a: Any, b: Any) -> float:
    """1 for the same size, ½ for twice the size, 0 when only one has it."""
    if not _sized(a) or not _sized(b):
        return float(not _sized(a) and not _sized(b))
    return 1 / (1 + abs(math.log2(a / b)))


def _sized(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e300


def _shares(a: Any, b: Any) -> float:
    """How much two mixes overlap: {word: share}."""
    a, b = a or {}, b or {}
    return sum(min(share, b.get(word, 0.0)) for word, share in a.items()) if a or b else 1.0


def _equal(a: Any, b: Any) -> float:
    """The part of the sizes that both have which are equal to the digit: who builds on a model keeps most of them."""
    both = [name for name in (a or {}) if name in (b or {})]
    return sum(a[name] == b[name] for name in both) / len(both) if both else 0.0


def _overlap(a: Any, b: Any) -> float:
    """Jaccard index of two sets of words."""
    first, second = set(a or ()), set(b or ())
    return len(first & second) / len(first | second) if first | second else 1.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing looked at."""

    name: str
    weight: float
    measure: Measure
    read: Callable[[Facts], Any]


def _fact(path: str, weight: float, measure: Measure) -> Feature:
    parts = tuple(path.split("."))
    return Feature(path, weight, measure, lambda facts: at(facts, parts))


def _mix(facts: Facts, alike: bool) -> Any:
    """Share of layers by mixer word; with `alike` the kinds of plain full attention are one."""
    counts = at(facts, ("layers", "mix"))
    if not isinstance(counts, dict):
        return counts
    sizes = {label: count if _sized(count) else 0 for label, count in counts.items()}
    total = sum(sizes.values()) or 1
    shares: dict[str, float] = {}
    for label, count in sizes.items():
        word = label.split(",")[0].split(" #")[0]
        word = "full" if alike and word in SOFTMAX_ATTENTION else word
        shares[word] = shares.get(word, 0.0) + count / total
    return shares


def _feeds(facts: Facts) -> Any:
    counts = at(facts, ("layers", "ff"))
    if not isinstance(counts, dict):
        return counts
    sizes = {word: count for word, count in counts.items() if _sized(count)}
    return {word: count / sum(sizes.values()) for word, count in sizes.items()}


KEPT = (
    "attention.head_dim", "attention.mla.q_lora_rank", "attention.mla.kv_lora_rank", "attention.mla.qk_nope_head_dim",
    "attention.mla.v_head_dim", "attention.sparse.index_n_heads", "attention.sparse.index_topk",
    "attention.sliding_window", "moe.moe_intermediate_size", "moe.num_experts_per_tok",
)  # fmt: skip
"""Sizes that do not grow with a model: one that was made from another keeps them, at whatever size."""


def _kept(facts: Facts) -> Any:
    found = {path: at(facts, tuple(path.split("."))) for path in KEPT}
    return {path: value for path, value in found.items() if _sized(value)}


FEATURES: tuple[Feature, ...] = (
    # Structure.
    Feature("attention", 14, _shares, lambda facts: _mix(facts, alike=True)),
    Feature("mixers", 8, _shares, lambda facts: _mix(facts, alike=False)),
    Feature("feed-forward", 10, _shares, _feeds),
    _fact("attention.sparse.kind", 7, _same),
    _fact("residual.kind", 6, _same),
    _fact("decoder_type", 5, _same),
    _fact("norm.placement", 5, _same),
    _fact("layers.order", 4, _same),
    _fact("attention.qk_norm", 4, _present),
    _fact("position.kinds", 4, _overlap),
    _fact("residual.parallel", 4, _present),
    _fact("norm.kind", 3, _same),
    _fact("attention.sinks", 3, _present),
    _fact("attention.gated", 3, _present),
    _fact("model.modalities", 3, _overlap),
    _fact("moe.router", 3, _same),
    _fact("feed_forward.gated", 3, _present),
    _fact("layers.ff_order", 2, _same),
    _fact("moe.groups", 2, _present),
    _fact("moe.num_shared_experts", 2, _present),
    _fact("moe.latent_size", 2, _present),
    _fact("moe.router_bias", 1, _present),
    _fact("moe.zero_experts", 2, _present),
    _fact("moe.hash_layers", 2, _present),
    _fact("attention.bias", 2, _present),
    _fact("attention.mla.q_lora_rank", 2, _present),
    _fact("attention.shared_kv_layers", 2, _present),
    _fact("feed_forward.activation", 2, _same),
    _fact("novel.classes", 2, _overlap),
    _fact("novel.config_keys", 2, _overlap),
    _fact("mtp_layers", 1, _present),
    _fact("residual.multiplier", 1, _present),
    _fact("position.nope_layers", 1, _present),
    # Sizes.
    Feature("sizes kept", 10, _equal, _kept),
    _fact("layers.count", 1.5, _ratio),
    _fact("hidden_size", 1.5, _ratio),
    _fact("vocab_size", 1.5, _ratio),
    _fact("moe.num_experts", 1.5, _ratio),
    _fact("attention.head_dim", 1, _ratio),
    _fact("attention.num_attention_heads", 1, _ratio),
    _fact("attention.num_key_value_heads", 1, _ratio),
    _fact("attention.mla.kv_lora_rank", 1, _ratio),
    _fact("attention.sliding_window", 1, _ratio),
    _fact("moe.num_experts_per_tok", 1, _ratio),
    _fact("moe.moe_intermediate_size", 1, _ratio),
    _fact("feed_forward.intermediate_size", 1, _ratio),
    _fact("parameters.total", 1, _ratio),
    _fact("tied_embeddings", 0.5, _present),
    _fact("kv_cache.nominal_bytes_per_token", 0.5, _ratio),
    _fact("context_length", 0.5, _ratio),
    _fact("position.rope_theta", 0.25, _same),
    _fact("position.scaling", 0.25, _same),
)


def features(record: Architecture) -> Features:
    """What a search for the nearest looks at: a flat dict, computed once for each candidate."""
    return features_of(comparable(record))


def features_of(facts: Facts) -> Features:
    """The same of facts that are at hand."""
    return {feature.name: feature.read(facts) for feature in FEATURES}


def feature_similarity(a: Features, b: Features) -> float:
    """The weighted mean over the features that at least one side knows; 0 when there is none."""
    total = reached = 0.0
    for feature in FEATURES:
        before, after = a.get(feature.name), b.get(feature.name)
        unknown = (before == UNKNOWN) + (after == UNKNOWN)
        if unknown == 2 or (unknown == 0 and not before and not after):
            continue
        total += feature.weight
        alike = 1.0 if before == after else HALF_KNOWN if unknown else feature.measure(before, after)
        reached += feature.weight * alike
    return round(reached / total, 4) if total else 0.0


def similarity(a: Architecture, b: Architecture) -> float:
    """How near two architectures are, 0 … 1; 1 for the same one."""
    return feature_similarity(features(a), features(b))
