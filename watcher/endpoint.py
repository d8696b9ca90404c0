"""The daemon's own small server: `/health`, `/live` and `/metrics`, on a port of this machine."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watcher.errors import ConfigurationError, WatcherError

Page = Callable[[], tuple[int, str, bytes]]
"""Gives status, content type and body."""


def as_json(status: int, data: Any) -> tuple[int, str, bytes]:
    """A page of JSON."""
    return status, "application/json", json.dumps(data, ensure_ascii=False, indent=2).encode() + b"\n"


@contextlib.contextmanager
def serving(address: str, pages: Mapping[str, Page]) -> Iterator[int | None]:
    """Serve the pages while the block runs; the port, or None without an address.

    Raises ConfigurationError when the address cannot be bound.
    """
    if not address:
        yield None
        return
    host, _, port = address.rpartition(":")
    try:
        server = _Server((host.strip("[]"), int(port)), _handler(pages))
    except OSError as error:
        raise ConfigurationError(f"watch.listen: {address} cannot be bound: {error.strerror}; take another") from None
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="endpoint", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that goes away is no event."""


def _handler(pages: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def log_message(self, *arguments: object) -> None:
            """Scrapes are not logged."""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            if page is None:
                self._answer(404, "text/plain; charset=utf-8", f"there are {', '.join(sorted(pages))}\n".encode())
                return
            try:
                self._answer(*page())
            except WatcherError as error:  # a store that is locked, full or gone
                self._answer(*as_json(503, {"well": False, "problems": [{"part": "store", "says": str(error)}]}))

        do_HEAD = do_GET

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
