"""A real SMTP server on loopback that keeps every letter it accepts: enough of the protocol for smtplib."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable

Keep = Callable[[str, bytes], object]
"""What is done with a letter: (its first recipient's name, its bytes)."""

LARGEST = 10_000_000


class MailServer:
    """An SMTP server without TLS and without login; use it as a context manager."""

    def __init__(self, keep: Keep, *, refuse: str = "") -> None:
        """`refuse`: what every recipient is answered instead of `250 ok`."""
        handler = type("Session", (_Session,), {"keep": staticmethod(keep), "refuse": refuse})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Session(socketserver.StreamRequestHandler):
    keep: Keep
    refuse: str

    def handle(self) -> None:
        """One connection: a command a line until QUIT."""
        self._say("220 demo")
        self.to: list[str] = []
        while line := self.rfile.readline(1000):
            verb = line[:4].strip().upper().decode("ascii", "replace")
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._answer(verb, line.decode("utf-8", "replace"))

    def _answer(self, verb: str, line: str) -> None:
        if verb == "EHLO":
            self._say(f"250-demo\r\n250-SIZE {LARGEST}\r\n250 8BITMIME")
        elif verb == "RCPT":
            self.to += [] if self.refuse else [line.partition("<")[2].partition(">")[0]]
            self._say(self.refuse or "250 ok")
        elif verb == "DATA":
            self._say("354 go on")
            self._letter()
        else:
            self._say("250 ok" if verb in ("HELO", "MAIL", "NOOP", "RSET") else "502 not here")

    def _letter(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline(100_000)) not in (b".\r\n", b""):
            if len(line) > 1000:  # the protocol's limit, with the line's end
                self._say("500 line too long")
                return
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.keep(self.to[0].partition("@")[0] if self.to else "nobody", b"".join(lines))
        self.to = []
        self._say("250 kept")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
