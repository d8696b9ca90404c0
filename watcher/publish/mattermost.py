"""Mattermost, by incoming webhook: Markdown with tables; no mention, channel link or emoji whatever the text holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from watcher.publish import api, http
from watcher.publish.brief import brief
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt
from watcher.publish.marks import MATTERMOST, mattermost_escape, safe_address, write
from watcher.publish.text import cut
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

TEXT, LINE = 16_000, 4_000
"""A post has 16,383 characters."""

GONE = ("incoming_webhook.invalid", "incoming_webhook.disabled", "incoming_webhook.get", "deleted_channel")
"""Parts of the error ids by which a server says that a hook will not work again."""


class MattermostSettings(ChannelSettings):
    """Keys of a Mattermost channel."""

    type: Literal["mattermost"]
    url: SecretField
    """The incoming webhook's address: a secret."""


class Mattermost:
    """An incoming webhook."""

    def __init__(self, settings: MattermostSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """The post, as the webhook takes it."""
        return Payload(body=message(report, links))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post it; Mattermost answers `ok`."""
        what = f"{self.name}: Mattermost"
        said = api.call(self.settings.url.resolve(), what=what, json=dict(outgoing.payload.body))
        if said.ok and said.answer.text.strip() == "ok":
            return Receipt(status="200 ok")
        if any(word in str(said.get("id")) for word in GONE) or said.answer.status in (404, 410):
            raise api.revoked(what, said, f"make a new webhook and set channels.{self.name}.url")
        http.raise_for(said.answer, what)
        raise DeliveryError(f"{what} said {said.answer.short}", status=said.answer.short)

    def check(self) -> str:
        """Ask the webhook's server whether it is up; the hook itself can only be posted to."""
        base = api.base_address(self.settings.url.resolve().partition("/hooks/")[0], f"channels.{self.name}.url")
        said = api.call(f"{base}/api/v4/system/ping", what=f"{self.name}: Mattermost", method="GET")
        http.raise_for(said.answer, f"{self.name}: Mattermost")
        return f"the server at {http.host_of(base)} answers; only a message can tell whether the webhook exists"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links) -> dict[str, Any]:
    """The webhook's body: one text within the limit."""
    told = brief(report, links)
    head = [f"#### {told.marker} {_cut(told.title, 400)}".replace("  ", " ")]
    head += [f"**{_cut(told.summary, 1500)}**"] if told.summary else []
    head += [" · ".join(f"{label} **{_cut(value, 200)}**" for label, value in told.facts)] if told.facts else []
    head += [f"![{_cut(told.alt, 200)}]({safe_address(told.picture)})"] if told.picture else []
    foot = [f"[full report]({safe_address(told.link)})"] if told.link else []
    foot = [" · ".join([*foot, _cut(told.footer, 300)])]
    left = TEXT - sum(len(part) + 2 for part in (*head, *foot))
    blocks = fit(
        told.sections, Limits(total=left, block=LINE, tables=True), lambda block: len(write(block, MATTERMOST)) + 2
    )
    return {"text": "\n\n".join([*head, *_joined([(block.kind, write(block, MATTERMOST)) for block in blocks]), *foot])}


def _joined(written: list[tuple[str, str]]) -> list[str]:
    """Items of a list follow each other line by line; everything else stands apart."""
    parts: list[str] = []
    before = ""
    for kind, text in written:
        if kind == before == "item":
            parts[-1] += f"\n{text}"
        else:
            parts.append(text)
        before = kind
    return parts


def _cut(text: str, limit: int) -> str:
    return mattermost_escape(cut(text, limit, lambda part: len(mattermost_escape(part))))
