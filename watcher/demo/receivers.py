"""Real local receivers for the channels: they check what they get by the platform's rules, and keep it on disk."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from watcher.demo.mail import MailServer
from watcher.demo.message import Answer, Message
from watcher.demo.platforms import KINDS
from watcher.demo.rules import discord_problem, slack_problem, webhook_problem

__all__ = ["TABLES", "Answer", "Message", "Receivers", "discord_problem", "parse", "slack_problem", "webhook_problem"]


class Receivers:
    """Every platform on one loopback port, and a mail server; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf: dict[str, bytes] = {}
        """What a platform must remember between requests: uploads, transactions, files of a repo."""
        self._guard = threading.Lock()
        self._count: dict[str, int] = {}
        self._mail = MailServer(self._keep_letter)
        handler = type("Handler", (_Handler,), {"receivers": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Receivers:
        self._mail.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._mail.__exit__()
        self._server.shutdown()
        self._server.server_close()

    def url(self, kind: str, channel: str) -> str:
        """The address of one channel."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{kind}/{channel}"

    def table(self, kind: str, channel: str) -> dict[str, Any]:
        """The keys of a `[[channels]]` table that lead a channel of this kind here; none for git and folders."""
        made = TABLES.get(kind)
        return made(self.url(kind, channel), channel, self._mail.port) if made else {}

    @property
    def counts(self) -> dict[str, int]:
        """Accepted messages by channel."""
        return dict(self._count)

    def keep(
        self, channel: str, raw: bytes, files: Mapping[str, bytes], headers: Mapping[str, str], form: str = "json"
    ) -> int:
        """Write one accepted message to disk, to the byte; its number."""
        with self._guard:
            number = self._count[channel] = self._count.get(channel, 0) + 1
        folder = self.folder / channel
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03d}.{form}").write_bytes(raw)
        if headers:
            (folder / f"{number:03d}.headers.json").write_text(json.dumps(dict(headers), indent=2) + "\n")
        for name, data in files.items():
            (folder / f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]', '-', name)}").write_bytes(data)
        return number

    def _keep_letter(self, channel: str, raw: bytes) -> int:
        return self.keep(re.sub(r"[^A-Za-z0-9_.-]", "-", channel), raw, {}, {}, form="eml")


TABLES: Mapping[str, Callable[[str, str, int], dict[str, Any]]] = {
    "slack": lambda url, name, port: {"url": url},
    "discord": lambda url, name, port: {"url": url},
    "webhook": lambda url, name, port: {"url": url},
    "teams": lambda url, name, port: {"url": url},
    "mattermost": lambda url, name, port: {"url": f"{url}/hooks/demo"},
    "slack-bot": lambda url, name, port: {"api": url, "token": "xoxb-demo", "channel": "C0DEMO"},
    "telegram": lambda url, name, port: {"api": url, "token": "1:demo", "chat_id": "-1001"},
    "matrix": lambda url, name, port: {"homeserver": url, "token": "demo", "room": "!room:demo"},
    "ntfy": lambda url, name, port: {"server": url, "topic": "demo"},
    "email": lambda url, name, port: {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": "",
        "sender": "watcher@example.org",
        "to": [f"{name}@example.org"],
    },
    "hub": lambda url, name, port: {"endpoint": url, "token": "hf_demo", "repository": "demo/reports"},
    "apprise": lambda url, name, port: {"url": url.replace("http://", "json://")},
}
"""By kind of channel: (address, name, the mail server's port) → keys."""


class _Handler(BaseHTTPRequestHandler):
    receivers: Receivers
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """What came is on disk."""

    def _any(self) -> None:
        """One request: kind, channel and the rest of its address."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind, _, rest = self.path.partition("?")[0].strip("/").partition("/")
        channel, _, path = rest.partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body, raw, files = parse(data, headers)
        message = Message(body, raw, files, headers, self.command, unquote(path))
        handler = KINDS.get(kind)
        if handler is None or (message.body is None and not path and self.command == "POST"):
            self._answer(404 if handler is None else 400, "text/plain", b"no such hook, or no JSON")
            return
        self._answer(*handler(self.receivers, channel, message))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

    def _answer(self, status: int, kind: str, body: bytes, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def parse(data: bytes, headers: Mapping[str, str]) -> tuple[Any, bytes, Mapping[str, bytes]]:
    """Body, its bytes as JSON, and files of a JSON, form or multipart request."""
    kind = headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(data.decode("utf-8", "replace")))
        return fields, json.dumps(fields).encode(), {}
    if kind.startswith("multipart/"):
        return _parts(data, kind)
    try:
        return json.loads(data), data, {}
    except ValueError:
        return None, data, {}


def _parts(data: bytes, kind: str) -> tuple[Any, bytes, Mapping[str, bytes]]:
    parsed = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + data)
    files: dict[str, bytes] = {}
    fields: dict[str, Any] = {}
    for part in parsed.iter_parts():
        content = part.get_payload(decode=True)
        name = str(part.get_param("name", "", "content-disposition"))
        if part.get_filename():
            files[str(part.get_filename())] = content if isinstance(content, bytes) else b""
        elif isinstance(content, bytes):
            fields[name] = content
    if "payload_json" in fields:
        raw = fields["payload_json"]
        return json.loads(raw), raw, files
    body = {name: _value(content) for name, content in fields.items()}
    return body, json.dumps(body).encode(), files


def _value(content: bytes) -> Any:
    """A field of a form: JSON where it is an object or a list, else text."""
    text = content.decode("utf-8", "replace")
    try:
        return json.loads(text) if text[:1] in "[{" else text
    except ValueError:
        return text
