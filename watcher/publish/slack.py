"""Slack, by incoming webhook: mrkdwn sections within Block Kit's limits (the `markdown` block answers 500)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from watcher.publish import http
from watcher.publish.document import Block, Run, parse, rows_as_items
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.text import cut
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

HEADER, SECTION, BLOCKS, TOTAL, TEXT = 150, 2900, 45, 11_000, 3000
"""Platform limits with slack: header 150, section 3,000, 50 blocks, about 13,200 over all, text 4,000."""

GONE = ("no_service", "no_team", "no_active_hooks", "invalid_token", "token_revoked", "channel_is_archived")
"""Words by which Slack says that a hook will never work again."""

TOLD = ("What changed", "In this release", "In this digest")
"""Sections that chat shows; the rest is behind the link."""


class SlackSettings(ChannelSettings):
    """Keys of a Slack channel."""

    type: Literal["slack"]
    url: SecretField
    """The incoming webhook's address: a secret."""


class Slack:
    """An incoming webhook."""

    def __init__(self, settings: SlackSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """The message, as the webhook takes it."""
        return Payload(body=message(report, links))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post it; Slack answers `ok`."""
        what = f"{self.name}: Slack"
        answer = http.post(self.settings.url.resolve(), what=what, json=dict(outgoing.payload.body))
        if answer.status == 200 and answer.text.strip() == "ok":
            return Receipt(status="200 ok")
        if any(word in answer.text for word in GONE):
            raise DeliveryError(
                f"{what} says {answer.short}: the webhook is revoked; make a new one and set channels.{self.name}.url",
                scope=Scope.REVOKED,
                status=answer.short,
            )
        http.raise_for(answer, what, revoked=(410,))
        if http.is_error(answer):
            raise DeliveryError(f"{what} said {answer.short}; check channels.{self.name}.url", status=answer.short)
        return Receipt(status=answer.short)

    def check(self) -> str:
        """Verify the address without sending."""
        return f"webhook at {http.host_of(self.settings.url.resolve())}"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links) -> dict[str, Any]:
    """The webhook's body: a header, what changed, and a link to the whole; cut at blocks."""
    title = report.headline
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": cut(title.partition(":")[0].strip() or "Model report", HEADER),
                "emoji": False,
            },
        },
        _section(f"*{escape(cut(title, 1000))}*"),
    ]
    if links.picture:
        alt = cut(f"Sketch of {report.name}", 200)
        blocks.append({"type": "image", "image_url": links.picture, "alt_text": alt})
    foot = {"type": "context", "elements": [{"type": "mrkdwn", "text": _footer(report, links)}]}
    used = sum(len(str(block)) for block in (*blocks, foot))
    for block in _body(report):
        used += len(block["text"]["text"]) + 40
        if used > TOTAL or len(blocks) >= BLOCKS:
            break
        blocks.append(block)
    return {"text": escape(cut(title, TEXT)), "blocks": [*blocks, foot], "unfurl_links": False, "unfurl_media": False}


def _footer(report: Report, links: Links) -> str:
    words = [f"<{_address(links.report)}|full report>"] if links.report.startswith("http") else []
    words += [escape(report.verdict)] if report.verdict else []
    return " · ".join([*words, escape(report.event.value.replace("_", " "))])


def _body(report: Report) -> Iterator[dict[str, Any]]:
    """Sections that chat shows, each within a block's limit, broken between lines."""
    for section in parse(report.markdown)[1:]:
        if not section.title.startswith(TOLD):
            continue
        lines = [f"*{escape(section.title)}*", *(line for block in section.blocks for line in _lines(block))]
        text = ""
        for line in lines:
            line = line if len(line) <= SECTION else cut(line, SECTION)
            if text and len(text) + 1 + len(line) > SECTION:
                yield _section(text)
                text = ""
            text = f"{text}\n{line}" if text else line
        if text:
            yield _section(text)


def _lines(block: Block) -> Iterator[str]:
    for part in rows_as_items(block) if block.kind == "table" else (block,):
        yield "".join(_run(run) for run in part.runs)


def _run(run: Run) -> str:
    text = escape(run.text)
    if run.url and run.url.startswith(("http://", "https://")):
        return f"<{_address(run.url)}|{text.replace('|', '¦')}>"
    return f"*{text}*" if run.bold and text.strip() else text


def _address(url: str) -> str:
    """An address inside `<…>`: what would end it is percent-encoded."""
    return url.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def escape(text: str) -> str:
    """Slack's three entities, and a word joiner before what mrkdwn would format (it has no escape for those)."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u2060{letter}" if letter in "*_~`" else letter for letter in plain)
