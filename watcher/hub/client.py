"""The one door to the Hub: through huggingface_hub's session, with its traps closed.

No call sleeps, each has a deadline and a size limit; an error is told apart by status and `X-Error-Code`, the same over
http and https; listings survive odd items; files are asked for at a revision and checked against their blob id; the
token goes to the configured endpoint and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin

import httpx2

from watcher.hub import parsing
from watcher.hub.exchange import REMEDIES, Exchange
from watcher.hub.listing import MOMENTS, Answer, Pages
from watcher.hub.model import HubError, HubProblem, Listing, RateState, Sighting, TreeFile

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
MAX_FILES = 100_000
LISTING_LIMIT = 64 * 1024 * 1024


class HubClient:
    """The Hub at one endpoint, with one token or none. Safe to use from several threads."""

    def __init__(
        self, endpoint: str, token: str | None = None, *, deadline: float = 60.0, anonymous: bool = False
    ) -> None:
        """`anonymous`: go on without the token when the Hub does not accept it."""
        self._ask = Exchange(endpoint, token, deadline=deadline, anonymous=anonymous)

    @property
    def requests(self) -> int:
        """Requests sent so far, redirects included."""
        return self._ask.requests

    def uncounted(self) -> int:
        """Requests sent since this was last asked."""
        return self._ask.uncounted()

    @property
    def rates(self) -> Mapping[str, RateState]:
        """What the rate-limit headers said last, by bucket."""
        return self._ask.rates

    @property
    def token_refused(self) -> bool:
        """Whether the Hub did not accept the token and everything since was asked without one."""
        return self._ask.token_refused

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
        if start is not None and not self._ask.is_ours(start):
            raise HubError(HubProblem.REFUSED, "the rest of the listing is on another host; not followed")
        self._follow(start or first, found, pages, None)
        return found.listing()

    def _address(self, query: Mapping[str, Any]) -> str:
        return f"{self._ask.endpoint}/api/models?{httpx2.QueryParams(query)}"

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
                answer = self._ask.get(url, "the listing", limit=LISTING_LIMIT, extra=known)
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
        if not self._ask.is_ours(url):
            raise HubError(HubProblem.INVALID, "the listing's next page is on another host; not followed")
        return url

    # --- one repo ----------------------------------------------------------------------------------------------------

    def info(self, name: str) -> Sighting:
        """One repo, by its present or a former name; compare `hub_id`, a redirect may lead to another repo."""
        query = httpx2.QueryParams({"expand": list(EXPAND)})
        answer = self._ask.get(f"{self._ask.endpoint}/api/models/{_repo(name)}?{query}", name)
        try:
            return parsing.sighting(parsing.parse_json(answer.body, name))
        except parsing.OddItem as error:
            raise HubError(HubProblem.INVALID, f"{name}: the Hub sent {error}; trying again later") from None

    def tree(self, name: str, revision: str) -> tuple[TreeFile, ...]:
        """Every file at a revision, all pages; an odd item makes it INVALID: a tree must be trusted whole."""
        url: str | None = (
            f"{self._ask.endpoint}/api/models/{_repo(name)}/tree/{quote(revision, safe='')}?recursive=true"
        )
        files: dict[str, TreeFile] = {}
        visited: set[str] = set()
        while url is not None and url not in visited and len(files) < MAX_FILES:
            visited.add(url)
            answer = self._ask.get(url, f"{name}: its files", limit=LISTING_LIMIT)
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
        body = self._ask.get(self._file_url(name, revision, file.path), what, limit=limit, file=True).body
        if not is_blob(body, file):
            raise HubError(HubProblem.INVALID, f"{what}: what came is not the blob {file.oid[:7]}; trying again later")
        return body

    def read_range(self, name: str, revision: str, path: str, start: int, length: int) -> bytes:
        """A part of a file; fewer bytes only at its end."""
        url = self._file_url(name, revision, path)
        span = {"Range": f"bytes={start}-{start + length - 1}"}
        answer = self._ask.get(url, f"{name}: {path}", limit=length, file=True, extra=span, cut=True)
        if answer.status == 206:
            return answer.body
        if start:
            raise HubError(HubProblem.INVALID, f"{name}: {path}: the Hub ignores ranges; trying again later")
        return answer.body[:length]

    def _file_url(self, name: str, revision: str, path: str) -> str:
        # Slashes of the path stay: `%2F` would be counted in another, smaller rate-limit bucket.
        return f"{self._ask.endpoint}/{_repo(name)}/resolve/{quote(revision, safe='')}/{quote(path)}"

    # --- accounts ----------------------------------------------------------------------------------------------------

    def organization_exists(self, organization: str) -> bool:
        """Whether an organization or a user of this name answers."""
        for kind in ("organizations", "users"):
            try:
                self._ask.get(f"{self._ask.endpoint}/api/{kind}/{quote(organization, safe='')}/overview", organization)
            except HubError as error:
                if error.problem in (HubProblem.NOT_FOUND, HubProblem.NO_ENTRY):
                    continue
                raise
            return True
        return False

    def whoami(self) -> str | None:
        """The account the token belongs to; None without a token. BAD_TOKEN when the Hub does not know it."""
        if self._ask.token is None:
            return None
        try:
            answer = self._ask.get(f"{self._ask.endpoint}/api/whoami-v2", "the token")
        except HubError as error:
            if error.status == 401:
                raise HubError(HubProblem.BAD_TOKEN, REMEDIES[HubProblem.BAD_TOKEN], status=401) from None
            raise
        data = parsing.parse_json(answer.body, "the token")
        name = data.get("name") if isinstance(data, dict) else None
        return name if isinstance(name, str) else "unknown"


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
