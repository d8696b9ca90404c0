"""A local look at a built site: a web server on the loopback address that serves one folder and nothing else."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from watcher.errors import ConfigurationError
from watcher.site.output import STATE

HOST = "127.0.0.1"
_LOCAL = ("127.0.0.1", "localhost", "[::1]")


class Handler(SimpleHTTPRequestHandler):
    """Files of the folder; no listings, no state, no requests in another host's name."""

    def send_head(self) -> Any:
        """Refuse what is not for readers before a file is opened."""
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        if host not in _LOCAL:
            self.send_error(421, "this server answers for the loopback address only")
            return None
        if self.path.rpartition("/")[2].startswith(STATE):
            self.send_error(404)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """A folder without an index is not found."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Nothing is kept by the browser, so that a rebuilt page is seen at once."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def open_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server that is ready and not yet serving; port 0 takes a free one. Raises ConfigurationError."""
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"--port {port}: cannot be opened: {reason}; choose another one") from None
