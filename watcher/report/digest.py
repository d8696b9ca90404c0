"""Several reports → one report: a table and a line each, for digests and for what a cap held back."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from watcher.architecture.record import Architecture
from watcher.compare.model import Significance
from watcher.releases.model import EventKind
from watcher.report.escape import clean, inline, link, short
from watcher.report.model import Report
from watcher.report.numbers import count
from watcher.report.summary import summary

MOST = 100
"""Reports told one by one; more are only counted."""


def digest_report(
    reports: Sequence[Report], links: Mapping[str, str], *, channel: str, now: datetime, because: str = ""
) -> Report:
    """One report over many, the most significant first. `links`: address of each whole report, by its id."""
    ranked = sorted(reports, key=lambda report: (-_rank(report), report.created_at, report.report_id))
    ids = " ".join(sorted(report.report_id for report in reports))
    identity = "rep_" + hashlib.sha256(f"digest {channel} {ids}".encode()).hexdigest()[:20]
    told = headline(ranked)
    path = f"digests/{_segment(channel)}/{now:%Y-%m-%d}-digest-{identity[4:11]}.md"
    return Report(
        report_id=identity,
        release_id="",
        event=EventKind.DIGEST,
        organization="digest",
        created_at=now,
        headline=told,
        significance=max((item.significance for item in ranked if item.significance), key=_place, default=None),
        verdict=None,
        repos=tuple(repo for report in ranked for repo in report.repos),
        path=path,
        markdown="\n\n".join(
            [_front_matter(identity, ranked, now), f"# {inline(told, 400)}", *_blocks(ranked, links, because)]
        )
        + "\n",
        hub_url=ranked[0].hub_url if ranked else "",
    )


def headline(reports: Sequence[Report]) -> str:
    """`7 reports: 5 releases (2 with a new architecture), 2 config changes`."""
    kinds = Counter(report.event for report in reports)
    parts = [_kind(kind, number, reports) for kind, number in kinds.most_common()]
    return clean(f"{_many(len(reports), 'report')}: {', '.join(parts)}", 400)


def _kind(kind: EventKind, number: int, reports: Iterable[Report]) -> str:
    if kind is not EventKind.RELEASED:
        return _many(number, kind.value.replace("_changed", " change").replace("_", " "))
    new = sum(report.event is kind and report.verdict == "new" for report in reports)
    return _many(number, "release") + (f" ({new} with a new architecture)" if new else "")


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _rank(report: Report) -> int:
    return _place(report.significance or "cosmetic")


def _place(significance: str) -> int:
    return Significance(significance).rank


def _blocks(reports: Sequence[Report], links: Mapping[str, str], because: str) -> Iterable[str]:
    yield "## In this digest"
    if because:
        yield inline(because, 400)
    rows = ["| model | organization | event | verdict | parameters |", "|---|---|---|---|---|"]
    yield "\n".join([*rows, *(_row(report, links) for report in reports[:MOST])])
    yield "\n".join(f"- {inline(report.headline, 400)}" for report in reports[:MOST])
    paragraphs = [text for report in reports[:MOST] if (text := _paragraph(report, links))]
    if paragraphs:
        yield "## What they are"
        yield from paragraphs
    if len(reports) > MOST:
        yield f"And {_many(len(reports) - MOST, 'report')} more."


def _paragraph(report: Report, links: Mapping[str, str]) -> str:
    """The model in the field's words; empty where its architecture is not known or not what the report is about."""
    if report.event not in TOLD or not report.record:
        return ""
    text = summary(Architecture.from_dict(dict(report.record)))
    name = link(short(report.name), links.get(report.report_id, report.hub_url))
    return f"**{name}**: {inline(text, 1200)}" if text else ""


TOLD = (EventKind.RELEASED, EventKind.RECREATED)


def _row(report: Report, links: Mapping[str, str]) -> str:
    size = (report.record.get("parameters") or {}).get("total")
    cells = (
        link(short(report.name), links.get(report.report_id, report.hub_url)),
        inline(report.organization),
        report.event.value,
        report.verdict or "",
        count(size) if isinstance(size, int) else "",
    )
    return f"| {' | '.join(cells)} |"


def _segment(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in text)[:64]


def _front_matter(identity: str, reports: Sequence[Report], now: datetime) -> str:
    values = {
        "report": identity,
        "event": EventKind.DIGEST.value,
        "date": now.isoformat(),
        "headline": headline(reports),
        "reports": [report.report_id for report in reports],
    }
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items())
    return f"---\n{lines}\n---"
