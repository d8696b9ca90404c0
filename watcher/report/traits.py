"""What a decoder is made of, a few words a trait and sizes aside: for what a model keeps of its neighbour."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from watcher.architecture.code.skipped import MAY_BE_STORED
from watcher.architecture.record import Architecture
from watcher.compare import mixes, words
from watcher.compare.model import Change, Comparison
from watcher.report.numbers import tokens
from watcher.report.ranking import told_facts
from watcher.report.summary import dense_layers, encoders, mixers, streams

Say = Callable[[Architecture], str | None]
Trait = tuple[str, Say]
"""The fact it is about (several with `|`), and what is said of it."""

MOST = 20
"""Traits that are listed."""


def kept(before: Architecture, after: Architecture) -> list[str]:
    """The traits that both have, the most telling first."""
    theirs = {text for _, text in traits(before)}
    return [text for _, text in traits(after) if text in theirs][:MOST]


def also(before: Architecture, after: Architecture, told: Collection[str]) -> list[str]:
    """The traits of `after` that `before` has not, and that no change tells: `told` are the facts that were told."""
    theirs = {text for _, text in traits(before)}
    mine = [(facts.split("|"), text) for facts, text in traits(after) if text not in theirs]
    return [text for facts, text in mine if not any(fact in told for fact in facts)][:MOST]


def shared_and_own(comparison: Comparison, told: Iterable[Change]) -> dict[str, list[str]]:
    """`Kept` and `Also` beside the changes that are told, where there are such."""
    facts = told_facts(comparison, told)
    found = {"Kept": kept(comparison.a, comparison.b), "Also": also(comparison.a, comparison.b, facts)}
    return {title: said for title, said in found.items() if said}


def traits(record: Architecture) -> Iterator[tuple[str, str]]:
    """Everything the table has to say of a record: (facts, words)."""
    return ((facts, text) for facts, say in TRAITS if (text := say(record)))


def _mixers(record: Architecture) -> str | None:
    """`MLA`, `5:1 sliding-window/global attention`, `Mamba-2 in 23 of 52 layers and GQA in 6`."""
    found = mixes.ratio(record)
    kinds = [item.kind for item in record.layers.mix if item.kind not in mixes.SUBLAYERS]
    if found or len(kinds) < 2:
        return str(found) if found else words.short(kinds[0]) if kinds else None
    return mixers(record)


def _if(fact: Callable[[Architecture], object], text: str) -> Say:
    return lambda record: text if fact(record) else None


def _counted(fact: Callable[[Architecture], int | None], noun: str, *, none: bool = False) -> Say:
    """`1 MTP layer`; with `none` also `no shared expert`."""

    def said(record: Architecture) -> str | None:
        count = fact(record)
        return words.counted(count, noun) if count else f"no {noun}" if none and count == 0 else None

    return said


def _sized(fact: Callable[[Architecture], int | None], template: str, shown: Callable[[int], str]) -> Say:
    """`a context of 128k`."""
    return lambda record: template.format(shown(value)) if (value := fact(record)) else None


def _named(fact: Callable[[Architecture], str | None], names: dict[str, str], template: str = "{}") -> Say:
    """The field's word for the value; nothing for one that the table of names does not have."""
    return lambda record: template.format(names[value]) if (value := fact(record)) in names else None


def _sparse(record: Architecture) -> str | None:
    sparse = record.attention.sparse
    return words.named(sparse.kind, words.SPARSE) if sparse and sparse.kind not in record.attention.kinds else None


def _kv_heads(record: Architecture) -> str | None:
    attention = record.attention
    shared = attention.mla is None and attention.num_key_value_heads not in (None, attention.num_attention_heads)
    return words.counted(attention.num_key_value_heads, "KV head") if shared else None


def _nope(record: Architecture) -> str | None:
    where = mixes.nope(record)
    return f"NoPE in {where}" if where else None


def _no_cache(record: Architecture) -> str | None:
    """`no KV cache, 128.3 MiB of constant state`."""
    cache = record.kv_cache
    known = cache.nominal_bytes_per_token == 0 and cache.state_bytes
    return f"no KV cache but {words.size(cache.state_bytes)} of constant state" if known else None


def _skipped_mtp(record: Architecture) -> str | None:
    """What is known of prediction layers where the only sign of them is that a class skips them in its checkpoints."""
    unknown = next((item.why for item in record.unknown if item.fact == "mtp_layers"), "")
    return "MTP layers that its checkpoints may hold and its class skips" if MAY_BE_STORED in unknown else None


def _positions(record: Architecture) -> str | None:
    """`partial RoPE`; nothing for the usual one."""
    kinds = [kind for kind in record.position.kinds if kind in words.POSITION and kind not in ("rope", "nope")]
    return words.listed([words.POSITION[kind] for kind in kinds]) if kinds else None


def _experts(record: Architecture) -> str | None:
    return words.counted(record.moe.num_experts, "expert") if record.moe and record.moe.num_experts else None


def _active(record: Architecture) -> str | None:
    active = record.moe.num_experts_per_tok if record.moe else None
    return f"{words.number(active)} active per token" if active else None


def _feed_forward(record: Architecture) -> str | None:
    part = record.feed_forward
    return words.feed_forward(part.activation, part.gated) if part.activation else None


TRAITS: tuple[Trait, ...] = (
    ("layers.mix|layers.pattern", _mixers),
    ("attention.sparse|attention.sparse.kind", _sparse),
    ("attention.num_key_value_heads|attention.mla", _kv_heads),
    ("attention.shared_kv_layers", _if(lambda record: record.attention.shared_kv_layers, "KV sharing between layers")),
    ("attention.gated", _if(lambda record: record.attention.gated and "gated-attention" not in record.attention.kinds,
                            "gated attention")),
    ("attention.sinks", _if(lambda record: record.attention.sinks, "attention sinks")),
    ("attention.qk_norm", _if(lambda record: record.attention.qk_norm, "QK-norm")),
    ("attention.bias", _if(lambda record: record.attention.bias, "attention biases")),
    ("position.nope_layers|position.kinds|layers.pattern", _nope),
    ("position.kinds", _positions),
    ("position.scaling", _named(lambda record: record.position.scaling, words.SCALING, "{} scaling")),
    ("residual.parallel", _if(lambda record: record.residual.parallel, "parallel attention and feed-forward")),
    ("kv_cache.nominal_bytes_per_token", _no_cache),
    ("residual.kind|residual.streams", streams),
    ("norm.placement", _named(lambda record: record.norm.placement, words.PLACEMENT)),
    ("norm.kind", _named(lambda record: record.norm.kind, words.NORM)),
    ("moe.dense_layers", dense_layers),
    ("moe|moe.num_experts", _experts),
    ("moe|moe.num_experts_per_tok", _active),
    ("moe|moe.num_shared_experts",
     _counted(lambda record: record.moe.num_shared_experts if record.moe else None, "shared expert", none=True)),
    ("moe.zero_experts",
     _counted(lambda record: record.moe.zero_experts if record.moe else None, "identity expert")),
    ("moe.hash_layers",
     _sized(lambda record: record.moe.hash_layers if record.moe else None, "hash routing in {}",
            lambda count: words.counted(count, "layer"))),
    ("moe.latent_size", _if(lambda record: record.moe and record.moe.latent_size, "experts in a latent space")),
    ("moe.router", _named(lambda record: record.moe.router if record.moe else None, words.ROUTER, "{} routing")),
    ("moe.router_bias", _if(lambda record: record.moe and record.moe.router_bias, "an expert bias in routing")),
    ("mtp_layers", _counted(lambda record: record.mtp_layers, "MTP layer")),
    ("mtp_layers", _skipped_mtp),
    ("feed_forward.activation|feed_forward.gated", _feed_forward),
    ("towers", encoders),
    ("residual.multiplier", _if(lambda record: (record.residual.multiplier or 1) != 1, "residual scaling (muP)")),
    ("tied_embeddings", _if(lambda record: record.tied_embeddings, "tied embeddings")),
    ("attention.num_attention_heads", _counted(lambda record: record.attention.num_attention_heads, "head")),
    ("layers.count", _counted(lambda record: record.layers.count, "layer")),
    ("hidden_size", _sized(lambda record: record.hidden_size, "a width of {}", words.number)),
    ("kv_cache.nominal_bytes_per_token", lambda record: f"{words.size(cache)} of nominal KV cache per token"
     if (cache := record.kv_cache.nominal_bytes_per_token) else None),
    ("vocab_size", _sized(lambda record: record.vocab_size, "a vocabulary of {}", words.number)),
    ("context_length", _sized(lambda record: record.context_length, "a context of {}", tokens)),
)  # fmt: skip
"""The most telling first. A new trait is a row here."""
