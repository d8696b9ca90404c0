"""Hub ─poll─▶ Sighting ─detect─▶ Event: look at what the plan says and write down what is new (T1)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from watcher.context import Context
from watcher.hub.model import HubError, HubProblem, Listing
from watcher.releases.budget import budget_of, is_used_up, note_spending
from watcher.releases.detect import Seen, decided
from watcher.releases.filters import decide
from watcher.releases.globally import look_globally
from watcher.releases.inspect import STOPS
from watcher.releases.model import Event
from watcher.releases.oddities import Oddities
from watcher.releases.plan import Plan, make_plan, that_fit
from watcher.releases.takeover import Taken, sighting_of, take_over
from watcher.store import notes
from watcher.store import organizations as org_table
from watcher.store import repos as table
from watcher.store.organizations import Organization

STRIKES = 3
"""Organizations in a row without an answer before the others are left for the next cycle."""

AT_ONCE = 4
"""Listings that are under way at the same time; they are taken over one by one, in order."""

TOGETHER = 50
"""Looks that are noted in one transaction."""

Outcome = Listing | HubError


@dataclass(slots=True, kw_only=True)
class _Cycle:
    """One cycle's bookkeeping: quiet looks are written together, not each in a transaction of its own."""

    context: Context
    now: datetime
    names: Mapping[str, str]
    """Organizations as the configuration spells them, by lower case."""
    missing: set[str]
    """Organizations of which a repo was missing at the last look."""
    odd: Oddities
    looks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stopped: str | None = None
    """Why it ended early."""

    def note(self, name: str, values: dict[str, Any]) -> None:
        """One look; written with the others."""
        self.looks.append((name, values))
        if len(self.looks) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write the looks and the requests so far."""
        with self.context.store.begin() as connection:
            for name, values in self.looks:
                org_table.save_organization(connection, name, **values)
        self.looks.clear()
        note_spending(self.context)

    def stop(self, why: str, waiting: int) -> None:
        """End the looks of this cycle, saying so once; who was not looked at comes first in the next."""
        if self.stopped is None:
            self.stopped = why
            self.context.journal.error(f"{why}; {waiting} organizations wait" if waiting else why)


def poll(context: Context, *, explicit: bool = False) -> None:
    """Look at the tracked organizations as planned; a failed look says nothing and is tried again in the next cycle.

    `explicit`: asked for by hand, so the requests that this window already spent are no reason to wait.
    """
    now = context.clock.now()
    with context.store.begin() as connection:
        budget = budget_of(connection, context.settings, now, explicit=explicit)
    cycle, known = _begin(context, now)
    plan = make_plan(list(known.values()), budget, now)
    extra = sum(_look_globally(cycle, sort, plan.pages, known) - 1 for sort in plan.sorts)
    room = plan.allowed - len(plan.sorts) - extra
    answered = _look_at_each(cycle, that_fit(plan.organizations, max(1, room)) if extra > 0 else plan.organizations)
    _note_cycle(cycle, plan, len(answered))


def look_at(context: Context, names: Collection[str]) -> set[str]:
    """Look at some of the tracked organizations out of turn; those, in lower case, that brought no answer."""
    cycle, known = _begin(context, context.clock.now())
    chosen = [known[key] for key in sorted({name.lower() for name in names} & known.keys())]
    answered = _look_at_each(cycle, chosen)
    return {item.name for item in chosen if not answered.get(item.name)}


def _begin(context: Context, now: datetime) -> tuple[_Cycle, dict[str, Organization]]:
    names = {name.lower(): name for name in context.settings.watch.organizations}
    with context.store.begin() as connection:
        known = org_table.track(connection, names, now)
        missing = table.organizations_missing_one(connection)
        odd = Oddities.recall(connection)
    return _Cycle(context=context, now=now, names=names, missing=missing, odd=odd), known


def _look_at_each(cycle: _Cycle, chosen: Sequence[Organization]) -> dict[str, bool]:
    """The organizations that were looked at, and whether each brought an answer."""
    answered: dict[str, bool] = {}
    for organization, outcome in _outcomes(cycle, chosen):
        _look(cycle, organization, outcome)
        answered[organization.name] = not isinstance(outcome, HubError)
    cycle.flush()
    _decide_again(cycle.context, cycle.now)
    return answered


# --- organizations ---------------------------------------------------------------------------------------------------


def _outcomes(cycle: _Cycle, chosen: Sequence[Organization]) -> Iterator[tuple[Organization, Outcome]]:
    """Each organization with its listing or the error, in order, until the Hub has no answers left for us."""
    unanswered, done = 0, 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while done < len(chosen) and cycle.stopped is None:
            if is_used_up(cycle.context.hub):
                cycle.stop("the Hub's rate limit is used up", len(chosen) - done)
                return
            group = chosen[done : done + (AT_ONCE if done else 1)]  # the first alone: it may tell that all will fail
            for organization, outcome in zip(group, _ask(cycle, pool, group), strict=True):
                if isinstance(outcome, HubError) and outcome.problem in STOPS:
                    _note_wait(cycle, outcome)
                    cycle.stop(f"looking ends here: {outcome}", len(chosen) - done)
                    continue
                done += 1
                failed = isinstance(outcome, HubError) and outcome.problem is HubProblem.UNAVAILABLE
                unanswered = unanswered + 1 if failed else 0
                yield organization, outcome
            if unanswered >= STRIKES and done < len(chosen):
                cycle.stop("the Hub does not answer", len(chosen) - done)


def _ask(cycle: _Cycle, pool: ThreadPoolExecutor, group: Sequence[Organization]) -> Iterable[Outcome]:
    def one(organization: Organization) -> Outcome:
        settled = organization.digest is not None and organization.name not in cycle.missing
        try:
            return cycle.context.hub.list_organization(
                cycle.names[organization.name],
                etag=organization.etag if settled else None,
                first=organization.known_since is None,
            )
        except HubError as error:
            return error

    return pool.map(one, group) if len(group) > 1 else [one(group[0])]


def _look(cycle: _Cycle, organization: Organization, outcome: Outcome) -> None:
    """One organization's full listing."""
    journal, display = cycle.context.journal, cycle.names[organization.name]
    if isinstance(outcome, HubError):
        journal.error(f"{display}: {outcome}")
        cycle.note(organization.name, {"looked_at": cycle.now, "error": str(outcome)[:1000]})
        return
    digest = organization.digest if outcome.unchanged else _digest(outcome)
    if not outcome.unchanged:
        cycle.odd.say(cycle.context, organization.name, f"{display}: ", outcome.oddities)
    if digest is not None and digest == organization.digest and organization.name not in cycle.missing:
        quiet = {"complete_at": cycle.now, "etag": outcome.etag, "pages": outcome.requests}
        cycle.note(organization.name, quiet | {"looked_at": cycle.now, "error": None})
        return
    if organization.known_since is None and outcome.nameless and outcome.complete:
        over = cycle.odd.is_first_look_over(cycle.context, organization.name)
        outcome = replace(outcome, complete=over)
    taken = take_over(cycle.context, organization, outcome, cycle.now, cycle.odd.hidden(organization.name))
    _note_taken(cycle, organization, outcome, taken, digest)
    if organization.known_since is None and outcome.complete:
        count = len(outcome.sightings)
        journal.say(f"{display}: first look, {count} {'repo' if count == 1 else 'repos'} known from now on")
    _tell_events(cycle.context, taken.events)


def _note_taken(cycle: _Cycle, organization: Organization, listing: Listing, taken: Taken, digest: str | None) -> None:
    """The look at an organization that had something to take over."""
    values: dict[str, Any] = {"looked_at": cycle.now, "error": None, "digest": None, "etag": None}
    if listing.complete:
        values |= {"complete_at": cycle.now, "known_since": organization.known_since or cycle.now}
        values |= {"pages": listing.requests}
        if organization.known_since is None and (taken.odd_names or listing.odd_ids):
            cycle.odd.hide(cycle.context, organization.name, (*taken.odd_names, *listing.odd_ids))
    if listing.complete and taken.settled:
        values |= {"digest": digest, "etag": listing.etag}
    if taken.events:
        values["changed_at"] = cycle.now
    cycle.note(organization.name, values)
    cycle.flush()


def _digest(listing: Listing) -> str | None:
    """The same for the same complete listing; None for one that cannot be trusted."""
    if not listing.complete:
        return None
    lines = sorted(repr(sighting) for sighting in listing.sightings)
    return hashlib.sha256("\n".join([*lines, *listing.odd_names, *listing.odd_ids]).encode()).hexdigest()


def _tell_events(context: Context, events: Iterable[Event]) -> None:
    for event in events:
        context.journal.note("events", f"{event.name}: {event.kind.value}")


# --- the whole Hub ---------------------------------------------------------------------------------------------------


def _look_globally(cycle: _Cycle, sort: str, pages: int, known: Mapping[str, Organization]) -> int:
    """One global listing; the requests it took."""
    if cycle.stopped is not None:
        return 1
    looked = look_globally(cycle.context, known, sort, pages, cycle.now)
    _tell_events(cycle.context, looked.events)
    if looked.error is not None and looked.error.problem in STOPS:
        _note_wait(cycle, looked.error)
        cycle.stop(f"looking ends here: {looked.error}", 0)
    elif looked.error is not None:
        cycle.context.journal.error(f"the listing by {sort}: {looked.error}")
    return looked.requests


# --- after the looks -------------------------------------------------------------------------------------------------


def _decide_again(context: Context, now: datetime) -> None:
    """Candidates whose filters may be decided by now."""
    watch = context.settings.watch
    with context.store.begin() as connection:
        for repo in table.tracked_candidates(connection):
            after = decided(repo, decide(watch, sighting_of(repo)), now, watch.max_settle)
            if after is not None:
                table.save_seen(connection, Seen(after), new=False)


def _note_wait(cycle: _Cycle, error: HubError) -> None:
    """When the Hub said to come back: a daemon looks again then, and not only after its interval."""
    if error.retry_after is not None:
        again = cycle.now + timedelta(seconds=error.retry_after)
        with cycle.context.store.begin() as connection:
            notes.note(connection, LOOK_AGAIN, again.isoformat())


LOOK_AGAIN = "look again"


def is_time_again(context: Context) -> bool:
    """Whether a cycle was ended by the rate limit and the wait is over; the mark is taken away."""
    with context.store.begin() as connection:
        moment = notes.recall(connection, LOOK_AGAIN)
        due = isinstance(moment, str) and datetime.fromisoformat(moment) <= context.clock.now()
        if due:
            notes.note(connection, LOOK_AGAIN, None)
    return due


def _note_cycle(cycle: _Cycle, plan: Plan, listed: int) -> None:
    context = cycle.context
    note_spending(context)
    facts = {
        "at": cycle.now.isoformat(),
        "listed": listed,
        "global": list(plan.sorts),
        "waiting": plan.waiting + len(plan.organizations) - listed,
        "allowed": plan.allowed,
        "stopped": cycle.stopped,
    }
    with context.store.begin() as connection:
        notes.note(connection, "cycle", facts)
        if cycle.stopped is None and notes.recall(connection, LOOK_AGAIN) is not None:
            notes.note(connection, LOOK_AGAIN, None)
    if context.hub.token_refused:
        context.journal.error("the Hub does not accept hub.token; going on without it, as hub.anonymous says")
