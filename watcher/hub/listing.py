"""Pages of a listing → one Listing: items by `_id`, what could not be read, and whether everything was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from watcher.hub import parsing
from watcher.hub.model import HubError, HubProblem, Listing, Sighting

MOMENTS = {"createdAt": "created_at", "lastModified": "last_modified"}
"""By sort: what of a sighting a listing goes back along."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    next_page: str | None


@dataclass(slots=True, kw_only=True)
class Pages:
    """A listing while its pages come in."""

    owner: str | None = None
    """Whose repos were asked for; None: anybody's."""
    until: datetime | None = None
    """How far back to read."""
    moment: str | None = None
    """The field of a sighting that `until` is about."""
    found: dict[str, Sighting] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    odd_names: list[str] = field(default_factory=list)
    odd_ids: list[str] = field(default_factory=list)
    nameless: int = 0
    requests: int = 0
    complete: bool = False
    unchanged: bool = False
    enough: bool = False
    """Whether a page reached back to `until`."""
    etag: str | None = None
    rest: str | None = None
    """The page that was not read any more."""

    def add(self, answer: Answer) -> None:
        """Take in one page. Raises HubError(INVALID) for an answer to another question."""
        items = parsing.parse_json(answer.body, "the listing")
        if not isinstance(items, list):
            raise HubError(HubProblem.INVALID, "the listing is not a list; trying again later")
        page = [seen for seen in map(self._read, items) if seen is not None]
        ours = [seen for seen in page if self._is_ours(seen)]
        strangers = [seen for seen in page if not self._is_ours(seen)]
        if len(strangers) * 2 > len(page):
            raise HubError(
                HubProblem.INVALID,
                f"the listing of {self.owner} holds {strangers[0].name}: not the answer to our question",
            )
        self.oddities += [f"the listing holds {seen.name} of somebody else" for seen in strangers]
        for seen in ours:
            self.found.setdefault(seen.hub_id, seen)
        self.enough = self._reached(ours)
        single = self.requests == 1 and answer.next_page is None
        self.etag = answer.headers.get("etag", "")[:128] or None if single else None

    def _read(self, item: object) -> Sighting | None:
        try:
            return parsing.sighting(item)
        except parsing.OddItem as error:
            self.oddities.append(f"the listing holds {error}")
            self.odd_names += [error.name] if error.name else []
            self.odd_ids += [error.hub_id] if error.hub_id else []
            self.nameless += error.name is None and error.hub_id is None
            return None

    def _is_ours(self, seen: Sighting) -> bool:
        return self.owner is None or seen.organization.lower() == self.owner.lower()

    def _reached(self, page: list[Sighting]) -> bool:
        """Whether a page goes back beyond `until`; it is in order, so its last moment tells."""
        if self.until is None or self.moment is None:
            return False
        moments = [moment for seen in page if (moment := getattr(seen, self.moment)) is not None]
        return bool(moments) and moments[-1] < self.until

    def listing(self) -> Listing:
        """What came."""
        return Listing(
            sightings=tuple(self.found.values()),
            complete=self.complete,
            oddities=tuple(self.oddities),
            odd_names=tuple(dict.fromkeys(self.odd_names)),
            odd_ids=tuple(dict.fromkeys(self.odd_ids)),
            nameless=self.nameless,
            rest=self.rest,
            requests=max(1, self.requests),
            etag=self.etag if self.complete else None,
            unchanged=self.unchanged,
        )
