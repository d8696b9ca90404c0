"""Speed, as ratios measured side by side in one run: what must stay flat stays flat. `make bench`.

Prints a line a measure; nothing here asserts a time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watcher import cycle
from watcher.architecture.read import read
from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.baselines.nearest import nearest
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.hub.standin import Standin, World
from watcher.runtime import running
from watcher.settings import Settings

START = datetime(2026, 11, 1, tzinfo=UTC)


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def say(what: str, value: float, against: float, than: str) -> None:
    """One measure."""
    sys.stdout.write(f"{what:58} {value * 1000:9.1f} ms  {value / against:7.2f} × {than}\n")


def starts() -> None:
    """A command's start against the bare interpreter."""
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    shown = seconds(
        lambda: subprocess.run([sys.executable, "-m", "watcher", "--help"], check=True, capture_output=True)
    )
    say("watcher --help", shown, bare, "python -c pass")


def reading() -> None:
    """Reading and comparing, against parsing the JSON alone."""
    data = json.dumps(dict(baseline_of("deepseek-ai/DeepSeek-V3").config)).encode()
    files = RepoFiles(name="x/y", files={"config.json": data})
    parse = seconds(lambda: json.loads(data), 200)
    say("read one config", seconds(lambda: read(files), 20), parse, "json.loads of it")
    old, new = baseline_of("deepseek-ai/DeepSeek-V3"), baseline_of("zai-org/GLM-5")
    say("compare two records", seconds(lambda: compare(old.record, new.record)), parse, "json.loads")
    library = Library()
    few, many = library.baselines[:20], library.baselines
    found = seconds(lambda: nearest(new.record, many))
    say(f"nearest of {len(many)} baselines", found, seconds(lambda: nearest(new.record, few)), "of 20")


def cycles() -> None:
    """A quiet cycle as history grows, and as organizations do."""
    small, _ = quiet(1, 20)
    large, asked = quiet(1, 1000)
    say("quiet cycle over 1,000 repos of one organization", large, small, f"over 20 repos ({asked} request)")
    wide, asked = quiet(50, 20)
    say("quiet cycle over 50 organizations", wide, small, f"over one ({asked} requests)")


def quiet(organizations: int, repos: int) -> tuple[float, int]:
    """(seconds, requests) of a cycle in which nothing happened."""
    world = World(START)
    names = [f"org{i}" for i in range(organizations)]
    for name in names:
        for number in range(repos):
            world.create(f"{name}/model-{number}", {"config.json": b"{}"})
    with tempfile.TemporaryDirectory() as folder, Standin(world, quotas={"api": 10**6}) as standin:
        data = {
            "hub": {"endpoint": standin.url, "token": ""},
            "watch": {"organizations": names},
            "folder": Path(folder),
        }
        settings = Settings.model_validate(data, context={"environment": {}, "folder": Path(folder)})

        def once(minutes: int) -> None:
            now = (START + timedelta(minutes=minutes)).isoformat()
            with running(settings, {"WATCHER_NOW": now, "HOME": folder}, lambda line: None) as context:
                cycle.once(context)

        once(0)
        before = len(standin.log)
        took = seconds(lambda: once(5), 3)
        return took, (len(standin.log) - before) // 3


if __name__ == "__main__":
    starts()
    reading()
    cycles()
