"""A message that told a release is completed in place, on channels that can edit what they sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.publish.enqueue import delivery_to, links_for
from watcher.publish.interface import Channel, DeliveryError, Outgoing, Receipt, Scope
from watcher.report.model import Report
from watcher.store import outbox
from watcher.store.outbox import DELIVERED, Delivery

GONE = ("400", "403", "404", "410")
"""What a platform says when there is nothing to edit any more: deleted, or too old."""


def edits_for(
    context: Context, first: str | None, late: Report, completed: Callable[[str], Report], now: datetime
) -> list[Delivery]:
    """A delivery for every channel that has the message of report `first` and can edit it; keyed to the `late` report.

    `completed` makes the whole release's report as it is now, in the words of a folder of templates ("": the usual).
    """
    with context.store.begin() as connection:
        told = {name: item for name in _able(context) if (item := _told(connection, first, name)) is not None}
    return [_edit(context, earlier, late, completed, now) for earlier in told.values()]


def _edit(
    context: Context, earlier: Delivery, late: Report, completed: Callable[[str], Report], now: datetime
) -> Delivery:
    settings, channel = context.channels[earlier.channel]
    whole = replace(completed(settings.templates), report_id=late.report_id)
    made = delivery_to(channel, whole, links_for(context, whole), now)
    return replace(made, payload=replace(made.payload, pictures=(), edits=earlier.id))


def _able(context: Context) -> list[str]:
    return [name for name, (_, channel) in context.channels.items() if hasattr(channel, "update")]


def _told(connection: Connection, report_id: str | None, channel: str) -> Delivery | None:
    """The delivery whose message can be edited."""
    found = outbox.of_report(connection, report_id, channel) if report_id else None
    return found if found is not None and found.state == DELIVERED and found.reference else None


def edit(channel: Channel, outgoing: Outgoing, reference: str) -> Receipt:
    """Put the message in the place of an earlier one; a message of its own when that is gone."""
    update: Callable[[Outgoing, str], Receipt] = channel.update  # type: ignore[attr-defined]
    try:
        return update(outgoing, reference)
    except DeliveryError as error:
        gone = error.scope in (Scope.DELIVERY, Scope.CHANNEL) and (error.status or "").startswith(GONE)
        if not gone:
            raise
    return channel.send(outgoing)
