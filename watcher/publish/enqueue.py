"""Report → deliveries: which channels get it, rendered for each, and where the whole can be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from watcher.context import Context
from watcher.publish.hold import Hold, hold
from watcher.publish.interface import Channel, Links
from watcher.publish.routing import wants
from watcher.releases.model import EventKind
from watcher.report.model import Report
from watcher.section import ChannelSettings
from watcher.settings import Settings
from watcher.store.outbox import HELD, PENDING, Delivery


def is_wanted(channels: Mapping[str, tuple[ChannelSettings, Channel]], kind: EventKind) -> bool:
    """Whether any channel asks for events of this kind."""
    if kind is EventKind.ALERT:
        return any(settings.alerts for settings, _ in channels.values())
    return any(kind in settings.events for settings, _ in channels.values())


def deliveries_for(
    context: Context,
    report: Report,
    now: datetime,
    *,
    asked: Collection[str] | None = None,
    worded: Callable[[str], Report] | None = None,
) -> list[Delivery]:
    """One delivery for every channel that wants this report; for those `asked` for by name, wanted or not, at once.

    `worded` gives the report in the words of a channel's own folder of templates.
    """
    links = links_for(context, report)
    if asked is not None:
        named = [channel for _, channel in context.channels.values() if channel.name in asked]
        return [delivery_to(channel, report, links, now) for channel in named]
    return [
        _held(delivery_to(channel, _for(settings, report, worded), links, now), hold(settings, report, now))
        for settings, channel in context.channels.values()
        if wants(settings, report).wanted
    ]


def _for(settings: ChannelSettings, report: Report, worded: Callable[[str], Report] | None) -> Report:
    return worded(settings.templates) if worded is not None and settings.templates else report


def _held(delivery: Delivery, held: Hold | None) -> Delivery:
    if held is None:
        return delivery
    return replace(delivery, state=HELD if held.together else PENDING, next_at=held.until)


def delivery_to(channel: Channel, report: Report, links: Links, now: datetime) -> Delivery:
    """A report for one channel, rendered, due at once. The same report and channel give the same id."""
    digest = hashlib.sha256(f"{report.report_id} {channel.name}".encode()).hexdigest()
    return Delivery(
        id=f"msg_{digest[:24]}",
        report_id=report.report_id,
        release_id=report.release_id or None,
        channel=channel.name,
        state=PENDING,
        payload=channel.render(report, links),
        created_at=now,
        next_at=now,
    )


def public_address(settings: Settings, report: Report) -> str:
    """A report's page below `reports.public_url`, else the model's page on the Hub."""
    base = settings.reports.public_url.rstrip("/")
    return f"{base}/{report.path}" if base else report.hub_url


def links_for(context: Context, report: Report) -> Links:
    """Below `reports.public_url`, else in the first channel that makes pages readable, else the model's Hub page."""
    base = context.settings.reports.public_url.rstrip("/")
    if base:
        picture = next((name for name in report.pictures if name.endswith(".png")), None)
        folder = report.path.rpartition("/")[0]
        return Links(report=f"{base}/{report.path}", picture=f"{base}/{folder}/{picture}" if picture else None)
    pages = (channel.report_url(report) for _, channel in context.channels.values())
    return Links(report=next((page for page in pages if page), None) or report.hub_url)
