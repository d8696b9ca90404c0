"""Draft → Report: the Markdown page, CommonMark with GFM tables, raw HTML only as details."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from watcher.report.escape import inline
from watcher.report.headline import headline
from watcher.report.model import Draft, Report, Subject
from watcher.report.sections import changes, facts, opening, practical, sources
from watcher.report.sections.page import Page, Section

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def report_path(draft: Draft) -> str:
    """`<org>/<name>/<date>-<event>-<sha7>.md`, safe on every file system."""
    repo = draft.lead.repos[0] if draft.lead.repos else None
    org, _, name = (repo.name if repo else f"watcher/{draft.organization}").partition("/")
    sha = (repo.sha or "")[:7] if repo else ""
    tail = _segment(sha) if sha else draft.report_id[-7:]
    return f"{_segment(org)}/{_segment(name)}/{draft.created_at:%Y-%m-%d}-{draft.event.value}-{tail}.md"


def _segment(text: str) -> str:
    plain = _UNSAFE.sub("-", text)[:80].strip(".-") or "unnamed"
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def write_report(draft: Draft, *, pictures: Mapping[str, bytes] | None = None) -> Report:
    """The finished report; the same draft gives the same bytes."""
    lead = draft.lead
    told = headline(draft)
    path = report_path(draft)
    page = Page(draft, told, pictures or {})
    blocks = [block for _, section in SECTIONS for block in section(page)]
    markdown = _front_matter(page) + "\n\n".join([f"# {inline(told, 400)}", *blocks]) + "\n"
    top = (
        max((change.significance for change in lead.comparison.changes), key=lambda s: s.rank, default=None)
        if lead.comparison
        else None
    )
    return Report(
        report_id=draft.report_id,
        release_id=draft.release_id,
        event=draft.event,
        organization=draft.organization,
        created_at=draft.created_at,
        headline=told,
        significance=(top.value if top else "cosmetic") if lead.comparison else None,
        verdict=lead.comparison.verdict.value if lead.comparison else None,
        repos=tuple(repo for subject in (lead, *draft.members) for repo in subject.repos),
        path=path,
        markdown=markdown,
        pictures=dict(pictures or {}),
        record=lead.record.to_dict(),
        comparison=lead.comparison.to_dict() if lead.comparison else None,
        members=tuple(_member(subject) for subject in (lead, *draft.members)),
        hub_url=draft.hub_url,
    )


def _member(subject: Subject) -> dict[str, object]:
    return {
        "repos": [repo.to_dict() for repo in subject.repos],
        "record": subject.record.to_dict(),
        "comparison": subject.comparison.to_dict() if subject.comparison else None,
    }


def _front_matter(page: Page) -> str:
    """YAML whose every value is a JSON string: valid in both, whatever it holds."""
    draft = page.draft
    values = {
        "report": draft.report_id,
        "event": draft.event.value,
        "date": draft.created_at.isoformat(),
        "organization": draft.organization,
        "headline": page.headline,
        "repos": [repo.name for subject in (draft.lead, *draft.members) for repo in subject.repos][:100],
        "verdict": draft.lead.comparison.verdict.value if draft.lead.comparison else None,
        "baseline": draft.lead.baseline,
        "record": next((name for name in page.pictures if name.endswith(".json")), None),
        "catalog": draft.catalog_version or None,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "---\n" + "\n".join(lines) + "\n---\n\n"


SECTIONS: tuple[tuple[str, Section], ...] = (
    ("sketch", opening.sketch),
    ("notes", opening.notes),
    ("about", opening.about),
    ("changes", changes.changes),
    ("members", sources.members),
    ("facts", facts.beside),
    ("layers", opening.pattern),
    ("fit", practical.fit),
    ("runtimes", practical.known_by),
    ("licence", sources.licence),
    ("doubt", sources.doubt),
    ("sources", sources.sources),
    ("evidence", sources.evidence),
    ("config_diff", sources.config_diff),
)
"""The page from top to bottom, by name; a new section is a function and a row here."""
