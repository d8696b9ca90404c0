"""One POST to a receiver: no redirects, no .netrc, a deadline for the whole answer and a limit on its size."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import loads
from typing import Any
from urllib.parse import urlsplit

import requests

from watcher import __version__
from watcher.publish.deadline import cut_off
from watcher.publish.interface import DeliveryError, Scope

DEADLINE: ContextVar[float] = ContextVar("deadline", default=30.0)
"""Seconds for the whole answer: the calling channel's `timeout`."""

ANSWER_LIMIT = 64 * 1024
CONNECT = 10.0


Guard = Callable[[socket.socket], None]
"""Looks at a connection that was just opened; raises DeliveryError to send nothing over it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def short(self) -> str:
        """The answer in a few printable words, for the attempt log."""
        words = " ".join("".join(letter if letter.isprintable() else " " for letter in self.text[:400]).split())
        return f"{self.status} {words[:160]}".strip()


class _Session(requests.Session):
    """Proxies come from the environment; credentials from .netrc do not."""

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Never called: redirects are not followed."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does, without looking into .netrc."""
        request.auth = request.auth or _no_auth
        return super().prepare_request(request)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def post(
    url: str,
    *,
    what: str,
    method: str = "POST",
    data: bytes | None = None,
    json: Any = None,
    files: Any = None,
    headers: Mapping[str, str] | None = None,
    deadline: float | None = None,
    guard: Guard | None = None,
    limit: int = ANSWER_LIMIT,
) -> Answer:
    """Send and read the answer, up to `limit` bytes, whatever its status. `guard` sees every connection before anything
    is sent.

    Raises DeliveryError for CHANNEL when there is no complete answer: refused, reset, TLS, stalled, dripping.
    """
    deadline = DEADLINE.get() if deadline is None else deadline
    sent = {"User-Agent": f"model-release-watcher/{__version__}", **(headers or {})}
    fired = threading.Event()
    try:
        with _Session() as session, _bounded(session, deadline, fired, guard):
            response = session.request(
                method,
                url,
                data=data,
                json=json,
                files=files,
                headers=sent,
                timeout=(min(CONNECT, deadline), deadline),
                allow_redirects=False,
                stream=True,
            )
            with contextlib.closing(response):
                text = _read(response, deadline, fired, limit)
    except (requests.RequestException, OSError, ValueError) as error:
        raise DeliveryError(f"{what} did not answer: {_reason(error, fired)}; trying again later") from None
    if fired.is_set():  # http.client takes the end of a cut connection for the end of the headers
        raise DeliveryError(f"{what} did not answer within {deadline:.0f} s; trying again later")
    return Answer(response.status_code, dict(response.headers), text)


def _read(response: requests.Response, deadline: float, fired: threading.Event, limit: int) -> str:
    """The body, up to the limit: what comes after it is not read."""
    end = time.monotonic() + deadline
    chunks = b""
    for chunk in response.iter_content(8192):
        chunks += chunk
        if len(chunks) >= limit or time.monotonic() > end or fired.is_set():
            break
    return chunks[:limit].decode("utf-8", "replace")


@contextlib.contextmanager
def _bounded(session: requests.Session, deadline: float, fired: threading.Event, guard: Guard | None) -> Iterator[None]:
    """Shut every socket of the session when the deadline passes: no time-out of requests bounds a whole answer."""
    sockets: list[socket.socket] = []
    adapter = _Adapter(sockets, guard)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    with cut_off(deadline, fired, lambda: sockets):
        yield


class _Adapter(requests.adapters.HTTPAdapter):
    """Remembers the sockets it opens, so that they can be shut from outside."""

    def __init__(self, sockets: list[socket.socket], guard: Guard | None) -> None:
        super().__init__(max_retries=0)
        self._sockets = sockets
        self._guard = guard

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool, whose connections report their socket once it is open."""
        pool = super().get_connection_with_tls_context(*arguments, **options)
        sockets = self._sockets
        guard = None if getattr(pool, "proxy", None) else self._guard  # a proxy's address says nothing

        plain: Any = vars(pool).get("ConnectionCls") or type(pool).ConnectionCls  # type: ignore[attr-defined]
        if "remembers" not in vars(plain):

            class Remembering(plain):  # type: ignore[misc]
                remembers = True

                def connect(self) -> None:
                    super().connect()
                    sockets.append(self.sock)
                    if guard is not None:
                        guard(self.sock)

            vars(pool)["ConnectionCls"] = Remembering
        return pool


def _reason(error: Exception, fired: threading.Event) -> str:
    """What went wrong, without the address (a webhook's address is its secret)."""
    if fired.is_set() or isinstance(error, requests.Timeout):
        return "it took too long"
    kinds = {
        requests.exceptions.SSLError: "TLS failed; check the certificate",
        requests.exceptions.ProxyError: "the proxy refused",
        requests.exceptions.ChunkedEncodingError: "the answer was cut off",
        requests.exceptions.ConnectionError: "no connection",
        requests.exceptions.InvalidURL: "the address is not valid",
        requests.exceptions.MissingSchema: "the address must begin with https://",
        requests.exceptions.InvalidSchema: "the address must begin with https://",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)


def host_of(url: str) -> str:
    """The host of an address: the only part of a webhook's address that may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def retry_after(answer: Answer) -> float | None:
    """Seconds the receiver asks us to wait: `Retry-After` as an integer, a float or a date."""
    text = next((value for key, value in answer.headers.items() if key.lower() == "retry-after"), "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def is_error(answer: Answer) -> bool:
    """Whether a 2xx from a platform that says `ok` says something else: an error in words, in JSON, or a web page."""
    text = answer.text.strip()
    if not text or text.lower() == "ok":
        return False
    try:
        data = loads(text)
    except ValueError:
        return True
    if not isinstance(data, dict):
        return True
    return any(data.get(key) is False for key in ("ok", "success")) or bool(data.get("error") or data.get("errors"))


def raise_for(answer: Answer, what: str, *, revoked: tuple[int, ...] = (410,), permanent: bool = False) -> None:
    """Raise the DeliveryError that a failed answer stands for; 2xx passes.

    `revoked`: statuses by which this platform says that the hook is gone. A 3xx is a failure: we do not follow.
    """
    if 200 <= answer.status < 300:
        return
    short = answer.short
    if answer.status in revoked:
        raise DeliveryError(
            f"{what} is gone ({short}); make a new address and set it in config.toml", scope=Scope.REVOKED, status=short
        )
    if answer.status == 429 or answer.status >= 500 or answer.status in (408, 425) or answer.status < 400:
        remedy = "check the address: it redirects" if 300 <= answer.status < 400 else "trying again later"
        raise DeliveryError(f"{what} said {short}; {remedy}", retry_after=retry_after(answer), status=short)
    scope = Scope.DELIVERY if permanent or answer.status in (400, 413, 422) else Scope.CHANNEL
    raise DeliveryError(f"{what} refused the message: {short}", scope=scope, status=short)
