"""The one door to the Hub: through huggingface_hub's session, with its traps closed.

No call sleeps, each has a deadline and a size limit; an error is told apart by status and `X-Error-Code`, the same over
http and https; listings survive odd items; files are asked for at a revision and checked against their blob id; the
token goes to the configured endpoint and nowhere else.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2
from huggingface_hub.utils._headers import build_hf_headers

from watcher import __version__
from watcher.hub import parsing, transport
from watcher.hub.listing import MOMENTS, Answer, Pages
from watcher.hub.model import HubError, HubProblem, Listing, RateState, Sighting, TreeFile
from watcher.hub.rates import bucket_of, parse_rate, retry_after

EXPAND = (
    "sha",
    "lastModified",
    "createdAt",
    "gated",
    "disabled",
    "private",
    "tags",
    "pipeline_tag",
    "library_name",
    "safetensors",
    "baseModels",
)
"""Exactly what a Sighting holds; nothing that moves all the time (downloads, likes)."""

PAGE = 1000
MAX_PAGES = 200
MAX_HOPS = 5
MAX_FILES = 100_000
LISTING_LIMIT = 64 * 1024 * 1024
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


class HubClient:
    """The Hub at one endpoint, with one token or none. Safe to use from several threads."""

    def __init__(
        self, endpoint: str, token: str | None = None, *, deadline: float = 60.0, anonymous: bool = False
    ) -> None:
        """`anonymous`: go on without the token when the Hub does not accept it."""
        self._endpoint = endpoint.rstrip("/")
        self._origin = _origin(self._endpoint)
        self._token = token or None
        self._deadline = deadline
        self._anonymous = anonymous
        self._token_refused = False
        self._requests = 0
        self._counted = 0
        self._rates: dict[str, RateState] = {}
        self._guard = threading.Lock()

    @property
    def requests(self) -> int:
        """Requests sent so far, redirects included."""
        return self._requests

    def uncounted(self) -> int:
        """Requests sent since this was last asked."""
        with self._guard:
            fresh = self._requests - self._counted
            self._counted = self._requests
        return fresh

    @property
    def rates(self) -> Mapping[str, RateState]:
        """What the rate-limit headers said last, by bucket."""
        return dict(self._rates)

    @property
    def token_refused(self) -> bool:
        """Whether the Hub did not accept the token and everything since was asked without one."""
        return self._token_refused

    # --- listings ----------------------------------------------------------------------------------------------------

    def list_organization(self, organization: str, *, etag: str | None = None, first: bool = False) -> Listing:
        """Every public model repo of an organization or user; or that it is still the listing of `etag`.

        An item of somebody else is named and left out; a first page of them is another answer than to our question.
        `first`: what it does not show will be taken for new later, so several pages are read in another order too,
        where another entry falls on their edges.
        """
        if not parsing.NAME.fullmatch(f"{organization}/x"):
            raise HubError(HubProblem.REFUSED, f"{organization!r} cannot be the name of an organization")
        query = {"author": organization, "sort": "createdAt", "limit": str(PAGE), "expand": list(EXPAND)}
        pages = Pages(owner=organization)
        self._follow(self._address(query), pages, MAX_PAGES, etag)
        if first and pages.complete and pages.requests > 1:
            self._follow(self._address(query | {"sort": "lastModified"}), pages, MAX_PAGES, None)
        return pages.listing()

    def list_global(
        self, sort: str, *, pages: int = 1, until: datetime | None = None, start: str | None = None
    ) -> Listing:
        """The first repos of the whole Hub by `createdAt`, `lastModified` or `trendingScore`, back to `until`.

        `start`: the `rest` of an earlier listing, to go on from there.
        """
        found = Pages(until=until, moment=MOMENTS.get(sort))
        first = self._address({"sort": sort, "limit": str(PAGE), "expand": list(EXPAND)})
        if start is not None and _origin(start) != self._origin:
            raise HubError(HubProblem.REFUSED, "the rest of the listing is on another host; not followed")
        self._follow(start or first, found, pages, None)
        return found.listing()

    def _address(self, query: Mapping[str, Any]) -> str:
        return f"{self._endpoint}/api/models?{httpx2.QueryParams(query)}"

    def _follow(self, first: str, pages: Pages, most: int, etag: str | None) -> None:
        """Follow the pages; one that fails or repeats leaves the listing incomplete, never empty-handed."""
        url: str | None = first
        visited: set[str] = set()
        before = pages.requests
        pages.complete = False
        known = {"If-None-Match": etag} if etag else {}
        while url is not None and len(visited) < most and not pages.enough:
            if url in visited:
                pages.oddities.append("its pages lead in a circle")
                return
            visited.add(url)
            try:
                answer = self._get(url, "the listing", limit=LISTING_LIMIT, extra=known)
                pages.requests = before + len(visited)
                if answer.status == 304:
                    pages.unchanged = pages.complete = True
                    return
                pages.add(answer)
                url, known = self._next_page(answer), {}
            except HubError as error:
                if not pages.found:
                    raise
                pages.oddities.append(f"a page of the listing is missing: {error}")
                pages.rest = url
                return
        pages.complete = url is None or pages.enough
        pages.rest = None if pages.complete else url

    def _next_page(self, answer: Answer) -> str | None:
        """The `Link: rel=next` address, only on our own endpoint: it is asked with the token."""
        if answer.next_page is None:
            return None
        url = urljoin(answer.url, answer.next_page)
        if _origin(url) != self._origin:
            raise HubError(HubProblem.INVALID, "the listing's next page is on another host; not followed")
        return url

    # --- one repo ----------------------------------------------------------------------------------------------------

    def info(self, name: str) -> Sighting:
        """One repo, by its present or a former name; compare `hub_id`, a redirect may lead to another repo."""
        query = httpx2.QueryParams({"expand": list(EXPAND)})
        answer = self._get(f"{self._endpoint}/api/models/{_repo(name)}?{query}", name)
        try:
            return parsing.sighting(parsing.parse_json(answer.body, name))
        except parsing.OddItem as error:
            raise HubError(HubProblem.INVALID, f"{name}: the Hub sent {error}; trying again later") from None

    def tree(self, name: str, revision: str) -> tuple[TreeFile, ...]:
        """Every file at a revision, all pages; an odd item makes it INVALID: a tree must be trusted whole."""
        url: str | None = f"{self._endpoint}/api/models/{_repo(name)}/tree/{quote(revision, safe='')}?recursive=true"
        files: dict[str, TreeFile] = {}
        visited: set[str] = set()
        while url is not None and url not in visited and len(files) < MAX_FILES:
            visited.add(url)
            answer = self._get(url, f"{name}: its files", limit=LISTING_LIMIT)
            items = parsing.parse_json(answer.body, name)
            try:
                found = [parsing.tree_file(item) for item in items] if isinstance(items, list) else None
            except parsing.OddItem as error:
                raise HubError(HubProblem.INVALID, f"{name}: the Hub lists {error}; trying again later") from None
            if found is None:
                raise HubError(HubProblem.INVALID, f"{name}: the Hub sent no list of files; trying again later")
            files |= {file.path: file for file in found if file is not None}
            url = self._next_page(answer)
        return tuple(files.values())

    def read(self, name: str, revision: str, file: TreeFile, *, limit: int) -> bytes:
        """A whole file at a revision, checked against its blob id."""
        what = f"{name}: {file.path}"
        if file.size > limit:
            raise HubError(HubProblem.TOO_LARGE, f"{what} has {file.size:,} bytes; at most {limit:,} are read")
        body = self._get(self._file_url(name, revision, file.path), what, limit=limit, file=True).body
        if not is_blob(body, file):
            raise HubError(HubProblem.INVALID, f"{what}: what came is not the blob {file.oid[:7]}; trying again later")
        return body

    def read_range(self, name: str, revision: str, path: str, start: int, length: int) -> bytes:
        """A part of a file; fewer bytes only at its end."""
        url = self._file_url(name, revision, path)
        span = {"Range": f"bytes={start}-{start + length - 1}"}
        answer = self._get(url, f"{name}: {path}", limit=length, file=True, extra=span, cut=True)
        if answer.status == 206:
            return answer.body
        if start:
            raise HubError(HubProblem.INVALID, f"{name}: {path}: the Hub ignores ranges; trying again later")
        return answer.body[:length]

    def _file_url(self, name: str, revision: str, path: str) -> str:
        # Slashes of the path stay: `%2F` would be counted in another, smaller rate-limit bucket.
        return f"{self._endpoint}/{_repo(name)}/resolve/{quote(revision, safe='')}/{quote(path)}"

    # --- accounts ----------------------------------------------------------------------------------------------------

    def organization_exists(self, organization: str) -> bool:
        """Whether an organization or a user of this name answers."""
        for kind in ("organizations", "users"):
            try:
                self._get(f"{self._endpoint}/api/{kind}/{quote(organization, safe='')}/overview", organization)
            except HubError as error:
                if error.problem in (HubProblem.NOT_FOUND, HubProblem.NO_ENTRY):
                    continue
                raise
            return True
        return False

    def whoami(self) -> str | None:
        """The account the token belongs to; None without a token. BAD_TOKEN when the Hub does not know it."""
        if self._token is None:
            return None
        try:
            answer = self._get(f"{self._endpoint}/api/whoami-v2", "the token")
        except HubError as error:
            if error.status == 401:
                raise HubError(HubProblem.BAD_TOKEN, REMEDIES[HubProblem.BAD_TOKEN], status=401) from None
            raise
        data = parsing.parse_json(answer.body, "the token")
        name = data.get("name") if isinstance(data, dict) else None
        return name if isinstance(name, str) else "unknown"

    # --- one exchange ------------------------------------------------------------------------------------------------

    def _get(
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
                answer = self._exchange(url, what, limit, extra or {}, cut)
                if self._goes_on_without_token(answer):
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
        if _origin(target) != self._origin and not file:
            raise HubError(HubProblem.INVALID, f"{what}: the Hub redirects to another host; not followed")
        return target

    def _goes_on_without_token(self, answer: Answer) -> bool:
        """Whether the token was refused just now and may be left out: then the same is asked once more."""
        refused = answer.status == 401 and self._token is not None and self._problem(answer) is HubProblem.BAD_TOKEN
        if not (refused and self._anonymous):
            return False
        self._token, self._token_refused = None, True
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
        if _origin(url) == self._origin:
            self._wait_for_window(url, what)
        with self._guard:
            self._requests += 1
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
        token = self._token if _origin(url) == self._origin and self._token else False
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
        message = answer.headers.get("x-error-message", "").lower()
        if answer.status == 429:
            return HubProblem.RATE_LIMITED
        if answer.status >= 500 or answer.status in (408, 425):
            return HubProblem.UNAVAILABLE
        if "disabled" in message and answer.status == 403:
            return HubProblem.DISABLED
        if code is not None:
            return code
        if answer.status == 401:  # missing or private, or a token that the Hub does not know
            return HubProblem.BAD_TOKEN if "credentials" in message else HubProblem.NOT_FOUND
        return HubProblem.NOT_FOUND if answer.status in (404, 410) else HubProblem.REFUSED


def _body(response: httpx2.Response, what: str, limit: int, cut: bool) -> bytes:
    """The body, at most `limit` bytes after decompression; a longer one is an error, or cut off."""
    chunks: list[bytes] = []
    size = 0
    for chunk in _chunks(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    data = b"".join(chunks)
    if size > limit and not cut and response.status_code < 300:
        raise HubError(HubProblem.TOO_LARGE, f"{what}: the answer has more than {limit:,} bytes; not read")
    return data[:limit]


def _chunks(response: httpx2.Response) -> Iterator[bytes]:
    yield from response.iter_bytes(65_536)


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


def _repo(name: str) -> str:
    """A repo's name for an address. Raises HubError(REFUSED) for one that the Hub cannot have."""
    if not parsing.NAME.fullmatch(name) or ".." in name or "--" in name:
        raise HubError(HubProblem.REFUSED, f"{name!r} cannot be the name of a repo on the Hub")
    return name


def is_blob(data: bytes, file: TreeFile) -> bool:
    """Whether these bytes are the file: by its git blob id, or for a file in LFS by its sha256."""
    if file.lfs_sha256 is not None:
        return hashlib.sha256(data).hexdigest() == file.lfs_sha256
    kind = hashlib.sha1 if len(file.oid) == 40 else hashlib.sha256
    return kind(b"blob %d\0" % len(data) + data).hexdigest() == file.oid
