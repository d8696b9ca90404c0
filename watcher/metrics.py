"""The watcher in numbers, as Prometheus reads them: one row a metric, all drawn from one look at the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from watcher import __version__
from watcher.store import archive, outbox, spending
from watcher.store import events as event_table
from watcher.store import organizations as org_table
from watcher.store import repos as table
from watcher.store.engine import Store
from watcher.store.latency import latency
from watcher.store.organizations import Organization
from watcher.store.outbox import Standing

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Sample = tuple[tuple[str, ...], float]
"""Values of the labels, and the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the metrics are drawn from. Names and numbers only: no address, no token."""

    organizations: tuple[Organization, ...]
    last_success: datetime | None
    repos: Mapping[str, int]
    open_releases: int
    open_events: int
    reports: int
    deliveries: Mapping[str, Mapping[str, int]]
    standings: tuple[Standing, ...]
    journal: Mapping[str, int]
    """What this process counted since its start."""
    steps: Mapping[str, float]
    """Seconds that the last run of each step took."""
    latency: Mapping[str, Mapping[str, float]]
    """Seconds that the latest releases took, by stage: the median and the longest."""
    requests: int
    """Sent to the Hub in its present window."""


def facts(store: Store, journal: Mapping[str, int], steps: Mapping[str, float], now: datetime) -> Facts:
    """One look at the store, in one transaction."""
    with store.begin() as connection:
        deliveries = outbox.counts(connection)
        return Facts(
            organizations=tuple(org_table.all_organizations(connection)),
            last_success=org_table.last_success(connection),
            repos=table.count_repos(connection),
            open_releases=len(table.open_releases(connection)),
            open_events=len(event_table.open_events(connection)),
            reports=archive.count_reports(connection),
            deliveries=deliveries,
            standings=_standings(connection, deliveries),
            journal=dict(journal),
            steps=dict(steps),
            latency=latency(connection),
            requests=spending.spent(connection, now),
        )


def _standings(connection: Connection, names: Iterable[str]) -> tuple[Standing, ...]:
    return tuple(outbox.standing_of(connection, name) for name in sorted(names))


@dataclass(frozen=True, slots=True)
class Row:
    """One metric."""

    name: str
    about: str
    labels: tuple[str, ...]
    samples: Callable[[Facts], Iterable[Sample]]
    counter: bool = False


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [((), value)]


def _organizations(facts: Facts) -> list[Sample]:
    failing = sum(1 for item in facts.organizations if item.error)
    return [(("failing",), failing), (("fine",), len(facts.organizations) - failing)]


def _deliveries(facts: Facts) -> Iterator[Sample]:
    for channel, states in sorted(facts.deliveries.items()):
        for state in outbox.STATES:
            yield (channel, state), states.get(state, 0)


METRICS = (
    Row("watcher_info", "version of the program", ("version",), lambda _: [((__version__,), 1)]),
    Row("watcher_organizations", "tracked organizations, by how their last look went", ("state",), _organizations),
    Row(
        "watcher_last_success_timestamp_seconds",
        "when a listing of an organization was last complete",
        (),
        lambda facts: _one(facts.last_success.timestamp() if facts.last_success else None),
    ),
    Row(
        "watcher_repos",
        "known repos, by state",
        ("state",),
        lambda facts: [((state,), count) for state, count in sorted(facts.repos.items())],
    ),
    Row("watcher_releases_waiting", "releases not told yet", (), lambda facts: _one(facts.open_releases)),
    Row("watcher_events_waiting", "events not told yet", (), lambda facts: _one(facts.open_events)),
    Row("watcher_reports", "reports in the archive", (), lambda facts: _one(facts.reports)),
    Row("watcher_deliveries", "deliveries in the outbox, by state", ("channel", "state"), _deliveries),
    Row(
        "watcher_channel_failures",
        "failed attempts in a row",
        ("channel",),
        lambda facts: [((item.name,), item.failures) for item in facts.standings],
    ),
    Row(
        "watcher_channel_disabled",
        "1 when the channel was switched off because its hook is gone",
        ("channel",),
        lambda facts: [((item.name,), float(item.disabled_at is not None)) for item in facts.standings],
    ),
    Row(
        "watcher_latency_seconds",
        "how long the latest releases took from the Hub's time to the sighting, to the report, to the delivery",
        ("stage", "value"),
        lambda facts: [
            ((stage, value), seconds) for stage, found in facts.latency.items() for value, seconds in found.items()
        ],
    ),
    Row(
        "watcher_hub_requests",
        "requests to the Hub in its present window of 300 seconds, by every instance",
        (),
        lambda facts: _one(facts.requests),
    ),
    Row(
        "watcher_step_seconds",
        "how long the last run of each step of the daemon took",
        ("step",),
        lambda facts: [((name,), seconds) for name, seconds in sorted(facts.steps.items())],
    ),
    Row(
        "watcher_happened_total",
        "what happened since the start of the process: events, models read, reports, deliveries, errors …",
        ("what",),
        lambda facts: [((what,), count) for what, count in sorted(facts.journal.items())],
        counter=True,
    ),
)
"""Every metric; deploy/README.md explains them, which a test checks."""


def exposition(gather: Callable[[], Facts]) -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class FromStore(Collector):
        """All rows, from one set of facts."""

        def collect(self) -> Iterator[Metric]:
            found = gather()
            return (_family(row, found) for row in METRICS)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(FromStore())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _family(row: Row, found: Facts) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if row.counter else GaugeMetricFamily
    family = kind(row.name, row.about, labels=row.labels)
    for labels, value in row.samples(found):
        family.add_metric(labels, value)
    return family
