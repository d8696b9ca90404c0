"""Random timelines on the stand-in: what is announced is exactly the truth, whatever the Hub, its cache or we suffer.

A timeline is drawn from a seed: laboratories upload in steps, flip repos to public with old dates, rename, transfer,
gate, delete and recreate, while listings are stale, requests fail and our process dies between two transactions. Every
step runs one command; the clock jumps by odd intervals. At the end the Hub is healthy again and some hours pass.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from stage import START, Stage

from watcher.demo.models import card_text, model_files
from watcher.demo.receivers import Receivers
from watcher.hub.standin import Fault, Standin, World
from watcher.hub.standin.repo import ModelRepo
from watcher.releases.model import EventKind
from watcher.store.engine import Store, open_store
from watcher.store.schema import events, reports

MODELS = ("Qwen/Qwen3-4B", "Qwen/Qwen3-32B", "Qwen/Qwen3-0.6B")
WORDS = ("Alpha", "Beta", "Gamma", "Delta", "Zeta", "Omega")
TAILS = ("", "-Instruct", "-Base", "-FP8", "-GGUF", "-Thinking", "-2507", "-Coder")
SIZES = ("4B", "32B", "0.6B")
TRACKED = ("maker", "Second-Lab", "third.lab")
OTHER = "elsewhere"
WHERE = ("author=", "/tree/", "/resolve/", "resolve-cache", r"/api/models/[^/]+/[^/?]+\?", ".")
ANNOUNCING = ("released", "recreated", "variant_added")
SEEDS = range(int(os.environ.get("TIMELINES", "3")))
STEPS = 22


class Killed(BaseException):
    """Our process dies here."""


class Timeline:
    """A world that things happen to, and the truth about it."""

    def __init__(self, seed: int, stage: Stage) -> None:
        self.random = random.Random(seed)
        self.stage = stage
        self.world = stage.world
        self.before: set[str] = set()
        """Repos with content that were public at the first look: never news."""
        self.happened: set[tuple[str, str]] = set()
        """(repo, kind of event) that may be told."""

    # --- what can happen ---------------------------------------------------------------------------------------------

    def act(self) -> None:
        """One random thing."""
        actions = (
            self.create,
            self.create,
            self.create,
            self.create_secretly,
            self.upload,
            self.upload,
            self.publish,
            self.publish,
            self.hide,
            self.rename,
            self.gate,
            self.delete,
            self.recreate,
            self.edit_card,
            self.edit_config,
            self.freeze,
        )
        self.random.choice(actions)()

    def name(self) -> str:
        """One that is free."""
        while True:
            stem = (
                f"{self.random.choice(WORDS)}-{self.random.randint(1, 3)}-{self.random.choice(('4B', '32B', '0.6B'))}"
            )
            name = f"{self.random.choice(TRACKED)}/{stem}{self.random.choice(TAILS)}"
            if self.world.find(name)[0] is None:
                return name

    def files(self, name: str) -> dict[str, Any]:
        """All files of a model, some of them with an architecture nobody knows."""
        odd = {"model_type": f"odd{self.random.randint(1, 99)}", "warp_factor": 9}
        changed = odd if self.random.random() < 0.1 else {}
        card = {"base_model": f"{name}-Parent"} if self.random.random() < 0.1 else {}
        if self.random.random() < 0.75:  # a config that tells nothing: announced as that, and quick
            return {"README.md": card_text(name, **card), "config.json": b'{"model_type": "dark"}', "LICENSE": b"x"}
        return dict(model_files(self.random.choice(MODELS), changed=changed, **card))

    def some(self, **wanted: object) -> ModelRepo | None:
        """A repo of which this is true."""
        fits = [repo for repo in self.world.repos if all(getattr(repo, key) == value for key, value in wanted.items())]
        return self.random.choice(fits) if fits else None

    def create(self, *, private: bool = False, name: str | None = None) -> None:
        """A repo that appears empty, with its card, with its config, or whole; dated now, equally or oddly."""
        name = name or self.name()
        files = self.files(name)
        known = self.random.choice(((), ("README.md",), ("README.md", "config.json"), tuple(files), tuple(files)))
        past = timedelta(days=self.random.choice((0, 0, 0, 90)) if private else 0)
        odd = timedelta(seconds=self.random.choice((0, 0, 0, -1, 3600)))
        first = {path: files[path] for path in known}
        self.world.create(name, first, at=self.world.now - past + odd, private=private)

    def create_secretly(self) -> None:
        """Uploaded in private, perhaps long ago."""
        self.create(private=True)

    def upload(self) -> None:
        """The rest of the files."""
        repo = self.some()
        if repo is not None:
            self.world.upload(repo.name, self.files(repo.name))
            self.tell(repo, "config_changed", "weights_changed", "tokenizer_changed", "card_changed", "license_changed")

    def publish(self) -> None:
        """Private → public: no date moves."""
        repo = self.some(private=True)
        if repo is not None:
            self.world.change(repo.name, private=False)
            self.tell(repo, "restored")

    def hide(self) -> None:
        """Public → private."""
        repo = self.some(private=False)
        if repo is not None and self.random.random() < 0.5:
            self.world.change(repo.name, private=True)
            self.tell(repo, "disappeared", "alert")

    def rename(self) -> None:
        """Another name, perhaps in another organization."""
        repo = self.some()
        if repo is not None:
            new = self.name() if self.random.random() < 0.8 else f"{OTHER}/{repo.name.partition('/')[2]}"
            if self.world.find(new)[0] is None:
                self.world.rename(repo.name, new)
                self.tell(repo, "renamed")

    def gate(self) -> None:
        """Gated, or open again."""
        repo = self.some()
        if repo is not None:
            self.world.change(repo.name, gated=False if repo.gated else "manual")
            self.tell(repo, "gated_changed")

    def delete(self) -> None:
        """Gone for good."""
        repo = self.some()
        if repo is not None and self.random.random() < 0.5:
            self.tell(repo, "disappeared", "alert")
            self.world.delete(repo.name)

    def recreate(self) -> None:
        """Deleted and made again under the same name."""
        repo = self.some(private=False)
        if repo is not None and repo.organization != OTHER:
            self.tell(repo, "disappeared", "alert")
            self.world.delete(repo.name)
            self.create(name=repo.name)

    def edit_card(self) -> None:
        """A README edit is no release."""
        repo = self.some(private=False)
        if repo is not None:
            self.world.upload(repo.name, {"README.md": card_text(repo.name, license="mit", note=str(self.world.now))})
            self.tell(repo, "card_changed", "license_changed")

    def edit_config(self) -> None:
        """Another context length."""
        repo = self.some(private=False)
        if repo is not None and repo.head is not None and "config.json" in repo.head.files:
            length = 1024 * self.random.randint(1, 99)
            config = model_files(MODELS[0], changed={"max_position_embeddings": length})["config.json"]
            self.world.upload(repo.name, {"config.json": config})
            self.tell(repo, "config_changed")

    def freeze(self) -> None:
        """Listings come from a cache for a while."""
        self.world.cache_listings(self.random.choice((None, timedelta(minutes=10), timedelta(hours=3))))

    def tell(self, repo: ModelRepo, *kinds: str) -> None:
        """These events are true of this repo."""
        self.happened |= {(repo.hub_id, kind) for kind in kinds}

    def expected(self) -> list[ModelRepo]:
        """What must have been announced in the end."""
        return [
            repo
            for repo in self.world.repos
            if not repo.private and readable(repo) and repo.organization in TRACKED and repo.hub_id not in self.before
        ]

    # --- how it is run -----------------------------------------------------------------------------------------------

    def spoil(self) -> None:
        """Faults in force for the next command."""
        self.stage.standin.faults.clear()
        for _ in range(self.random.choice((0, 0, 1, 2))):
            kind = self.random.choice(("status", "status", "html", "malformed", "empty", "truncate", "reset"))
            status = self.random.choice((429, 500, 502, 503))
            where = self.random.choice(
                ("author=", "/tree/", "/resolve/", "resolve-cache", r"/api/models/[^/]+/[^/?]+\?", ".")
            )
            self.stage.standin.faults.add(Fault(path=where, kind=kind, status=status, times=self.random.randint(1, 5)))

    def run(self) -> None:
        """A whole timeline, and then peace."""
        for _ in range(6):
            self.create(private=self.random.random() < 0.3)
        self.stage.once()
        self.before = {repo.hub_id for repo in self.world.repos if not repo.private and readable(repo)}
        for _ in range(STEPS):
            for _ in range(self.random.choice((0, 1, 1, 2, 3))):
                self.act()
            self.spoil()
            span = timedelta(minutes=self.random.choice((0, 1, 5, 5, 7, 30, 61, 200)))
            with dying(self.random.randint(1, 60) if self.random.random() < 0.3 else None, self.random.random() < 0.5):
                self.stage.once(span)
        self.stage.standin.faults.clear()
        self.world.cache_listings(None)
        for hours in (0.1, 1, 7, 1, 13, 2, 1):
            self.stage.once(timedelta(hours=hours))


def readable(repo: ModelRepo) -> bool:
    """Whether there is something to announce."""
    return repo.head is not None and "config.json" in repo.head.files


@contextlib.contextmanager
def dying(after: int | None, committed: bool) -> Iterator[None]:
    """The process dies at the transaction of this number, before or after it is committed."""
    begin, count = Store.begin, 0

    @contextlib.contextmanager
    def counted(self: Store) -> Iterator[Any]:
        nonlocal count
        count += 1
        if count == after and not committed:
            raise Killed
        with begin(self) as connection:
            yield connection
        if count == after:
            raise Killed

    Store.begin = counted  # type: ignore[method-assign]
    try:
        yield
    except Killed:
        pass
    finally:
        Store.begin = begin  # type: ignore[method-assign]


@pytest.fixture
def stage(tmp_path: Path, seed: int) -> Iterator[Stage]:
    """Three organizations, short pages, no pictures needed."""
    with (
        Standin(World(START), quotas={"api": 10**6, "resolvers": 10**6}) as standin,
        Receivers(tmp_path / "received") as box,
    ):
        standin.world.organizations |= {*TRACKED, OTHER}
        standin.answers.page = 3
        made = Stage(tmp_path, standin, box, organizations=list(TRACKED))
        made.hub = {"share": 0.02} if seed % 3 == 2 else {}
        made.channels = [
            made.channel("webhook", events=[kind.value for kind in EventKind if kind is not EventKind.DIGEST])
        ]
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_announced_is_the_truth(stage: Stage, seed: int) -> None:
    timeline = Timeline(seed, stage)
    timeline.run()
    with open_store(stage.settings.store_url) as store, store.begin() as connection:
        drawn = connection.execute(events.select()).all()
        written = {row.id for row in connection.execute(reports.select())}
    told = [row for row in drawn if row.kind in ANNOUNCING]
    announced = Counter(row.hub_id for row in told if row.report_id in written)
    problems = {
        "missed": [repo.name for repo in timeline.expected() if repo.hub_id not in announced],
        "twice": [row.name for row in told if announced[row.hub_id] > 1],
        "false": [row.name for row in told if row.hub_id in timeline.before],
        "not true": [
            (row.name, row.kind)
            for row in drawn
            if row.kind not in (*ANNOUNCING, "appeared") and (row.hub_id, row.kind) not in timeline.happened
        ],
    }
    assert not any(problems.values()), problems
    messages = {message["data"]["report_id"] for message in stage.received("webhook")}
    assert {row.report_id for row in told if row.report_id} <= messages
