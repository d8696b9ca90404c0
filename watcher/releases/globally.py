"""The listings of the whole Hub: read back to where the last look began, and what was cut off is read on later.

A listing is cut off by its limit of pages, or by a page that fails. Its *gap*, from there back to the last look, is
kept and closed by the next cycles, so that nothing between two looks is lost however much moved at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.hub.listing import MOMENTS
from watcher.hub.model import HubError, HubProblem, Listing
from watcher.releases.model import Event
from watcher.releases.takeover import take_over_globally
from watcher.store import notes
from watcher.store.organizations import Organization

OVERLAP = timedelta(minutes=15)
"""How far a global listing is read back beyond the last look: clocks differ, and listings come from a cache."""

KEPT = timedelta(days=1)
"""How long a gap is tried to be closed; by then the organizations had their turn."""

MOST_GAPS = 10
"""Gaps of one listing that are kept, the latest."""

LOST = (HubProblem.REFUSED, HubProblem.NOT_FOUND)
"""Answers that say a gap's place is not known to the Hub any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A part of a listing that was not read."""

    rest: str
    """The address where it begins."""
    until: datetime
    """How far back it goes."""
    since: datetime
    """When it was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far one listing was read."""

    at: datetime | None = None
    """When it was looked at last; None: never."""
    gaps: tuple[Gap, ...] = ()

    @property
    def until(self) -> datetime | None:
        """How far back the next look goes."""
        return self.at - OVERLAP if self.at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What looking at one global listing came to."""

    requests: int
    events: Sequence[Event] = ()
    error: HubError | None = None
    """Why the listing, or a gap of an earlier one, could not be read."""


def look_globally(context: Context, known: Mapping[str, Organization], sort: str, pages: int, now: datetime) -> Looked:
    """One global listing, back to where the last one began, and on in a gap; at most `pages` requests, one for a gap.

    What it shows of tracked organizations (`known`) is taken over.
    """
    with context.store.begin() as connection:
        mark = _recall(connection, sort)
    try:
        listing = context.hub.list_global(sort, until=mark.until, pages=_most(sort, mark, pages))
    except HubError as error:
        return Looked(requests=1, error=error)
    gaps = [gap for gap in mark.gaps if now - gap.since < KEPT]
    more, left, failed = _read_on(context, sort, gaps[0], pages - listing.requests) if gaps else (None, [], None)
    if failed is not None and failed.problem in LOST:
        after = Mark(at=max(min(gap.until for gap in gaps), now - KEPT) + OVERLAP)  # read anew from the top
    else:
        after = Mark(at=now, gaps=(*_gap(listing, mark.until, now), *left, *gaps[1:])[:MOST_GAPS])
    parts = [part for part in (listing, more) if part is not None]
    events = [event for part in parts for event in take_over_globally(context, known, part, now).events]
    with context.store.begin() as connection:
        notes.note(connection, f"global {sort}", _noted(after))
    return Looked(requests=sum(part.requests for part in parts) + (failed is not None), events=events, error=failed)


def _most(sort: str, mark: Mark, pages: int) -> int:
    """Pages to read: a first look has nothing to go back to, and neither has a listing without an order in time."""
    return pages if mark.at and sort in MOMENTS else 1


def _gap(listing: Listing, until: datetime | None, now: datetime) -> list[Gap]:
    return [Gap(rest=listing.rest, until=until, since=now)] if listing.rest and until else []


def _read_on(context: Context, sort: str, gap: Gap, pages: int) -> tuple[Listing | None, list[Gap], HubError | None]:
    """More of a listing that was cut off: what came, what is left of the gap, and why nothing came."""
    try:
        more = context.hub.list_global(sort, until=gap.until, pages=max(1, pages), start=gap.rest)
    except HubError as error:
        return None, [gap], error
    return more, [replace(gap, rest=more.rest)] if more.rest else [], None


# --- in the store ----------------------------------------------------------------------------------------------------


def _recall(connection: Connection, sort: str) -> Mark:
    told = notes.recall(connection, f"global {sort}")
    if isinstance(told, str):  # as it was written before there were gaps
        return Mark(at=datetime.fromisoformat(told))
    if not isinstance(told, dict):
        return Mark()
    gaps = tuple(
        Gap(rest=rest, until=datetime.fromisoformat(until), since=datetime.fromisoformat(since))
        for rest, until, since in told["gaps"]
    )
    return Mark(at=datetime.fromisoformat(told["at"]), gaps=gaps)


def _noted(mark: Mark) -> dict[str, Any]:
    gaps = [[gap.rest, gap.until.isoformat(), gap.since.isoformat()] for gap in mark.gaps]
    return {"at": mark.at.isoformat() if mark.at else None, "gaps": gaps}
