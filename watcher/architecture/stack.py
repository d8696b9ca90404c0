"""What the config tells of each layer: its mixer, its feed-forward part, heads, head sizes, window, cache sharing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watcher.architecture.config import Absent, Config
from watcher.architecture.heads import LayerFacts, block, entry, head_sizes, rotated, told_flags, window
from watcher.architecture.mixers import HALVES, NO_MIXER, attention_kind, is_mla, linear_kind
from watcher.architecture.patterns import BESIDE, Words, pattern
from watcher.architecture.sparse import sparse_layers
from watcher.architecture.witness import Fact


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
    if config.get("num_attention_heads_per_layer") is not None:
        config.row("num_attention_heads_per_layer", len(words))
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
        own = tuple(str(entry(self.config, name, index)) for name in LISTS)
        return (
            self.words[index],
            sparse,
            own,
            _shared_from(self.config, index, self.words),
            rotated(self.config, index),
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
        if block(self.config, index, "ffn").get("no_op") is True:
            facts.pop("ff", None)
        if word == NO_MIXER:
            return facts | {"mixer": Fact(word, self.where)}
        if word == "linear":
            return facts | {"mixer": Fact(linear_kind(self.config), self.where)}
        return facts | self._attention(index, word)

    def _attention(self, index: int, word: str) -> LayerFacts:
        config = self.config
        facts = head_sizes(config, index, word)
        beside = word == "hybrid" or (config.family is not None and config.family.name in BESIDE)
        mixer = attention_kind(config, "full" if beside else word, facts, "linear" in self.words)
        facts["mixer"] = Fact(f"{mixer}+{linear_kind(config)}" if beside else mixer, self.where)
        facts |= window(config, word) | told_flags(config, index, word)
        if word in ("csa", "hca"):
            facts["ratio"] = _ratio(config, index, word, self.where)
        if _has_indexer(config, index, len(self.words)):
            facts["indexer"] = Fact(True, config.where("index_topk") or config.file)
        source = _shared_from(config, index, self.words)
        if source is not None:
            facts["shared_kv_from"] = Fact(source, config.where("num_kv_shared_layers") or config.file)
        if (config.family.name if config.family else config.model_type or "").startswith(TWO_MIXERS):
            facts["sublayers"] = Fact(2, config.family.source if config.family else config.file, config.doubt is None)
        return facts


LISTS = ("heads", "kv_heads", "num_attention_heads_per_layer", "compress_ratios", "indexer_types", "block_configs")
"""Concepts that may have an entry for each layer."""

TWO_MIXERS = ("longcat_flash",)
"""Beginnings of model types whose layers have two attention sublayers each."""

MIXER_ONLY = frozenset({"mamba", "mamba2", "falcon_mamba"})
"""Families whose layers are a mixer and nothing else."""

# --- caches ----------------------------------------------------------------------------------------------------------


def _ratio(config: Config, index: int, word: str, where: str) -> Fact:
    found = entry(config, "compress_ratios", index)
    if found is None:
        rates = config.part("compress_rates")
        name = {"csa": "compressed_sparse_attention", "hca": "heavily_compressed_attention"}[word]
        found = rates.get(name, {"csa": 4, "hca": 128}[word])
    good = isinstance(found, int) and not isinstance(found, bool) and found > 0
    return Fact(found if good else None, config.where("compress_ratios", "compress_rates") or where)


def _has_indexer(config: Config, index: int, count: int) -> bool:
    if not config.size("index_topk") or not config.size("index_head_dim") or not is_mla(config):
        return False
    kinds = config.row("indexer_types", count)
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
