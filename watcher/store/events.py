"""Events of repos: drawn once (T1), told by one report (T3) or closed with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from watcher.releases.detect import RELEASE_KINDS
from watcher.releases.model import Event, EventKind
from watcher.store.schema import events


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with its place in the store."""

    id: int
    event: Event
    report_id: str | None = None


def add_event(connection: Connection, event: Event) -> None:
    """Record an event; its key (repo, kind, version) makes a second one of the same an error."""
    connection.execute(
        sa.insert(events).values(
            hub_id=event.hub_id,
            kind=event.kind.value,
            version=event.version,
            at=event.at,
            name=event.name,
            before=dict(event.before),
            after=dict(event.after),
        )
    )


def _event(row: Row[Any]) -> StoredEvent:
    event = Event(
        hub_id=row.hub_id,
        kind=EventKind(row.kind),
        version=row.version,
        at=row.at,
        name=row.name,
        before=row.before,
        after=row.after,
    )
    return StoredEvent(id=row.id, event=event, report_id=row.report_id)


def open_events(connection: Connection, hub_ids: Sequence[str] | None = None) -> list[StoredEvent]:
    """Events that no report tells yet, oldest first; of these repos, or of all."""
    query = sa.select(events).where(events.c.report_id.is_(None), events.c.closed_because.is_(None))
    if hub_ids is not None:
        query = query.where(events.c.hub_id.in_(hub_ids))
    return [_event(row) for row in connection.execute(query.order_by(events.c.id))]


def release_events(connection: Connection, hub_id: str) -> list[StoredEvent]:
    """Every event that announced this repo or will."""
    kinds = [*RELEASE_KINDS, EventKind.VARIANT_ADDED]
    query = sa.select(events).where(events.c.hub_id == hub_id, events.c.kind.in_(kinds)).order_by(events.c.id)
    return [_event(row) for row in connection.execute(query)]


def close_events(connection: Connection, ids: Iterable[int], because: str) -> None:
    """Events that need no report, with the reason."""
    connection.execute(sa.update(events).where(events.c.id.in_(list(ids))).values(closed_because=because))


def claim_events(connection: Connection, ids: Sequence[int], report_id: str) -> bool:
    """Give events to a report, once; False when any of them is taken."""
    update = sa.update(events).where(events.c.id.in_(ids), events.c.report_id.is_(None))
    return connection.execute(update.values(report_id=report_id)).rowcount == len(ids)


def event(connection: Connection, number: int) -> StoredEvent | None:
    """One event by its number."""
    row = connection.execute(sa.select(events).where(events.c.id == number)).first()
    return _event(row) if row else None


def events_of_report(connection: Connection, report_id: str) -> list[StoredEvent]:
    """The events that a report tells, oldest first."""
    query = sa.select(events).where(events.c.report_id == report_id).order_by(events.c.id)
    return [_event(row) for row in connection.execute(query)]
