"""Is the watcher well? What `watcher health` and the health endpoint tell, from the store alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from watcher.settings import Settings
from watcher.store import organizations as org_table
from watcher.store import outbox
from watcher.store.engine import Store

PATIENCE = timedelta(minutes=15)
"""A look is overdue after three intervals, and never sooner than this."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not well."""

    part: str
    """`hub`, `organization NAME` or `channel NAME`."""
    says: str
    """What is wrong, and the remedy."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the watcher is."""

    problems: tuple[Problem, ...]

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"well": self.well, "problems": [asdict(problem) for problem in self.problems]}


@dataclass(frozen=True, slots=True)
class _Case:
    """What an examination looks at."""

    connection: Connection
    settings: Settings
    now: datetime
    within: timedelta


def examine(store: Store, settings: Settings, now: datetime, *, within: timedelta | None = None) -> Health:
    """Look for everything that is not well. `within`: how old the last look may be (default: three intervals)."""
    patience = within if within is not None else max(3 * settings.watch.interval, PATIENCE)
    with store.begin() as connection:
        case = _Case(connection, settings, now, patience)
        return Health(tuple(problem for examination in EXAMINATIONS for problem in examination(case)))


def _looks(case: _Case) -> Iterator[Problem]:
    """Whether somebody looks at the Hub at all."""
    looks = [item.looked_at for item in org_table.all_organizations(case.connection) if item.looked_at is not None]
    if not looks:
        yield Problem("hub", "never looked at; start `watcher run`, or `watcher once` from cron")
    elif case.now - max(looks) > case.within:
        yield Problem("hub", f"last looked at {max(looks):%Y-%m-%d %H:%M} UTC; is `watcher run` running?")


def _organizations(case: _Case) -> Iterator[Problem]:
    """Organizations whose listing has failed for longer than `watch.silence`."""
    silence = case.settings.watch.silence or case.within
    for item in org_table.all_organizations(case.connection):
        since = item.complete_at or item.tracked_since
        if item.error and case.now - since > silence:
            yield Problem(f"organization {item.name}", f"not seen whole since {since:%Y-%m-%d %H:%M} UTC: {item.error}")


def _switched_off(case: _Case) -> Iterator[Problem]:
    for channel in case.settings.channels:
        standing = outbox.standing_of(case.connection, channel.name)
        if standing.disabled_at is not None:
            remedy = f"mend it, then `watcher retry --all`: {standing.reason}"
            yield Problem(f"channel {channel.name}", f"switched off since {standing.disabled_at:%Y-%m-%d}; {remedy}")


def _silent(case: _Case) -> Iterator[Problem]:
    """Channels that have taken nothing for longer than `watch.silence`."""
    silence = case.settings.watch.silence or case.within
    for name, since in outbox.failing_since(case.connection).items():
        if case.now - since > silence:
            reason = outbox.standing_of(case.connection, name).reason or "see `watcher deliveries`"
            yield Problem(f"channel {name}", f"has taken nothing since {since:%Y-%m-%d %H:%M} UTC: {reason}")


def _orphans(case: _Case) -> Iterator[Problem]:
    """What waits for a channel that is not configured any more."""
    known = {channel.name for channel in case.settings.channels} | {"reports"}
    for name, states in outbox.counts(case.connection).items():
        waiting = sum(states.get(state, 0) for state in (*outbox.WAITING, outbox.HELD))
        if name not in known and waiting:
            yield Problem(f"channel {name}", f"{waiting} deliveries wait for it, and config.toml does not have it")


EXAMINATIONS: tuple[Callable[[_Case], Iterator[Problem]], ...] = (
    _looks,
    _organizations,
    _switched_off,
    _silent,
    _orphans,
)
"""Every examination; a new one is a function here."""
