"""How the watcher stands: what `status`, `deliveries` and `retry` read from the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from watcher.clock import clock_from
from watcher.errors import SourceError
from watcher.health import Health, examine
from watcher.releases.budget import budget_of
from watcher.settings import Settings
from watcher.store import archive, notes, outbox, spending
from watcher.store import events as event_table
from watcher.store import organizations as org_table
from watcher.store import repos as table
from watcher.store.engine import open_store
from watcher.store.latency import latency
from watcher.store.organizations import Organization
from watcher.store.retention import prune

if TYPE_CHECKING:
    from rich.console import Console


def gather(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Everything `watcher status` tells, as JSON-safe data."""
    now = clock_from(environment).now()
    with open_store(settings.store_url) as store, store.begin() as connection:
        organizations = org_table.all_organizations(connection)
        looks = [item.looked_at for item in organizations if item.looked_at]
        last = max(looks, default=None)
        return {
            "now": now.isoformat(),
            "organizations": [
                {
                    "name": item.name,
                    "known_since": _text(item.known_since),
                    "looked_at": _text(item.looked_at),
                    "complete_at": _text(item.complete_at),
                    "error": item.error,
                }
                for item in organizations
            ],
            "repos": table.count_repos(connection),
            "last_look": _text(last),
            "oldest_look": _text(min(looks, default=None)) if len(looks) == len(organizations) else None,
            "next_look": _text(last + settings.watch.interval if last else None),
            "cycle": notes.recall(connection, "cycle"),
            "requests_in_window": spending.spent(connection, now),
            "requests_per_window": budget_of(connection, settings, now, explicit=True).window,
            "latency": latency(connection),
            "open_releases": len(table.open_releases(connection)),
            "open_events": len(event_table.open_events(connection)),
            "reports": archive.count_reports(connection),
            "deliveries": outbox.counts(connection),
            "next_delivery": _text(outbox.next_due(connection)),
            "channels": {
                name: {"disabled": _text(standing.disabled_at), "reason": standing.reason}
                for name, standing in (
                    (name, outbox.standing_of(connection, name)) for name in outbox.counts(connection)
                )
            },
            "errors": table.latest_errors(connection),
        }


def plan_ahead(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the next cycle would ask the Hub, and why; asks nothing."""
    from watcher.releases.plan import describe, make_plan

    now = clock_from(environment).now()
    with open_store(settings.store_url) as store, store.begin() as connection:
        budget = budget_of(connection, settings, now, explicit=True)
        known = {item.name: item for item in org_table.all_organizations(connection)}
    wanted = [name.lower() for name in settings.watch.organizations]
    organizations = [known.get(name) or Organization(name=name, tracked=True, tracked_since=now) for name in wanted]
    plan = make_plan(organizations, budget, now)
    return {
        "quota": budget.quota,
        "share": budget.share,
        "requests_per_window": budget.window,
        "requests_per_cycle": budget.cycle,
        "global_listings": list(plan.sorts),
        "organizations": [item.name for item in plan.organizations],
        "waiting": plan.waiting,
        "why": describe(plan, organizations, budget),
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _cycle(cycle: Mapping[str, Any] | None) -> str:
    if cycle is None:
        return ""
    asked = f"; last cycle {cycle['listed']} listed of {cycle['listed'] + cycle['waiting']}"
    return asked + (f", global by {', '.join(cycle['global'])}" if cycle["global"] else "")


def _latency(stages: Mapping[str, Mapping[str, float]]) -> list[str]:
    if not stages:
        return []
    parts = [f"{stage.replace('_', ' ')} {span['median']:g} s" for stage, span in stages.items()]
    return [f"latency    {', '.join(parts)} (medians)"]


def print_status(facts: Mapping[str, Any], console: Console) -> None:
    """The status for a person."""
    from rich.table import Table

    repos = ", ".join(f"{count} {state}" for state, count in sorted(facts["repos"].items())) or "none"
    lines = [
        f"tracked    {len(facts['organizations'])} organizations; repos: {repos}",
        f"last look  {facts['last_look'] or 'never'}; next {facts['next_look'] or 'at the first run'}",
        f"requests   {facts['requests_in_window']} of {facts['requests_per_window']} in this window of 300 s",
        f"looks      oldest {facts['oldest_look'] or 'never'}{_cycle(facts['cycle'])}",
        *_latency(facts["latency"]),
        f"waiting    {facts['open_releases']} releases until they are quiet, {facts['open_events']} events",
        f"reports    {facts['reports']}",
    ]
    for line in lines:
        console.print(line, markup=False)
    if facts["deliveries"]:
        grid = Table(box=None, pad_edge=False)
        for title in ("channel", "delivered", "waiting", "dead", ""):
            grid.add_column(title)
        for name, states in sorted(facts["deliveries"].items()):
            waiting = sum(states.get(state, 0) for state in (*outbox.WAITING, outbox.SENDING, outbox.HELD))
            channel = facts["channels"].get(name, {})
            note = f"switched off: {channel['reason']}" if channel.get("disabled") else channel.get("reason") or ""
            grid.add_row(name, str(states.get("delivered", 0)), str(waiting), str(states.get("dead", 0)), note)
        console.print(grid)
    failing = [item for item in facts["organizations"] if item["error"]]
    for item in failing:
        console.print(f"error      {item['name']}: {item['error']}", markup=False)
    for item in facts["errors"]:
        console.print(f"error      {item['name']}: {item['error']}", markup=False)


def list_deliveries(settings: Settings, *, dead: bool, limit: int = 50) -> list[dict[str, Any]]:
    """The newest deliveries; with `dead`, only those given up."""
    with open_store(settings.store_url) as store, store.begin() as connection:
        rows = outbox.listing(connection, states=(outbox.DEAD,) if dead else None, limit=limit)
    return [
        {
            "id": delivery.id,
            "channel": delivery.channel,
            "state": delivery.state,
            "attempts": delivery.attempts,
            "created_at": _text(delivery.created_at),
            "next_at": _text(delivery.next_at) if delivery.state in (*outbox.WAITING, outbox.HELD) else None,
            "delivered_at": _text(delivery.delivered_at),
            "status": delivery.status,
            "headline": headline,
        }
        for delivery, headline in rows
    ]


def delivery_payload(settings: Settings, delivery_id: str) -> dict[str, Any]:
    """One delivery with its exact payload and its attempts. SourceError when there is none."""
    with open_store(settings.store_url) as store, store.begin() as connection:
        delivery = outbox.one(connection, delivery_id)
        tried = outbox.attempts_of(connection, delivery_id)
    if delivery is None:
        raise SourceError(f"there is no delivery {delivery_id}; `watcher deliveries` lists them")
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "state": delivery.state,
        "report_id": delivery.report_id,
        "reference": delivery.reference,
        "digest": delivery.digest_id,
        "attempts": [{"at": _text(at), "status": status} for at, status in tried],
        "pictures": list(delivery.payload.pictures),
        "body": dict(delivery.payload.body),
    }


def revive_deliveries(settings: Settings, delivery_id: str | None, environment: Mapping[str, str]) -> int:
    """Make one or all dead or retrying deliveries due now; how many."""
    with open_store(settings.store_url) as store, store.begin() as connection:
        ids = None if delivery_id is None else [delivery_id]
        return outbox.revive(connection, ids, clock_from(environment).now())


def prune_deliveries(
    settings: Settings, older: timedelta | None, environment: Mapping[str, str], *, dead: bool = False
) -> int:
    """Forget what arrived longer ago than `older` (default `store.keep`), and give the space back; how many."""
    keep = settings.store.keep if older is None else older
    with open_store(settings.store_url) as store:
        count = prune(store, clock_from(environment).now(), keep, dead=dead)
        store.compact()
    return count


def examine_store(settings: Settings, within: timedelta | None, environment: Mapping[str, str]) -> Health:
    """How the watcher is, from its store."""
    with open_store(settings.store_url) as store:
        return examine(store, settings, clock_from(environment).now(), within=within)


def print_health(health: Health, say: Callable[[str], None]) -> None:
    """A line for each problem, or that all is well."""
    for problem in health.problems:
        say(f"✗ {problem.part}: {problem.says}")
    if health.well:
        say("✓ well: the Hub is looked at, and every channel takes what it is sent")


def print_deliveries(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """A table of deliveries."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        console.print("none")
        return
    grid = Table(box=None, pad_edge=False)
    for title in ("id", "channel", "state", "tries", "next", "answer", "report"):
        grid.add_column(title, overflow="fold")
    for row in rows:
        when = (row["next_at"] or row["delivered_at"] or "")[:19]
        cells = (
            row["id"],
            row["channel"],
            row["state"],
            str(row["attempts"]),
            when,
            row["status"] or "",
            row["headline"],
        )
        grid.add_row(*(Text(cell) for cell in cells))
    console.print(grid)
