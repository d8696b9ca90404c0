"""The labelled names as data, the grouping run over them as it runs over a listing, and how well it does in pairs."""

from __future__ import annotations

import itertools
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from watcher.hub.model import BaseModel, Sighting
from watcher.releases.detect import first_sight
from watcher.releases.filters import Answer, Decision
from watcher.releases.grouping import assemble
from watcher.releases.model import Repo

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


def group(organization: str, repos: list[Labelled]) -> dict[str, int]:
    """Which release each repo ends up in, when they are seen one after the other."""
    groups = assemble(_sighted(organization, item) for item in repos)
    return {repo.name.partition("/")[2]: number for number, group in enumerate(groups) for repo in group}


def _sighted(organization: str, item: Labelled) -> Repo:
    base = (BaseModel(relation="finetune", id=f"{organization}/{item.base}"),) if item.base else ()
    name = f"{organization}/{item.name}"
    sighting = Sighting(hub_id=item.name, name=name, sha="a" * 40, last_modified=item.at, base_models=base)
    return first_sight(sighting, Decision(Answer.YES, ""), silent=False, now=item.at).repo


def score(file: str) -> Score:
    """The grouping of one file against its labels."""
    result = Score()
    for organization, repos in load(file).items():
        groups = group(organization, repos)
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
