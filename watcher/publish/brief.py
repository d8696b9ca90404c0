"""What a message in chat says of a report, before any platform writes it: headline, changes, key facts, links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from watcher.publish.document import Block, Section, parse
from watcher.publish.interface import Links
from watcher.publish.text import visible
from watcher.report.model import Report
from watcher.report.numbers import count, size, tokens

MARKERS = {"breaking": "🔴", "structural": "🟠", "scale": "🔵", "cosmetic": "⚪"}
"""Seen before it is read: how much a change matters."""

TOLD = ("What changed", "In this release", "In this digest")
"""Sections that chat shows; the rest is behind the link."""


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
    first, *rest = parse(report.markdown)
    shown = [section for section in rest if section.title.startswith(TOLD)]
    return Brief(
        headline=headline,
        title=title.strip() or "Model report",
        summary=summary.strip(),
        marker=MARKERS.get(report.significance or "", ""),
        sections=tuple(_marked(section) for section in (Section("", first.blocks), *shown)),
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


def _marked(section: Section) -> Section:
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
