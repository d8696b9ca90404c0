"""Real local receivers for the channels: they check what they get by the platform's rules, and keep it on disk."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = tuple[int, str, bytes]
"""Status, content type, body."""


@dataclass(frozen=True, slots=True)
class Message:
    """What came in one request."""

    body: Any
    raw: bytes
    """The JSON as it came."""
    files: Mapping[str, bytes]
    headers: Mapping[str, str]


def slack_problem(body: Any) -> str | None:
    """What an incoming webhook would refuse about a message."""
    blocks = body.get("blocks", []) if isinstance(body, dict) else None
    if not isinstance(blocks, list) or not isinstance(body.get("text"), str):
        return "invalid_payload"
    if len(blocks) > 50 or len(body["text"]) > 40_000:
        return "invalid_blocks"
    for block in blocks:
        text = block.get("text", {}).get("text", "") if isinstance(block.get("text"), dict) else ""
        most = 150 if block.get("type") == "header" else 3000
        if len(text) > most or (block.get("type") in ("header", "section") and not text):
            return "invalid_blocks"
    return None


def discord_problem(body: Any) -> str | None:
    """What a webhook would refuse about a message."""
    if not isinstance(body, dict) or len(body.get("content", "")) > 2000:
        return "content must be 2000 or fewer in length"
    embeds = body.get("embeds", [])
    if len(embeds) > 10 or sum(_embed_length(embed) for embed in embeds) > 6000:
        return "embeds exceed the maximum size of 6000"
    if any(len(embed.get("title", "")) > 256 or len(embed.get("description", "")) > 4096 for embed in embeds):
        return "an embed's title or description is too long"
    return None if embeds or body.get("content") else "cannot send an empty message"


def _embed_length(embed: Mapping[str, Any]) -> int:
    return (
        len(embed.get("title", "")) + len(embed.get("description", "")) + len(embed.get("footer", {}).get("text", ""))
    )


def webhook_problem(body: Any) -> str | None:
    """What a receiver of the generic webhook must find."""
    wanted = {"type", "timestamp", "data"}
    return None if isinstance(body, dict) and wanted <= body.keys() else f"a body has {', '.join(sorted(wanted))}"


class Receivers:
    """Slack, Discord and a generic webhook on one loopback port; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.Lock()
        self._count: dict[str, int] = {}
        handler = type("Handler", (_Handler,), {"receivers": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Receivers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, kind: str, channel: str) -> str:
        """The address of one channel."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{kind}/{channel}"

    @property
    def counts(self) -> dict[str, int]:
        """Accepted messages by channel."""
        return dict(self._count)

    def keep(self, channel: str, raw: bytes, files: Mapping[str, bytes], headers: Mapping[str, str]) -> int:
        """Write one accepted message to disk, to the byte; its number."""
        with self._guard:
            number = self._count[channel] = self._count.get(channel, 0) + 1
        folder = self.folder / channel
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03d}.json").write_bytes(raw)
        if headers:
            (folder / f"{number:03d}.headers.json").write_text(json.dumps(dict(headers), indent=2) + "\n")
        for name, data in files.items():
            (folder / f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]', '-', name)}").write_bytes(data)
        return number


def _slack(receivers: Receivers, channel: str, message: Message) -> Answer:
    problem = slack_problem(message.body)
    if problem:
        return 400, "text/plain", problem.encode()
    receivers.keep(channel, message.raw, {}, {})
    return 200, "text/plain", b"ok"


def _discord(receivers: Receivers, channel: str, message: Message) -> Answer:
    problem = discord_problem(message.body)
    if problem:
        return 400, "application/json", json.dumps({"code": 50035, "message": problem}).encode()
    number = receivers.keep(channel, message.raw, message.files, {})
    return 200, "application/json", json.dumps({"id": str(number)}).encode()


def _webhook(receivers: Receivers, channel: str, message: Message) -> Answer:
    problem = webhook_problem(message.body)
    if problem:
        return 400, "text/plain", problem.encode()
    kept = {
        name: value
        for name, value in message.headers.items()
        if name.startswith(("webhook-", "content-type", "user-agent"))
    }
    receivers.keep(channel, message.raw, {}, kept)
    return 204, "text/plain", b""


KINDS: dict[str, Callable[..., Answer]] = {"slack": _slack, "discord": _discord, "webhook": _webhook}


class _Handler(BaseHTTPRequestHandler):
    receivers: Receivers
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """What came is on disk."""

    def do_GET(self) -> None:
        """Discord describes a webhook to whoever knows its address."""
        self._answer(200, "application/json", b'{"id": "1", "type": 1, "name": "demo"}')

    def do_POST(self) -> None:
        """One message."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind, _, channel = self.path.partition("?")[0].strip("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        message = _parse(data, headers)
        handler = KINDS.get(kind)
        if handler is None or message.body is None:
            self._answer(404 if handler is None else 400, "text/plain", b"no such hook, or no JSON")
            return
        self._answer(*handler(self.receivers, channel, message))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parse(data: bytes, headers: Mapping[str, str]) -> Message:
    """A JSON or multipart message; its body is None when it is neither."""
    kind = headers.get("content-type", "")
    files: dict[str, bytes] = {}
    if kind.startswith("multipart/"):
        parsed = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + data)
        parts = {part.get_filename(): part.get_payload(decode=True) for part in parsed.iter_parts()}
        files = {name: content for name, content in parts.items() if name and isinstance(content, bytes)}
        plain = parts.get(None)
        data = plain if isinstance(plain, bytes) else b""
    try:
        return Message(json.loads(data), data, files, headers)
    except ValueError:
        return Message(None, data, files, headers)
