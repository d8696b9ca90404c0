"""The facts beside those of the baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from watcher.architecture.record import Architecture
from watcher.compare import words
from watcher.report.escape import inline
from watcher.report.model import Neighbour, Role
from watcher.report.neighbours import called
from watcher.report.numbers import count, size, tokens
from watcher.report.sections.page import Page, table

UNKNOWN, NONE = "unknown", "none"
CACHE, NOMINAL = "KV cache per token", "KV cache per token, as tables count it"


Row = tuple[str, Callable[[Architecture], str | None]]
"""The fact (asked whether it is unknown), and its value in words."""


def facts(record: Architecture) -> dict[str, str]:
    """What a facts table shows of a record; for a model that could not be read, only what is known."""
    rows = {label: said(record, fact, get(record)) for label, (fact, get) in ROWS.items()}
    if record.layers.count is None:
        return {label: value for label, value in rows.items() if value not in (NONE, UNKNOWN)}
    return rows


def said(record: Architecture, fact: str, value: str | None) -> str:
    """A value; `unknown` only where the record lists it so, else `none`."""
    if value is not None:
        return value
    return UNKNOWN if record.is_unknown(fact) else NONE


def _heads(record: Architecture) -> str | None:
    heads, kv_heads = record.attention.num_attention_heads, record.attention.num_key_value_heads
    return f"{heads} / {UNKNOWN if kv_heads is None else kv_heads}" if heads else None


def _feed_forward(record: Architecture) -> str | None:
    part = record.feed_forward
    if part.activation is None:
        return None
    width = f", {part.intermediate_size:,}" if part.intermediate_size else ""
    return f"{words.feed_forward(part.activation, part.gated)}{width}"


def _experts(record: Architecture) -> str | None:
    moe = record.moe
    if moe is None:
        return None
    numbers = (moe.num_experts, moe.num_experts_per_tok, moe.num_shared_experts)
    total, active, shared = (UNKNOWN if number is None else f"{number:,}" for number in numbers)
    return f"{total}, {active} per token, {shared} shared"


def _norm(record: Architecture) -> str | None:
    kind, placement = record.norm.kind, record.norm.placement
    if kind is None and placement is None:
        return None
    name = words.named(kind, words.NORM) if kind else UNKNOWN
    return f"{name}, {placement or 'unknown placement'}"


def _yes(value: bool | None) -> str | None:
    return {True: "yes", False: "no", None: None}[value]


def _number(value: int | None) -> str | None:
    return f"{value:,}" if value else None


def _size(value: float | None) -> str | None:
    return size(value) if value else None


def _modalities(record: Architecture) -> str:
    return ", ".join(record.model.modalities)


def _positions(record: Architecture) -> str | None:
    names = [words.named(kind, words.POSITION) for kind in record.position.kinds]
    scaling = f", {words.named(record.position.scaling, words.SCALING)} scaling" if record.position.scaling else ""
    return words.listed(names) + scaling if names else None


ROWS: dict[str, Row] = {
    "decoder type": ("decoder_type", lambda record: record.decoder_type),
    "modalities": ("model.modalities", _modalities),
    "parameters": (
        "parameters.total",
        lambda record: count(total) if (total := record.parameters.total or record.parameters.text) else None,
    ),
    "active per token": (
        "parameters.active",
        lambda record: count(record.parameters.active) if record.parameters.active else None,
    ),
    "layers": ("layers.count", lambda record: _number(record.layers.count)),
    "layer mix": (
        "layers.mix",
        lambda record: ", ".join(f"{item.count} {item.kind}" for item in record.layers.mix) or None,
    ),
    "hidden size": ("hidden_size", lambda record: _number(record.hidden_size)),
    "heads / KV heads": ("attention.num_attention_heads", _heads),
    "head size": ("attention.head_dim", lambda record: _number(record.attention.head_dim)),
    "QK-norm": ("attention.qk_norm", lambda record: _yes(record.attention.qk_norm)),
    "context": (
        "context_length",
        lambda record: tokens(record.context_length) if record.context_length else None,
    ),
    "vocabulary": ("vocab_size", lambda record: _number(record.vocab_size)),
    "feed-forward": ("feed_forward.activation", _feed_forward),
    "experts": ("moe", _experts),
    "expert size": (
        "moe.moe_intermediate_size",
        lambda record: _number(record.moe.moe_intermediate_size) if record.moe else None,
    ),
    "positions": ("position.kinds", _positions),
    "norm": ("norm.kind", _norm),
    "MTP layers": ("mtp_layers", lambda record: _number(record.mtp_layers)),
    CACHE: (
        "kv_cache.bytes_per_token",
        lambda record: _size(record.kv_cache.bytes_per_token),
    ),
    NOMINAL: (
        "kv_cache.nominal_bytes_per_token",
        lambda record: _size(record.kv_cache.nominal_bytes_per_token),
    ),
    "constant state": ("kv_cache.state_bytes", lambda record: _size(record.kv_cache.state_bytes)),
    "quantization": (
        "quantization",
        lambda record: (
            f"{record.quantization.method}, {record.quantization.bits or '?'} bit" if record.quantization else None
        ),
    ),
}
"""Label → fact (asked whether it is unknown) and its value in words. A new row is an entry here."""


def beside(page: Page) -> Iterator[str]:
    """The model's facts; what is known and different from the first baseline is bold. What none has is left out."""
    mine = facts(page.draft.lead.record)
    if page.is_alert or not mine:
        return
    columns = _columns(page)
    yield "## Facts"
    head = ["", page.name, *(inline(called(item.name)) for item in columns)]
    theirs = [facts(item.comparison.a) for item in columns]
    rows = []
    for label, value in mine.items():
        cells = [other.get(label, UNKNOWN) for other in theirs]
        if {value, *cells} == {NONE} or (label == NOMINAL and _same_caches((mine, *theirs))):
            continue
        differs = bool(cells) and cells[0] != value and UNKNOWN not in (cells[0], value)
        rows.append([label, f"**{inline(value)}**" if differs else inline(value), *map(inline, cells)])
    yield table(head, rows)


def _same_caches(sides: Iterable[Mapping[str, str]]) -> bool:
    """Whether the published convention says of none of them anything else than what its cache grows by."""
    return all(side.get(CACHE) == side.get(NOMINAL) for side in sides)


def _columns(page: Page) -> list[Neighbour]:
    """The predecessor and the nearest, in this order."""
    subject = page.draft.lead
    found = [item for item in subject.neighbours if item.role in (Role.PREDECESSOR, Role.NEAREST)]
    if not found and subject.comparison is not None:
        return [Neighbour(role=Role.NEAREST, name=subject.baseline or "baseline", comparison=subject.comparison)]
    return found
