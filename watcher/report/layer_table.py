"""The stack for a terminal: a row for each run of equal layers, with the parameters and the cache of one such layer."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare.stack import expand, runs
from watcher.report.escape import clean

COLUMNS = (
    "layers", "kind", "mixer", "ff", "heads", "q·k", "v", "window", "rope", "qk-norm", "gate", "norm", "parameters",
    "cache/token", "state",
)  # fmt: skip


DROPPED = ("gate", "norm", "qk-norm", "v", "q·k", "rope", "state", "window", "heads", "kind")
"""Columns that a narrow terminal does without, in this order."""


def layer_lines(record: Architecture, width: int = 200) -> list[str]:
    """The table as lines of text, then what the layers come to together."""
    kinds = {kind.id: kind for kind in record.layers.kinds}
    row = expand(record.layers.sequence or "")
    if not row or any(name not in kinds for name in row):
        why = next((item.why for item in record.unknown if item.fact in ("layers", "layers.count")), "not known")
        return [f"layers: unknown ({clean(why)})"]
    return [*_fitted([COLUMNS, *_rows(row, kinds)], width), "", *_sums(record)]


def _fitted(rows: list[tuple[str, ...]], width: int) -> list[str]:
    """The rows in columns, with as many of them as fit."""
    for count in range(len(DROPPED) + 1):
        kept = [index for index, title in enumerate(COLUMNS) if title not in DROPPED[:count]]
        widths = [max(len(cells[index]) for cells in rows) for index in kept]
        if sum(widths) + 2 * len(widths) - 2 <= width:
            break
    lines = (
        "  ".join(cells[index].ljust(size) for index, size in zip(kept, widths, strict=True)).rstrip() for cells in rows
    )
    return list(lines)


def _rows(row: list[str], kinds: dict[str, LayerKind]) -> Iterator[tuple[str, ...]]:
    first = 0
    for name, count in runs(row):
        last = first + count - 1
        yield (str(first) if count == 1 else f"{first}-{last}", *_cells(kinds[name]))
        first = last + 1


def _cells(kind: LayerKind) -> tuple[str, ...]:
    heads = kind.num_attention_heads
    shared = f" from {kind.shared_kv_from}" if kind.shared_kv_from is not None else ""
    values = (
        kind.id,
        f"{kind.mixer or '?'}{shared}",
        kind.ff,
        None if heads is None else f"{heads}/{_said(kind.num_key_value_heads)}",
        kind.qk_dim,
        kind.v_dim,
        kind.window,
        kind.rope,
        kind.qk_norm,
        kind.gate,
        kind.norm,
        kind.parameters,
        kind.cache_bytes_per_token,
        kind.state_bytes or None,
    )
    return tuple(clean(_said(value)) for value in values)


def _sums(record: Architecture) -> Iterator[str]:
    """The row in short, the parameters of all layers, and the cache of all."""
    yield f"sequence: {clean(record.layers.sequence or '')}"
    weights = [kind.parameters for kind in record.layers.kinds]
    if weights and None not in weights:
        total = sum((kind.parameters or 0) * kind.count for kind in record.layers.kinds)
        yield f"layers together: {total:,} parameters of {_said(record.parameters.text)} in the language part"
    if record.kv_cache.bytes_per_token is not None:
        state = _said(record.kv_cache.state_bytes)
        yield f"cache: {record.kv_cache.bytes_per_token:,} bytes a token, {state} bytes of state"


def _said(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
