"""One exchange with the Hub: a GET within a deadline and a size limit, redirects, the token, the rate-limit headers.

Nothing sleeps or retries here: one question, one answer or one HubError.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx2
from huggingface_hub.utils._headers import build_hf_headers

from watcher import __version__
from watcher.hub import transport
from watcher.hub.listing import Answer
from watcher.hub.model import HubError, HubProblem, RateState
from watcher.hub.rates import bucket_of, parse_rate, retry_after

MAX_HOPS = 5
ANSWER_LIMIT = 16 * 1024 * 1024
ERROR_LIMIT = 16 * 1024

CODES = {
    "RepoNotFound": HubProblem.NOT_FOUND,
    "RevisionNotFound": HubProblem.NO_REVISION,
    "EntryNotFound": HubProblem.NO_ENTRY,
    "GatedRepo": HubProblem.GATED,
}
"""`X-Error-Code` → problem."""

REMEDIES = {
    HubProblem.NOT_FOUND: "it does not exist, or it is private; check the name, or the token's rights",
    HubProblem.NO_REVISION: "this revision does not exist",
    HubProblem.NO_ENTRY: "this file does not exist",
    HubProblem.GATED: "it is gated; ask for access on its page and set hub.token",
    HubProblem.DISABLED: "the Hub has disabled it",
    HubProblem.BAD_TOKEN: "the Hub does not accept hub.token; renew it, or unset it to go on anonymously",
    HubProblem.REFUSED: "the Hub refuses this request",
    HubProblem.RATE_LIMITED: "the rate limit is used up; trying again when the window ends (a token doubles it)",
    HubProblem.UNAVAILABLE: "the Hub did not answer; trying again later",
}
"""What to say about each problem: what is wrong, and the remedy."""


class Exchange:
    """Questions to one endpoint, with one token or none. Safe to use from several threads."""

    def __init__(self, endpoint: str, token: str | None, *, deadline: float, anonymous: bool) -> None:
        """`anonymous`: go on without the token when the Hub does not accept it."""
        self.endpoint = endpoint.rstrip("/")
        self.token = token or None
        self.token_refused = False
        """Whether the Hub did not accept the token and everything since was asked without one."""
        self.requests = 0
        """Requests sent so far, redirects included."""
        self._origin = _origin(self.endpoint)
        self._deadline = deadline
        self._anonymous = anonymous
        self._counted = 0
        self._rates: dict[str, RateState] = {}
        self._guard = threading.Lock()

    def uncounted(self) -> int:
        """Requests sent since this was last asked."""
        with self._guard:
            fresh = self.requests - self._counted
            self._counted = self.requests
        return fresh

    @property
    def rates(self) -> Mapping[str, RateState]:
        """What the rate-limit headers said last, by bucket."""
        return dict(self._rates)

    def is_ours(self, url: str) -> bool:
        """Whether an address is on our own endpoint: only that is asked with the token."""
        return _origin(url) == self._origin

    def get(
        self,
        url: str,
        what: str,
        *,
        limit: int = ANSWER_LIMIT,
        file: bool = False,
        extra: Mapping[str, str] | None = None,
        cut: bool = False,
    ) -> Answer:
        """GET with redirects, under the deadline; any answer but 200 and 206 is a HubError.

        `file`: a redirect may lead to another host (the CDN), without the token. `cut`: a longer body is cut off at
        `limit` instead of refused.
        """
        with transport.deadline(self._deadline):
            for _ in range(MAX_HOPS):
                token = self.token
                answer = self._exchange(url, what, limit, extra or {}, cut)
                if token is not None and self._goes_on_without_token(answer):
                    continue
                if answer.status not in (301, 302, 303, 307, 308):
                    return self._accepted(answer, what, conditional="If-None-Match" in (extra or {}))
                url = self._redirected(answer, what, file)
        raise HubError(HubProblem.INVALID, f"{what}: the Hub redirects without end; trying again later")

    def _redirected(self, answer: Answer, what: str, file: bool) -> str:
        target = urljoin(answer.url, answer.headers.get("location", ""))
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or (self._origin[0] == "https" and parts.scheme != "https"):
            raise HubError(HubProblem.INVALID, f"{what}: the Hub redirects to an address of another kind; not followed")
        if not self.is_ours(target) and not file:
            raise HubError(HubProblem.INVALID, f"{what}: the Hub redirects to another host; not followed")
        return target

    def _goes_on_without_token(self, answer: Answer) -> bool:
        """Whether a request with the token was refused and may go without: then the same is asked once more."""
        refused = answer.status == 401 and self._problem(answer) is HubProblem.BAD_TOKEN
        if not (refused and self._anonymous):
            return False
        self.token, self.token_refused = None, True
        return True

    def _wait_for_window(self, url: str, what: str) -> None:
        """Raise RATE_LIMITED instead of asking, when the headers said that this bucket is empty."""
        now = datetime.now(UTC)
        state = self._rates.get(bucket_of(urlsplit(url).path))
        if state is not None and state.remaining <= 0 and now < state.resets_at:
            left = (state.resets_at - now).total_seconds()
            message = f"{what}: {REMEDIES[HubProblem.RATE_LIMITED]} (in {left:.0f} s)"
            raise HubError(HubProblem.RATE_LIMITED, message, status=429, retry_after=left + 1)

    def _exchange(self, url: str, what: str, limit: int, extra: Mapping[str, str], cut: bool) -> Answer:
        if self.is_ours(url):
            self._wait_for_window(url, what)
        with self._guard:
            self.requests += 1
        headers = {**self._headers(url), **extra}
        try:
            with transport.session().stream("GET", url, headers=headers) as response:
                self._note_rate(response.headers)
                body = _body(response, what, limit if response.status_code < 300 else ERROR_LIMIT, cut)
                link = response.links.get("next", {}).get("url")
                return Answer(response.status_code, response.headers, body, url, link)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            message = f"{what}: {REMEDIES[HubProblem.UNAVAILABLE]} ({_reason(error)})"
            raise HubError(HubProblem.UNAVAILABLE, message) from None

    def _headers(self, url: str) -> dict[str, str]:
        """Who we are; and the token, if this is our endpoint."""
        token = self.token if self.token and self.is_ours(url) else False
        headers = build_hf_headers(token=token, library_name="model-release-watcher", library_version=__version__)
        return {**headers, "accept-encoding": "gzip, deflate"}

    def _note_rate(self, headers: Mapping[str, str]) -> None:
        state = parse_rate(headers, datetime.now(UTC))
        if state is not None:
            with self._guard:
                self._rates[state.bucket] = state

    def _accepted(self, answer: Answer, what: str, *, conditional: bool = False) -> Answer:
        """The answer, or the HubError that its status and error code stand for; 304 only where it was asked for."""
        if answer.status in (200, 206) or (answer.status == 304 and conditional):
            return answer
        problem = self._problem(answer)
        raise HubError(
            problem,
            f"{what}: {REMEDIES[problem]} (HTTP {answer.status})",
            status=answer.status,
            retry_after=retry_after(answer.headers),
        )

    def _problem(self, answer: Answer) -> HubProblem:
        code = CODES.get(answer.headers.get("x-error-code", ""))
        message = f"{answer.headers.get('x-error-message', '')} {answer.body.decode('utf-8', 'replace')}".lower()
        if answer.status == 429:
            return HubProblem.RATE_LIMITED
        if answer.status >= 500 or answer.status in (408, 425):
            return HubProblem.UNAVAILABLE
        if "disabled" in message and answer.status == 403:
            return HubProblem.DISABLED
        if code is not None:
            return code
        if answer.status == 401:  # missing or private, or a token that the Hub does not know
            return HubProblem.BAD_TOKEN if "invalid credentials" in message else HubProblem.NOT_FOUND
        return HubProblem.NOT_FOUND if answer.status in (404, 410) else HubProblem.REFUSED


def _body(response: httpx2.Response, what: str, limit: int, cut: bool) -> bytes:
    """The body, at most `limit` bytes after decompression; a longer one is an error, or cut off."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes(65_536):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    data = b"".join(chunks)
    if size > limit and not cut and response.status_code < 300:
        raise HubError(HubProblem.TOO_LARGE, f"{what}: the answer has more than {limit:,} bytes; not read")
    return data[:limit]


def _reason(error: Exception) -> str:
    """What went wrong on the way, without an address: `ReadTimeout`, `connection refused`."""
    words = {
        httpx2.TimeoutException: "it took too long",
        httpx2.ConnectError: "no connection",
        httpx2.ProtocolError: "the answer was cut off",
        httpx2.DecodingError: "the answer could not be decompressed",
    }
    return next((text for kind, text in words.items() if isinstance(error, kind)), type(error).__name__)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.scheme, (parts.hostname or "").lower(), port or ports.get(parts.scheme))
