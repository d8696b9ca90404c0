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


def layer_lines(record: Architecture) -> list[str]:
    """The table as lines of text, then what the layers come to together."""
    kinds = {kind.id: kind for kind in record.layers.kinds}
    row = expand(record.layers.sequence or "")
    if not row or any(name not in kinds for name in row):
        why = next((item.why for item in record.unknown if item.fact in ("layers", "layers.count")), "not known")
        return [f"layers: unknown ({clean(why)})"]
    rows = [COLUMNS, *_rows(row, kinds)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    return [*lines, "", *_sums(record)]


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
