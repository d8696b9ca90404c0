"""The receiver for the Hub's webhooks: each one is a hint to look early, kept before it is acknowledged.

The Hub posts JSON with a shared secret in `X-Webhook-Secret`. Nothing in the body is believed but which organization it
is about; what happened there is told by the next look. Polling goes on and misses nothing when no webhook arrives.
"""

from __future__ import annotations

import hmac
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watcher.errors import ConfigurationError
from watcher.hub.parsing import NAME
from watcher.values import listen_address

LIMIT = 1_000_000
"""Bytes of a body; the Hub's are a few kilobytes."""

PATIENCE = 10.0
"""Seconds between two pieces of a request."""

DEADLINE = 30.0
"""Seconds for a whole request."""

AT_ONCE = 16
"""Requests served at the same time; more are hung up on, and the Hub tries again."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to a model of an organization."""

    organization: str
    what: str
    """`org/name: update repo.content`, for the log."""


Keep = Callable[[Hint], bool]
"""Store a hint for good; whether it is about something that is watched. An exception is answered with 503."""


def parse_hint(body: bytes) -> Hint | None:
    """What a webhook's body is about; None when it concerns no model repo. Raises ValueError when it is no JSON object.

    Fields that are not known, missing or odd are no error: the Hub adds to its payloads.
    """
    try:
        data = json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(data, Mapping):
        raise ValueError("not an object")
    repo, event = _mapping(data.get("repo")), _mapping(data.get("event"))
    name = repo.get("name")
    if repo.get("type", "model") != "model" or not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    scope = _word(event.get("scope"))
    if scope.partition(".")[0] == "discussion":
        return None
    return Hint(name.partition("/")[0], f"{name}: {_word(event.get('action'))} {scope}".rstrip())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str:
    """A short plain word out of the body, fit for a log line."""
    return re.sub(r"[^a-z._-]", "", value.lower())[:40] if isinstance(value, str) else ""


class Receiver:
    """Listens until it is closed; a context manager."""

    def __init__(self, listen: str, path: str, secret: str, keep: Keep) -> None:
        host, port = listen_address(listen)
        try:
            self._server = _Server(host, port, _handler(path, secret.encode(), keep))
        except OSError as error:
            raise ConfigurationError(
                f"hub.webhooks.listen: {listen} cannot be listened on: {error.strerror}; choose another address"
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="webhooks", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """A bounded number of requests, each with an end."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((host, port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it on a thread of its own, or hang up when too many are at hand."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One request until its deadline."""
        timer = threading.Timer(DEADLINE, _hang_up, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away is no fault of ours."""


def _hang_up(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _handler(path: str, secret: bytes, keep: Keep) -> type[BaseHTTPRequestHandler]:
    """The handler for one path and secret."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "watcher", ""
        timeout = PATIENCE

        def do_POST(self) -> None:
            status, says = self._answer()
            body = json.dumps({"status": says}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                self.send_header("Retry-After", "30")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def _answer(self) -> tuple[HTTPStatus, str]:
            if self.path.partition("?")[0] != path:
                return HTTPStatus.NOT_FOUND, "no such path"
            given = self.headers.get("X-Webhook-Secret", "").encode("latin-1", "replace")
            if not hmac.compare_digest(given, secret):
                return HTTPStatus.UNAUTHORIZED, "X-Webhook-Secret is missing or wrong"
            length = self.headers.get("Content-Length", "")
            if not re.fullmatch(r"\d{1,12}", length) or self.headers.get("Transfer-Encoding"):
                return HTTPStatus.LENGTH_REQUIRED, "Content-Length is required"
            if int(length) > LIMIT:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LIMIT} bytes"
            return _take(self.rfile.read(int(length)), int(length), keep)

        def log_message(self, *_: Any) -> None:
            """What is worth a line is said by who keeps the hint."""

    return Handler


def _take(body: bytes, length: int, keep: Keep) -> tuple[HTTPStatus, str]:
    """Keep what a body says; the answer promises that it is stored."""
    if len(body) < length:
        return HTTPStatus.BAD_REQUEST, "the body is cut off"
    try:
        hint = parse_hint(body)
    except ValueError:
        return HTTPStatus.BAD_REQUEST, "the body is not a JSON object"
    if hint is None:
        return HTTPStatus.OK, "nothing to do"
    try:
        return (HTTPStatus.ACCEPTED, "stored") if keep(hint) else (HTTPStatus.OK, "not watched")
    except Exception:  # whatever hinders storing: the Hub is to try again
        return HTTPStatus.SERVICE_UNAVAILABLE, "it could not be stored"
