"""Whether a channel wants a report, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watcher.compare.model import Significance
from watcher.releases.model import EventKind
from watcher.report.model import Report
from watcher.section import ChannelSettings
from watcher.values import first_match


@dataclass(frozen=True, slots=True)
class Route:
    """An answer and the rule it comes from."""

    wanted: bool
    because: str


def wants(channel: ChannelSettings, report: Report) -> Route:
    """Apply every rule of a channel; the first that drops the report counts."""
    if report.event is EventKind.ALERT:
        return Route(channel.alerts, "alerts" if channel.alerts else "alerts = false")
    for rule in RULES:
        because = rule(channel, report)
        if because is not None:
            return Route(False, because)
    return Route(True, "every rule of the channel keeps it")


def _events(channel: ChannelSettings, report: Report) -> str | None:
    return None if report.event in channel.events else f"events: {report.event.value} is not in the list"


def _organizations(channel: ChannelSettings, report: Report) -> str | None:
    wanted = [name.lower() for name in channel.organizations]
    if not wanted or report.organization.lower() in wanted:
        return None
    return f"organizations: {report.organization} is not in the list"


def _include(channel: ChannelSettings, report: Report) -> str | None:
    if not channel.include or any(first_match(channel.include, repo.name) for repo in report.repos):
        return None
    return "include: no pattern covers any of its repos"


def _exclude(channel: ChannelSettings, report: Report) -> str | None:
    if not channel.exclude or not report.repos:
        return None
    if all(first_match(channel.exclude, repo.name) for repo in report.repos):
        return "exclude: patterns cover all of its repos"
    return None


def _significance(channel: ChannelSettings, report: Report) -> str | None:
    """Only events with a comparison are measured; an unknown architecture passes."""
    if report.significance is None or report.comparison is None:
        return None
    if Significance(report.significance).at_least(channel.min_significance):
        return None
    return f"min_significance: it is {report.significance}, below {channel.min_significance.value}"


def _decoder_types(channel: ChannelSettings, report: Report) -> str | None:
    found = {record.get("decoder_type") for record in _records(report)} - {None}
    if not channel.decoder_types or not found or found & set(channel.decoder_types):
        return None
    return f"decoder_types: it is {', '.join(sorted(map(str, found)))}"


def _sizes(channel: ChannelSettings, report: Report) -> str | None:
    totals = [(record.get("parameters") or {}).get("total") for record in _records(report)]
    sizes = [size for size in totals if isinstance(size, int)]
    low, high = channel.min_parameters or 0, channel.max_parameters
    if not sizes or any(low <= size and (high is None or size <= high) for size in sizes):
        return None
    return f"min_parameters, max_parameters: it has {max(sizes):,}"


def _records(report: Report) -> list[Any]:
    return [member.get("record") or {} for member in report.members] or [report.record]


RULES: tuple[Callable[[ChannelSettings, Report], str | None], ...] = (
    _events,
    _organizations,
    _include,
    _exclude,
    _significance,
    _decoder_types,
    _sizes,
)
"""Every rule; a new one is a function here and a key in ChannelSettings."""
