"""Will it fit, will it run: weights by precision, the cache by context, accelerators, runtimes; arithmetic shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from watcher.architecture.record import Architecture
from watcher.compare import words
from watcher.report.escape import inline
from watcher.report.numbers import count, size, tokens
from watcher.report.runtimes import runtimes
from watcher.report.sections.page import Page, table

BYTES = {"bf16": 2.0, "fp8": 1.0, "int4": 0.5}
"""Bytes of one weight."""
LENGTHS = (8192, 32768, 131072)
COUNTS = (1, 2, 4, 8)
"""Accelerators of one node."""
USABLE = 0.9
"""Share of an accelerator's memory for weights and cache; the rest is activations and the runtime itself."""
SEQUENCES = 16
STEADY = 32768
"""A window is at most this long, so that a cache grows in a line from here."""


def fit(page: Page) -> Iterator[str]:
    """Weights, cache and accelerators."""
    record = page.draft.lead.record
    weights = {name: value for name, value in record.memory.weights_bytes.items() if value}
    caches = cache_sizes(record)
    if page.is_alert or not (weights or caches):
        return
    yield "## Will it fit"
    if weights:
        yield table(("weights", "bytes", "arithmetic"), (_weights_row(record, *item) for item in weights.items()))
    if caches:
        head = ("context", "KV cache of one sequence, bf16", f"of {SEQUENCES} sequences")
        yield table(head, ((tokens(length), size(value), size(value * SEQUENCES)) for length, value in caches.items()))
        yield inline(_cache_arithmetic(record), 600)
    yield from _accelerators(record, weights, caches)


def _weights_row(record: Architecture, name: str, value: int) -> tuple[str, str, str]:
    parameters = record.parameters.total or record.parameters.text
    if name in BYTES and parameters:
        return (
            inline(name),
            size(value),
            f"{count(parameters)} × {BYTES[name]:g} {'byte' if BYTES[name] == 1 else 'bytes'}",
        )
    return inline(name), size(value), "sum of the files" if name == "published" else ""


def cache_sizes(record: Architecture) -> dict[int, int]:
    """Bytes of one sequence's cache and state at the usual lengths up to the context, and at the whole context."""
    longest = record.context_length
    known = {int(length): value for length, value in record.kv_cache.at.items() if value is not None}
    found = {length: known[length] for length in LENGTHS if length in known and (not longest or length <= longest)}
    whole = at_length(record, longest) if longest else None
    if longest and whole is not None:
        found[longest] = whole
    return dict(sorted(found.items()))


def at_length(record: Architecture, length: int) -> int | None:
    """The cache at any length from 32k on, by the line through the record's values; None where it is no line."""
    known = {int(at): value for at, value in record.kv_cache.at.items() if value is not None}
    if length in known:
        return known[length]
    first, last = known.get(STEADY), known.get(131072)
    windows = [kind.window for kind in record.layers.kinds if kind.window]
    if first is None or last is None or length < STEADY or any(window > STEADY for window in windows):
        return None
    return first + (last - first) * (length - STEADY) // (131072 - STEADY)


def _cache_arithmetic(record: Architecture) -> str:
    per_token, state = record.kv_cache.bytes_per_token, record.kv_cache.state_bytes
    parts = []
    if per_token:
        windowed = any(kind.window for kind in record.layers.kinds)
        until = ", until a layer's window is full" if windowed else ""
        parts.append(f"{per_token:,.10g} bytes per token over all layers{until}")
    if state:
        parts.append(f"{size(state)} of constant state per sequence, whatever its length")
    return (f"One sequence: {'; '.join(parts)}. " if parts else "") + "Concurrent sequences multiply it."


def _accelerators(record: Architecture, weights: dict[str, int], caches: dict[int, int]) -> Iterator[str]:
    """How many of each hold the weights and one sequence; those that never do are only named."""
    if not weights:
        return
    date, known = accelerators()
    length = 32768 if 32768 in caches else max(caches, default=0)
    one = caches.get(length, 0)
    rows = [(inline(name), f"{gb} GB", *(_needed(value, one, gb) for value in weights.values())) for name, gb in known]
    enough = [row for row in rows if set(row[2:]) != {DASH}]
    beside = f" and one sequence of {tokens(length)} tokens" if one else ""
    then = ", and how many such sequences then fit" if one else ""
    if enough:
        yield table(("accelerator", "memory", *(inline(name) for name in weights)), enough)
        yield (
            f"How many of one node of {COUNTS[-1]} hold the weights{beside} in {USABLE:.0%} of their memory{then}; "
            f"{DASH} where a node is not enough."
        )
    short = [row[0] for row in rows if row not in enough]
    none = f"Not enough, even {COUNTS[-1]} of them: {words.listed(short, most=len(short))}. " if short else ""
    yield f"{none}Memory sizes of {date}; GB are 10⁹ bytes."


DASH = "–"


def _needed(weights: int, sequence: int, gb: int) -> str:
    """`4× (17 sequences)`, or a dash."""
    for number in COUNTS:
        left = number * gb * 1e9 * USABLE - weights
        if left >= sequence and left > 0:
            return f"{number}×" + (f" ({math.floor(left / sequence):,})" if sequence else "")
    return DASH


@cache
def accelerators() -> tuple[str, tuple[tuple[str, int], ...]]:
    """The table's date, and (name, memory in 10⁹ bytes)."""
    data = json.loads(files("watcher.report").joinpath("data/accelerators.json").read_text("utf-8"))
    return data["date"], tuple((item["name"], item["gb"]) for item in data["accelerators"])


def known_by(page: Page) -> Iterator[str]:
    """Which runtimes name this architecture."""
    model = page.draft.lead.record.model
    if page.is_alert or not (model.class_ or model.family):
        return
    found = runtimes(model.class_, model.family, page.draft.runtimes)
    yield "## Runtimes"
    yield table(("runtime", "this architecture"), ((inline(item.runtime), inline(item.sentence)) for item in found))
    if model.remote_code:
        yield "The repo brings its own modeling code, which `transformers` runs only when told to trust it."
