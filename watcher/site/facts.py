"""The facts a model's page and the comparison of two models show: a row each, by path and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from watcher.architecture.record import Architecture
from watcher.report.escape import clean
from watcher.report.numbers import count, size, tokens
from watcher.report.sketch import words
from watcher.report.sketch.marks import fact

UNKNOWN = "unknown"
NONE = "–"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table."""

    group: str
    label: str
    path: str
    write: Callable[[Any], str]
    """The value, never None, in words."""


def _plain(value: Any) -> str:
    return clean(value, 80)


def _whole(value: Any) -> str:
    return words.whole(value)


def _yes(value: Any) -> str:
    return "yes" if value else "no"


def _list(value: Any) -> str:
    return ", ".join(clean(item, 40) for item in value) or NONE


def _mix(value: Any) -> str:
    return ", ".join(f"{words.whole(item.count)} × {words.mixer(item.kind).short}" for item in value) or UNKNOWN


FACTS: tuple[Fact, ...] = (
    Fact("Model", "decoder type", "decoder_type", _plain),
    Fact("Model", "model type", "model.family", _plain),
    Fact("Model", "modalities", "model.modalities", _list),
    Fact("Model", "licence", "model.license", _plain),
    Fact("Model", "own modeling code", "model.remote_code", _yes),
    Fact("Size", "parameters", "parameters.total", count),
    Fact("Size", "active per token", "parameters.active", count),
    Fact("Size", "layers", "layers.count", _whole),
    Fact("Size", "hidden size", "hidden_size", _whole),
    Fact("Size", "vocabulary", "vocab_size", _whole),
    Fact("Size", "tied embeddings", "tied_embeddings", _yes),
    Fact("Size", "context", "context_length", tokens),
    Fact("Attention", "layer mix", "layers.mix", _mix),
    Fact("Attention", "heads", "attention.num_attention_heads", _whole),
    Fact("Attention", "key/value heads", "attention.num_key_value_heads", _whole),
    Fact("Attention", "head size", "attention.head_dim", _whole),
    Fact("Attention", "QK-norm", "attention.qk_norm", _yes),
    Fact("Attention", "sliding window", "attention.sliding_window", _whole),
    Fact("Attention", "sparse attention", "attention.sparse.kind", _plain),
    Fact("Attention", "KV latent size", "attention.mla.kv_lora_rank", _whole),
    Fact("Attention", "attention sinks", "attention.sinks", _yes),
    Fact("Attention", "positions", "position.kinds", _list),
    Fact("Attention", "RoPE theta", "position.rope_theta", _whole),
    Fact("Block", "norm", "norm.kind", _plain),
    Fact("Block", "norm placement", "norm.placement", _plain),
    Fact("Block", "residual", "residual.kind", _plain),
    Fact("Block", "parallel attention and feed-forward", "residual.parallel", _yes),
    Fact("Block", "activation", "feed_forward.activation", _plain),
    Fact("Block", "gated feed-forward", "feed_forward.gated", _yes),
    Fact("Block", "feed-forward size", "feed_forward.intermediate_size", _whole),
    Fact("Experts", "experts", "moe.num_experts", _whole),
    Fact("Experts", "experts per token", "moe.num_experts_per_tok", _whole),
    Fact("Experts", "shared experts", "moe.num_shared_experts", _whole),
    Fact("Experts", "expert size", "moe.moe_intermediate_size", _whole),
    Fact("Experts", "dense layers", "moe.dense_layers", _whole),
    Fact("Experts", "router", "moe.router", _plain),
    Fact("Memory", "KV cache per token", "kv_cache.bytes_per_token", size),
    Fact("Memory", "KV cache per token, as tables count it", "kv_cache.nominal_bytes_per_token", size),
    Fact("Memory", "constant state per sequence", "kv_cache.state_bytes", size),
    Fact("Memory", "multi-token-prediction layers", "mtp_layers", _whole),
)
"""The table from top to bottom; a new line is a row here."""


def told(record: Architecture) -> list[str]:
    """Every fact of a record in words, in the order of FACTS; `–` where the model has none."""
    return [_said(record, each) for each in FACTS]


def _said(record: Architecture, each: Fact) -> str:
    value = fact(record, each.path)
    if value is None:
        return UNKNOWN if record.is_unknown(each.path) else NONE
    try:
        return each.write(value)
    except (TypeError, ValueError, AttributeError, OverflowError):  # a fact of an odd shape from an odd record
        return clean(value, 80)


def groups(columns: Sequence[Sequence[str]]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """The table by group: label and one text a column; lines that no column has anything for are left out."""
    table: dict[str, list[tuple[str, list[str]]]] = {}
    for index, each in enumerate(FACTS):
        texts = [column[index] for column in columns]
        if any(text != NONE for text in texts):
            table.setdefault(each.group, []).append((each.label, texts))
    return list(table.items())
