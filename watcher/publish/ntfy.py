"""ntfy: one plain notification of at most 4,096 bytes, in JSON, so that a title may hold any letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from watcher.publish import api, http
from watcher.publish.brief import brief
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import Links, Outgoing, Payload, Receipt
from watcher.publish.text import cut, unhosted, utf8, visible
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

MESSAGE, TITLE, LINE = 4096, 240, 1200
"""Bytes; a longer message becomes an attachment that is gone after hours."""

PRIORITY = {"breaking": 4, "structural": 3, "scale": 3, "cosmetic": 2}
TAGS = {
    "breaking": "red_circle",
    "structural": "orange_circle",
    "scale": "large_blue_circle",
    "cosmetic": "white_circle",
}


class NtfySettings(ChannelSettings):
    """Keys of an ntfy channel."""

    type: Literal["ntfy"]
    topic: SecretField
    """Whoever knows a topic of a public server can read it: a secret there."""
    server: str = "https://ntfy.sh"
    token: SecretField | None = None
    """An access token, where the topic is protected."""


class Ntfy:
    """A topic."""

    def __init__(self, settings: NtfySettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: ntfy"

    def render(self, report: Report, links: Links) -> Payload:
        """The publication but its topic."""
        return Payload(body=message(report, links))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Publish it."""
        base = api.base_address(self.settings.server, f"channels.{self.name}.server")
        body = {"topic": self.settings.topic.resolve(), **outgoing.payload.body}
        said = api.call(f"{base}/", what=self._what, json=body, token=self._token())
        self._refused(said)
        return Receipt(status=f"{said.answer.status} ok", reference=str(said.get("id") or "") or None)

    def _refused(self, said: api.Said) -> None:
        if said.answer.status in (401, 403):
            raise api.revoked(self._what, said, f"this topic needs a token: set channels.{self.name}.token")
        if said.answer.status == 429:
            raise api.slow_down(self._what, said, None)
        http.raise_for(said.answer, self._what)

    def _token(self) -> str:
        return self.settings.token.resolve() if self.settings.token else ""

    def check(self) -> str:
        """Ask whether the topic may be read, without waiting for messages."""
        base = api.base_address(self.settings.server, f"channels.{self.name}.server")
        self.settings.topic.resolve()
        said = api.call(f"{base}/v1/health", what=self._what, method="GET", token=self._token())
        self._refused(said)
        return f"the server at {http.host_of(base)} answers"

    def report_url(self, report: Report) -> str | None:
        """A notification makes no page."""
        return None


def message(report: Report, links: Links) -> dict[str, Any]:
    """Title, text, priority and the link that a tap opens."""
    told = brief(report, links)
    head = [_plain(cut(told.summary, 900))] if told.summary else []
    head += [" · ".join(f"{label}: {_plain(value)}" for label, value in told.facts)] if told.facts else []
    foot = [told.link] if told.link and utf8(told.link) < 500 else []
    left = MESSAGE - sum(utf8(line) + 1 for line in (*head, *foot))
    blocks = fit(told.sections, Limits(total=left, block=LINE), lambda block: utf8(_plain(block.text)) + 1)
    body: dict[str, Any] = {
        "title": cut(_plain(told.title), TITLE, utf8),
        "message": "\n".join([*head, *(_plain(block.text) for block in blocks), *foot]) or _plain(told.headline),
        "priority": PRIORITY.get(report.significance or "", 3),
        "markdown": False,
    }
    if report.significance in TAGS:
        body["tags"] = [TAGS[report.significance]]
    if told.link:
        body["click"] = told.link[:2000]
    if told.picture:
        body["attach"] = told.picture[:2000]
    return body


def _plain(text: str) -> str:
    return unhosted(visible(text))
