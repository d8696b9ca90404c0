"""Slack, by bot token: what it is and the key facts in the channel, the changes and the sketch in its thread.

One Web API method a step, through our own HTTP (a deadline for the whole answer, no redirects): slack-sdk would sleep
and retry by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from watcher.publish import api, http
from watcher.publish.brief import brief
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.slack import TOTAL, body, envelope, footer, opening
from watcher.publish.text import cut
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

GONE = {
    "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "channel_not_found",
    "is_archived", "not_in_channel", "missing_scope", "no_permission", "org_login_required", "ekm_access_denied",
}  # fmt: skip
"""Errors that stay until somebody changes the token, the scopes or the channel."""

LATER = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
"""Errors that pass. Every other one is about the message."""

UNEDITABLE = {"message_not_found", "cant_update_message", "edit_window_closed"}
"""Errors that say there is nothing to edit any more, told as the 404 they stand for."""

REPORT = "watcher_report"
"""The kind of metadata by which our own messages are told (https://docs.slack.dev/messaging/message-metadata)."""

LOOKED_THROUGH = 15
"""The newest messages among which an earlier attempt is looked for: as many as Slack gives to every kind of app."""

HISTORY = 2 * 1024 * 1024
"""Bytes of their answer that are read."""


class SlackBotSettings(ChannelSettings):
    """Keys of a Slack bot channel."""

    type: Literal["slack-bot"]
    token: SecretField
    """A bot token, `xoxb-…`, with the scopes chat:write and, for the sketch, files:write; with
    channels:history (in a private channel groups:history) a message that arrived in a crash is not sent twice."""
    channel: str
    """The channel's id (`C…`); the bot must be in it."""
    thread: bool = True
    """Put the changes and the sketch into a thread; false: everything in one message."""
    api: str = "https://slack.com/api"
    """Where the Web API is."""


class SlackBot:
    """A bot in one channel."""

    def __init__(self, settings: SlackBotSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: Slack"

    def render(self, report: Report, links: Links) -> Payload:
        """`message` for the channel, `reply` for its thread (or null), `alt` for the sketch."""
        picture = next((name for name in report.pictures if name.endswith(".png")), None)
        return Payload(body=message(report, links, self.settings.thread), pictures=(picture,) if picture else ())

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post the message, then its thread. Once the message is there, nothing after it makes us post it again."""
        payload = outgoing.payload.body
        mark = {"event_type": REPORT, "event_payload": {"delivery": outgoing.delivery_id}}
        said = self._call(
            "chat.postMessage", {"channel": self.settings.channel, "metadata": mark, **payload["message"]}
        )
        channel, moment = str(said.get("channel")), str(said.get("ts"))
        told = reply = ""
        try:
            if payload.get("reply"):
                below = {"channel": channel, "thread_ts": moment, **payload["reply"]}
                reply = f"/{self._call('chat.postMessage', below).get('ts')}"
            for data in list(outgoing.pictures.values())[:1]:
                self._upload(data, payload["alt"], channel, moment)
        except DeliveryError as error:
            told = f"; its thread is not complete: {error}"
        return Receipt(status=f"{said.answer.status} ok{told}"[:400], reference=f"{channel}/{moment}{reply}")

    def recognise(self, outgoing: Outgoing) -> Receipt | None:
        """The message of an earlier attempt, by its metadata; None as well where the token may not read."""
        fields = {"channel": self.settings.channel, "limit": str(LOOKED_THROUGH), "include_all_metadata": "true"}
        try:
            messages = self._call("conversations.history", None, fields, limit=HISTORY).get("messages")
        except DeliveryError:
            return None
        for message in messages if isinstance(messages, list) else []:
            if _delivery_of(message) == outgoing.delivery_id:
                return Receipt(
                    status="arrived at an earlier attempt", reference=f"{self.settings.channel}/{message['ts']}"
                )
        return None

    def update(self, outgoing: Outgoing, reference: str) -> Receipt:
        """Put this message and its reply in the place of earlier ones; the sketch stays."""
        channel, moment, *reply = reference.split("/")
        said = self._call("chat.update", {"channel": channel, "ts": moment, **outgoing.payload.body["message"]})
        if reply and outgoing.payload.body.get("reply"):
            self._call("chat.update", {"channel": channel, "ts": reply[0], **outgoing.payload.body["reply"]})
        return Receipt(status=f"{said.answer.status} edited", reference=reference)

    def _upload(self, data: bytes, alt: str, channel: str, moment: str) -> None:
        """The way of uploads since files.upload was retired: an address, the bytes, and where they belong."""
        fields = {"filename": "sketch.png", "length": str(len(data)), "alt_txt": alt}
        said = self._call("files.getUploadURLExternal", None, fields)
        files = {"file": ("sketch.png", data, "image/png")}
        http.raise_for(http.post(str(said.get("upload_url")), what=self._what, files=files), self._what)
        file = {"id": said.get("file_id"), "title": "Sketch"}
        self._call("files.completeUploadExternal", {"files": [file], "channel_id": channel, "thread_ts": moment})

    def _call(
        self, method: str, json: Any, fields: dict[str, str] | None = None, *, limit: int = http.ANSWER_LIMIT
    ) -> api.Said:
        base = api.base_address(self.settings.api, f"channels.{self.name}.api")
        form = urlencode(fields).encode() if fields else None
        said = api.call(
            f"{base}/{method}",
            what=self._what,
            json=json,
            data=form,
            token=self.settings.token.resolve(),
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else {},
            limit=limit,
        )
        self._refused(said)
        return said

    def _refused(self, said: api.Said) -> None:
        """Slack says what went wrong in a 200."""
        if said.ok and said.get("ok") is True:
            return
        error = str(said.get("error") or "")
        if said.answer.status == 429:
            raise api.slow_down(self._what, said, None)
        if error in GONE:
            remedy = f"check channels.{self.name}.token, its scopes, and that the bot is in {self.settings.channel}"
            raise api.revoked(self._what, said, remedy)
        http.raise_for(said.answer, self._what)
        if not error or error in LATER:
            raise DeliveryError(f"{self._what} said {error or said.answer.short}", status=said.answer.short)
        status = f"404 {error}" if error in UNEDITABLE else said.answer.short
        raise DeliveryError(f"{self._what} refused: {error}", scope=Scope.DELIVERY, status=status)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """Delete the message; its thread goes with it, but for the replies, which stay marked as such."""
        channel, moment, *_ = reference.split("/")
        replies = self._call("conversations.replies", None, {"channel": channel, "ts": moment}).get("messages")
        moments = [item.get("ts") for item in replies if isinstance(item, dict)] if isinstance(replies, list) else []
        for each in [item for item in moments if item and item != moment] + [moment]:
            self._call("chat.delete", {"channel": channel, "ts": each})
        return "deleted with its thread"

    def check(self) -> str:
        """Ask whose token it is."""
        said = self._call("auth.test", {})
        return f"bot {said.get('user')} of {said.get('team')}; only a message can tell whether it is in the channel"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def _delivery_of(message: object) -> str | None:
    """The delivery that a message of the channel's history was, by its metadata."""
    found: Any = message
    for key in ("metadata", "event_payload", "delivery"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(message, dict) and "ts" in message and isinstance(found, str) else None


def message(report: Report, links: Links, thread: bool) -> dict[str, Any]:
    """What goes into the channel and what into the thread."""
    told = brief(report, links)
    first, last = opening(told), footer(told)
    changes = list(body(told, TOTAL - sum(len(str(block)) for block in (*first, last))))
    alt = cut(told.alt, 900)
    if not thread or not changes:
        return {"message": envelope(told, [*first, *changes, last]), "reply": None, "alt": alt}
    return {"message": envelope(told, [*first, last]), "reply": envelope(told, changes), "alt": alt}
