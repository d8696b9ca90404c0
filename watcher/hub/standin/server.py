"""The stand-in as a server: sockets, rate-limit headers, faults, a log of what was asked; with and without TLS.

`python -m watcher.hub.standin FOLDER` serves a folder of `org/name/config.json …` until it is stopped.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from watcher.hub.standin.answers import POSTED, Answers
from watcher.hub.standin.faults import Fault, Faults
from watcher.hub.standin.protocol import Request, Response, error
from watcher.hub.standin.world import World, load_folder

WINDOW = 300
QUOTAS = {"api": 500, "resolvers": 3000, "pages": 100}
"""Of an anonymous address, for each window."""

LARGEST = 256 * 1024 * 1024
"""A larger body is not sent: nobody should ask for whole weights."""

EXPOSED = "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came, for the log."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int

    @property
    def line(self) -> str:
        """`GET /api/models?author=x`."""
        return f"{self.method} {self.path}?{self.query}" if self.query else f"{self.method} {self.path}"


class Limits:
    """Fixed windows of requests, by bucket."""

    def __init__(self, quotas: Mapping[str, int], clock: Callable[[], float] = time.time) -> None:
        self.quotas = dict(quotas)
        self._clock = clock
        self._guard = threading.Lock()
        self._used: dict[tuple[str, int], int] = {}

    def count(self, path: str) -> tuple[dict[str, str], bool]:
        """(headers, whether the request may pass)."""
        bucket = "resolvers" if "/resolve/" in path else "api" if path.startswith("/api/") else "pages"
        window, passed = divmod(self._clock(), WINDOW)
        with self._guard:
            key = (bucket, int(window))
            used = self._used.get(key, 0)
            allowed = used < self.quotas[bucket]
            self._used = {key: used + allowed} | {other: n for other, n in self._used.items() if other[0] != bucket}
        left = max(0, self.quotas[bucket] - used - 1)
        headers = {
            "RateLimit": f'"{bucket}";r={left if allowed else 0};t={int(WINDOW - passed)}',
            "RateLimit-Policy": f'"fixed window";"{bucket}";q={self.quotas[bucket]};w={WINDOW}',
        }
        return headers, allowed


class Standin:
    """A running Hub stand-in; use it as a context manager."""

    def __init__(
        self,
        world: World | None = None,
        *,
        tokens: Mapping[str, str] | None = None,
        quotas: Mapping[str, int] | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: seconds that the windows of the rate limit are told by."""
        self.world = world or World(datetime.now(UTC))
        self.answers = Answers(self.world, tokens)
        self.faults = Faults()
        self.limits = Limits(QUOTAS | dict(quotas or {}), clock)
        self.log: list[Asked] = []
        self._stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"standin": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self._scheme = "https" if tls else "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.world.webhooks.origin = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @classmethod
    def from_folder(cls, folder: Path, **options: Any) -> Standin:
        """A stand-in over a folder of `org/name/…`."""
        world = World(datetime.now(UTC))
        load_folder(world, folder)
        return cls(world, **options)

    @property
    def url(self) -> str:
        """What HF_ENDPOINT should be."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def asked(self, part: str = "") -> list[str]:
        """The requests so far that hold `part`, as lines."""
        return [item.line for item in list(self.log) if part in item.line]

    def __enter__(self) -> Standin:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port; requests in flight are cut."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> None:
        """Pause a request for a fault, no longer than the stand-in runs."""
        self._stopping.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    standin: Standin
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1  # head and body leave together: apart, a delayed acknowledgement costs 40 ms a request
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, *arguments: Any) -> None:
        """The log is `Standin.log`."""

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parts.query
        headers = {key.lower(): value for key, value in self.headers.items()}
        body = self.rfile.read(min(int(headers.get("content-length") or 0), 1024 * 1024))
        fault = self.standin.faults.take(f"{self.command} {path}?{query}")
        limits, allowed = self.standin.limits.count(path)
        response = self._response(path, query, headers, body, allowed)
        if fault is not None:
            response = _spoilt(response, fault)
        status = response.status
        self.standin.log.append(Asked(method=self.command, path=path, query=query, headers=headers, status=status))
        if fault is not None and fault.kind == "stall":
            self.standin.wait(fault.seconds)
        if fault is not None and fault.kind in ("stall", "reset"):
            self._cut()
        else:
            self._send(response, limits, fault.kind if fault else "")

    def _response(self, path: str, query: str, headers: dict[str, str], body: bytes, allowed: bool) -> Response:
        if not allowed:
            return error(429, "You have exceeded the rate limit.")
        if self.command in ("POST", "DELETE") and not POSTED.fullmatch(path):
            return error(404, "Sorry, we can't find the page you are looking for.")
        request = Request(
            method=self.command,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            headers=headers,
            body=body,
            origin=f"{self.standin._scheme}://{headers.get('host', '127.0.0.1')}",
        )
        return self.standin.answers.answer(request)

    def _send(self, response: Response, limits: dict[str, str], fault: str) -> None:
        body = b"" if response.status == 304 else response.body[:LARGEST]
        packed = len(body) > 1024 and "gzip" in self.headers.get("Accept-Encoding", "") and response.status == 200
        packed = packed and "json" in response.headers.get("Content-Type", "") and not fault
        if packed:
            body = gzip.compress(body, 1)
        common = {
            "X-Request-Id": f"Root=1-{uuid.uuid4().hex[:24]}",
            "X-Powered-By": "huggingface-moon",
            "Vary": "Origin",
            "Access-Control-Expose-Headers": EXPOSED,
            "Content-Length": str(len(body)),
        }
        with contextlib.suppress(OSError):
            self.send_response(response.status)
            for name, value in (common | limits | dict(response.headers)).items():
                self.send_header(name, value)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            if self.command != "HEAD":
                self._write(body, fault)

    def _write(self, body: bytes, fault: str) -> None:
        if fault == "truncate":
            self.wfile.write(body[: len(body) // 2])
            self._cut()
        elif fault == "drip":
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()
                self.standin.wait(1.0)
        else:
            self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


def _spoilt(response: Response, fault: Fault) -> Response:
    """The answer as the fault leaves it."""
    if fault.kind == "status":
        spoilt = error(fault.status, "a fault, as asked for")
        return Response(status=fault.status, headers={**spoilt.headers, **fault.headers}, body=spoilt.body)
    if fault.kind == "malformed":
        return Response(headers=response.headers, body=response.body[: max(1, len(response.body) // 2)])
    if fault.kind == "html":
        return Response(headers={"Content-Type": "text/html"}, body=b"<!DOCTYPE html><title>Maintenance</title>")
    if fault.kind == "empty":
        return Response(headers={"Content-Type": "application/json"}, body=b"")
    if fault.kind == "skip":
        page = json.loads(response.body)[1:]
        return Response(headers=response.headers, body=json.dumps(page).encode())
    if fault.kind == "foreign-link":
        link = f'<http://localhost:{9}/api/models?cursor=x>; rel="next"'
        return Response(status=response.status, headers={**response.headers, "Link": link}, body=response.body)
    return response
