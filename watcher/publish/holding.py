"""Deliveries that are held back, for a digest or by a cap, and how they go out: together, in one message."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.publish.enqueue import delivery_to, links_for
from watcher.report.digest import digest_report
from watcher.section import ChannelSettings
from watcher.store import archive, outbox
from watcher.store.outbox import Delivery

HOUR = timedelta(hours=1)


def let_go(context: Context) -> None:
    """Everything whose moment has come: one delivery goes out as itself, several as one digest."""
    with context.store.begin() as connection:
        for channel, waiting in outbox.held(connection, context.clock.now()).items():
            if len(waiting) == 1 or channel not in context.channels:
                outbox.let_go(connection, [item.id for item in waiting])
            else:
                _together(connection, context, channel, waiting)


def _together(connection: Connection, context: Context, name: str, waiting: Sequence[Delivery]) -> None:
    now = context.clock.now()
    settings, channel = context.channels[name]
    found = [archive.report(connection, item.report_id) for item in waiting]
    reports = [report for report in found if report is not None]
    links = {report.report_id: links_for(context, report).report for report in reports}
    digest = digest_report(reports, links, channel=name, now=now, because=_because(settings))
    archive.keep_report(connection, digest)
    where = dataclasses.replace(links_for(context, digest), report=_index(context, digest.hub_url))
    delivery = delivery_to(channel, digest, where, now)
    outbox.enqueue(connection, delivery)
    outbox.let_go(connection, [item.id for item in waiting], digest_id=delivery.id)
    context.journal.say(f"{name}: {len(reports)} reports go out together as {delivery.id}")


def _because(settings: ChannelSettings) -> str:
    if settings.digest is not None:
        return ""
    return f"Over the cap of {settings.max_per_hour} an hour: these were held back and come together."


def _index(context: Context, otherwise: str) -> str:
    """Where all reports are listed."""
    base = context.settings.reports.public_url.rstrip("/")
    return f"{base}/README.md" if base else otherwise


def make_room(connection: Connection, settings: ChannelSettings, now: datetime, wanted: int) -> int:
    """How many deliveries the channel may get now; under its cap, what has no room is held until there is."""
    if settings.max_per_hour is None:
        return wanted
    lately = outbox.delivered_since(connection, settings.name, now - HOUR)
    room = settings.max_per_hour - len(lately)
    if room > 0:
        return min(room, wanted)
    outbox.hold_back(connection, settings.name, now, lately[0] + HOUR)
    return 0
