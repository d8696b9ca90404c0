"""Discord, by webhook: one embed within its limits, the sketch attached, no mentions whatever the text holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from watcher.publish import http
from watcher.publish.document import Block, Run, parse, rows_as_items
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.text import cut
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

TITLE, DESCRIPTION, CONTENT, PICTURE = 256, 3900, 1900, 8 * 1024 * 1024
"""Platform limits with slack: title 256, description 4,096, 6,000 over all, content 2,000, 10 MiB a file."""

COLOURS = {"new": 0xC2410C, "variant": 0x1D4ED8, "scaled": 0x0F766E, "same-architecture": 0x6B7280}
TOLD = ("What changed", "In this release", "In this digest")
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
            return Receipt(status=f"{answer.status} ok", reference=_field(answer.text, "id"))
        self._refused(answer, what)
        raise DeliveryError(f"{what} said {answer.short}", status=answer.short)

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

    def _address(self) -> str:
        parts = urlsplit(self.settings.url.resolve())
        query = dict(parse_qsl(parts.query)) | {"wait": "true"}
        if self.settings.thread_id:
            query["thread_id"] = self.settings.thread_id
        return urlunsplit(parts._replace(query=urlencode(query)))

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
    """The webhook's body: one embed; what does not fit is left out by whole lines, and the link leads to the rest."""
    lines: list[str] = []
    used = 0
    for line in _lines(report):
        if used + len(line) + 1 > DESCRIPTION:
            break
        lines.append(line)
        used += len(line) + 1
    embed: dict[str, Any] = {
        "title": cut(report.headline, TITLE),
        "description": "\n".join(lines) or escape(cut(report.headline, DESCRIPTION)),
        "color": COLOURS.get(report.verdict or "", 0x6B7280),
        "timestamp": report.created_at.isoformat(),
        "footer": {"text": cut(f"{report.event.value.replace('_', ' ')} · {report.organization}", 200)},
    }
    if links.report.startswith("http"):
        embed["url"] = links.report[:2000]
    body: dict[str, Any] = {
        "content": escape(cut(report.headline, CONTENT // 2)),
        "embeds": [embed],
        "allowed_mentions": {"parse": []},
    }
    if picture:
        embed["image"] = {"url": f"attachment://{picture}"}
        alt = cut(f"Sketch of {report.name}", 900)
        body["attachments"] = [{"id": 0, "filename": picture, "description": alt}]
    return body


def _lines(report: Report) -> list[str]:
    found: list[str] = []
    for section in parse(report.markdown)[1:]:
        if section.title.startswith(TOLD):
            found.append(f"**{escape(section.title)}**")
            found += [cut(line, 900) for block in section.blocks for line in _of(block)]
    return found


def _of(block: Block) -> list[str]:
    parts = rows_as_items(block) if block.kind == "table" else (block,)
    return ["".join(_run(run) for run in part.runs) for part in parts]


def _run(run: Run) -> str:
    text = escape(run.text)
    if run.url and run.url.startswith(("http://", "https://")) and text.strip():
        return f"[{text}]({run.url.replace(')', '%29')})"
    return f"**{text}**" if run.bold and text.strip() else text


def escape(text: str) -> str:
    """Discord's Markdown made literal; mentions and bare addresses broken by a word joiner."""
    marked = "".join(f"\\{letter}" if letter in "\\*_~`|>[]()#" else letter for letter in text)
    return marked.replace("@", "@\u2060").replace("<", "<\u2060").replace("://", ":\u2060//")


def _field(text: str, key: str) -> str | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    value = data.get(key) if isinstance(data, dict) else None
    return None if value is None else str(value)
