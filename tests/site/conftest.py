"""A store with real reports in it, and sites built from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watcher.architecture.record import Architecture, Model
from watcher.baselines.catalog import Catalog
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.releases.model import EventKind, RepoRef
from watcher.report.model import Draft, Report, Subject
from watcher.report.write import write_report
from watcher.site.build import Built, build
from watcher.store import archive
from watcher.store.engine import Store, open_store

Tell = Callable[..., Report]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'watcher.db'}") as opened:
        yield opened


@pytest.fixture
def tell(store: Store) -> Tell:
    """Put a report into the store, made as `report_about` makes it."""

    def told(name: str, *about: Any, **more: Any) -> Report:
        made = report_about(name, *about, **more)
        with store.begin() as connection:
            archive.keep_report(connection, made)
        return made

    return told


def report_about(
    name: str,
    like: str = "zai-org/GLM-5",
    against: str | None = "deepseek-ai/DeepSeek-V3",
    *,
    id_: str = "",
    event: EventKind = EventKind.RELEASED,
    day: int = 1,
    **changed: object,
) -> Report:
    """A report as the pipeline makes it: the model's architecture is `like`'s, compared with `against`'s."""
    known = baseline_of(like).record
    record = replace(known, model=replace(known.model, id=name), **changed)  # type: ignore[arg-type]
    base = baseline_of(against) if against else None
    return write_report(
        Draft(
            report_id=id_ or f"rep_{name}_{event}",
            release_id="",
            event=event,
            organization=name.partition("/")[0],
            lead=Subject(
                record=record,
                repos=(RepoRef(hub_id=name, name=name, sha="a" * 40),),
                comparison=compare(base.record, record) if base else None,
                baseline=base.name if base else None,
            ),
            created_at=datetime(2026, 10, day, tzinfo=UTC),
            hub_url=f"https://hub.example/{name}",
        )
    )


@pytest.fixture
def site(tmp_path: Path, store: Store) -> Callable[..., Built]:
    """Build the site of the store in `tmp_path / "site"`."""

    def made(**options: object) -> Built:
        return build(tmp_path / "site", store=store, catalog=few(), **options)  # type: ignore[arg-type]

    return made


def few() -> Catalog:
    """Some of the shipped baselines."""
    names = ("deepseek-ai/DeepSeek-V3", "moonshotai/Kimi-K2-Instruct", "zai-org/GLM-5", "google/gemma-3-27b-it")
    return Catalog("few", tuple(baseline_of(name) for name in names))


def blank(name: str) -> Architecture:
    """A record of which nothing is known."""
    return Architecture(model=Model(id=name))
