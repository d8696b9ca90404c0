"""Microsoft Teams, by a Workflows webhook: an Adaptive Card of rich text runs, in which text is data, not Markdown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from watcher.publish import http
from watcher.publish.brief import Brief, brief
from watcher.publish.document import Block, Run
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.marks import safe_address
from watcher.publish.text import cut, utf8
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

CARD, LINE = 20_000, 2_500
"""Bytes. Teams refuses 28 kB, counted after it has expanded the card; what it adds was measured at a fifth."""


class TeamsSettings(ChannelSettings):
    """Keys of a Teams channel."""

    type: Literal["teams"]
    url: SecretField
    """The workflow's address ("Post to a channel when a webhook request is received"): a secret, with its `sig=`."""


class Teams:
    """A workflow of a Teams channel."""

    def __init__(self, settings: TeamsSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """The card, as the workflow takes it."""
        return Payload(body=message(report, links))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post it. The old connectors answered 200 with an error in words, a workflow answers 202."""
        what = f"{self.name}: Teams"
        answer = http.post(self.settings.url.resolve(), what=what, json=dict(outgoing.payload.body))
        if 200 <= answer.status < 300:
            self._believe(answer, what)
            return Receipt(status=answer.short)
        if answer.status in (401, 403, 404, 410):
            raise DeliveryError(
                f"{what} says {answer.short}: the workflow is gone or its owner left; make a new one and set "
                f"channels.{self.name}.url",
                scope=Scope.REVOKED,
                status=answer.short,
            )
        http.raise_for(answer, what)
        raise DeliveryError(f"{what} said {answer.short}", status=answer.short)

    def _believe(self, answer: http.Answer, what: str) -> None:
        """A success whose body tells of an error is none."""
        found = re.search(r"(?i)HTTP error (\d{3})", answer.text)
        if found is None and "failed" not in answer.text.lower():
            return
        scope = Scope.DELIVERY if found and found[1] in ("400", "413") else Scope.CHANNEL
        raise DeliveryError(f"{what} said {answer.short}", scope=scope, status=answer.short)

    def check(self) -> str:
        """Verify the address without sending: a workflow has nothing that could be asked."""
        url = self.settings.url.resolve()
        if not url.startswith(("https://", "http://")):
            raise DeliveryError(f"{self.name}: the address of a workflow begins with https://")
        return f"workflow at {http.host_of(url)}; only a message can tell whether it runs"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links) -> dict[str, Any]:
    """The request of a workflow: one Adaptive Card within its size."""
    told = brief(report, links)
    items = _opening(told)
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(told.headline, 500),
        "msteams": {"width": "Full"},
        "body": items,
    }
    if told.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Full report", "url": safe_address(told.link)}]
    limits = Limits(total=CARD - _bytes(card), block=LINE, blocks=150)
    items += [_line(block) for block in fit(told.sections, limits, lambda block: _bytes(_line(block)) + 2)]
    items.append(_text(cut(told.footer, 300), isSubtle=True, size="Small"))
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _opening(told: Brief) -> list[dict[str, Any]]:
    items = [_text(cut(f"{told.marker} {told.title}".strip(), 300), weight="Bolder", size="Large")]
    if told.summary:
        items.append(_text(cut(told.summary, 1000), weight="Bolder"))
    if told.facts:
        runs = [part for label, value in told.facts for part in (_run(Run(f"{label} ")), _run(Run(value, bold=True)))]
        spaced = [part | {"text": part["text"] + ("   " if number % 2 else "")} for number, part in enumerate(runs)]
        items.append({"type": "RichTextBlock", "inlines": spaced})
    if told.picture.startswith("https://"):
        items.append({"type": "Image", "url": told.picture[:2000], "altText": cut(told.alt, 200), "size": "Stretch"})
    return items


def _line(block: Block) -> dict[str, Any]:
    runs = [_run(run) for run in block.runs if run.text] or [_run(Run(" "))]
    line: dict[str, Any] = {"type": "RichTextBlock", "inlines": runs}
    if block.kind != "heading":
        line["spacing"] = "Small"
    return line


def _run(run: Run) -> dict[str, Any]:
    """A run of text; its characters are shown as they are."""
    made: dict[str, Any] = {"type": "TextRun", "text": run.text}
    if run.bold:
        made["weight"] = "Bolder"
    if run.code:
        made["fontType"] = "Monospace"
    if run.url and run.url.startswith(("http://", "https://")):
        made["selectAction"] = {"type": "Action.OpenUrl", "url": safe_address(run.url)}
    return made


def _text(text: str, **look: Any) -> dict[str, Any]:
    """One run of a look of its own; a TextBlock would read Markdown."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _bytes(data: Any) -> int:
    return utf8(json.dumps(data))
