"""A finished report in other forms: HTML, text, JSON, the webhook's body, and without its front matter."""

from __future__ import annotations

import json
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


def render(report: Report, kind: str) -> str:
    """md, html, json, text, slack or discord."""
    if kind == "md":
        return report.markdown
    if kind == "json":
        return json.dumps(report_json(report), indent=2, ensure_ascii=False) + "\n"
    if kind == "html":
        return to_html(report.markdown)
    from watcher.publish.document import parse
    from watcher.publish.interface import Links
    from watcher.publish.text import plain_text

    if kind == "text":
        return plain_text(parse(report.markdown))
    links = Links(report=report.hub_url)
    if kind == "slack":
        from watcher.publish.slack import message as slack_message

        return json.dumps(slack_message(report, links), indent=2, ensure_ascii=False) + "\n"
    from watcher.publish.discord import message as discord_message

    return json.dumps(discord_message(report, links, None), indent=2, ensure_ascii=False) + "\n"


def to_html(markdown: str) -> str:
    """A page's body; the only raw HTML in a report is details and summary, which we wrote."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(strip_front_matter(markdown)))
