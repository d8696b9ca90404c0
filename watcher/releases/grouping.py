"""Architecture ─group─▶ Release: which repos a person would call one release. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.releases.model import Release, ReleaseState, Repo
from watcher.releases.names import take_apart

LATE = timedelta(days=60)
"""How long after a release went out another size or tuning of the same name still belongs to it; a copy always does."""

SAME_WEIGHTS = frozenset({"quantized"})
"""Declared relations that make a repo a copy of its base."""

SAME_FAMILY = frozenset({"finetune", "base"})
"""Declared relations that may hold inside a release (Instruct is a finetune of Base)."""


@dataclass(frozen=True, slots=True)
class Kinship:
    """The repo that another one belongs with, and why."""

    relative: Repo
    because: str
    copy: bool
    """The same weights, quantised or in another format."""


def find_kin(repo: Repo, relatives: Sequence[Repo], releases: Mapping[str, Release], now: datetime) -> Kinship | None:
    """The nearest relative of a repo in its own organization, or None when it starts a release of its own.

    `relatives`: other repos of the organization that share its stem or are its declared base; `releases`: theirs.
    """
    others = [other for other in relatives if other.hub_id != repo.hub_id and other.organization == repo.organization]
    return _declared(repo, others) or _same_name(repo, others, releases, now)


def _declared(repo: Repo, others: Sequence[Repo]) -> Kinship | None:
    by_name = {other.name.lower(): other for other in others}
    for relation, base in repo.base_models:
        relative = by_name.get(base.lower())
        if relative is None:
            continue
        if relation in SAME_WEIGHTS:
            return Kinship(relative, f"base_model: {relation} of {relative.name}", True)
        if relation in SAME_FAMILY and relative.stem == repo.stem:
            return Kinship(relative, f"base_model: {relation} of {relative.name}", is_copy(repo, relative))
    return None


def _same_name(repo: Repo, others: Sequence[Repo], releases: Mapping[str, Release], now: datetime) -> Kinship | None:
    alike = [other for other in others if other.stem == repo.stem]
    copies = [other for other in alike if is_copy(repo, other) or is_copy(other, repo)]
    if copies:
        return Kinship(copies[0], f"the same name as {copies[0].name} with another format", True)
    recent = [other for other in alike if _is_recent(other, releases, now)]
    if not recent:
        return None
    return Kinship(recent[0], f"the same family and version as {recent[0].name}", False)


def is_copy(repo: Repo, original: Repo) -> bool:
    """Whether `repo` is named as `original` is, with words for a quantisation or file format added."""
    mine, its = take_apart(repo.name), take_apart(original.name)
    return bool(mine.copy) and not its.copy and mine.size == its.size and _tuning(mine) == _tuning(its)


def _tuning(parts: object) -> list[str]:
    variant, copy = getattr(parts, "variant", ""), getattr(parts, "copy", "")
    return [word for word in variant.split("-") if word not in copy.split("-")]


def _is_recent(other: Repo, releases: Mapping[str, Release], now: datetime) -> bool:
    """Whether what this repo belongs to is open, or came out not long ago."""
    release = releases.get(other.release_id or "")
    if release is None:
        moment = other.last_modified or other.created_at or other.first_seen_at
        return now - moment < LATE
    return release.state is ReleaseState.OPEN or now - (release.out_at or release.opened_at) < LATE


def new_release(repo: Repo, state: ReleaseState, now: datetime) -> Release:
    """A release that begins with this repo; its id follows from it, so that a replay opens the same one."""
    opened = repo.first_seen_at if state is ReleaseState.OPEN else now
    digest = hashlib.sha256(f"release {repo.hub_id}".encode()).hexdigest()
    return Release(
        id=f"rel_{digest[:20]}", organization=repo.organization, stem=repo.stem, state=state, opened_at=opened
    )
