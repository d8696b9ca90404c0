"""How one fact was derived: its value, its evidence, and the evidence of what it was derived from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.errors import UsageError

FORMULAS = {
    "parameters.active": "text − input embedding (kept when tied) − experts not chosen",
    "parameters.active_with_embedding": "text − experts not chosen",
    "parameters.embedding": "vocab_size · hidden_size",
    "parameters.text": "embedding + Σ over layers + final norm + output layer (none when tied)",
    "kv_cache.bytes_per_token": "Σ over layers of 2 bytes · cached elements per token (MLA: kv_lora_rank + rope part)",
    "kv_cache.nominal_bytes_per_token": "as published tables count: every window in full, no indexer keys, shared too",
    "kv_cache.at": "Σ over layers of its bytes · min(length, window), plus kv_cache.state_bytes",
    "memory.weights_bytes.bf16": "parameters.total · 2 bytes",
    "memory.weights_bytes.fp8": "parameters.total · 1 byte",
    "memory.weights_bytes.int4": "parameters.total · ½ byte",
}
"""Fact → its formula in words."""

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
    if fact in FORMULAS:
        yield f"{pad}{FORMULAS[fact]}"
    if isinstance(found.where, str):
        yield f"{pad}{found.witness}: {found.where}"
        return
    for source in found.where:
        yield f"{pad}from {source} = {_short(_at(data, source, missing=None))}"
        yield from _origin(record, data, source, depth + 1, seen)


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
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
