"""What a user's template may look at: the report's own data as plain values, and the built-in text of each section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watcher.report.ranking import grouped
from watcher.report.sections.facts import facts
from watcher.report.sections.page import Page
from watcher.report.story import leading
from watcher.report.summary import summary
from watcher.report.why import why


def template_values(page: Page, sections: Mapping[str, str]) -> dict[str, Any]:
    """JSON-safe: `headline`, `name`, `event`, `repos`, `record`, `facts`, `changes`, `neighbours`, `sections` …"""
    draft, lead = page.draft, page.draft.lead
    first = leading(lead)
    changes = grouped(first.comparison.changes) if first else []
    return {
        "headline": page.headline,
        "summary": summary(lead.record),
        "name": lead.repos[0].name if lead.repos else draft.organization,
        "organization": draft.organization,
        "event": draft.event.value,
        "date": draft.created_at.isoformat(),
        "url": draft.hub_url,
        "gated": draft.gated,
        "repos": [repo.to_dict() for subject in (lead, *draft.members) for repo in subject.repos],
        "record": lead.record.to_dict(),
        "facts": facts(lead.record),
        "verdict": lead.comparison.verdict.value if lead.comparison else None,
        "similarity": lead.comparison.similarity if lead.comparison else None,
        "baseline": lead.baseline,
        "against": first.name if first else None,
        "changes": [change.to_dict() | {"why": why(change, first.comparison)} for change in changes] if first else [],
        "neighbours": [
            {"role": item.role.value, "name": item.name, "similarity": item.comparison.similarity}
            for item in lead.neighbours
        ],
        "notes": list(draft.notes),
        "sections": dict(sections),
    }
