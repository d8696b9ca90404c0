"""The stand-in's repos and what can happen to them: created, uploaded to, made public, renamed, gated, deleted."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from watcher.hub.standin.crowd import Crowd
from watcher.hub.standin.repo import Commit, Content, ModelRepo, file_at
from watcher.hub.standin.webhooks import Happened, Webhooks

Happening = Callable[["World"], None]


class World:
    """Every repo of the stand-in, and a timeline of what will still happen. Safe to use from several threads."""

    def __init__(self, start: datetime) -> None:
        self._guard = threading.RLock()
        self._repos: dict[str, ModelRepo] = {}
        self._moved: dict[str, str] = {}
        self._timeline: list[tuple[datetime, Happening]] = []
        self._made = 0
        self.now = start
        self.organizations: set[str] = set()
        """Names that answer although they have no repo."""
        self.crowd: Crowd | None = None
        """Repos beside these that exist by their number, for tests of scale."""
        self.webhooks = Webhooks()
        self._lag: timedelta | None = None
        self._listings: list[tuple[datetime, list[ModelRepo]]] = []

    # --- reading -----------------------------------------------------------------------------------------------------

    @property
    def repos(self) -> list[ModelRepo]:
        """All of them, private ones too, newest first: by `_id`, as the Hub sorts `createdAt`."""
        with self._guard:
            return sorted(self._repos.values(), key=lambda repo: repo.hub_id, reverse=True)

    @property
    def listed(self) -> list[ModelRepo]:
        """What listings are made of: all repos, or with a cache as they were `lag` ago."""
        with self._guard:
            if self._lag is None:
                return self.repos
            self._remember()
            return next((repos for at, repos in reversed(self._listings) if at <= self.now - self._lag), self.repos)

    def cache_listings(self, lag: timedelta | None) -> None:
        """Answer listings out of a cache this old (never older than this call); None: fresh again."""
        with self._guard:
            self._lag = lag
            self._listings = [(self.now - (lag or timedelta(0)), self.repos)]

    def _remember(self) -> None:
        """Keep the state of this moment for listings to come."""
        if self._lag is not None and (not self._listings or self._listings[-1][0] < self.now):
            self._listings.append((self.now, self.repos))

    def find(self, name: str) -> tuple[ModelRepo | None, bool]:
        """(repo, whether `name` is its present spelling): former names and other cases lead to it too."""
        with self._guard:
            wanted = name.lower()
            for repo in self._repos.values():
                if repo.name.lower() == wanted:
                    return repo, repo.name == name
            if self.crowd is not None and (found := self.crowd.find(name)) is not None:
                return found, found.name == name
            moved = self._moved.get(wanted)
            return (self._repos.get(moved), False) if moved else (None, False)

    def has_organization(self, name: str) -> bool:
        """Whether an organization of this name answers, in any case."""
        if self.crowd is not None and self.crowd.owns(name):
            return True
        with self._guard:
            known = {repo.organization for repo in self._repos.values()} | self.organizations
            return name.lower() in {item.lower() for item in known}

    # --- what can happen ---------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        files: Mapping[str, Content] | None = None,
        *,
        at: datetime | None = None,
        private: bool = False,
        gated: str | bool = False,
    ) -> ModelRepo:
        """A new repo, with its first commit when files are given."""
        with self._guard:
            moment = at or self.now
            self._made += 1
            hub_id = f"{int(moment.timestamp()):08x}{self._made:016x}"
            repo = ModelRepo(hub_id=hub_id, name=name, created_at=moment, private=private, gated=gated)
            self._put(repo)
            self._moved.pop(name.lower(), None)
        return self.upload(name, files, at=moment, title="initial commit") if files else repo

    def upload(
        self,
        name: str,
        files: Mapping[str, Content],
        *,
        delete: Iterable[str] = (),
        at: datetime | None = None,
        title: str = "Upload folder using huggingface_hub",
    ) -> ModelRepo:
        """A commit that adds or replaces files, and deletes some."""
        with self._guard:
            repo = self._existing(name)
            moment = at or self.now
            before = dict(repo.head.files) if repo.head else {}
            after = before | {path: file_at(path, content) for path, content in files.items()}
            for path in delete:
                after.pop(path, None)
            identity = json.dumps([repo.hub_id, len(repo.commits), {path: file.oid for path, file in after.items()}])
            commit = Commit(sha=hashlib.sha1(identity.encode()).hexdigest(), at=moment, title=title, files=after)
            return self._put(replace(repo, commits=(*repo.commits, commit)))

    def change(self, name: str, **fields: object) -> ModelRepo:
        """Set `private`, `gated`, `disabled` or `overrides`."""
        with self._guard:
            return self._put(replace(self._existing(name), **fields))  # type: ignore[arg-type]

    def rename(self, name: str, new: str) -> ModelRepo:
        """The same repo under another name; the old one redirects."""
        with self._guard:
            repo = self._existing(name)
            self._moved[name.lower()] = repo.hub_id
            return self._put(replace(repo, name=new))

    def delete(self, name: str) -> None:
        """Gone, its former names too."""
        with self._guard:
            repo = self._existing(name)
            del self._repos[repo.hub_id]
            self.webhooks.tell(Happened(before=repo, after=None))
            self._moved = {old: target for old, target in self._moved.items() if target != repo.hub_id}

    # --- the timeline ------------------------------------------------------------------------------------------------

    def later(self, after: timedelta, happening: Happening) -> None:
        """Let something happen `after` the world's present time."""
        with self._guard:
            self._timeline.append((self.now + after, happening))
            self._timeline.sort(key=lambda entry: entry[0])

    def advance(self, by: timedelta) -> datetime:
        """Let time pass and everything happen that is due; the new present time."""
        with self._guard:
            until = self.now + by
            self._remember()
            while self._timeline and self._timeline[0][0] <= until:
                self.now, happening = self._timeline.pop(0)
                happening(self)
            self.now = until
            return until

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _existing(self, name: str) -> ModelRepo:
        repo, _ = self.find(name)
        if repo is None:
            raise LookupError(f"the stand-in has no repo {name}")
        return repo

    def _put(self, repo: ModelRepo) -> ModelRepo:
        """The repo as it is from now on; who subscribed is told."""
        self.webhooks.tell(Happened(before=self._repos.get(repo.hub_id), after=repo))
        self._repos[repo.hub_id] = repo
        return repo


def load_folder(world: World, folder: Path) -> None:
    """Every `org/name` below a folder becomes a repo with the files it holds."""
    for directory in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        name = f"{directory.parent.name}/{directory.name}"
        paths = sorted(path for path in directory.rglob("*") if path.is_file())
        files = {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}
        world.create(name, files)
