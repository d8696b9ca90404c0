"""The labelled names as data, the grouping run over them as it runs over a listing, and how well it does in pairs."""

from __future__ import annotations

import itertools
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from watcher.hub.model import BaseModel, Sighting
from watcher.releases.detect import first_sight
from watcher.releases.filters import Answer, Decision
from watcher.releases.grouping import find_kin, new_release
from watcher.releases.model import Release, ReleaseState, Repo

DATA = Path(__file__).parent / "releases" / "data"


@dataclass(frozen=True)
class Labelled:
    """One repo with the title of its release and those it is debatable to be one with."""

    name: str
    title: str
    at: datetime
    base: str | None
    near: frozenset[str]


@dataclass
class Score:
    """Pairs of repos of one organization: found together or not, rightly or not."""

    right: int = 0
    false: list[tuple[str, str]] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of the pairs put together, the part that belongs together."""
        return self.right / max(1, self.right + len(self.false))

    @property
    def recall(self) -> float:
        """Of the pairs that belong together, the part put together."""
        return self.right / max(1, self.right + len(self.missed))


def load(file: str) -> dict[str, list[Labelled]]:
    """The labelled repos of one file, by organization, in the order they came out."""
    found: dict[str, list[Labelled]] = defaultdict(list)
    releases = tomllib.loads((DATA / file).read_text(encoding="utf-8"))["release"]
    for item in releases:
        days = {item["date"].isoformat(): item["repos"], **item.get("later", {})}
        for day, names in days.items():
            at = datetime.combine(date.fromisoformat(day), time(12), UTC)
            for name in names:
                base = item.get("bases", {}).get(name)
                near = frozenset(item.get("near", ()))
                found[item["organization"]].append(Labelled(name, item["title"], at, base, near))
    return {org: sorted(repos, key=lambda repo: repo.at) for org, repos in found.items()}


def group(organization: str, repos: list[Labelled], *, at_once: bool = False) -> dict[str, str]:
    """Which release each repo ends up in, when they are seen one after the other; `at_once`: all on one day."""
    seen: list[Repo] = []
    releases: dict[str, Release] = {}
    start = repos[0].at
    for item in repos:
        now = start if at_once else item.at
        for release_id, release in releases.items():
            if now - release.opened_at > timedelta(days=1):
                releases[release_id] = replace(release, state=ReleaseState.OUT, out_at=now)
        seen.append(_place(_sighted(organization, item, now), seen, releases, now))
    return {repo.name.partition("/")[2]: repo.release_id or "" for repo in seen}


def _sighted(organization: str, item: Labelled, now: datetime) -> Repo:
    base = (BaseModel(relation="finetune", id=f"{organization}/{item.base}"),) if item.base else ()
    name = f"{organization}/{item.name}"
    sighting = Sighting(hub_id=item.name, name=name, sha="a" * 40, last_modified=now, base_models=base)
    return first_sight(sighting, Decision(Answer.YES, ""), silent=False, now=now).repo


def _place(repo: Repo, seen: list[Repo], releases: dict[str, Release], now: datetime) -> Repo:
    kin = find_kin(repo, seen, releases)
    if not kin:
        release = new_release(repo, ReleaseState.OPEN, now)
        releases[release.id] = release
        return replace(repo, release_id=release.id)
    home = kin[0].relative.release_id
    open_ones = {
        item.relative.release_id for item in kin if releases[item.relative.release_id or ""].state is ReleaseState.OPEN
    }
    if home in open_ones:
        seen[:] = [replace(other, release_id=home) if other.release_id in open_ones else other for other in seen]
    return replace(repo, release_id=home)


def score(file: str, *, at_once: bool = False) -> Score:
    """The grouping of one file against its labels."""
    result = Score()
    for organization, repos in load(file).items():
        groups = group(organization, repos, at_once=at_once)
        for one, other in _pairs(repos):
            same, found = one.title == other.title, groups[one.name] == groups[other.name]
            pair = (f"{organization}/{one.name}", f"{organization}/{other.name}")
            if same and found:
                result.right += 1
            elif same:
                result.missed.append(pair)
            elif found:
                result.false.append(pair)
    return result


def _pairs(repos: list[Labelled]) -> Iterator[tuple[Labelled, Labelled]]:
    for one, other in itertools.combinations(repos, 2):
        if other.title not in one.near and one.title not in other.near:
            yield one, other
