"""Architecture ─group─▶ Release: which repos a person would call one release. Pure.

Two repos of one organization are tied by what they declare, by their names, or by their architecture. How long a tie
holds depends on its kind: a copy belongs to its original for ever, another size for weeks, another tuning for days,
and what only looks alike while the release has not gone out: in doubt, what comes later is news.
"""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.naming.names import NameParts, lacks_version, take_apart, words
from watcher.naming.words import LINES, is_size
from watcher.releases.model import Release, ReleaseState, Repo, RepoState


class Tie(enum.IntEnum):
    """Why two repos belong together, the surest first."""

    DECLARED_COPY = 0
    """One declares to be quantised from the other."""
    COPY = 1
    """Named alike but for words for a quantisation or file format."""
    TUNING = 2
    """The same size in another tuning or context length."""
    SIZE = 3
    """Another size, or another student of a distilled family."""
    DECLARED = 4
    """One declares to be made from the other, and but for its date it has the same name."""
    LOOSE = 5
    """Words that no table knows, an unfinished version, a version that one name has and the other lacks, or one name
    within the other and the same architecture."""


LATE: dict[Tie, timedelta] = {
    Tie.DECLARED_COPY: timedelta.max,
    Tie.COPY: timedelta.max,
    Tie.TUNING: timedelta(days=14),
    Tie.SIZE: timedelta(days=60),
    Tie.DECLARED: timedelta(days=14),
    Tie.LOOSE: timedelta(0),
}
"""How long after the one came the other still belongs to its release; zero: only until the release went out."""

COPYING = frozenset({"quantized"})
"""Declared relations that make a repo a copy of its base."""


@dataclass(frozen=True, slots=True)
class Kinship:
    """The repo that another one belongs with, and why."""

    relative: Repo
    because: str
    tie: Tie

    @property
    def copy(self) -> bool:
        """The same weights, quantised or in another format."""
        return self.tie in (Tie.DECLARED_COPY, Tie.COPY)


def find_kin(
    repo: Repo,
    others: Sequence[Repo],
    waits: Callable[[Repo], bool],
    prints: Mapping[str, str] | None = None,
) -> list[Kinship]:
    """The relatives of a repo in its own organization, the nearest first; none when it starts a release of its own.

    `others`: repos it may belong with; `waits`: whether the release of one of them has not gone out; `prints`:
    fingerprints of architectures by `_id`.
    """
    others = [other for other in others if other.hub_id != repo.hub_id and other.organization == repo.organization]
    found = [kin for kin in (_kinship(repo, other, prints or {}) for other in others) if kin is not None]
    sizes_known = _is_known_size(repo, found)
    near = [kin for kin in found if _holds(repo, kin, waits, sizes_known)]
    return sorted(
        near, key=lambda kin: (_is_unplaced(kin.relative), kin.tie, _distance(repo, kin.relative), kin.relative.name)
    )


def _is_unplaced(other: Repo) -> bool:
    """A sibling that came with it and has no place yet; where the two go is told by older kin, if there is any."""
    return other.release_id is None and other.state is RepoState.ACTIVE


def _kinship(repo: Repo, other: Repo, prints: Mapping[str, str]) -> Kinship | None:
    for one, base in ((repo, other), (other, repo)):
        for relation, name in one.base_models:
            if name.lower() == base.name.lower():
                tie = _declared(relation, one, base)
                if tie is not None:
                    return Kinship(other, f"base_model: {one.name} is {relation} of {base.name}", tie)
    mine, its = take_apart(repo.name), take_apart(other.name)
    if mine.stem == its.stem:
        tie, words_ = _named_alike(mine, its)
        return Kinship(other, f"{words_} {other.name}", tie)
    if lacks_version(repo.name, other.name) or lacks_version(other.name, repo.name):
        return Kinship(other, f"but for a version the name of {other.name}", Tie.LOOSE)
    print_ = prints.get(repo.hub_id)
    if print_ and print_ == prints.get(other.hub_id) and _extends(repo.name, other.name):
        return Kinship(other, f"the same architecture as {other.name}, whose name it shares", Tie.LOOSE)
    return None


def _declared(relation: str, one: Repo, base: Repo) -> Tie | None:
    """The tie that a declared relation makes; None leaves it to the names."""
    if relation in COPYING:
        return Tie.DECLARED_COPY
    mine, its = take_apart(one.name), take_apart(base.name)
    return Tie.DECLARED if mine.stem != its.stem and mine.undated == its.undated else None


def _named_alike(mine: NameParts, its: NameParts) -> tuple[Tie, str]:
    """The tie between names of one stem, and its words."""
    if (mine.extra, mine.stage) != (its.extra, its.stage):
        return Tie.LOOSE, "nearly the name of"
    if (mine.size, mine.student) != (its.size, its.student):
        return Tie.SIZE, "another size of the family of"
    if (mine.tuning, mine.context) != (its.tuning, its.context):
        return Tie.TUNING, "another tuning of"
    return (Tie.COPY, "another format of") if mine.copy or its.copy else (Tie.TUNING, "the same name as")


def _extends(one: str, other: str) -> bool:
    """Whether one name is the other with a few plain words more: no number, no size, no other line of models."""
    mine, its = set(words(one)), set(words(other))
    more = mine ^ its
    if not (mine < its or its < mine):
        return False
    return all(word.isalpha() and word not in LINES and not is_size(word) for word in more)


def _is_known_size(repo: Repo, found: Sequence[Kinship]) -> bool:
    """Whether this size was there before; then only its tuning can be new."""
    ties = (Tie.TUNING, Tie.COPY)
    return any(kin.tie in ties and _distance(repo, kin.relative) > LATE[Tie.TUNING] for kin in found)


def _holds(repo: Repo, kin: Kinship, waits: Callable[[Repo], bool], size_known: bool) -> bool:
    """Whether a tie still holds at the distance in time between the two."""
    tie = Tie.TUNING if kin.tie is Tie.SIZE and size_known else kin.tie
    if LATE[tie] == timedelta(0):
        return waits(kin.relative)
    return _distance(repo, kin.relative) < LATE[tie]


def _distance(repo: Repo, other: Repo) -> timedelta:
    return abs(moment(repo) - moment(other))


def moment(repo: Repo) -> datetime:
    """When a repo came out: when we saw it first, and for what was there before us, when the Hub says."""
    known = repo.created_at if repo.state is RepoState.SILENT else None
    return known or repo.first_seen_at


def assemble(repos: Iterable[Repo]) -> list[list[Repo]]:
    """The releases that the known repos of one organization come to, each repo arriving on its day; oldest first."""
    ordered = sorted(repos, key=lambda item: (moment(item), item.name))
    homes: dict[str, int] = {}
    known = _Known()
    for number, repo in enumerate(ordered):
        waits = functools.partial(_waited, repo)
        kin = find_kin(repo, known.candidates(repo), waits)
        homes[repo.hub_id] = homes[kin[0].relative.hub_id] if kin else number
        _unite(homes, homes[repo.hub_id], {homes[item.relative.hub_id] for item in kin if waits(item.relative)})
        known.add(repo)
    groups: dict[int, list[Repo]] = {}
    for repo in ordered:
        groups.setdefault(homes[repo.hub_id], []).append(repo)
    return list(groups.values())


WAIT = timedelta(days=1)
"""How long a release of the past is taken to have waited; the time of day of an upload says little."""


def _waited(repo: Repo, other: Repo) -> bool:
    """Whether the release of an earlier repo can be taken to have waited still when this one came."""
    return moment(repo) - moment(other) < WAIT


def _unite(homes: dict[str, int], home: int, waiting: set[int]) -> None:
    """Releases that wait and have the same kin are one."""
    if home in waiting and len(waiting) > 1:
        homes.update({hub_id: home for hub_id, other in homes.items() if other in waiting})


class _Known:
    """Repos that came before, by what a later one may be tied by."""

    def __init__(self) -> None:
        self._by_stem: dict[str, list[Repo]] = {}
        self._by_name: dict[str, Repo] = {}
        self._children: dict[str, list[Repo]] = {}
        self._latest: list[Repo] = []

    def add(self, repo: Repo) -> None:
        self._by_stem.setdefault(repo.stem, []).append(repo)
        self._by_name[repo.name.lower()] = repo
        self._latest = [other for other in self._latest if _waited(repo, other)] + [repo]
        for _, base in repo.base_models:
            self._children.setdefault(base.lower(), []).append(repo)

    def candidates(self, repo: Repo) -> list[Repo]:
        bases = [self._by_name[base.lower()] for _, base in repo.base_models if base.lower() in self._by_name]
        waiting = [other for other in self._latest if _waited(repo, other)]
        found = [*self._by_stem.get(repo.stem, ()), *bases, *self._children.get(repo.name.lower(), ()), *waiting]
        return list({other.hub_id: other for other in found}.values())


def is_copy(repo: Repo, original: Repo) -> bool:
    """Whether `repo` declares to be quantised from `original`, or is named as it is with words for another format."""
    if any(relation in COPYING and base.lower() == original.name.lower() for relation, base in repo.base_models):
        return True
    mine, its = take_apart(repo.name), take_apart(original.name)
    named_alike = mine.stem == its.stem and _named_alike(mine, its)[0] is Tie.COPY
    return named_alike and bool(mine.copy) and mine.copy != its.copy


def new_release(repo: Repo, state: ReleaseState, now: datetime) -> Release:
    """A release that begins with this repo; its id follows from it, so that a replay opens the same one."""
    opened = repo.first_seen_at if state is ReleaseState.OPEN else now
    digest = hashlib.sha256(f"release {repo.hub_id}".encode()).hexdigest()
    return Release(
        id=f"rel_{digest[:20]}", organization=repo.organization, stem=repo.stem, state=state, opened_at=opened
    )
