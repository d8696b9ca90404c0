"""`watcher route ORG/NAME`: where a report on a repo would go, when, and which rule says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watcher.clock import clock_from
from watcher.errors import WatcherError
from watcher.publish.hold import hold
from watcher.publish.routing import wants
from watcher.releases.model import EventKind
from watcher.report.model import Report
from watcher.section import ChannelSettings
from watcher.settings import Settings
from watcher.store import archive, outbox
from watcher.store.engine import open_store
from watcher.store.outbox import Standing

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Destination:
    """What one channel would do with the report."""

    channel: str
    type: str
    wanted: bool
    because: str
    """The rule that counts."""
    at: str | None = None
    """When it would be sent, ISO 8601; None: at once, or never."""
    notes: tuple[str, ...] = ()
    """What else decides: a cap, a channel that is switched off, a fallback."""


@dataclass(frozen=True, slots=True)
class Itinerary:
    """Where a report would go."""

    name: str
    event: str
    headline: str
    report: str
    """Which report was asked about: one from the archive, or one made now."""
    watched: str
    """What the rules of [watch] say about the repo."""
    channels: tuple[Destination, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def itinerary(
    settings: Settings,
    channels: Mapping[str, ChannelSettings],
    name: str,
    event: EventKind | None,
    *,
    environment: Mapping[str, str],
    make: Callable[[], Report],
    explain: Callable[[], str],
) -> Itinerary:
    """Ask every channel, as if the report were made now.

    It is the archive's newest on this repo: of that event, else of any, else the one that `make` makes.
    Raises SourceError or HubError when there is neither a report nor a repo.
    """
    now = clock_from(environment).now()
    with open_store(settings.store_url) as store, store.begin() as connection:
        identity = archive.latest_report_naming(connection, name, event)
        identity = identity or archive.latest_report_naming(connection, name)
        report = archive.report(connection, identity) if identity else None
        standings = {channel: outbox.standing_of(connection, channel) for channel in channels}
    source = f"told on {report.created_at:%Y-%m-%d}" if report is not None else "made now"
    report = report or make()
    report = dataclasses.replace(report, created_at=now, event=event or report.event)
    return Itinerary(
        name=name,
        event=report.event.value,
        headline=report.headline,
        report=source,
        watched=_watched(explain),
        channels=tuple(destination(item, standings[key], report, now) for key, item in channels.items()),
    )


def _watched(explain: Callable[[], str]) -> str:
    try:
        return explain()
    except WatcherError as error:
        return f"not known: {error}"


def destination(channel: ChannelSettings, standing: Standing, report: Report, now: datetime) -> Destination:
    """What one channel would do with a report that is made now."""
    answer = wants(channel, report)
    held = hold(channel, report, now) if answer.wanted else None
    return Destination(
        channel=channel.name,
        type=channel.type,
        wanted=answer.wanted,
        because=held.because if held else answer.because,
        at=held.until.isoformat() if held else None,
        notes=tuple(_notes(channel, standing)) if answer.wanted else (),
    )


def _notes(channel: ChannelSettings, standing: Standing) -> list[str]:
    said = []
    if standing.disabled_at is not None:
        said.append(f"switched off since {standing.disabled_at:%Y-%m-%d}: it would wait ({standing.reason})")
    elif standing.failures:
        said.append(f"failing ({standing.failures} in a row): {standing.reason}")
    if channel.max_per_hour is not None:
        said.append(f"at most {channel.max_per_hour} an hour; more comes together in one summary")
    if channel.fallback:
        said.append(f"{channel.fallback} gets it after {channel.fallback_after} failed attempts")
    return said


def print_itinerary(found: Itinerary, console: Console) -> None:
    """A table with ✓ and ✗, and the rule that counts."""
    from rich.table import Table
    from rich.text import Text

    console.print(f"{found.name}, {found.event} ({found.report}): {found.headline}", markup=False)
    console.print(f"[watch]: {found.watched}", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for item in found.channels:
        mark = Text("✓", "green") if item.wanted else Text("✗", "bold red")
        when = f"{item.at[:16].replace('T', ' ')} UTC" if item.at else "at once" if item.wanted else "never"
        words = "; ".join((item.because, *item.notes))
        table.add_row(mark, Text(f"{item.channel} ({item.type})"), Text(when), Text(words))
    console.print(table)
