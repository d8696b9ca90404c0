"""The Hub client library's HTTP session, made safe: a deadline over every exchange, no implicit token, no telemetry.

`huggingface_hub` sends listings without any time-out, and a read time-out starts anew with every byte, so that a
server that drips could hold a thread for ever. Here every socket operation gets at most the time that is left.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read at import: else the first call asks another host
os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")  # the only token is the one we are given
os.environ.setdefault("HF_HUB_DISABLE_UPDATE_CHECK", "1")

import httpcore2
import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.utils._http import get_session, hf_request_event_hook

constants.HF_HUB_DISABLE_TELEMETRY = True  # also where the library was imported before us

STEP = 20.0
"""Seconds one socket operation may take at most."""

_END: ContextVar[float | None] = ContextVar("end of the exchange, on the monotonic clock", default=None)


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Every exchange inside ends within `seconds`, with a time-out error if need be."""
    token = _END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def _left(wanted: float | None, error: type[Exception]) -> float:
    """Seconds an operation may take: what it asks for, a step, or what is left; none left is `error`."""
    end = _END.get()
    limit = min(wanted or STEP, STEP)
    if end is None:
        return limit
    left = end - time.monotonic()
    if left <= 0:
        raise error("the deadline has passed")
    return min(limit, left)


class _Stream(httpcore2.NetworkStream):
    """A connection whose operations stop at the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens connections that stop at the deadline."""

    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, _left(timeout, httpcore2.ConnectTimeout), socket_options))


def _make_client() -> httpx2.Client:
    """A client as the library makes it (proxies from the environment included), with our backend under every pool."""
    client = httpx2.Client(event_hooks={"request": [hf_request_event_hook]}, follow_redirects=False, timeout=STEP)
    # Passing `transport=` would drop the environment's proxies, so the pools are reached from outside; private names,
    # which is why pyproject.toml pins the library's range, and a test proves that a dripping server is cut off.
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Backend(pool._network_backend)
    return client


def session() -> httpx2.Client:
    """The library's shared session, with our factory behind it."""
    client = get_session()
    if not getattr(client, "watcher_made", False):
        set_client_factory(_factory)
        client = get_session()
    return client


def _factory() -> httpx2.Client:
    client = _make_client()
    client.watcher_made = True  # type: ignore[attr-defined]
    return client
