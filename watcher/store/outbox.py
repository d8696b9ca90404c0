"""The outbox: deliveries with their states, claimed under a lease, and the standing of each channel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.publish.interface import Payload
from watcher.store.schema import attempts, channels, deliveries, reports

PENDING, SENDING, DELIVERED, RETRYING, DEAD = "pending", "sending", "delivered", "retrying", "dead"
HELD = "held"
"""Waits for the channel's next digest, or for room under its cap; not an attempt."""
WAITING = (PENDING, RETRYING)
STATES = (PENDING, HELD, SENDING, RETRYING, DELIVERED, DEAD)


PUT_BACK = "put back by hand"
"""Stands among the attempts: patience begins anew."""

ABANDONED = "not known: the program ended while it was sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One report to one channel."""

    id: str
    report_id: str
    release_id: str | None
    channel: str
    state: str
    payload: Payload
    created_at: datetime
    next_at: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    status: str | None = None
    reference: str | None = None
    digest_id: str | None = None
    """The delivery that this one went out with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a channel is doing."""

    name: str
    failures: int = 0
    """In a row."""
    backoff_until: datetime | None = None
    disabled_at: datetime | None = None
    reason: str | None = None


def enqueue(connection: Connection, delivery: Delivery) -> None:
    """Put a delivery into the outbox; (report, channel) is unique."""
    payload = delivery.payload
    body = {"body": dict(payload.body), "pictures": list(payload.pictures), "edits": payload.edits}
    connection.execute(
        sa.insert(deliveries).values(
            id=delivery.id,
            report_id=delivery.report_id,
            release_id=delivery.release_id,
            channel=delivery.channel,
            state=delivery.state,
            payload=body,
            created_at=delivery.created_at,
            next_at=delivery.next_at,
            attempts=0,
        )
    )


def has(connection: Connection, report_id: str, channel: str) -> bool:
    """Whether a report is in the outbox for a channel, in any state."""
    query = sa.select(deliveries.c.id).where(deliveries.c.report_id == report_id, deliveries.c.channel == channel)
    return connection.execute(query).first() is not None


def of_report(connection: Connection, report_id: str, channel: str) -> Delivery | None:
    """The delivery of a report to a channel."""
    query = sa.select(deliveries).where(deliveries.c.report_id == report_id, deliveries.c.channel == channel)
    row = connection.execute(query).first()
    return _delivery(row) if row else None


def claim(connection: Connection, channel: str, now: datetime, lease: timedelta, limit: int) -> list[Delivery]:
    """Take what is due on a channel, oldest first, under a lease.

    A delivery waits for older ones of its release on the same channel unless those failed before. A failing channel
    gives one probe at a time, the delivery that was tried least: a message that the receiver cannot take never stops
    the others.
    """
    standing = standing_of(connection, channel)
    if standing.disabled_at is not None or (standing.backoff_until is not None and standing.backoff_until > now):
        return []
    ids = _due(connection, channel, now, limit=1 if standing.failures else limit, probing=bool(standing.failures))
    connection.execute(
        sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(state=SENDING, lease_until=now + lease)
    )
    found = {row.id: row for row in connection.execute(sa.select(deliveries).where(deliveries.c.id.in_(ids)))}
    return [_delivery(found[identity]) for identity in ids]


def _due(connection: Connection, channel: str, now: datetime, *, limit: int, probing: bool) -> list[str]:
    """Ids of what is due, locked to this transaction: payloads are read only for what is taken."""
    order = [deliveries.c.created_at, deliveries.c.id]
    older = deliveries.alias()
    blocked = sa.exists().where(
        older.c.channel == deliveries.c.channel,
        older.c.release_id == deliveries.c.release_id,
        older.c.state.in_((PENDING, SENDING)),
        older.c.created_at < deliveries.c.created_at,
    )
    query = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.channel == channel, deliveries.c.state.in_(WAITING), deliveries.c.next_at <= now, ~blocked)
        .order_by(*([deliveries.c.attempts, *order] if probing else order))
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    return [row.id for row in connection.execute(query)]


def _delivery(row: Any) -> Delivery:
    values = {key: row._mapping[key] for key in Delivery.__dataclass_fields__}
    values["payload"] = Payload(
        body=row.payload["body"], pictures=tuple(row.payload["pictures"]), edits=row.payload.get("edits")
    )
    return Delivery(**values)


def finish(
    connection: Connection,
    delivery: Delivery,
    *,
    state: str,
    status: str,
    now: datetime,
    next_at: datetime | None = None,
    reference: str | None = None,
) -> None:
    """Write down how an attempt ended. Its number is the row's own: a lease that ran out counted as one meanwhile."""
    number = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery.id)
        .values(
            state=state,
            attempts=deliveries.c.attempts + 1,
            status=status,
            lease_until=None,
            next_at=next_at or delivery.next_at,
            delivered_at=now if state == DELIVERED else None,
            reference=reference,
        )
        .returning(deliveries.c.attempts)
    ).scalar()
    if number is None:  # forgotten meanwhile
        return
    connection.execute(sa.insert(attempts).values(delivery_id=delivery.id, number=number, at=now, status=status))
    if state in (DELIVERED, DEAD):
        _finish_together(connection, delivery, state, status, now)


def _finish_together(connection: Connection, delivery: Delivery, state: str, status: str, now: datetime) -> None:
    """What went out with this delivery ends as it did."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.digest_id == delivery.id)
        .values(state=state, status=status, delivered_at=now if state == DELIVERED else None)
    )


# --- held back -------------------------------------------------------------------------------------------------------


def hold_back(connection: Connection, channel: str, now: datetime, until: datetime) -> int:
    """Hold everything that is due and was never tried until `until`; how many."""
    return connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.channel == channel, deliveries.c.state == PENDING, deliveries.c.next_at <= now)
        .values(state=HELD, next_at=until)
    ).rowcount


def held(connection: Connection, now: datetime) -> dict[str, list[Delivery]]:
    """Held deliveries whose moment has come, by channel, oldest first."""
    query = (
        sa.select(deliveries)
        .where(deliveries.c.state == HELD, deliveries.c.digest_id.is_(None), deliveries.c.next_at <= now)
        .order_by(deliveries.c.created_at, deliveries.c.id)
        .with_for_update(skip_locked=True)
    )
    found: dict[str, list[Delivery]] = {}
    for row in connection.execute(query):
        found.setdefault(row.channel, []).append(_delivery(row))
    return found


def let_go(connection: Connection, ids: Collection[str], *, digest_id: str | None = None) -> None:
    """Held deliveries go out: with a digest, or each by itself."""
    values = {"digest_id": digest_id} if digest_id else {"state": PENDING}
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(list(ids))).values(**values))


def delivered_since(connection: Connection, channel: str, moment: datetime) -> list[datetime]:
    """When the channel's deliveries since a moment arrived, oldest first."""
    query = (
        sa.select(deliveries.c.delivered_at)
        .where(deliveries.c.channel == channel, deliveries.c.delivered_at > moment, deliveries.c.digest_id.is_(None))
        .order_by(deliveries.c.delivered_at)
    )
    return [row.delivered_at for row in connection.execute(query)]


def hand_back(connection: Connection, ids: Collection[str]) -> None:
    """Give back what was claimed and not tried, as it was."""
    before = sa.case((deliveries.c.attempts == 0, PENDING), else_=RETRYING)
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id.in_(list(ids)), deliveries.c.state == SENDING)
        .values(state=before, lease_until=None)
    )


def release_leases(connection: Connection, now: datetime, *, all_of_them: bool) -> int:
    """Give back what a dead process was sending: leases that ran out, or all (when the instance lock proves it).

    Whether it arrived is not known, so it counts as an attempt: the next one can look for it on the other side.
    """
    dead: sa.ColumnElement[bool] = deliveries.c.state == SENDING
    if not all_of_them:
        dead = sa.and_(dead, deliveries.c.lease_until < now)
    rows = connection.execute(sa.select(deliveries).where(dead)).all()
    for row in rows:
        finish(connection, _delivery(row), state=RETRYING, status=ABANDONED, now=now, next_at=now)
    return len(rows)


def mend_times(connection: Connection, now: datetime, longest: timedelta) -> None:
    """Undo what a clock that was ahead wrote: no retry and no back-off is further away than `longest`."""
    ahead = now + longest
    late = sa.and_(deliveries.c.state == RETRYING, deliveries.c.next_at > ahead)
    early = sa.and_(deliveries.c.state == PENDING, deliveries.c.next_at > now, deliveries.c.created_at > ahead)
    connection.execute(sa.update(deliveries).where(sa.or_(late, early)).values(next_at=now))
    connection.execute(sa.update(channels).where(channels.c.backoff_until > ahead).values(backoff_until=None))


def standing_of(connection: Connection, channel: str) -> Standing:
    """How a channel is doing; one never used is doing fine."""
    row = connection.execute(sa.select(channels).where(channels.c.name == channel)).first()
    return Standing(**row._mapping) if row else Standing(name=channel)


def save_standing(connection: Connection, standing: Standing) -> None:
    """Write down how a channel is doing."""
    values = {key: getattr(standing, key) for key in Standing.__dataclass_fields__}
    changed = connection.execute(sa.update(channels).where(channels.c.name == standing.name).values(**values)).rowcount
    if not changed:
        connection.execute(sa.insert(channels).values(**values))


def waiting_channels(connection: Connection, now: datetime) -> list[str]:
    """Channels with something to send by now, by name."""
    due = sa.and_(deliveries.c.state.in_(WAITING), deliveries.c.next_at <= now)
    query = sa.select(deliveries.c.channel).where(due).distinct()
    return sorted(row.channel for row in connection.execute(query))


def listing(
    connection: Connection, *, states: Collection[str] | None = None, limit: int = 50
) -> list[tuple[Delivery, str]]:
    """Deliveries with their report's headline, newest first."""
    query = sa.select(deliveries, reports.c.headline).join(reports, reports.c.id == deliveries.c.report_id)
    if states is not None:
        query = query.where(deliveries.c.state.in_(states))
    rows = connection.execute(query.order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(limit))
    return [(_delivery(row), row.headline) for row in rows]


def one(connection: Connection, delivery_id: str) -> Delivery | None:
    """One delivery by id."""
    row = connection.execute(sa.select(deliveries).where(deliveries.c.id == delivery_id)).first()
    return _delivery(row) if row else None


def attempts_of(connection: Connection, delivery_id: str) -> list[tuple[datetime, str]]:
    """When a delivery was tried, and what came back."""
    query = sa.select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    return [(row.at, row.status) for row in connection.execute(query)]


def tried_since(connection: Connection, delivery_id: str) -> tuple[int, datetime | None]:
    """How often a delivery was tried since it was last put back by hand, and when first."""
    count, first = 0, None
    for at, status in attempts_of(connection, delivery_id):
        count, first = (0, None) if status == PUT_BACK else (count + 1, first or at)
    return count, first


def revive(connection: Connection, ids: Collection[str] | None, now: datetime) -> int:
    """Put dead or retrying deliveries back to the start; all of them when `ids` is None. Enables their channels."""
    chosen: sa.ColumnElement[bool] = deliveries.c.state.in_((DEAD, RETRYING))
    if ids is not None:
        chosen = sa.and_(chosen, deliveries.c.id.in_(ids))
    rows = connection.execute(sa.select(deliveries).where(chosen)).all()
    for row in rows:
        finish(connection, _delivery(row), state=RETRYING, status=PUT_BACK, now=now, next_at=now)
    for name in {row.channel for row in rows}:
        save_standing(connection, Standing(name=name))
    return len(rows)


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many deliveries are in each state, by channel."""
    query = sa.select(deliveries.c.channel, deliveries.c.state, sa.func.count()).group_by(
        deliveries.c.channel, deliveries.c.state
    )
    result: dict[str, dict[str, int]] = {}
    for channel, state, count in connection.execute(query):
        result.setdefault(channel, {})[state] = count
    return result


def failing_since(connection: Connection) -> dict[str, datetime]:
    """Channels that took nothing since their oldest message that failed was made, and since when."""
    failed = (
        sa.select(deliveries.c.channel, sa.func.min(deliveries.c.created_at).label("since"))
        .where(deliveries.c.state.in_((RETRYING, SENDING)), deliveries.c.attempts > 0)
        .group_by(deliveries.c.channel)
        .subquery()
    )
    later = sa.exists().where(deliveries.c.channel == failed.c.channel, deliveries.c.delivered_at > failed.c.since)
    return {row.channel: row.since for row in connection.execute(sa.select(failed).where(~later))}


def next_due(connection: Connection) -> datetime | None:
    """When the next delivery is due."""
    query = sa.select(sa.func.min(deliveries.c.next_at)).where(deliveries.c.state.in_(WAITING))
    moment: datetime | None = connection.execute(query).scalar()
    return moment
