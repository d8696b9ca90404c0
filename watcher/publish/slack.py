"""Slack, by incoming webhook: mrkdwn sections within Block Kit's limits (the `markdown` block answers 500)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from watcher.publish import http
from watcher.publish.brief import Brief, brief
from watcher.publish.document import Block
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.marks import SLACK, slack_address, slack_escape, write
from watcher.publish.text import WORD_JOINER, cut, unlinked
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

HEADER, SECTION, FIELD, TOTAL, TEXT = 150, 2900, 300, 11_000, 3000
"""Within the platform's limits: header 150, section 3,000, field 2,000, about 13,200 over all, text 4,000 advised."""

GONE = ("no_service", "no_team", "no_active_hooks", "invalid_token", "token_revoked", "channel_is_archived")
"""Words by which Slack says that a hook will never work again."""


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
    """The webhook's body: what it is, what is new, key facts, what changed, and a link to the whole."""
    told = brief(report, links)
    first = opening(told)
    left = TOTAL - sum(len(str(block)) for block in first)
    return envelope(told, [*first, *body(told, left), footer(told)])


def envelope(told: Brief, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Blocks with the text that notifications show; nothing in it unfurls."""
    text = cut(told.headline, TEXT, lambda text: len(slack_escape(text)))
    return {"text": slack_escape(text), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def opening(told: Brief) -> list[dict[str, Any]]:
    """What a reader sees first: the header, the headline's news, key facts, the sketch where it has an address."""
    title = cut(f"{told.marker} {_plain(told.title)}".strip(), HEADER)
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    news = told.headline if title.endswith("…") else told.summary
    if news or told.facts:
        fields = [_text(f"*{label}*\n{_cut(value, FIELD)}") for label, value in told.facts[:10]]
        blocks.append(_section(f"*{_cut(news or 'Key facts', 1000)}*") | ({"fields": fields} if fields else {}))
    if told.picture.startswith(("http://", "https://")) and len(told.picture) <= 3000:
        blocks.append({"type": "image", "image_url": told.picture, "alt_text": cut(_plain(told.alt), 200)})
    return blocks


def body(told: Brief, left: int) -> Iterator[dict[str, Any]]:
    """The changes and the repos, packed into sections within `left` characters; broken between lines."""
    blocks = fit(told.sections, Limits(total=left, block=SECTION), lambda block: len(write(block, SLACK)) + 5)
    for text in _packed(blocks):
        yield _section(text)


def _packed(blocks: Iterable[Block]) -> Iterator[str]:
    text = ""
    for block in blocks:
        line = write(block, SLACK)
        if text and (block.kind == "heading" or len(text) + 1 + len(line) > SECTION):
            yield text
            text = ""
        text = f"{text}\n{line}" if text else line
    if text:
        yield text


def footer(told: Brief) -> dict[str, Any]:
    """The link to the whole, the verdict, the event and the organization."""
    words = [f"<{slack_address(told.link[:2000])}|full report>"] if told.link else []
    return {"type": "context", "elements": [_text(" · ".join([*words, _cut(told.footer, 300)]))]}


def _plain(text: str) -> str:
    """For plain text objects, which have no entities: nothing that begins like a mention."""
    return unlinked(text.replace("<", f"<{WORD_JOINER}"))


def _cut(text: str, limit: int) -> str:
    return slack_escape(cut(text, limit, lambda part: len(slack_escape(part))))


def _text(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}
