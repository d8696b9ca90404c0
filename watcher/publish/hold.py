"""When a channel wants a report: at once, at a minimum age, after its quiet hours, or in its next digest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watcher.compare.model import Significance
from watcher.releases.model import EventKind
from watcher.report.model import Report
from watcher.section import ChannelSettings


@dataclass(frozen=True, slots=True)
class Hold:
    """A report that is not sent yet."""

    until: datetime
    because: str
    together: bool = False
    """Whether it goes out in one message with the others that wait for the same moment."""


def hold(channel: ChannelSettings, report: Report, now: datetime) -> Hold | None:
    """Until when the channel holds a report back; None sends it at once. Alerts are never held."""
    if report.event is EventKind.ALERT:
        return None
    if channel.digest is not None:
        until = channel.digest.next(now, channel.timezone)
        return Hold(until, f"digest: {channel.digest.text} {channel.timezone}", together=True)
    ready = max(now, report.created_at + channel.min_age)
    because = "min_age" if ready > now else ""
    awake = None if _is_urgent(channel, report) else _end_of_quiet(channel, ready)
    if awake is not None and channel.quiet_hours is not None:
        ready, because = awake, f"quiet_hours: {channel.quiet_hours.text} {channel.timezone}"
    return Hold(ready, because) if because else None


def _end_of_quiet(channel: ChannelSettings, moment: datetime) -> datetime | None:
    return channel.quiet_hours.end_around(moment, channel.timezone) if channel.quiet_hours is not None else None


def _is_urgent(channel: ChannelSettings, report: Report) -> bool:
    return report.significance is not None and Significance(report.significance).at_least(channel.urgent)
