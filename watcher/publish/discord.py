"""Discord, by webhook: one embed within its limits, the sketch attached, no mentions whatever the text holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from watcher.publish import http
from watcher.publish.brief import Brief, brief
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.marks import DISCORD, discord_escape, safe_address, write
from watcher.publish.text import WORD_JOINER, cut, unlinked
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

TITLE, DESCRIPTION, CONTENT, FACTS, PICTURE = 256, 3900, 1900, 10, 8 * 1024 * 1024
"""Within the platform's: title 256, description 4,096, content 2,000, 25 fields, 6,000 over all, 10 MiB a file."""

COLOURS = {"new": 0xC2410C, "variant": 0x1D4ED8, "scaled": 0x0F766E, "same-architecture": 0x6B7280}
GONE = {10015, 50027}
"""Codes by which Discord says that a webhook will never work again."""


class DiscordSettings(ChannelSettings):
    """Keys of a Discord channel."""

    type: Literal["discord"]
    url: SecretField
    """The webhook's address: a secret."""
    thread_id: str = ""
    """Post into this thread."""
    thread_name: str = ""
    """In a forum channel: open a thread of this name for each report; `{name}` is the model's."""


class Discord:
    """A webhook."""

    def __init__(self, settings: DiscordSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """The message with its sketch."""
        small = (name for name, data in report.pictures.items() if name.endswith(".png") and len(data) < PICTURE)
        picture = next(small, None)
        body = message(report, links, "sketch.png" if picture else None)
        if self.settings.thread_name:
            body["thread_name"] = cut(self.settings.thread_name.replace("{name}", report.name), 100)
        return Payload(body=body, pictures=(picture,) if picture else ())

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post it and wait until it is kept: without `wait` Discord does not tell of a message it dropped."""
        what = f"{self.name}: Discord"
        body = dict(outgoing.payload.body)
        pictures = list(outgoing.pictures.values())[:1]
        if pictures:
            files = {"payload_json": (None, json.dumps(body), "application/json")}
            files["files[0]"] = ("sketch.png", pictures[0], "image/png")  # type: ignore[assignment]
            answer = http.post(self._address(), what=what, files=files)
        else:
            answer = http.post(self._address(), what=what, json={k: v for k, v in body.items() if k != "attachments"})
        if 200 <= answer.status < 300:
            return Receipt(status=f"{answer.status} ok", reference=self._reference(answer.text))
        self._refused(answer, what)
        raise DeliveryError(f"{what} said {answer.short}", status=answer.short)

    def _reference(self, text: str) -> str | None:
        """The message's id; after a slash that of the thread it opened, which a later call must name."""
        number, thread = _field(text, "id"), _field(text, "channel_id")
        return f"{number}/{thread}" if number and thread and self.settings.thread_name else number

    def _refused(self, answer: http.Answer, what: str) -> None:
        code = _field(answer.text, "code")
        if answer.status in (401, 404) and (code is None or not code.isdigit() or int(code) in GONE):
            raise DeliveryError(
                f"{what} says {answer.short}: the webhook is gone; make a new one and set channels.{self.name}.url",
                scope=Scope.REVOKED,
                status=answer.short,
            )
        if answer.status == 429:
            wait = _field(answer.text, "retry_after")
            seconds = float(wait) if wait and wait.replace(".", "", 1).isdigit() else http.retry_after(answer)
            raise DeliveryError(f"{what} asks us to slow down", retry_after=seconds, status=answer.short)
        http.raise_for(answer, what)

    def _address(self, message: str = "") -> str:
        """Of the webhook, or of one of its messages."""
        parts = urlsplit(self.settings.url.resolve())
        message, _, thread = message.partition("/")
        if message:
            parts = parts._replace(path=f"{parts.path.rstrip('/')}/messages/{message}")
        query = dict(parse_qsl(parts.query)) | {"wait": "true"}
        if thread or self.settings.thread_id:
            query["thread_id"] = thread or self.settings.thread_id
        return urlunsplit(parts._replace(query=urlencode(query)))

    def update(self, outgoing: Outgoing, reference: str) -> Receipt:
        """Put this message in the place of an earlier one; its picture stays."""
        what = f"{self.name}: Discord"
        kept = {key: value for key, value in outgoing.payload.body.items() if key not in ("attachments", "thread_name")}
        answer = http.post(self._address(reference), what=what, method="PATCH", json=kept)
        self._refused(answer, what)
        return Receipt(status=f"{answer.status} edited", reference=reference)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """Delete a message."""
        what = f"{self.name}: Discord"
        self._refused(http.post(self._address(reference), what=what, method="DELETE"), what)
        return "deleted"

    def check(self) -> str:
        """Ask for the webhook's own description: a GET sends nothing."""
        what = f"{self.name}: Discord"
        answer = http.post(self.settings.url.resolve(), what=what, method="GET")
        if answer.status in (401, 404):
            raise DeliveryError(f"{what} does not know this webhook; make a new one", scope=Scope.REVOKED)
        return f"webhook at {http.host_of(self.settings.url.resolve())} answers"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links, picture: str | None) -> dict[str, Any]:
    """The webhook's body: what it is as the content, and one embed with what is new, key facts, changes and sketch."""
    told = brief(report, links)
    content = f"{told.marker} **{_cut(told.title, CONTENT)}**".strip()
    body: dict[str, Any] = {"content": content, "embeds": [_embed(report, told)], "allowed_mentions": {"parse": []}}
    if picture:
        body["embeds"][0]["image"] = {"url": f"attachment://{picture}"}
        body["attachments"] = [{"id": 0, "filename": picture, "description": _plain(told.alt, 900)}]
    return body


def _embed(report: Report, told: Brief) -> dict[str, Any]:
    title = _cut(told.summary or told.headline, TITLE)
    lines = [f"**{_cut(told.summary, 1000)}**"] if title.endswith("…") and told.summary else []
    left = DESCRIPTION - sum(len(line) + 1 for line in lines) - 100
    fitted = fit(told.sections, Limits(total=left, block=1500), lambda block: len(write(block, DISCORD)) + 1)
    lines += [write(block, DISCORD) for block in fitted]
    if told.link:
        lines.append(f"[full report]({safe_address(told.link)})" if len(told.link) < 90 else "")
    embed: dict[str, Any] = {
        "title": title,
        "description": "\n".join(line for line in lines if line) or _cut(told.headline, 1000),
        "color": COLOURS.get(report.verdict or "", 0x6B7280),
        "timestamp": report.created_at.isoformat(),
        "footer": {"text": _plain(told.footer, 200)},
    }
    if told.facts:
        fields = [{"name": label, "value": _cut(value, 200), "inline": True} for label, value in told.facts[:FACTS]]
        embed["fields"] = fields
    if told.link:
        embed["url"] = safe_address(told.link)
    return embed


def _plain(text: str, limit: int) -> str:
    """For footers and descriptions of pictures, in which Discord formats nothing."""
    return cut(unlinked(text.replace("@", f"@{WORD_JOINER}")), limit)


def _cut(text: str, limit: int) -> str:
    return discord_escape(cut(text, limit, lambda part: len(discord_escape(part))))


def _field(text: str, key: str) -> str | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    value = data.get(key) if isinstance(data, dict) else None
    return None if value is None else str(value)
