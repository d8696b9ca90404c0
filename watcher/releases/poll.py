"""Hub ─poll─▶ Sighting ─detect─▶ Event: look at the tracked organizations and write down what is new (T1)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.context import Context
from watcher.hub.model import BaseModel, HubError, HubProblem, Listing, Sighting
from watcher.releases.budget import budget_of, is_used_up, note_spending
from watcher.releases.detect import Seen, decided, first_sight, missed, seen_again
from watcher.releases.filters import decide
from watcher.releases.model import Event, EventKind, Repo, RepoState
from watcher.releases.plan import Plan, make_plan
from watcher.store import notes
from watcher.store import repos as table
from watcher.store.repos import Organization

CONFIRM_AFTER = timedelta(hours=1)
"""A disappearance counts when it was seen in two cycles at least this far apart."""

OVERLAP = timedelta(minutes=15)
"""How far a global listing is read back beyond the last look: clocks differ, and listings come from a cache."""

STRIKES = 3
"""Organizations in a row without an answer before the others are left for the next cycle."""

NO_ANSWER = (HubProblem.RATE_LIMITED, HubProblem.UNAVAILABLE)

REFUSALS = (HubProblem.NOT_FOUND,)
"""What an info call answers for a repo that is deleted or private."""


@dataclass(frozen=True, slots=True)
class _Write:
    """One row to write, and whether it is new."""

    seen: Seen
    new: bool = False


def poll(context: Context, *, explicit: bool = False) -> None:
    """Look at the tracked organizations as planned; a failed look says nothing and is tried again in the next cycle.

    `explicit`: asked for by hand, so the requests that this window already spent are no reason to wait.
    """
    now = context.clock.now()
    names = {name.lower(): name for name in context.settings.watch.organizations}
    with context.store.begin() as connection:
        budget = budget_of(connection, context.settings, now, explicit=explicit)
        known = table.track(connection, names, now)
    plan = make_plan(list(known.values()), budget, now)
    for sort in plan.sorts:
        _look_globally(context, sort, plan.pages, known, now)
    listed = _look_at_all(context, plan.organizations, names, now)
    _decide_again(context, now)
    _note_cycle(context, plan, listed, now)


def look_at(context: Context, names: Collection[str]) -> set[str]:
    """Look at some of the tracked organizations out of turn; those, in lower case, that brought no answer."""
    now = context.clock.now()
    displays = {name.lower(): name for name in context.settings.watch.organizations}
    with context.store.begin() as connection:
        known = table.track(connection, displays, now)
    chosen = [known[key] for key in sorted({name.lower() for name in names} & displays.keys())]
    failed = {item.name for item in chosen if not _answered(context, displays[item.name], item, now)}
    _decide_again(context, now)
    note_spending(context)
    return failed


def _answered(context: Context, display: str, organization: Organization, now: datetime) -> bool:
    return not is_used_up(context.hub) and _look(context, display, organization, now) is None


def _look_at_all(context: Context, chosen: Sequence[Organization], names: Mapping[str, str], now: datetime) -> int:
    """Each organization in its turn, until the Hub has no answers left for us; how many were looked at."""
    unanswered = 0
    for position, organization in enumerate(chosen):
        if is_used_up(context.hub):
            context.journal.error(f"the Hub's rate limit is used up; {len(chosen) - position} organizations wait")
            return position
        error = _look(context, names[organization.name], organization, now)
        unanswered = unanswered + 1 if error is not None and error.problem in NO_ANSWER else 0
        if unanswered >= STRIKES and position + 1 < len(chosen):
            context.journal.error(f"the Hub does not answer; {len(chosen) - position - 1} organizations wait")
            return position + 1
    return len(chosen)


def _note_cycle(context: Context, plan: Plan, listed: int, now: datetime) -> None:
    note_spending(context)
    facts = {
        "at": now.isoformat(),
        "listed": listed,
        "global": list(plan.sorts),
        "waiting": plan.waiting + len(plan.organizations) - listed,
        "allowed": plan.allowed,
    }
    with context.store.begin() as connection:
        notes.note(connection, "cycle", facts)


def _look_globally(context: Context, sort: str, pages: int, known: Mapping[str, Organization], now: datetime) -> None:
    """One global listing, back to where the last one began; what it shows of tracked organizations is taken over."""
    with context.store.begin() as connection:
        told = notes.recall(connection, f"global {sort}")
    until = datetime.fromisoformat(told) - OVERLAP if isinstance(told, str) else None
    try:
        listing = context.hub.list_global(sort, until=until, pages=pages)
    except HubError as error:
        context.journal.error(f"the listing by {sort}: {error}")
        return
    for oddity in listing.oddities:
        context.journal.error(f"the listing by {sort}: {oddity}")
    found: dict[str, list[Sighting]] = {}
    for sighting in listing.sightings:
        found.setdefault(sighting.organization.lower(), []).append(sighting)
    for name in found.keys() & known.keys():
        part = Listing(sightings=tuple(found[name]), complete=False)
        _tell_events(context, _take_over(context, known[name], part, now))
    with context.store.begin() as connection:
        notes.note(connection, f"global {sort}", now.isoformat())


def _look(context: Context, display: str, organization: Organization, now: datetime) -> HubError | None:
    """One organization's full listing; the error, if there was no answer."""
    settled = organization.digest is not None and not _anyone_missing(context, organization)
    try:
        listing = context.hub.list_organization(display, etag=organization.etag if settled else None)
    except HubError as error:
        context.journal.error(f"{display}: {error}")
        with context.store.begin() as connection:
            table.save_organization(connection, organization.name, looked_at=now, error=str(error))
        return error
    for oddity in listing.oddities:
        context.journal.error(f"{display}: {oddity}")
    digest = organization.digest if listing.unchanged else _digest(listing)
    if settled and digest == organization.digest:
        _note_look(context, organization, listing, now, digest=digest)
        return None
    events = _take_over(context, organization, listing, now)
    _note_look(context, organization, listing, now, digest=digest, changed=bool(events))
    if organization.known_since is None and listing.complete:
        count = len(listing.sightings)
        context.journal.say(f"{display}: first look, {count} {'repo' if count == 1 else 'repos'} known from now on")
    _tell_events(context, events)
    return None


def _tell_events(context: Context, events: Iterable[Event]) -> None:
    for event in events:
        context.journal.note("events", f"{event.name}: {event.kind.value}")


def _note_look(
    context: Context,
    organization: Organization,
    listing: Listing,
    now: datetime,
    *,
    digest: str | None,
    changed: bool = False,
) -> None:
    values: dict[str, object] = {"looked_at": now, "error": None}
    if listing.complete:
        values |= {"complete_at": now, "known_since": organization.known_since or now}
        values |= {"digest": digest, "etag": listing.etag, "pages": listing.requests}
    if changed:
        values["changed_at"] = now
    with context.store.begin() as connection:
        table.save_organization(connection, organization.name, **values)


def _digest(listing: Listing) -> str | None:
    """The same for the same complete listing; None for one that cannot be trusted."""
    if not listing.complete:
        return None
    lines = sorted(repr(sighting) for sighting in listing.sightings)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _anyone_missing(context: Context, organization: Organization) -> bool:
    with context.store.begin() as connection:
        return table.any_missing(connection, organization.name)


def _take_over(context: Context, organization: Organization, listing: Listing, now: datetime) -> list[Event]:
    """T1 for one listing: every row with the events drawn from it."""
    with context.store.begin() as connection:
        known = table.repos_of(connection, organization.name) if listing.complete else {}
        strangers = [item.hub_id for item in listing.sightings if item.hub_id not in known]
        elsewhere = table.repos_by_id(connection, strangers)
    writes = list(_sighted(context, organization, listing, known | elsewhere, now))
    if listing.complete:
        listed = {sighting.hub_id for sighting in listing.sightings}
        gone = [repo for repo in known.values() if repo.hub_id not in listed]
        writes += _confirm_missing(context, organization, gone, len(known), now)
    with context.store.begin() as connection:
        written = [write.seen for write in writes if table.save_seen(connection, write.seen, new=write.new)]
    return [event for seen in written for event in seen.events]


def _sighted(
    context: Context, organization: Organization, listing: Listing, known: dict[str, Repo], now: datetime
) -> Iterable[_Write]:
    for sighting in listing.sightings:
        before = known.get(sighting.hub_id)
        if before is None:
            silent = organization.known_since is None and not _made_since(sighting, organization.tracked_since)
            decision = decide(context.settings.watch, sighting)
            yield _Write(first_sight(sighting, decision, silent=silent, now=now), new=True)
            continue
        current = _trusted(context, before, sighting)
        seen = seen_again(before, current, now)
        if seen is not None:
            yield _Write(seen)


def _made_since(sighting: Sighting, moment: datetime) -> bool:
    return sighting.created_at is not None and sighting.created_at > moment


def _trusted(context: Context, before: Repo, sighting: Sighting) -> Sighting:
    """The sighting, or the repo's own answer when the listing goes back in time (listings come from a cache)."""
    if not (before.last_modified and sighting.last_modified and sighting.last_modified < before.last_modified):
        return sighting
    try:
        answer = context.hub.info(sighting.name)
    except HubError:
        return sighting_of(before)
    return answer if answer.hub_id == sighting.hub_id else sighting


def _confirm_missing(
    context: Context, organization: Organization, gone: list[Repo], known: int, now: datetime
) -> list[_Write]:
    """Repos that a complete listing lacks: ask each one itself before believing it."""
    if not gone or (known == len(gone) and not _answers(context, organization.name)):
        return []
    writes = [write for write in (_ask(context, repo, now) for repo in gone) if write is not None]
    vanished = [write for write in writes if write.seen.repo.state is RepoState.GONE and write.seen.events]
    if len(vanished) >= 5 and len(vanished) * 5 > known:
        return _one_alert(organization, writes, vanished, now)
    return writes


def _answers(context: Context, organization: str) -> bool:
    try:
        return context.hub.organization_exists(organization)
    except HubError:
        return False


def _ask(context: Context, repo: Repo, now: datetime) -> _Write | None:
    """A repo's own info call: moved, refused, or no answer (which says nothing)."""
    try:
        answer = context.hub.info(repo.name)
    except HubError as error:
        return _Write(missed(repo, now, CONFIRM_AFTER)) if error.problem in REFUSALS else None
    if answer.hub_id != repo.hub_id:
        return _Write(missed(repo, now, CONFIRM_AFTER))
    seen = seen_again(repo, answer, now)
    return _Write(seen) if seen else None


def _one_alert(organization: Organization, writes: list[_Write], vanished: list[_Write], now: datetime) -> list[_Write]:
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
    quiet = [_Write(dataclasses.replace(write.seen, events=()), write.new) for write in writes]
    quiet[writes.index(vanished[0])] = _Write(Seen(first, (alert,)))
    return quiet


def _decide_again(context: Context, now: datetime) -> None:
    """Candidates whose filters may be decided by now."""
    watch = context.settings.watch
    with context.store.begin() as connection:
        for repo in table.tracked_candidates(connection):
            after = decided(repo, decide(watch, sighting_of(repo)), now, watch.max_settle)
            if after is not None:
                table.save_seen(connection, Seen(after), new=False)


def sighting_of(repo: Repo) -> Sighting:
    """A repo as last seen, as a sighting."""
    shared = {field.name for field in dataclasses.fields(Sighting)} - {"base_models"}
    relations = tuple(BaseModel(relation=relation, id=base) for relation, base in repo.base_models)
    return Sighting(base_models=relations, **{name: getattr(repo, name) for name in shared if hasattr(repo, name)})
