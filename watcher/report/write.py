"""Draft → Report: the Markdown page, CommonMark with GFM tables, raw HTML only as details."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from watcher.report.contents import SECTIONS
from watcher.report.escape import clean, inline
from watcher.report.headline import headline
from watcher.report.model import Draft, Report, Subject
from watcher.report.sections.page import Page
from watcher.report.template_values import template_values
from watcher.report.templates import Templates, render

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


def write_report(
    draft: Draft, *, pictures: Mapping[str, bytes] | None = None, templates: Templates | None = None
) -> Report:
    """The finished report; the same draft gives the same bytes. The user's templates have the last word on wording."""
    lead = draft.lead
    told = headline(draft)
    path = report_path(draft)
    mine = _member(lead)
    members = (mine, *(_member(subject) for subject in draft.members))
    data = _data(draft, members)
    pictures = dict(pictures or {}) | ({f"{_stem(path)}.json": data} if data else {})
    page = Page(draft, told, pictures)
    sections = {name: "\n\n".join(section(page)) for name, section in SECTIONS}
    problems: tuple[str, ...] = ()
    whole: str | None = None
    if templates:
        own = render(templates, template_values(page, sections))
        problems, whole = own.problems, own.texts.get("page")
        told = clean(own.texts.get("headline", told), 400) or told
        sections |= {name: text for name, text in own.texts.items() if name in sections}
        page = Page(draft, told, pictures)
    notes = [f"> {inline(problem, 500)}" for problem in problems]
    body = [whole, *notes] if whole else [f"# {inline(told, 400)}", *notes, *filter(None, sections.values())]
    markdown = _front_matter(page) + "\n\n".join(body) + "\n"
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
        pictures=pictures,
        record=mine["record"],
        comparison=mine["comparison"],
        members=members,
        hub_url=draft.hub_url,
        problems=problems,
    )


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def _data(draft: Draft, members: Sequence[Mapping[str, Any]]) -> bytes:
    """The page's facts for machines, a file beside it; empty for a report without a model."""
    if not draft.lead.repos:
        return b""
    lead = draft.lead
    told = {
        "report_id": draft.report_id,
        "event": draft.event.value,
        "created_at": draft.created_at.isoformat(),
        "baseline": lead.baseline,
        **members[0],
        "members": members[1:],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _member(subject: Subject) -> dict[str, Any]:
    """One architecture of the release as data; the model's record, which is the comparison's too, made once."""
    record, comparison = subject.record.to_dict(), subject.comparison
    told = None
    if comparison is not None:
        told = comparison.to_dict() if comparison.b is not subject.record else comparison.to_dict(b=record)
    return {"repos": [repo.to_dict() for repo in subject.repos], "record": record, "comparison": told}


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
