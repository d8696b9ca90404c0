"""Delivery (outbox) ─deliver─▶ channels: send what is due, each channel by itself, and write down how it ended."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.errors import WatcherError
from watcher.publish.edits import edit
from watcher.publish.fallback import fall_back
from watcher.publish.holding import let_go, make_room
from watcher.publish.interface import Channel, DeliveryError, Outgoing, Receipt, Scope
from watcher.publish.retry import LONGEST, SPREAD, decide
from watcher.releases.model import EventKind
from watcher.store import archive, outbox
from watcher.store.outbox import Delivery, Standing

LEASE = timedelta(minutes=10)
"""Longer than any send: a delivery in a dead process's hands is free again after this."""

HOLD = 240.0
"""Seconds for which claimed deliveries are worked on; the rest is handed back, long before the lease ends."""

BATCH = 20
WORKERS = 64
"""Channels at a time: each has a thread of its own, which mostly waits."""

PERIOD = 1.0
"""Seconds after which all channels are looked at again while some are still at work."""

Alert = Callable[[Context, str, str], None]
"""Tell every channel but one: (context, text, the channel it is about)."""


def deliver(context: Context, *, alert: Alert, stopped: Callable[[], bool] = lambda: False) -> None:
    """Send what is due on every channel; a slow or dead one never delays another."""
    running: dict[str, Future[_End]] = {}
    failed: list[BaseException] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="deliver") as pool:
        while True:
            for name in _waiting(context) if not stopped() and not failed else ():
                if name not in running:
                    running[name] = pool.submit(_drain, context, name, stopped)
            if not running:
                break
            wait(running.values(), timeout=PERIOD)
            all_done = all(run.done() for run in running.values())
            for name in [name for name, run in running.items() if run.done()]:
                _ended(context, name, running.pop(name), alert, failed)
            if all_done:
                break
    if failed:
        raise failed[0]


def _waiting(context: Context) -> list[str]:
    """Channels that have something to send."""
    let_go(context)
    now = context.clock.now()
    with context.store.begin() as connection:
        outbox.release_leases(connection, now, all_of_them=False)
        outbox.mend_times(connection, now, LONGEST * (1 + SPREAD))
        return [name for name in outbox.waiting_channels(connection, now) if name in context.channels]


def _ended(context: Context, name: str, run: Future[_End], alert: Alert, failed: list[BaseException]) -> None:
    """One channel is through; when the store refused it, that is raised once the others are through too."""
    error = run.exception()
    if error is not None:
        failed.append(error)
    else:
        _tell(context, name, run.result(), alert)


@dataclass(slots=True)
class _End:
    """What the others must hear of a channel."""

    revoked: str | None = None
    dead: list[tuple[Delivery, str]] = field(default_factory=list)


def _tell(context: Context, name: str, end: _End, alert: Alert) -> None:
    """A channel that was switched off and messages that were given up are told on the other channels, once."""
    if end.revoked is not None:
        alert(context, f"the channel {name} was switched off: {end.revoked}", name)
    with context.store.begin() as connection:
        kinds = {item.report_id: archive.event_of(connection, item.report_id) for item, _ in end.dead}
    lost = [(item, why) for item, why in end.dead if kinds[item.report_id] != EventKind.ALERT.value]
    if lost:
        item, why = lost[0]
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        alert(
            context, f"the channel {name} did not get {item.id}{more}: {why}; `watcher retry {item.id}` sends it", name
        )


def _drain(context: Context, name: str, stopped: Callable[[], bool]) -> _End:
    """Send one channel's deliveries until nothing is due, or it fails."""
    settings, channel = context.channels[name]
    end = _End()
    while not stopped():
        with context.store.begin() as connection:
            now = context.clock.now()
            room = make_room(connection, settings, now, BATCH)
            claimed = outbox.claim(connection, name, now, LEASE, room) if room else []
        if not claimed:
            break
        until = time.monotonic() + HOLD
        for position, delivery in enumerate(claimed):
            if stopped() or time.monotonic() > until:
                _hand_back(context, claimed[position:])
                break
            failure = _send(context, channel, delivery, end)
            if failure is None or failure.scope in (Scope.DELIVERY, Scope.FAULT):
                continue
            _hand_back(context, claimed[position + 1 :])
            end.revoked = str(failure) if failure.scope is Scope.REVOKED else None
            return end
    return end


def _send(context: Context, channel: Channel, delivery: Delivery, end: _End) -> DeliveryError | None:
    """One attempt, written down whatever happens; the failure, if it failed."""
    pictures, earlier = _belongings(context, delivery)
    outgoing = Outgoing(
        delivery_id=delivery.id,
        payload=delivery.payload,
        pictures={name: data for name, data in pictures.items() if name in delivery.payload.pictures},
        attempt=delivery.attempts + 1,
        at=delivery.created_at,
    )
    now = context.clock.now()
    try:
        receipt = _arrived_before(channel, outgoing) or _put(channel, outgoing, earlier)
    except DeliveryError as error:
        failure = error
    except WatcherError as error:  # a secret that cannot be read: the channel's, not the message's
        failure = DeliveryError(f"{delivery.channel}: {error}")
    except Exception as error:
        what = f"{delivery.channel}: internal fault {type(error).__name__}; please report it"
        failure = DeliveryError(what, scope=Scope.FAULT)
    else:
        _delivered(context, delivery, receipt, now)
        return None
    _failed(context, delivery, failure, now, end)
    return failure


def _belongings(context: Context, delivery: Delivery) -> tuple[Mapping[str, bytes], Delivery | None]:
    """The pictures that travel along, and the delivery whose message is edited; most have neither, and cost nothing."""
    payload = delivery.payload
    if not payload.pictures and not payload.edits:
        return {}, None
    with context.store.begin() as connection:
        pictures = archive.pictures_of(connection, delivery.report_id) if payload.pictures else {}
        return pictures, outbox.one(connection, payload.edits) if payload.edits else None


def _put(channel: Channel, outgoing: Outgoing, earlier: Delivery | None) -> Receipt:
    """Send a message, or put it in the place of an earlier one."""
    if earlier is not None and earlier.reference and hasattr(channel, "update"):
        return edit(channel, outgoing, earlier.reference)
    return channel.send(outgoing)


def _arrived_before(channel: Channel, outgoing: Outgoing) -> Receipt | None:
    """The receipt of an earlier attempt that did arrive, where the platform can tell."""
    recognise: Callable[[Outgoing], Receipt | None] | None = getattr(channel, "recognise", None)
    return recognise(outgoing) if recognise is not None and outgoing.attempt > 1 else None


def _delivered(context: Context, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    with context.store.begin() as connection:
        outbox.finish(
            connection, delivery, state=outbox.DELIVERED, status=receipt.status, now=now, reference=receipt.reference
        )
        if outbox.standing_of(connection, delivery.channel).failures:
            outbox.save_standing(connection, Standing(name=delivery.channel))
    context.journal.note("delivered", f"{delivery.channel}: delivered {delivery.id} ({receipt.status})")


def _failed(context: Context, delivery: Delivery, error: DeliveryError, now: datetime, end: _End) -> None:
    """Write down a failed attempt: when to try again, or that this was the last time; and who gets it instead."""
    with context.store.begin() as connection:
        standing = outbox.standing_of(connection, delivery.channel)
        before, first = outbox.tried_since(connection, delivery.id)
        in_a_row = standing.failures + 1 if error.scope is Scope.CHANNEL else 0
        number = before + 1
        decision = decide(max(number, in_a_row), error, now, since=first or now, spread=random.random())
        state = outbox.DEAD if decision.retry_at is None else outbox.RETRYING
        status = error.status or str(error)
        outbox.finish(connection, delivery, state=state, status=status, now=now, next_at=decision.retry_at)
        if error.scope in (Scope.CHANNEL, Scope.REVOKED):
            _note_standing(connection, standing, error, decision.retry_at or now, now)
        instead = fall_back(connection, context, delivery, number, dead=state == outbox.DEAD, now=now)
    if state == outbox.DEAD and error.scope is not Scope.REVOKED:
        end.dead.append((delivery, str(error)))
    again = f"again at {decision.retry_at:%Y-%m-%d %H:%M:%S}Z" if decision.retry_at else "given up: a dead letter"
    told = f"; {instead} gets it instead" if instead else ""
    said = str(error).removeprefix(f"{delivery.channel}: ")
    context.journal.error(f"{delivery.channel}: {said} ({again}{told})")


def _note_standing(
    connection: Connection, before: Standing, error: DeliveryError, until: datetime, now: datetime
) -> None:
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
