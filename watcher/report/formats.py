"""A finished report in other forms: HTML, JSON, the webhook's body, and without its front matter."""

from __future__ import annotations

from typing import Any

from watcher.report.model import Report


def strip_front_matter(markdown: str) -> str:
    """The page alone: CommonMark would take front matter for a heading."""
    if not markdown.startswith("---\n"):
        return markdown
    _, separator, rest = markdown[4:].partition("\n---\n")
    return rest.lstrip("\n") if separator else markdown


def report_json(report: Report) -> dict[str, Any]:
    """The report as data."""
    return {
        "report_id": report.report_id,
        "release_id": report.release_id,
        "event": report.event.value,
        "organization": report.organization,
        "created_at": report.created_at.isoformat(),
        "headline": report.headline,
        "significance": report.significance,
        "verdict": report.verdict,
        "repos": [repo.to_dict() for repo in report.repos],
        "record": dict(report.record),
        "comparison": report.comparison,
        "members": list(report.members),
        "markdown": report.markdown,
        "path": report.path,
        "url": report.hub_url,
    }


def webhook_body(report: Report, url: str) -> dict[str, Any]:
    """The generic webhook's body."""
    data = report_json(report)
    kept = "report_id release_id organization headline significance verdict repos record comparison members".split()
    return {
        "type": f"model.{report.event.value}",
        "timestamp": report.created_at.isoformat(),
        "data": {**{key: data[key] for key in kept}, "markdown": report.markdown, "url": url},
    }


def to_html(markdown: str) -> str:
    """A page's body; the only raw HTML in a report is details and summary, which we wrote."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(strip_front_matter(markdown)))
