"""A report that its channel did not take goes to another one, when the configuration names it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.publish.enqueue import delivery_to, links_for
from watcher.store import archive, outbox
from watcher.store.outbox import Delivery


def fall_back(
    connection: Connection, context: Context, failed: Delivery, attempts: int, *, dead: bool, now: datetime
) -> str | None:
    """Enqueue the report for the fallback channel; its name, or None when there is nothing to do.

    Part of the transaction that writes the failure down. (report, channel) is unique: it falls back once.
    """
    settings = context.channels[failed.channel][0]
    other = context.channels.get(settings.fallback)
    if other is None or not (dead or attempts >= settings.fallback_after):
        return None
    if outbox.has(connection, failed.report_id, settings.fallback):
        return None
    report = archive.report(connection, failed.report_id)
    if report is None:
        return None
    outbox.enqueue(connection, delivery_to(other[1], report, links_for(context, report), now))
    return settings.fallback
