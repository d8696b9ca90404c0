"""Matrix: a notice with HTML; the delivery's id is the transaction's, so the server itself drops a second send."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from watcher.publish import api, http
from watcher.publish.brief import brief
from watcher.publish.document import Block, Run
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt
from watcher.publish.markup import cost, to_html
from watcher.publish.text import cut, visible
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

FORMATTED, LINE, PLAIN = 18_000, 6_000, 8_000
"""Bytes: an event may have 65,536 with its envelope, and its text is in it twice."""


class MatrixSettings(ChannelSettings):
    """Keys of a Matrix channel."""

    type: Literal["matrix"]
    homeserver: str
    """Address of the account's server."""
    token: SecretField
    """The account's access token."""
    room: str
    """`!id:server`, or an alias `#name:server`; the account must be in it."""


class Matrix:
    """An account in one room."""

    def __init__(self, settings: MatrixSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: Matrix"

    def render(self, report: Report, links: Links) -> Payload:
        """The event's content; the sketch follows as an event of its own."""
        picture = next((name for name in report.pictures if name.endswith(".png")), None)
        return Payload(body=message(report, links), pictures=(picture,) if picture else ())

    def send(self, outgoing: Outgoing) -> Receipt:
        """Put the notice, then the sketch; the same delivery twice is one message."""
        room = self._room()
        said = self._event(room, "m.room.message", outgoing.delivery_id, outgoing.payload.body)
        told = ""
        for data in list(outgoing.pictures.values())[:1]:
            try:
                self._picture(room, outgoing.delivery_id, data)
            except DeliveryError as error:
                if error.permanent:  # the notice is there: a server that takes no picture is no reason to repeat it
                    told = f"; without the sketch: {error}"
                else:
                    raise
        return Receipt(status=f"{said.answer.status} ok{told}", reference=str(said.get("event_id") or "") or None)

    def _picture(self, room: str, delivery_id: str, data: bytes) -> None:
        said = self._call(
            "/_matrix/media/v3/upload?filename=sketch.png", data=data, headers={"Content-Type": "image/png"}
        )
        content = {
            "msgtype": "m.image",
            "body": "sketch.png",
            "url": said.get("content_uri"),
            "info": {"mimetype": "image/png", "size": len(data)},
            "m.mentions": {},
        }
        self._event(room, "m.room.message", f"{delivery_id}-sketch", content)

    def _event(self, room: str, kind: str, transaction: str, content: Any) -> api.Said:
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/send/{kind}/{quote(transaction, safe='')}"
        return self._call(path, method="PUT", json=dict(content))

    def _room(self) -> str:
        """The room's id: an alias is looked up."""
        room = self.settings.room
        if not room.startswith("#"):
            return room
        said = self._call(f"/_matrix/client/v3/directory/room/{quote(room, safe='')}", method="GET")
        return str(said.get("room_id") or "")

    def _call(self, path: str, **options: Any) -> api.Said:
        base = api.base_address(self.settings.homeserver, f"channels.{self.name}.homeserver")
        said = api.call(f"{base}{path}", what=self._what, token=self.settings.token.resolve(), **options)
        if said.answer.status == 401:
            raise api.revoked(self._what, said, f"the token is not valid; set channels.{self.name}.token")
        if said.get("errcode") in ("M_FORBIDDEN", "M_NOT_FOUND"):
            raise api.revoked(self._what, said, f"invite the account; check channels.{self.name}.room")
        if said.answer.status == 429:
            wait = api.number(said.get("retry_after_ms"))
            raise api.slow_down(self._what, said, wait / 1000 if wait is not None else None)
        http.raise_for(said.answer, self._what)
        return said

    def update(self, outgoing: Outgoing, reference: str) -> Receipt:
        """Replace an earlier notice; programs that cannot show that read the new one after an asterisk."""
        content = outgoing.payload.body
        edit = {
            "msgtype": "m.notice",
            "body": f"* {content['body']}",
            "m.new_content": content,
            "m.relates_to": {"rel_type": "m.replace", "event_id": reference},
            "m.mentions": {},
        }
        said = self._event(self._room(), "m.room.message", outgoing.delivery_id, edit)
        return Receipt(status=f"{said.answer.status} edited", reference=reference)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """Redact an event."""
        room = quote(self._room(), safe="")
        event = quote(reference, safe="")
        self._call(f"/_matrix/client/v3/rooms/{room}/redact/{event}/redact-{event}", method="PUT", json={})
        return "redacted"

    def check(self) -> str:
        """Ask whose token it is and whether the account is in the room."""
        user = self._call("/_matrix/client/v3/account/whoami", method="GET").get("user_id")
        room = self._room()
        joined = self._call("/_matrix/client/v3/joined_rooms", method="GET").get("joined_rooms")
        if isinstance(joined, list) and room not in joined:
            raise DeliveryError(f"{self._what}: {user} is not in {self.settings.room}; invite it and let it join")
        return f"{user} is in {self.settings.room}"

    def report_url(self, report: Report) -> str | None:
        """Chat makes no page."""
        return None


def message(report: Report, links: Links) -> dict[str, Any]:
    """A notice, as text and as HTML; it mentions nobody."""
    told = brief(report, links)
    head = [Block("heading", (Run(f"{told.marker} {cut(told.title, 400)}".strip(), bold=True),))]
    head += [Block("paragraph", (Run(cut(told.summary, 1500), bold=True),))] if told.summary else []
    if told.facts:
        runs = [run for label, value in told.facts for run in (Run(f"{label} "), Run(value, bold=True), Run(" · "))]
        head.append(Block("paragraph", tuple(runs[:-1])))
    foot = [Block("paragraph", (Run("full report", url=told.link), Run(f" · {told.footer}")))]
    left = FORMATTED - sum(map(cost, (*head, *foot)))
    blocks = [*head, *fit(told.sections, Limits(total=left, block=LINE, tables=True), cost), *foot]
    plain = fit(told.sections, Limits(total=PLAIN, block=2000), lambda block: len(block.text.encode()) + 1)
    lines = [told.headline, *(block.text for block in plain), told.link]
    return {
        "msgtype": "m.notice",
        "body": "\n".join(visible(line) for line in lines if line),
        "format": "org.matrix.custom.html",
        "formatted_body": to_html(blocks),
        "m.mentions": {},
    }
