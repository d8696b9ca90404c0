"""What a message in chat says of a report, before any platform writes it: headline, changes, key facts, links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watcher.publish.document import Block, Run, Section, parse
from watcher.publish.interface import Links
from watcher.publish.text import visible
from watcher.report.model import Report
from watcher.report.numbers import count, size, tokens

MARKERS = {"breaking": "🔴", "structural": "🟠", "scale": "🔵", "cosmetic": "⚪"}
"""Seen before it is read: how much a change matters."""

TOLD = ("What changed", "In this release", "In this digest")
"""Sections that chat shows; the rest is behind the link."""


ABOUT = "What it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A report in the few words of a chat message. Everything is plain text: platforms escape it."""

    headline: str
    """The whole sentence."""
    title: str
    """The headline up to its first colon: what it is."""
    summary: str
    """The rest of the headline: what is new about it; may be empty."""
    marker: str
    """Of the most significant change; empty without a comparison."""
    sections: tuple[Section, ...]
    """Notes and the sections that chat shows; key facts are apart."""
    facts: tuple[tuple[str, str], ...]
    """Label and value of what a reader asks first; empty when nothing is known."""
    link: str
    """Where the whole can be read; empty when nowhere."""
    picture: str
    """Public address of the sketch, or empty."""
    alt: str
    """The sketch in words."""
    footer: str


def brief(report: Report, links: Links) -> Brief:
    """The report in the few words of a chat message."""
    headline = visible(report.headline)
    title, _, summary = headline.partition(": ")
    return Brief(
        headline=headline,
        title=title.strip() or "Model report",
        summary=summary.strip(),
        marker=MARKERS.get(report.significance or "", ""),
        sections=tuple(marked(section) for section in _shown(parse(report.markdown))),
        facts=tuple(_facts(report.record)),
        link=links.report if links.report.startswith(("http://", "https://")) else "",
        picture=links.picture or "",
        alt=visible(f"Sketch of {report.name}"),
        footer=visible(
            " · ".join(
                word for word in (report.verdict, report.event.value.replace("_", " "), report.organization) if word
            )
        ),
    )


def _shown(sections: Sequence[Section]) -> Iterator[Section]:
    """Notes, the changes, what it is, the repos; of a page without any of these sections its first words."""
    first, *rest = sections
    shown = [section for section in rest if section.title.startswith(TOLD)]
    words = [block for block in first.blocks if _is_about(block)] if shown else []
    yield Section("", tuple(block for block in first.blocks if block not in words))
    yield from shown[:1]
    if words:
        yield Section(ABOUT, tuple(words))
    yield from shown[1:]


def _is_about(block: Block) -> bool:
    """Whether it describes the model; notes are quoted, and the report that this one continues is linked."""
    return block.kind == "paragraph" and not any(run.url for run in block.runs)


def terse(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Without the explanations of changes (after a dash), for platforms with little room."""
    return tuple(replace(section, blocks=tuple(map(_unexplained, section.blocks))) for section in sections)


def _unexplained(block: Block) -> Block:
    if block.kind != "item":
        return block
    kept: list[Run] = []
    for run in block.runs:
        before, dash, _ = run.text.partition(" — ")
        kept.append(replace(run, text=before))
        if dash:
            break
    return replace(block, runs=tuple(kept))


def marked(section: Section) -> Section:
    """A marker before the word of each change's significance."""
    return replace(section, blocks=tuple(_with_marker(block) for block in section.blocks))


def _with_marker(block: Block) -> Block:
    """`1. breaking: …` → `1. 🔴 breaking: …`."""
    if block.kind != "item" or len(block.runs) < 2:
        return block
    number, word, *rest = block.runs
    marker = MARKERS.get(word.text) if word.bold else None
    return replace(block, runs=(replace(number, text=f"{number.text}{marker} "), word, *rest)) if marker else block


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key facts of a record; what is unknown is left out."""

    def at(*path: str) -> Any:
        value: Any = record
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    total, active = at("parameters", "total") or at("parameters", "text"), at("parameters", "active")
    if total:
        yield "Parameters", count(total) + (f", {count(active)} active" if active and active != total else "")
    for label, value, written in (
        ("Decoder", at("decoder_type"), str),
        ("Layers", at("layers", "count"), str),
        ("Context", at("context_length"), tokens),
        ("KV cache per token", at("kv_cache", "bytes_per_token"), size),
        ("Weights, bf16", at("memory", "weights_bytes", "bf16"), size),
        ("License", at("model", "license"), str),
    ):
        if value:
            yield label, visible(written(value))[:80]
