"""Speed, as ratios measured side by side in one run: what must stay flat stays flat. `make bench`.

Prints a line a measure; nothing here asserts a time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import bench_hub
import bench_outbox
import bench_peers

from watcher import cycle
from watcher.architecture.read import read
from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.baselines.nearest import nearest
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.hub.standin import Standin, World
from watcher.naming.names import take_apart
from watcher.releases.model import EventKind, Repo, RepoRef, RepoState
from watcher.report.adhoc import adhoc_report
from watcher.report.formats import to_html
from watcher.report.model import Draft, Report, Subject
from watcher.report.neighbours import Neighbour, Role, neighbours
from watcher.report.png import to_png_isolated
from watcher.report.sketch import draw
from watcher.report.write import write_report
from watcher.runtime import running
from watcher.settings import Settings
from watcher.site.build import build as build_site
from watcher.store import archive
from watcher.store.engine import Store, open_store

START = datetime(2026, 11, 1, tzinfo=UTC)


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def say(what: str, value: float, against: float, than: str, limit: float | None = None) -> None:
    """One measure beside its baseline, and beside its limit in seconds where it has one."""
    promised = f"  (limit {limit * 1000:,.0f} ms)" if limit else ""
    sys.stdout.write(f"{what:58} {value * 1000:9.1f} ms  {value / against:7.2f} × {than}{promised}\n")


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


def pictures() -> None:
    """Sketch and PNG, the PNG in a process of its own."""
    old, new = baseline_of("moonshotai/Kimi-K2-Instruct").record, baseline_of("zai-org/GLM-5").record
    drawn = draw(new, baseline=old)
    parse = seconds(lambda: ElementTree.fromstring(drawn), 50)
    say("sketch as SVG", seconds(lambda: draw(new, baseline=old), 20), parse, "parsing it as XML")
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    picture = _of_size(drawn, 1000, 1200)
    took = seconds(lambda: to_png_isolated(picture))
    say("PNG 1000 × 1200 at 2×, its own process", took, bare, "python -c pass", 0.3)


def pages() -> None:
    """A page and its sketch from a record at hand, against the same record as JSON, written and read."""
    subject = _subject("zai-org/GLM-5")
    draft = Draft(
        report_id="rep_bench", release_id="", event=EventKind.RELEASED, organization="zai-org", lead=subject,
        created_at=START, hub_url="https://huggingface.co/zai-org/GLM-5",
    )  # fmt: skip
    data = subject.record.to_dict()
    plain = seconds(lambda: json.loads(json.dumps(data)), 20)
    say(
        "record → Markdown + SVG",
        seconds(lambda: (write_report(draft), _drawn(subject)), 20),
        plain,
        "its JSON and back",
        0.01,
    )
    say("record → Markdown", seconds(lambda: write_report(draft), 20), plain, "its JSON and back")
    found = Library()
    found.baselines  # noqa: B018  the catalog is read once
    whole = seconds(lambda: neighbours(subject.record, _repo("zai-org/GLM-5"), (), found, None), 3)
    say("predecessor and plain decoder, compared", whole, plain, "its JSON and back")


def _drawn(subject: Subject) -> str:
    assert subject.comparison is not None
    return draw(subject.record, baseline=subject.comparison.a, changes=subject.comparison.changes)


def _subject(name: str) -> Subject:
    record = baseline_of(name).record
    library, repo = Library(), _repo(name)
    match = library.nearest(record, repo, ())
    assert match is not None
    comparison = compare(match.record, record, config_a=match.config, config_b=baseline_of(name).config)
    nearest = Neighbour(role=Role.NEAREST, name=match.name, comparison=comparison)
    return Subject(
        record=record,
        repos=(RepoRef(hub_id="1", name=name, sha="a" * 40),),
        comparison=comparison,
        baseline=match.name,
        neighbours=neighbours(record, repo, (), library, nearest),
    )


def _repo(name: str) -> Repo:
    return Repo(
        hub_id="", name=name, organization=name.partition("/")[0].lower(), stem=take_apart(name).stem,
        state=RepoState.ACTIVE, first_seen_at=START, changed_at=START, sha=None,
    )  # fmt: skip


def _of_size(drawn: str, wide: int, tall: int) -> str:
    """The same drawing in a frame of that size."""
    return re.sub(r'width="[^"]*" height="[^"]*"', f'width="{wide}" height="{tall}"', drawn, count=1)


def sites(count: int = 1000) -> None:
    """A site over many reports from nothing, and again with one more, against writing the reports."""
    report = adhoc_report(_files("zai-org/GLM-5"), _files("moonshotai/Kimi-K2-Instruct"), environment={})
    once = seconds(lambda: to_html(report.markdown), 20)
    with tempfile.TemporaryDirectory() as name, open_store(f"sqlite:///{name}/w.db") as store:
        _keep(store, report, range(count))
        whole = seconds(lambda: build_site(Path(name) / "site", store=store), 1)
        say(f"site over {count} reports and the catalog", whole, once * count, "their Markdown to HTML", 30)
        _keep(store, report, [count])
        again = seconds(lambda: build_site(Path(name) / "site", store=store), 1)
        say("the same site with one more report", again, whole, "the whole", 1)


def _files(name: str) -> RepoFiles:
    return RepoFiles(name=name, files={"config.json": json.dumps(dict(baseline_of(name).config)).encode()})


def _keep(store: Store, report: Report, numbers: Iterable[int]) -> None:
    """The same report under other names."""
    with store.begin() as connection:
        for number in numbers:
            repos = [{**report.repos[0].to_dict(), "id": f"org{number % 40}/Model-{number}"}]
            members = ({**report.members[0], "repos": repos},)
            archive.keep_report(connection, replace(report, report_id=f"r{number}", members=members, pictures={}))


if __name__ == "__main__":
    starts()
    reading()
    bench_peers.main()
    pictures()
    pages()
    sites()
    cycles()
    bench_outbox.throughput()
    bench_outbox.flatness()
    bench_hub.main()
