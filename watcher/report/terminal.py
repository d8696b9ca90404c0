"""Records and comparisons for a terminal; text from a repo never reaches it with control characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watcher.architecture.record import Architecture
from watcher.compare import stack, words
from watcher.compare.model import Comparison
from watcher.report import numbers
from watcher.report.escape import clean
from watcher.report.formats import strip_front_matter
from watcher.report.ranking import ranked
from watcher.report.sections.facts import UNKNOWN, facts
from watcher.report.summary import summary
from watcher.report.traits import shared_and_own
from watcher.report.why import why

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watcher.report.model import Report

COLOURS = {"breaking": "red", "structural": "yellow", "scale": "cyan", "cosmetic": "dim"}
MAX_UNKNOWN = 30


def print_record(record: Architecture, console: Console) -> None:
    """What the model is; its layers as a strip; the facts, each with where it was read; then what is unknown."""
    console.print(clean(_title(record)), style="bold", markup=False)
    text = summary(record)
    if text:
        console.print(clean(text, 2000), markup=False)
    print_strip(record, console)
    table = _table("fact", "value", "read in")
    for fact, value in overview(record):
        table.add_row(*_cells(fact, value, _where(record, fact)))
    console.print(table)
    for line in doubts(record):
        console.print(clean(line), style="yellow", markup=False)


def print_layers(record: Architecture, console: Console) -> None:
    """A row for each run of equal layers, with the parameters and the cache of one; then the stack as letters."""
    from watcher.report.layer_table import layer_lines

    for line in layer_lines(record, console.width):
        console.print(line, markup=False)
    print_strip(record, console)


def print_strip(record: Architecture, console: Console) -> None:
    """Every layer as the letter of its kind, a colour a kind; the letters say the same without colour."""
    from rich.text import Text

    ids = stack.expand(record.layers.sequence or "")
    if not ids or len(record.layers.kinds) < 2:
        return
    styles = {kind.id: STRIP[place % len(STRIP)] for place, kind in enumerate(record.layers.kinds)}
    strip = Text(overflow="fold")
    for letter in ids[:MAX_STRIP]:
        strip.append(clean(letter), style=styles.get(letter, ""))
    console.print(strip)
    if len(ids) > MAX_STRIP:
        console.print(f"and {len(ids) - MAX_STRIP:,} more layers", markup=False)
    for kind in record.layers.kinds[:MAX_KINDS]:
        parts = " + ".join(clean(part) for part in (kind.mixer, kind.ff) if part) or "unknown"
        console.print(Text(f"{clean(kind.id)}  {kind.count:>3} × {parts}", style=styles[kind.id]))


STRIP = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta")
MAX_STRIP, MAX_KINDS = 1000, 24


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The verdict; both stacks; the changes by weight with reasons; the facts that differ, side by side."""
    names = [clean(side.model.id or "?") for side in (comparison.a, comparison.b)]
    verdict = f"{names[1]} against {names[0]}: {comparison.verdict.value}, similarity {comparison.similarity:.0%}"
    console.print(verdict, style="bold", markup=False)
    for name, side in zip(names, (comparison.a, comparison.b), strict=True):
        if len(side.layers.kinds) > 1:
            console.print(f"{name}: {clean(side.layers.pattern or 'unknown')}", markup=False)
    told, rest = ranked(comparison)
    table = _table("significance", "change", "why it matters")
    for change in told:
        style = COLOURS[change.significance.value]
        table.add_row(*_cells(change.significance.value, change.sentence, why(change, comparison)), style=style)
    if told:
        console.print(table)
    for title, said in shared_and_own(comparison, told).items():
        console.print(clean(f"{title}: {words.listed(said, most=len(said))}", 2000), markup=False)
    for change in rest:
        console.print(f"- {clean(change.sentence, 400)}", style=COLOURS[change.significance.value], markup=False)
    _print_facts(comparison, names, console)


def _print_facts(comparison: Comparison, names: list[str], console: Console) -> None:
    """The facts table's rows that both sides know and that differ."""
    before, after = facts(comparison.a), facts(comparison.b)
    rows = [
        (label, old, after[label])
        for label, old in before.items()
        if label in after and after[label] != old and UNKNOWN not in (old, after[label])
    ]
    if not rows:
        return
    table = _table("", *names)
    for row in rows:
        table.add_row(*_cells(*row))
    console.print(table)


def print_report(report: Report, console: Console) -> None:
    """The page as a terminal shows Markdown; what is folded away stays folded."""
    from rich.markdown import Markdown

    page = _FOLDED.sub("", strip_front_matter(report.markdown))
    console.print(Markdown(_PICTURE.sub("", page), hyperlinks=False))


_FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
_PICTURE = re.compile(r"^!\[[^\n]*\)$", re.MULTILINE)


def overview(record: Architecture) -> Iterator[tuple[str, str]]:
    """(fact path, value in words): what a reader looks for first."""
    parameters, attention, moe = record.parameters, record.attention, record.moe
    rows: list[tuple[str, object]] = [
        ("decoder_type", record.decoder_type),
        ("layers.pattern", record.layers.pattern),
        ("parameters.total", _count(parameters.total)),
        ("parameters.text", _count(parameters.text)),
        ("parameters.active", _count(parameters.active)),
        ("context_length", record.context_length),
        ("vocab_size", record.vocab_size),
        ("hidden_size", record.hidden_size),
        ("attention.kinds", ", ".join(attention.kinds) or None),
        ("attention.num_attention_heads", attention.num_attention_heads),
        ("attention.num_key_value_heads", attention.num_key_value_heads),
        ("attention.head_dim", attention.head_dim),
        ("attention.qk_norm", attention.qk_norm),
        ("attention.sliding_window", attention.sliding_window),
        ("attention.sparse.kind", attention.sparse.kind if attention.sparse else None),
        ("attention.mla.kv_lora_rank", attention.mla.kv_lora_rank if attention.mla else None),
        ("position.kinds", ", ".join(record.position.kinds) or None),
        ("position.rope_theta", record.position.rope_theta),
        ("position.scaling", record.position.scaling),
        ("norm.kind", record.norm.kind),
        ("norm.placement", record.norm.placement),
        ("residual.kind", record.residual.kind),
        ("feed_forward.activation", record.feed_forward.activation),
        ("feed_forward.intermediate_size", record.feed_forward.intermediate_size),
        ("moe.num_experts", moe.num_experts if moe else None),
        ("moe.num_experts_per_tok", moe.num_experts_per_tok if moe else None),
        ("moe.num_shared_experts", moe.num_shared_experts if moe else None),
        ("moe.moe_intermediate_size", moe.moe_intermediate_size if moe else None),
        ("moe.router", moe.router if moe else None),
        ("mtp_layers", record.mtp_layers),
        ("quantization.method", record.quantization.method if record.quantization else None),
        ("kv_cache.bytes_per_token", _size(record.kv_cache.bytes_per_token)),
        ("kv_cache.nominal_bytes_per_token", _size(record.kv_cache.nominal_bytes_per_token)),
        ("kv_cache.state_bytes", _size(record.kv_cache.state_bytes)),
        ("memory.weights_bytes.bf16", _size(record.memory.weights_bytes.get("bf16"))),
        ("memory.weights_bytes.published", _size(record.memory.weights_bytes.get("published"))),
    ]
    for fact, value in rows:
        if value is not None:
            yield fact, _said(value)
        elif record.is_unknown(fact):
            yield fact, "unknown"


def doubts(record: Architecture) -> Iterator[str]:
    """What is unknown, new to us or told differently, a line each."""
    for item in record.unknown[:MAX_UNKNOWN]:
        yield f"unknown: {item.fact} ({item.why})"
    novel = (*record.novel.config_keys, *record.novel.tensor_names, *record.novel.classes)
    if novel:
        yield f"new to us: {', '.join(novel[:MAX_UNKNOWN])}"
    for found in record.disagreements:
        values = ", ".join(f"{who} says {value}{_place(found.where.get(who))}" for who, value in found.values.items())
        note = f" ({found.note})" if found.note else ""
        yield f"disagreement on {found.fact}: {values}; {found.taken} is believed{note}"


def _place(where: object) -> str:
    """Where a witness says something; a derived fact stands nowhere by itself."""
    return f" ({where})" if isinstance(where, str) else ""


def _title(record: Architecture) -> str:
    revision = f" at {record.model.revision[:7]}" if record.model.revision else ""
    family = f" ({record.model.family})" if record.model.family else ""
    return f"{record.model.id or 'model'}{revision}{family}"


def _where(record: Architecture, fact: str) -> str:
    found = record.evidence.get(fact)
    if found is None:
        return ""
    where = found.where if isinstance(found.where, str) else "from " + ", ".join(found.where)
    told = where if found.witness in ("config", "derived", "reference") else f"{found.witness}: {where}"
    return f"{told} (in doubt: {found.doubt})" if found.doubt else told


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _count(value: int | None) -> str | None:
    return None if value is None else f"{value:,} ({numbers.count(value)})"


def _size(value: float | None) -> str | None:
    if not value:
        return None
    exact = f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"
    return f"{exact} ({numbers.size(value)})"


def _table(*titles: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold", min_width=8 if title else None)
    return table


def _cells(*texts: str) -> list[Text]:
    from rich.text import Text

    return [Text(clean(text, 2000)) for text in texts]
