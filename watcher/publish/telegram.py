"""Telegram, by bot: text with entities counted in UTF-16 units, the sketch as a photo; nothing in it is parsed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from watcher.publish import api, http
from watcher.publish.brief import Brief, brief, terse
from watcher.publish.document import Block, Run
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.marks import safe_address
from watcher.publish.text import WORD_JOINER, cut, unhosted, utf16
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

TEXT, CAPTION, ENTITIES, PHOTO = 4096, 1024, 100, 10_000_000
"""The platform's: UTF-16 units of a message and of a photo's caption, entities of either, bytes of a photo."""

GONE = ("bot was", "chat not found", "user is deactivated", "not enough rights", "group chat was deactivated", "kicked")
"""Parts of what Telegram says when this bot will not reach this chat again."""


class TelegramSettings(ChannelSettings):
    """Keys of a Telegram channel."""

    type: Literal["telegram"]
    token: SecretField
    """The bot's token, from @BotFather."""
    chat_id: str
    """A chat's number (negative for groups) or `@name` of a channel."""
    thread_id: int | None = None
    """The topic of a forum group."""
    picture: bool = True
    """Send the sketch, with a caption of 1,024 units; false: text alone, 4,096 units."""
    silent: bool = False
    """Without a sound."""
    api: str = "https://api.telegram.org"
    """The Bot API server."""


class Telegram:
    """A bot in one chat."""

    def __init__(self, settings: TelegramSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: Telegram"

    def render(self, report: Report, links: Links) -> Payload:
        """The method's fields but the chat; with a picture the text is its caption."""
        small = (name for name, data in report.pictures.items() if name.endswith(".png") and len(data) < PHOTO)
        picture = next(small, None) if self.settings.picture else None
        body = message(report, links, photo=picture is not None)
        return Payload(body=body, pictures=(picture,) if picture else ())

    def send(self, outgoing: Outgoing) -> Receipt:
        """Send it. A group that became a supergroup has a new number for ever: used at once, and told."""
        said = self._send(outgoing, self.settings.chat_id)
        moved = said.get("parameters", "migrate_to_chat_id")
        if not said.ok and moved:
            said = self._send(outgoing, str(moved))
        self._refused(said)
        told = f'; set channels.{self.name}.chat_id = "{moved}": the group moved there' if moved else ""
        chat, number = said.get("result", "chat", "id"), said.get("result", "message_id")
        return Receipt(status=f"{said.answer.status} ok{told}", reference=f"{chat}/{number}" if number else None)

    def _send(self, outgoing: Outgoing, chat: str) -> api.Said:
        body = dict(outgoing.payload.body) | {"chat_id": chat, "disable_notification": self.settings.silent}
        if self.settings.thread_id is not None:
            body["message_thread_id"] = self.settings.thread_id
        picture = next(iter(outgoing.pictures.values()), None)
        if picture is None:
            return self._call("sendMessage", json=as_text(body))
        fields = {key: (None, value if isinstance(value, str) else json.dumps(value)) for key, value in body.items()}
        return self._call("sendPhoto", files={**fields, "photo": ("sketch.png", picture, "image/png")})

    def _call(self, action: str, **options: Any) -> api.Said:
        base = api.base_address(self.settings.api, f"channels.{self.name}.api")
        return api.call(f"{base}/bot{self.settings.token.resolve()}/{action}", what=self._what, **options)

    def _refused(self, said: api.Said) -> None:
        if said.ok and said.get("ok") is True:
            return
        told = str(said.get("description") or "").lower()
        if said.answer.status in (401, 404):
            raise api.revoked(self._what, said, f"the token is not valid; set channels.{self.name}.token")
        if said.answer.status == 403 or any(part in told for part in GONE):
            raise api.revoked(self._what, said, f"add the bot to the chat; check channels.{self.name}.chat_id")
        if said.answer.status == 429:
            raise api.slow_down(self._what, said, api.number(said.get("parameters", "retry_after")))
        http.raise_for(said.answer, self._what)
        raise DeliveryError(f"{self._what} said {said.answer.short}", scope=Scope.CHANNEL, status=said.answer.short)

    def update(self, outgoing: Outgoing, reference: str) -> Receipt:
        """Edit the text or the caption of an earlier message; its photo stays."""
        chat, _, number = reference.rpartition("/")
        body = dict(outgoing.payload.body) | {"chat_id": chat, "message_id": int(number)}
        said = self._call("editMessageCaption" if "caption" in body else "editMessageText", json=body)
        if "message is not modified" not in str(said.get("description")):
            self._refused(said)
        return Receipt(status=f"{said.answer.status} edited", reference=reference)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """Delete a message (a bot may for 48 hours)."""
        chat, _, number = reference.rpartition("/")
        self._refused(self._call("deleteMessage", json={"chat_id": chat, "message_id": int(number)}))
        return "deleted"

    def check(self) -> str:
        """Ask who the bot is and whether it sees the chat."""
        bot = self._call("getMe", method="GET")
        self._refused(bot)
        chat = self._call("getChat", json={"chat_id": self.settings.chat_id})
        self._refused(chat)
        return f"bot {bot.get('result', 'username')} sees {chat.get('result', 'title') or chat.get('result', 'type')}"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links, *, photo: bool) -> dict[str, Any]:
    """`caption` and its entities for a photo, `text` and its entities without."""
    told = brief(report, links)
    text, entities = written(told, CAPTION if photo else TEXT)
    if photo:
        return {"caption": text, "caption_entities": entities}
    return {"text": text, "entities": entities, "link_preview_options": {"is_disabled": True}}


def as_text(body: dict[str, Any]) -> dict[str, Any]:
    """A caption as a message, when its picture is gone."""
    if "caption" not in body:
        return body
    rest = {key: value for key, value in body.items() if not key.startswith("caption")}
    return {**rest, "text": body["caption"], "entities": body["caption_entities"]}


def written(told: Brief, limit: int) -> tuple[str, list[dict[str, Any]]]:
    """The text and its entities: at most `limit` UTF-16 units."""
    head = [Block("heading", (Run(f"{told.marker} {cut(told.title, limit // 4)}".strip(), bold=True),))]
    head += [Block("paragraph", (Run(cut(told.summary, limit // 3)),))] if told.summary else []
    if told.facts:
        runs = [run for label, value in told.facts for run in (Run(f"{label} "), Run(value, bold=True), Run(" · "))]
        head.append(Block("paragraph", tuple(runs[:-1])))
        head = head if sum(map(_size, head)) < limit * 3 // 4 else head[:-1]
    foot = Block("paragraph", (Run("full report", url=safe_address(told.link)),) if told.link else (Run(told.footer),))
    left = limit - sum(map(_size, head)) - _size(foot)
    sections = terse(told.sections) if limit == CAPTION else told.sections
    blocks = fit(sections, Limits(total=left, block=min(left, 1500)), _size)
    return _entities([*head, *blocks, foot])


def literal(text: str) -> str:
    """Nothing that Telegram would make a mention, a tag, a command or a link of by itself."""
    broken = "".join(f"{letter}{WORD_JOINER}" if letter in "@#/$" else letter for letter in text)
    return unhosted(broken)


def _size(block: Block) -> int:
    return utf16(_text(block)) + 1


def _text(block: Block) -> str:
    return "".join(literal(run.text) for run in block.runs)


def _entities(blocks: Iterable[Block]) -> tuple[str, list[dict[str, Any]]]:
    text, entities = "", list[dict[str, Any]]()
    for block in blocks:
        text += "\n" if text else ""
        for run in block.runs:
            part = literal(run.text)
            entities += _of(run, utf16(text), utf16(part), block.kind)
            text += part
    return text, entities[:ENTITIES]


def _of(run: Run, offset: int, length: int, kind: str) -> Sequence[dict[str, Any]]:
    if not run.text.strip():
        return []
    place = {"offset": offset, "length": length}
    if kind == "code":
        return [{"type": "pre", **place}]
    if run.url and run.url.startswith(("http://", "https://")):
        return [{"type": "text_link", **place, "url": run.url}]
    return [{"type": "code", **place}] if run.code else [{"type": "bold", **place}] if run.bold else []
