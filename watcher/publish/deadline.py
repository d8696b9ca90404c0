"""A deadline for a whole exchange: its sockets are shut when it passes, whatever step it is in.

The time-outs of requests and smtplib bound one read or one step; a receiver that drips a byte a second outlives them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator


@contextlib.contextmanager
def cut_off(seconds: float, fired: threading.Event, sockets: Callable[[], Iterable[socket.socket]]) -> Iterator[None]:
    """Shut what `sockets` gives after this many seconds, and set `fired`; nothing when the exchange ended before."""

    def cut() -> None:
        fired.set()
        for item in sockets():
            with contextlib.suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
