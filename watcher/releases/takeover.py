"""A listing → rows and events of T1: whom to believe where a listing and what we know contradict each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.context import Context
from watcher.hub.model import BaseModel, HubError, HubProblem, Listing, Sighting
from watcher.releases.detect import Seen, first_sight, missed, seen_again
from watcher.releases.filters import decide
from watcher.releases.model import Event, EventKind, Repo, RepoState
from watcher.store import repos as table
from watcher.store.organizations import Organization

CONFIRM_AFTER = timedelta(hours=1)
"""A disappearance counts when it was seen in two cycles at least this far apart."""

REFUSALS = (HubProblem.NOT_FOUND,)
"""What an info call answers for a repo that is deleted or private."""

MOST_ASKED = 100
"""Repos of one listing that are asked for by themselves in one cycle; the rest waits for the next."""


@dataclass(frozen=True, slots=True)
class Write:
    """One row to write, and whether it is new."""

    seen: Seen
    new: bool = False


@dataclass(slots=True)
class Doubts:
    """What this look could not settle: while there is something, the listing counts as not taken over."""

    open: bool = False
    asked: int = 0
    odd: list[str] = field(default_factory=list)
    """Names whose item could not be read and who did not answer by themselves either."""

    def ask(self, context: Context, name: str) -> Sighting | HubProblem | None:
        """A repo's own answer: what it says, the refusal, or None (which says nothing)."""
        if self.asked >= MOST_ASKED:
            self.open = True
            return None
        self.asked += 1
        try:
            answer = context.hub.info(name)
        except HubError as error:
            if error.problem in REFUSALS:
                return error.problem
            self.open = True
            return None
        return HubProblem.NOT_FOUND if answer.private else answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What taking over a listing came to."""

    events: tuple[Event, ...]
    settled: bool
    """Whether nothing of it is left to be asked again: the same listing would say nothing more."""
    odd_names: tuple[str, ...] = ()


def take_over(
    context: Context, organization: Organization, listing: Listing, now: datetime, hidden: Collection[str] = ()
) -> Taken:
    """T1 for one organization's listing: every row with the events drawn from it.

    `hidden`: names and `_id`s that the first look could not read; one that shows up later is no news.
    """
    doubts = Doubts()
    sightings = [*_public(listing.sightings), *_ask_for(context, listing, doubts)]
    with context.store.begin() as connection:
        known = table.sketches_of(connection, organization.name)
    writes = list(_sighted(context, {organization.name: organization}, sightings, known, now, doubts, hidden))
    if listing.complete:
        listed = {sighting.hub_id for sighting in sightings}
        gone = [hub_id for hub_id in known if hub_id not in listed]
        writes += _confirm_missing(context, organization, gone, len(known), now, doubts)
    return _write(context, writes, doubts)


def take_over_globally(
    context: Context, organizations: Mapping[str, Organization], listing: Listing, now: datetime
) -> Taken:
    """T1 for a listing of the whole Hub: the repos of tracked organizations; absence says nothing.

    Of an organization that waits for its first look only what was made since it is tracked can be told from its past.
    """
    ours = [seen for seen in _public(listing.sightings) if _is_told(organizations, seen, now)]
    with context.store.begin() as connection:
        known = table.repos_by_id(connection, [seen.hub_id for seen in ours])
    doubts = Doubts()
    return _write(context, list(_sighted(context, organizations, ours, known, now, doubts, ())), doubts)


def _is_told(organizations: Mapping[str, Organization], seen: Sighting, now: datetime) -> bool:
    organization = organizations.get(seen.organization.lower())
    if organization is None:
        return False
    return organization.known_since is not None or _made_since(seen, organization.tracked_since, now)


def _public(sightings: Iterable[Sighting]) -> list[Sighting]:
    """What everybody can see: a token may show us private repos, whose day has not come."""
    return [seen for seen in sightings if not seen.private]


def _ask_for(context: Context, listing: Listing, doubts: Doubts) -> Iterator[Sighting]:
    """Repos whose item could not be read, by their own answer."""
    for name in listing.odd_names:
        answer = doubts.ask(context, name)
        if isinstance(answer, Sighting) and answer.name == name:
            yield answer
        elif not isinstance(answer, HubProblem):
            doubts.odd.append(name)


def _write(context: Context, writes: Sequence[Write], doubts: Doubts) -> Taken:
    with context.store.begin() as connection:
        written = [write for write in writes if table.save_seen(connection, write.seen, new=write.new)]
    events = tuple(event for write in written for event in write.seen.events)
    settled = not doubts.open and len(written) == len(writes)
    return Taken(events=events, settled=settled, odd_names=tuple(doubts.odd))


def _sighted(
    context: Context,
    organizations: Mapping[str, Organization],
    sightings: Sequence[Sighting],
    sketches: Mapping[str, Repo],
    now: datetime,
    doubts: Doubts,
    hidden: Collection[str],
) -> Iterator[Write]:
    """A write for every repo that is new or not as we knew it; rows are read whole only for those."""
    moved = [
        seen
        for seen in sightings
        if (old := sketches.get(seen.hub_id)) is None or seen_again(old, seen, now) is not None
    ]
    with context.store.begin() as connection:
        rows = table.repos_by_id(connection, [seen.hub_id for seen in moved])
    for seen in moved:
        before = rows.get(seen.hub_id)
        if before is not None:
            again = _again(context, before, seen, now, doubts)
            if again is not None:
                yield Write(again)
            continue
        organization = organizations[seen.organization.lower()]
        silent = not {seen.name, seen.hub_id}.isdisjoint(hidden) or (
            organization.known_since is None and not _made_since(seen, organization.tracked_since, now)
        )
        whole = _with_revision(context, seen, doubts) if silent else seen
        if whole is not None:
            decision = decide(context.settings.watch, whole)
            yield Write(first_sight(whole, decision, silent=silent, now=now), new=True)


def _with_revision(context: Context, seen: Sighting, doubts: Doubts) -> Sighting | None:
    """A silent repo whose item names no revision: empty, and then its first model is news; or it was left out."""
    if seen.sha is not None:
        return seen
    answer = doubts.ask(context, seen.name)
    if isinstance(answer, Sighting) and answer.hub_id == seen.hub_id and (answer.sha or _is_empty(context, seen.name)):
        return answer
    doubts.odd.append(seen.name)
    return None


def _is_empty(context: Context, name: str) -> bool:
    """Whether a repo that is there has no commit or no file; one that does not answer may have some."""
    try:
        return not context.hub.tree(name, "main")
    except HubError as error:
        return error.problem in (HubProblem.NO_REVISION, HubProblem.NO_ENTRY, HubProblem.NOT_FOUND)


def _made_since(sighting: Sighting, tracked_since: datetime, now: datetime) -> bool:
    """Whether it was made after tracking began, as far as a first look that comes late can tell."""
    return sighting.created_at is not None and tracked_since < sighting.created_at <= now


def _again(context: Context, before: Repo, sighting: Sighting, now: datetime, doubts: Doubts) -> Seen | None:
    """What a new sighting of a known repo comes to. Listings come from a cache: where one goes back in time, or says
    something that would be told, the repo's own answer counts."""
    seen = seen_again(before, sighting, now)
    if seen is None or not _doubtful(before, sighting, seen):
        return seen
    answer = doubts.ask(context, sighting.name)
    if not isinstance(answer, Sighting) or answer.hub_id != before.hub_id:
        return None
    return seen_again(before, answer, now)


def _doubtful(before: Repo, sighting: Sighting, seen: Seen) -> bool:
    back = before.last_modified and sighting.last_modified and sighting.last_modified < before.last_modified
    same_time = before.last_modified == sighting.last_modified and before.sha != sighting.sha
    lacking = sighting.sha is None and before.sha is not None
    return bool(back or same_time or lacking or seen.events) or (
        before.state is RepoState.GONE or before.name != sighting.name
    )


# --- what a complete listing lacks -----------------------------------------------------------------------------------


def _confirm_missing(
    context: Context, organization: Organization, gone: Sequence[str], known: int, now: datetime, doubts: Doubts
) -> list[Write]:
    """Repos that a complete listing lacks: ask each one itself before believing it."""
    if not gone:
        return []
    if known == len(gone) and not _answers(context, organization.name):
        doubts.open = True
        return []
    with context.store.begin() as connection:
        rows = table.repos_by_id(connection, gone)
    writes = [write for repo in rows.values() if (write := _ask(context, repo, now, doubts)) is not None]
    vanished = [write for write in writes if write.seen.repo.state is RepoState.GONE and write.seen.events]
    if len(vanished) >= 5 and len(vanished) * 5 > known:
        return _one_alert(organization, writes, vanished, now)
    return writes


def _answers(context: Context, organization: str) -> bool:
    try:
        return context.hub.organization_exists(organization)
    except HubError:
        return False


def _ask(context: Context, repo: Repo, now: datetime, doubts: Doubts) -> Write | None:
    """A repo's own info call: moved, refused, or no answer (which says nothing)."""
    if repo.missing_since is not None and now - repo.missing_since < CONFIRM_AFTER:
        return None
    answer = doubts.ask(context, repo.name)
    if answer is None:
        return None
    if not isinstance(answer, Sighting) or answer.hub_id != repo.hub_id:
        return Write(missed(repo, now, CONFIRM_AFTER))
    seen = seen_again(repo, answer, now)
    return Write(seen) if seen else None


def _one_alert(organization: Organization, writes: list[Write], vanished: list[Write], now: datetime) -> list[Write]:
    """Many repos gone at once are one alert, not as many messages."""
    first = vanished[0].seen.repo
    names = sorted(write.seen.repo.name for write in vanished)
    alert = Event(
        hub_id=first.hub_id,
        kind=EventKind.ALERT,
        version=first.version,
        at=now,
        name=organization.name,
        after={"alert": f"{len(names)} repos of {organization.name} are gone at once", "names": names[:50]},
    )
    quiet = [Write(dataclasses.replace(write.seen, events=()), write.new) for write in writes]
    quiet[writes.index(vanished[0])] = Write(Seen(first, (alert,)))
    return quiet


def sighting_of(repo: Repo) -> Sighting:
    """A repo as last seen, as a sighting."""
    shared = {field.name for field in dataclasses.fields(Sighting)} - {"base_models"}
    relations = tuple(BaseModel(relation=relation, id=base) for relation, base in repo.base_models)
    return Sighting(base_models=relations, **{name: getattr(repo, name) for name in shared if hasattr(repo, name)})
