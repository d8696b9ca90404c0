"""How one fact was derived: its value, its evidence, and the evidence of what it was derived from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.errors import UsageError

FORMULAS = {
    "parameters.active": "text − input embedding (kept when tied) − experts not chosen",
    "parameters.active_with_embedding": "text − experts not chosen",
    "parameters.embedding": "vocab_size · hidden_size",
    "parameters.text": "embedding + Σ over layers + final norm + output layer (none when tied)",
    "parameters.total": "text + towers; extra prediction layers are not in it",
    "kv_cache.bytes_per_token": "Σ over layers of 2 bytes · cached elements per token (MLA: kv_lora_rank + rope part)",
    "kv_cache.nominal_bytes_per_token": "as published tables count: every window in full, no indexer keys, shared too",
    "kv_cache.state_bytes": "Σ over layers of the recurrent state (4 bytes) and the convolutions (2 bytes)",
    "kv_cache.at": "Σ over layers of its bytes · min(length, window), plus kv_cache.state_bytes",
    "memory.weights_bytes.bf16": "parameters.total · 2 bytes",
    "memory.weights_bytes.fp8": "parameters.total · 1 byte",
    "memory.weights_bytes.int4": "parameters.total · ½ byte",
}
"""Fact → its formula in words."""


def _sum_of(record: Architecture, attribute: str) -> str | None:
    kinds = [(kind.count, getattr(kind, attribute), kind.id) for kind in record.layers.kinds]
    if not kinds or any(value is None for _, value, _ in kinds):
        return None
    return " + ".join(f"{count}·{value:,} ({name})" for count, value, name in kinds)


def _text(record: Architecture) -> str | None:
    layers, counts = _sum_of(record, "parameters"), record.parameters
    if layers is None or counts.text is None or counts.embedding is None:
        return None
    inside = sum((kind.parameters or 0) * kind.count for kind in record.layers.kinds)
    rest = counts.text - inside - counts.embedding
    return f"{counts.embedding:,} + {layers} + {rest:,} outside of both"


def _active(record: Architecture) -> str | None:
    counts = record.parameters
    if counts.text is None or counts.active_with_embedding is None or counts.embedding is None:
        return None
    unused = counts.text - counts.active_with_embedding
    table = "" if record.tied_embeddings else f" − {counts.embedding:,}"
    return f"{counts.text:,}{table} − {unused:,}"


def _touched(record: Architecture) -> str | None:
    counts = record.parameters
    if counts.text is None or counts.active_with_embedding is None:
        return None
    return f"{counts.text:,} − {counts.text - counts.active_with_embedding:,}"


def _total(record: Architecture) -> str | None:
    counts = record.parameters
    parts = [("text", counts.text), ("vision", counts.vision), ("audio", counts.audio)]
    told = [f"{value:,} ({name})" for name, value in parts if value]
    return " + ".join(told) if counts.text else None


def _weights(factor: str) -> Callable[[Architecture], str | None]:
    return lambda record: f"{record.parameters.total:,} · {factor}" if record.parameters.total else None


WORKED: dict[str, Callable[[Architecture], str | None]] = {
    "parameters.embedding": lambda record: f"{record.vocab_size:,} · {record.hidden_size:,}",
    "parameters.text": _text,
    "parameters.total": _total,
    "parameters.active": _active,
    "parameters.active_with_embedding": _touched,
    "kv_cache.bytes_per_token": lambda record: _sum_of(record, "cache_bytes_per_token"),
    "kv_cache.state_bytes": lambda record: _sum_of(record, "state_bytes"),
    "memory.weights_bytes.bf16": _weights("2"),
    "memory.weights_bytes.fp8": _weights("1"),
    "memory.weights_bytes.int4": _weights("½"),
}
"""Fact → its formula with this model's numbers; None where one of them is not known."""

MAX_DEPTH = 4


def explain(record: Architecture, fact: str, files: RepoFiles) -> list[str]:
    """Lines that tell where a fact comes from. Raises UsageError for a path that the record does not have."""
    data = record.to_dict()
    value = _at(data, fact)
    lines = [f"{fact} = {_short(value)}"]
    reason = next((item.why for item in record.unknown if _covers(item.fact, fact)), None)
    if reason is not None and value is None:
        return [*lines, f"  unknown: {reason}"]
    lines += list(_origin(record, data, fact, 1, set()))
    if len(lines) == 1:
        lines.append("  the model has none" if value is None else "  no evidence was kept")
    for item in record.disagreements:
        if item.fact == fact:
            lines += [f"  {who} says {value}: {item.where.get(who)}" for who, value in item.values.items()]
    revision = f" at {files.revision[:12]}" if files.revision else ""
    return [*lines, f"read from {files.name}{revision}: {', '.join(sorted(files.files)) or 'no files'}"]


def _origin(record: Architecture, data: dict[str, Any], fact: str, depth: int, seen: set[str]) -> Iterator[str]:
    found = record.evidence.get(fact) or next(
        (item for path, item in record.evidence.items() if path.startswith(fact + ".")), None
    )
    if found is None or fact in seen or depth > MAX_DEPTH:
        return
    seen.add(fact)
    pad = "  " * depth
    yield from (f"{pad}{line}" for line in _formula(record, fact))
    if found.doubt:
        yield f"{pad}in doubt: {found.doubt}"
    if isinstance(found.where, str):
        yield f"{pad}{found.witness}: {found.where}"
        return
    for source in found.where:
        yield f"{pad}from {source} = {_short(_at(data, source, missing=None))}"
        yield from _origin(record, data, source, depth + 1, seen)


def _formula(record: Architecture, fact: str) -> Iterator[str]:
    """The formula in words and, where all of it is known, in numbers."""
    if fact in FORMULAS:
        yield FORMULAS[fact]
    try:
        worked = WORKED[fact](record) if fact in WORKED else None
    except TypeError:  # a number that is not known
        worked = None
    if worked:
        yield f"= {worked}"


def _at(data: Any, fact: str, missing: Any = ...) -> Any:
    value = data
    for part in fact.split("."):
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, dict) and item.get("id") == part), ...)
        elif isinstance(value, dict):
            value = value.get(part, ...)
        else:
            value = None if value is None else ...
        if value is ...:
            if missing is not ...:
                return missing
            raise UsageError(f"{fact}: the record has no such fact; `watcher inspect SOURCE --json` shows them all")
    return value


def _covers(listed: str, fact: str) -> bool:
    return fact == listed or fact.startswith(listed + ".")


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(f"{item.get('count', '')}×{item.get('mixer') or item.get('kind')}" for item in value)
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
