"""Everything to compare with: the shipped catalog, and the architectures that the watcher has read itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from watcher.architecture.config_file import raw_config
from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.baselines.catalog import load_catalog
from watcher.baselines.model import Baseline
from watcher.baselines.nearest import nearest
from watcher.naming.names import take_apart
from watcher.releases.model import Repo
from watcher.store import archive
from watcher.store.engine import Store


class Library:
    """The catalog and the store's own baselines, loaded when they are first asked for."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store

    @property
    def version(self) -> str:
        """The catalog's version, as reports name it."""
        return load_catalog().version

    @cached_property
    def baselines(self) -> list[Baseline]:
        """Every candidate: shipped first, then what was read here, oldest first."""
        return [*load_catalog().baselines, *self._own()]

    def _own(self) -> list[Baseline]:
        if self._store is None:
            return []
        with self._store.begin() as connection:
            return [_from_row(row) for row in archive.read_baselines(connection)]

    def nearest(self, record: Architecture, repo: Repo, members: Sequence[Repo]) -> Baseline | None:
        """The nearest baseline of a repo: never itself, its release, what it is a copy of, or what came after it."""
        match = nearest(record, self.candidates(repo, members))
        return match.baseline if match else None

    def candidates(self, repo: Repo, members: Sequence[Repo]) -> list[Baseline]:
        """Every baseline that may stand beside a repo."""
        return [item for item in self.baselines if _may_serve(item, repo, members)]

    def known_as(self, folder: str) -> str | None:
        """The catalogued model that a folder's name means; None where none or several have that name."""
        wanted = folder.lower()
        names = {name for item in load_catalog().baselines for name in item.names}
        found = [name for name in names if name.lower() == wanted or name.rpartition("/")[2].lower() == wanted]
        return found[0] if len(found) == 1 else None

    def seen(self, name: str) -> datetime | None:
        """When a catalogued model came out: nothing later can have been its model."""
        wanted = name.lower()
        dates = (item.date for item in load_catalog().baselines if wanted in [each.lower() for each in item.names])
        return next((_moment(date) for date in dates if date), None)


def _moment(date: str) -> datetime:
    """The last moment of `YYYY-MM` or `YYYY-MM-DD`, near enough."""
    return datetime.fromisoformat(date if len(date) == 10 else f"{date}-28").replace(tzinfo=UTC)


def _from_row(row: Mapping[str, Any]) -> Baseline:
    config = raw_config(RepoFiles(name=row["name"], files={"config.json": row["config"]}))[0] if row["config"] else {}
    return Baseline(
        name=row["name"],
        date=row["first_seen_at"].date().isoformat(),
        record=Architecture.from_dict(row["data"]),
        config=config or {},
        hub_id=row["hub_id"],
        release_id=row["release_id"],
        first_seen_at=row["first_seen_at"],
    )


def _may_serve(item: Baseline, repo: Repo, members: Sequence[Repo]) -> bool:
    ids = {member.hub_id for member in members} | {repo.hub_id}
    names = {member.name.lower() for member in members} | {base.lower() for _, base in repo.base_models}
    if item.hub_id in ids or (item.release_id is not None and item.release_id == repo.release_id):
        return False
    if item.name.lower() in names | {repo.name.lower()}:
        return False
    if item.hub_id is None and _same_release(item.name, item.date, repo):
        return False
    if item.first_seen_at is None:
        return (item.date or load_catalog().version) <= repo.first_seen_at.date().isoformat()
    return item.first_seen_at <= repo.first_seen_at


def _same_release(name: str, date: str, repo: Repo) -> bool:
    """A catalog entry of the same organization and version is the model itself, or a size that came with it."""
    same = name.partition("/")[0].lower() == repo.organization and take_apart(name).stem == repo.stem
    together = date[:7] == repo.first_seen_at.date().isoformat()[:7]
    return same and (together or take_apart(name).size == take_apart(repo.name).size)


def listing_rows(library: Library) -> list[dict[str, Any]]:
    """What `watcher baselines` lists."""
    return [
        {
            "name": item.name,
            "date": item.date,
            "decoder_type": item.record.decoder_type,
            "parameters": item.record.parameters.total or item.record.parameters.text,
            "pattern": item.record.layers.pattern,
            "source": "catalog" if item.first_seen_at is None else "read here",
            "members": list(item.members),
        }
        for item in library.baselines
    ]
