"""Delivery (outbox) ─deliver─▶ channels: send what is due, each channel by itself, and write down how it ended."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.publish.interface import Channel, DeliveryError, Outgoing, Receipt, Scope
from watcher.publish.retry import decide
from watcher.store import archive, outbox
from watcher.store.outbox import Delivery, Standing

LEASE = timedelta(minutes=10)
"""Longer than any send: a delivery in a dead process's hands is free again after this."""

BATCH = 20
WORKERS = 8

Alert = Callable[[Context, str, str], None]
"""Tell every channel but one: (context, text, the channel it is about)."""


def deliver(context: Context, *, alert: Alert, stopped: Callable[[], bool] = lambda: False) -> None:
    """Send what is due on every channel; a slow or dead one never delays another."""
    with context.store.begin() as connection:
        outbox.release_leases(connection, context.clock.now(), all_of_them=False)
        names = outbox.waiting_channels(connection)
    known = [name for name in names if name in context.channels]
    if not known:
        return
    with ThreadPoolExecutor(min(WORKERS, len(known)), thread_name_prefix="deliver") as pool:
        revoked = [reason for reason in pool.map(lambda name: _drain(context, name, stopped), known) if reason]
    for name, reason in revoked:
        alert(context, f"the channel {name} was switched off: {reason}", name)


def _drain(context: Context, name: str, stopped: Callable[[], bool]) -> tuple[str, str] | None:
    """Send one channel's deliveries until nothing is due or it fails; (name, reason) when it was switched off."""
    channel = context.channels[name][1]
    while not stopped():
        with context.store.begin() as connection:
            claimed = outbox.claim(connection, name, context.clock.now(), LEASE, BATCH)
        if not claimed:
            return None
        for position, delivery in enumerate(claimed):
            failure = _send(context, channel, delivery)
            if failure is None or failure.scope is Scope.DELIVERY:
                continue
            _hand_back(context, claimed[position + 1 :])
            return (name, str(failure)) if failure.scope is Scope.REVOKED else None
    return None


def _send(context: Context, channel: Channel, delivery: Delivery) -> DeliveryError | None:
    """One attempt, written down whatever happens; the failure, if it failed."""
    number = delivery.attempts + 1
    with context.store.begin() as connection:
        pictures = archive.pictures_of(connection, delivery.report_id) if delivery.payload.pictures else {}
    chosen = {name: data for name, data in pictures.items() if name in delivery.payload.pictures}
    now = context.clock.now()
    outgoing = Outgoing(
        delivery_id=delivery.id, payload=delivery.payload, pictures=chosen, attempt=number, at=delivery.created_at
    )
    try:
        receipt = channel.send(outgoing)
    except DeliveryError as error:
        _failed(context, delivery, error, now)
        return error
    except Exception as error:
        fault = DeliveryError(f"{delivery.channel}: internal fault {type(error).__name__}; please report it")
        _failed(context, delivery, fault, now)
        return fault
    _delivered(context, delivery, receipt, now)
    return None


def _delivered(context: Context, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    with context.store.begin() as connection:
        outbox.finish(
            connection, delivery, state=outbox.DELIVERED, status=receipt.status, now=now, reference=receipt.reference
        )
        if outbox.standing_of(connection, delivery.channel).failures:
            outbox.save_standing(connection, Standing(name=delivery.channel))
    context.journal.note("delivered", f"{delivery.channel}: delivered {delivery.id} ({receipt.status})")


def _failed(context: Context, delivery: Delivery, error: DeliveryError, now: datetime) -> None:
    """Write down a failed attempt: when to try again, or that this was the last time."""
    number = delivery.attempts + 1
    decision = decide(number, error, now, created_at=delivery.created_at, spread=random.random())
    state = outbox.DEAD if decision.retry_at is None else outbox.RETRYING
    with context.store.begin() as connection:
        outbox.finish(
            connection,
            delivery,
            state=state,
            status=error.status or str(error),
            now=now,
            next_at=decision.retry_at,
        )
        if error.scope is not Scope.DELIVERY:
            _note_standing(connection, delivery.channel, error, decision.retry_at or now, now)
    again = f"again at {decision.retry_at:%Y-%m-%d %H:%M:%S}Z" if decision.retry_at else "given up: a dead letter"
    context.journal.error(f"{delivery.channel}: {error} ({again})")


def _note_standing(connection: Connection, name: str, error: DeliveryError, until: datetime, now: datetime) -> None:
    before = outbox.standing_of(connection, name)
    revoked = error.scope is Scope.REVOKED
    outbox.save_standing(
        connection,
        dataclasses.replace(
            before,
            failures=before.failures + 1,
            backoff_until=until,
            disabled_at=now if revoked else before.disabled_at,
            reason=str(error)[:500],
        ),
    )


def _hand_back(context: Context, rest: list[Delivery]) -> None:
    """Deliveries that were claimed and not tried: free again, no attempt counted."""
    with context.store.begin() as connection:
        outbox.hand_back(connection, [delivery.id for delivery in rest])
