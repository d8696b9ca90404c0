"""What looking at the Hub costs: requests, delays, time and memory, each beside its limit. Part of `make bench`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from watcher.cycle import look
from watcher.demo.models import model_files
from watcher.hub.client import HubClient
from watcher.hub.standin import Standin, World
from watcher.hub.standin.crowd import Crowd
from watcher.releases.plan import Budget, make_plan
from watcher.runtime import running
from watcher.settings import Settings
from watcher.store.engine import open_store
from watcher.store.latency import latency
from watcher.store.organizations import Organization

START = datetime(2026, 11, 1, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)
REPOS_EACH = 50
"""Repos of an organization, for the plain loop of `list_models` and a `model_info` for each."""

CHILD = """
import resource, sys, time
from watcher.cli import main
began = time.perf_counter()
code = main(["once", "--config", sys.argv[1]])
print(time.perf_counter() - began, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, code)
"""


def say(what: str, value: str, limit: str) -> None:
    """One row."""
    sys.stdout.write(f"{what:66} {value:>24}  {limit}\n")


def plans() -> None:
    """Requests of a quiet cycle and the worst delay of a flip to public, by number of organizations."""
    for count in (5, 50, 500, 5000):
        for quota, who in ((500, "anonymous"), (1000, "token")):
            requests, worst = rotation(count, quota)
            loop = count * (1 + REPOS_EACH)
            plain = max(1, -(-loop // quota)) * 300 // 60
            limit = f"≤ {int(quota * 0.2)} requests; plain loop: {loop:,} requests, {plain:,} min of the whole quota"
            say(f"{count:,} organizations, {who}", f"{requests} requests, {_span(worst)}", limit)


def rotation(count: int, quota: int) -> tuple[int, timedelta]:
    """(most requests of a quiet cycle, longest wait of an organization), played with the planner itself."""
    known = {
        f"o{i}": Organization(name=f"o{i}", tracked=True, tracked_since=START, known_since=START, looked_at=START)
        for i in range(count)
    }
    now, worst, most = START, timedelta(0), 0
    budget = Budget(quota=quota, share=0.2, interval=INTERVAL)
    while now - START < timedelta(days=2) and (now == START or worst == timedelta(0) or _someone_waits(known)):
        now += INTERVAL
        plan = make_plan(list(known.values()), budget, now)
        most = max(most, len(plan.organizations) + len(plan.sorts))
        for item in plan.organizations:
            worst = max(worst, now - (item.looked_at or START))
            known[item.name] = replace(item, looked_at=now)
    return most, worst


FLIPS = 10
"""Repos that turn public at the same moment, in organizations spread over all."""

CYCLES = 60
"""Of a played run at most."""


def played() -> None:
    """The same over HTTP: the product against the stand-in, repos turning public with old dates."""
    for count, quota, who in ((50, 500, "anonymous"), (500, 500, "anonymous"), (500, 1000, "token")):
        computed, longest = rotation(count, quota)
        world = World(START)
        with tempfile.TemporaryDirectory() as folder, _windowed(world, quota) as standin:
            names = [f"o{number}" for number in range(count)]
            world.organizations.update(names)
            secret = [f"{name}/Hidden" for name in names[:: max(1, count // FLIPS)]]
            for name in secret:
                world.create(name, {"README.md": b"# Hidden"}, private=True, at=START - timedelta(days=90))
            _strangers(world, standin)
            settings = _settings(standin, names, Path(folder))
            while _cycle(settings, world)[1] < count:
                world.advance(INTERVAL)
            for name in secret:
                world.change(name, private=False)
            most, worst = _until_seen(settings, world, standin, len(secret))
        limit = f"≤ {int(quota * 0.2)} requests; computed: {computed}, at most {_span(longest)}"
        say(f"{count:,} organizations, {who}, played over HTTP", f"{most} requests, {_span(worst)}", limit)


def _strangers(world: World, standin: Standin) -> None:
    """Newer and older repos of others, so that no global listing reaches what turns public with an old date."""
    standin.answers.page = 10
    for number in range(400):
        at = START - timedelta(days=365 if number % 2 else 0)
        world.create(f"stranger/M{number}", {"README.md": b"# M"}, at=at)


def _windowed(world: World, quota: int) -> Standin:
    """A stand-in whose windows follow the world's time."""
    return Standin(world, quotas={"api": quota}, clock=lambda: world.now.timestamp())


def _settings(standin: Standin, names: list[str], folder: Path) -> Settings:
    hub = {"endpoint": standin.url, "token": ""}
    watch = {"organizations": names, "tasks": [], "interval": "5m"}
    return Settings.model_validate({"hub": hub, "watch": watch, "folder": folder}, context={"folder": folder})


def _until_seen(settings: Settings, world: World, standin: Standin, wanted: int) -> tuple[int, timedelta]:
    """(most listings of a cycle, how long until every repo was seen)."""
    most, begun = 0, world.now
    for _ in range(CYCLES):
        world.advance(INTERVAL)
        before = len(standin.asked("GET /api/models?"))
        seen, _ = _cycle(settings, world)
        most = max(most, len(standin.asked("GET /api/models?")) - before)
        if seen >= wanted:
            break
    return most, world.now - begun


def _cycle(settings: Settings, world: World) -> tuple[int, int]:
    """(repos known, organizations known) after one look."""
    environment = {"WATCHER_NOW": world.now.isoformat(), "HOME": str(settings.folder)}
    with running(settings, environment, lambda line: None) as context:
        look(context)
        with context.store.begin() as connection:
            repos = connection.execute(sa.text("SELECT count(*) FROM repos")).scalar()
            known = connection.execute(sa.text("SELECT count(*) FROM organizations WHERE known_since IS NOT NULL"))
            return int(repos or 0), int(known.scalar() or 0)


def _someone_waits(known: dict[str, Organization]) -> bool:
    return any(item.looked_at == START for item in known.values())


def _span(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes / 60:.1f} h" if minutes >= 120 else f"{minutes:.0f} min"


@contextmanager
def crowded(organizations: int, repos: int) -> Iterator[tuple[Standin, Path]]:
    """A stand-in with a crowd, and a configuration that tracks all of its organizations."""
    world = World(START)
    world.crowd = Crowd(organizations, repos, START)
    quotas = {"api": 10**7, "resolvers": 10**7}
    with tempfile.TemporaryDirectory() as folder, Standin(world, quotas=quotas) as standin:
        names = json.dumps([f"crowd{i}" for i in range(organizations)])
        config = Path(folder) / "config.toml"
        hub = f'[hub]\nendpoint = "{standin.url}"\ntoken = ""\nshare = 1.0\n'
        config.write_text(f'{hub}[watch]\norganizations = {names}\nsettle = "0s"\n')
        yield standin, config


def once(config: Path, now: datetime) -> tuple[float, float, float]:
    """(wall seconds, processor seconds, MB) of a cycle in a process of its own."""
    environment = {"WATCHER_NOW": now.isoformat(), "HOME": str(config.parent), "NO_PROXY": "127.0.0.1,localhost"}
    command = [sys.executable, "-c", CHILD, str(config)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall, processor, memory, _ = done.stdout.splitlines()[-1].split()
    return float(wall), float(processor), int(memory) / 1024


def best(config: Path, minutes: int) -> tuple[float, float, float]:
    """The best of three quiet cycles."""
    return min(once(config, START + timedelta(minutes=minutes + step)) for step in range(3))


def known_repos() -> None:
    """A quiet cycle with 1,000 and with a million known repos."""
    found = {}
    for repos in (1_000, 1_000_000):
        with crowded(20, 1_000) as (_, config):
            once(config, START)
            fill(config, repos - 1_000)
            found[repos] = best(config, 5)
    few, many = found[1_000], found[1_000_000]
    say("quiet cycle, 1,000,000 known repos: wall", f"{many[0]:.2f} s = {many[0] / few[0]:.2f} × 1,000's", "≤ 1.2 ×")
    say("quiet cycle, 1,000,000 known repos: memory", f"{many[2]:.0f} MB = {many[2] / few[2]:.2f} × 1,000's", "≤ 1.2 ×")


def fill(config: Path, repos: int) -> None:
    """Put known repos of other organizations into the store."""
    if repos <= 0:
        return
    with open_store(f"sqlite:///{config.parent}/watcher.db") as store, store.begin() as connection:
        connection.execute(
            sa.text(
                f"""WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {repos - 1})
                INSERT INTO repos (hub_id, name, organization, stem, version, state, first_seen_at, changed_at, sha,
                looked_sha, disabled, tags, base_models, readable, whole, failures)
                SELECT printf('f%023x', i), 'old' || (i % 5000) || '/m' || i, 'old' || (i % 5000), 'm' || i, 0,
                'silent', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', printf('%040x', i),
                printf('%040x', i), 0,
                '[]', '[]', 0, 0, 0 FROM n"""
            )
        )


def changes() -> None:
    """A quiet cycle, and what a thousand repos with a new card add to it."""
    with crowded(50, 3_000_000 // 600) as (standin, config):
        once(config, START)
        quiet = best(config, 5)
        say("quiet cycle over 50 organizations: wall, processor", f"{quiet[0]:.2f} s, {quiet[1]:.2f} s", "")
        assert standin.world.crowd is not None
        standin.world.crowd.update(1_000, START + timedelta(minutes=20))
        before = len(standin.log)
        took = [once(config, START + timedelta(minutes=20 + 5 * step)) for step in range(3)]
        asked = len(standin.log) - before
        wall, processor = sum(item[0] - quiet[0] for item in took), sum(item[1] - quiet[1] for item in took)
        say("1,000 changed repos add: wall, processor", f"{wall:.1f} s, {processor:.1f} s", f"{asked:,} requests")


def to_delivery() -> None:
    """From a complete config on the Hub to the delivered report, in bare round trips; interval and settle are none."""
    with crowded(1, 10) as (standin, config):
        standin.world.crowd = None
        standin.world.organizations.add("crowd0")
        once(config, START)
        idle = best(config, 5)
        standin.world.create("crowd0/New", model_files("Qwen/Qwen3-32B"), at=START + timedelta(minutes=20))
        hub = HubClient(standin.url)
        hub.organization_exists("crowd0")
        began = time.perf_counter()
        for _ in range(20):
            hub.organization_exists("crowd0")
        trip = (time.perf_counter() - began) / 20
        before = len(standin.log)
        wall, _, _ = once(config, START + timedelta(minutes=25))
        asked = len(standin.log) - before
        extra = wall - idle[0]
        say("complete config → delivered report, beyond a quiet cycle", f"{extra:.2f} s", f"{asked} requests")
        for stage, found in latency_of(config).items():
            say(
                f"latency, {stage.replace('_', ' ')}",
                f"{found['longest']:.0f} s",
                "a standing clock: 0 s but the interval",
            )
        hub_like = (extra + asked * 0.1) / (asked * 0.1)
        say(
            "the same with round trips of 100 ms, as a multiple of them",
            f"{hub_like:.2f} ×",
            f"here {trip * 1000:.1f} ms",
        )


def latency_of(config: Path) -> dict[str, dict[str, float]]:
    """Seconds by stage, as `status` and the metrics tell them."""
    with open_store(f"sqlite:///{config.parent}/watcher.db") as store, store.begin() as connection:
        return latency(connection)


def main() -> None:
    """Every row."""
    plans()
    played()
    known_repos()
    changes()
    to_delivery()


if __name__ == "__main__":
    main()
