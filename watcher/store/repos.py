"""Repos and their releases: what T1 writes and what the next stages ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from watcher.hub.model import TreeFile
from watcher.releases.detect import CLOSED, RELEASE_KINDS, Seen
from watcher.releases.model import EventKind, Release, ReleaseState, Repo, RepoState
from watcher.store.events import add_event
from watcher.store.schema import events, releases, repos

_REPO_FIELDS = tuple(field.name for field in dataclasses.fields(Repo))


# --- repos -----------------------------------------------------------------------------------------------------------


_SKETCH = tuple(repos.c[name] for name in _REPO_FIELDS if name != "tree")


def _repo(row: Row[Any]) -> Repo:
    values = {name: row._mapping[name] for name in _REPO_FIELDS if name != "tree"}
    tree = row._mapping.get("tree")
    values |= {
        "state": RepoState(values["state"]),
        "tags": tuple(values["tags"]),
        "base_models": tuple((relation, base) for relation, base in values["base_models"]),
        "tree": None if tree is None else tuple(_tree_file(item) for item in tree),
    }
    return Repo(**values)


def _tree_file(item: Sequence[Any]) -> TreeFile:
    path, oid, size, sha256 = item
    return TreeFile(path=path, oid=oid, size=size, lfs_sha256=sha256)


def _values(repo: Repo) -> dict[str, Any]:
    values = {name: getattr(repo, name) for name in _REPO_FIELDS}
    tree = repo.tree
    values["state"] = repo.state.value
    values["tree"] = None if tree is None else [[file.path, file.oid, file.size, file.lfs_sha256] for file in tree]
    return values


def repo(connection: Connection, hub_id: str) -> Repo | None:
    """One repo by the Hub's `_id`."""
    row = connection.execute(sa.select(repos).where(repos.c.hub_id == hub_id)).first()
    return _repo(row) if row else None


def repos_of(connection: Connection, organization: str) -> dict[str, Repo]:
    """Every repo of an organization that is not gone, by `_id`."""
    query = sa.select(repos).where(repos.c.organization == organization.lower(), repos.c.state != RepoState.GONE)
    return {row.hub_id: _repo(row) for row in connection.execute(query)}


def sketches_of(connection: Connection, organization: str) -> dict[str, Repo]:
    """Every repo of an organization that is not gone, by `_id`, without its files: what a listing is held against."""
    where = (repos.c.organization == organization.lower(), repos.c.state != RepoState.GONE)
    return {row.hub_id: _repo(row) for row in connection.execute(sa.select(*_SKETCH).where(*where))}


def repos_by_id(connection: Connection, hub_ids: Sequence[str]) -> dict[str, Repo]:
    """Known repos among these `_id`s."""
    found: dict[str, Repo] = {}
    for start in range(0, len(hub_ids), 500):
        query = sa.select(repos).where(repos.c.hub_id.in_(hub_ids[start : start + 500]))
        found |= {row.hub_id: _repo(row) for row in connection.execute(query)}
    return found


def repo_named(connection: Connection, name: str, *, besides: str = "") -> Repo | None:
    """The repo that was last seen under this name, the latest one if there were several."""
    query = (
        sa.select(repos)
        .where(sa.func.lower(repos.c.name) == name.lower(), repos.c.organization == name.partition("/")[0].lower())
        .where(repos.c.hub_id != besides)
        .order_by(repos.c.first_seen_at.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return _repo(row) if row else None


def relatives(connection: Connection, organization: str, stem: str) -> list[Repo]:
    """Repos of an organization whose names share a stem, oldest first."""
    query = (
        sa.select(repos)
        .where(repos.c.organization == organization.lower(), repos.c.stem == stem)
        .order_by(repos.c.first_seen_at, repos.c.hub_id)
    )
    return [_repo(row) for row in connection.execute(query)]


def members(connection: Connection, release_id: str) -> list[Repo]:
    """The repos of a release, in the order we saw them."""
    query = sa.select(repos).where(repos.c.release_id == release_id).order_by(repos.c.first_seen_at, repos.c.name)
    return [_repo(row) for row in connection.execute(query)]


def save_seen(connection: Connection, seen: Seen, *, new: bool) -> bool:
    """T1: the row and its events, or neither. False when another process was faster (nothing is written then)."""
    values = _values(seen.repo)
    if new:
        if repo(connection, seen.repo.hub_id) is not None:
            return False
        connection.execute(sa.insert(repos).values(**values))
    else:
        read = seen.repo.version - 1
        update = sa.update(repos).where(repos.c.hub_id == seen.repo.hub_id, repos.c.version == read)
        if connection.execute(update.values(**values)).rowcount != 1:
            return False
    for event in seen.events:
        add_event(connection, event)
    return True


def save_fields(connection: Connection, hub_id: str, **values: Any) -> None:
    """Set columns of a repo that no event is drawn from (progress, failures, membership)."""
    connection.execute(sa.update(repos).where(repos.c.hub_id == hub_id).values(**values))


def save_look(connection: Connection, repo: Repo) -> bool:
    """What reading a repo brought, without events; false when another process saw it at another revision."""
    keys = ("tree", "looked_sha", "readable", "whole", "unreadable", "record_key", "read_sha")
    values = {key: value for key, value in _values(repo).items() if key in keys}
    update = sa.update(repos).where(repos.c.hub_id == repo.hub_id, repos.c.sha.is_not_distinct_from(repo.sha))
    return connection.execute(update.values(**values)).rowcount == 1


def organizations_missing_one(connection: Connection) -> set[str]:
    """Organizations whose last listing lacked a repo that is not confirmed gone yet."""
    query = sa.select(repos.c.organization).where(repos.c.missing_since.is_not(None), repos.c.state != RepoState.GONE)
    return {row.organization for row in connection.execute(query.distinct())}


def due_for_look(connection: Connection, now: datetime, limit: int = 500) -> list[Repo]:
    """Repos whose revision is not the one whose files we know."""
    query = (
        sa.select(repos)
        .where(repos.c.state.in_([RepoState.ACTIVE, RepoState.SILENT]), repos.c.sha.is_not(None))
        .where(repos.c.looked_sha.is_distinct_from(repos.c.sha))
        .where(sa.or_(repos.c.retry_at.is_(None), repos.c.retry_at <= now))
        .order_by(repos.c.changed_at, repos.c.hub_id)
        .limit(limit)
    )
    return [_repo(row) for row in connection.execute(query)]


def due_for_reading(connection: Connection, now: datetime, limit: int = 200) -> list[Repo]:
    """Repos with an open event that needs their architecture, not read at the revision that was looked at.

    And those that were closed to us (gated, disabled) when it is time to try again.
    """
    changes = [EventKind.CONFIG_CHANGED, EventKind.CODE_CHANGED, EventKind.GATED_CHANGED, EventKind.DISABLED_CHANGED]
    kinds = [*RELEASE_KINDS, EventKind.VARIANT_ADDED, *changes]
    open_ = (events.c.report_id.is_(None), events.c.closed_because.is_(None))
    waiting = [
        row.hub_id for row in connection.execute(sa.select(events.c.hub_id).where(events.c.kind.in_(kinds), *open_))
    ]
    known = (repos.c.state.in_([RepoState.ACTIVE, RepoState.SILENT]), repos.c.tree.is_not(None))
    unread = (
        repos.c.read_sha.is_distinct_from(repos.c.looked_sha),
        sa.or_(repos.c.retry_at.is_(None), repos.c.retry_at <= now),
    )
    closed = (repos.c.unreadable.in_(CLOSED), repos.c.retry_at <= now)
    groups = [waiting[start : start + 500] for start in range(0, len(waiting), 500)]
    asked = [
        *((repos.c.hub_id.in_(group), *unread) for group in groups),
        closed,
    ]  # by keys: flat, however many are known
    found = {
        row.hub_id: _repo(row) for where in asked for row in connection.execute(sa.select(repos).where(*where, *known))
    }
    return sorted(found.values(), key=lambda repo: (repo.first_seen_at, repo.hub_id))[:limit]


def without_config(connection: Connection, quiet_since: datetime) -> list[Repo]:
    """Wanted repos, not announced, whose files give a reader nothing to start from and have not moved since."""
    announced = sa.select(events.c.id).where(
        events.c.hub_id == repos.c.hub_id, events.c.kind.in_([*RELEASE_KINDS, EventKind.VARIANT_ADDED])
    )
    query = (
        sa.select(repos)
        .where(repos.c.state == RepoState.ACTIVE, sa.not_(repos.c.readable), repos.c.tree.is_not(None))
        .where(repos.c.changed_at <= quiet_since, repos.c.looked_sha == repos.c.sha, ~announced.exists())
    )
    return [_repo(row) for row in connection.execute(query)]


def tracked_candidates(connection: Connection) -> list[Repo]:
    """Repos that a filter cannot decide yet."""
    query = sa.select(repos).where(repos.c.state == RepoState.CANDIDATE)
    return [_repo(row) for row in connection.execute(query)]


# --- releases --------------------------------------------------------------------------------------------------------


def _release(row: Row[Any]) -> Release:
    return Release(**{**row._mapping, "state": ReleaseState(row.state)})


def add_release(connection: Connection, release: Release) -> None:
    """Open a release, unless it exists."""
    exists = connection.execute(sa.select(releases.c.id).where(releases.c.id == release.id)).first()
    if exists is None:
        values = {field.name: getattr(release, field.name) for field in dataclasses.fields(release)}
        connection.execute(sa.insert(releases).values(**values))


def release(connection: Connection, release_id: str) -> Release | None:
    """One release."""
    row = connection.execute(sa.select(releases).where(releases.c.id == release_id)).first()
    return _release(row) if row else None


def open_releases(connection: Connection) -> list[Release]:
    """Releases that wait to go out, oldest first."""
    query = sa.select(releases).where(releases.c.state == ReleaseState.OPEN).order_by(releases.c.opened_at)
    return [_release(row) for row in connection.execute(query)]


def waiting_members(connection: Connection, organization: str) -> list[Repo]:
    """The members of an organization's releases that wait to go out."""
    query = (
        sa.select(repos)
        .join(releases, releases.c.id == repos.c.release_id)
        .where(repos.c.organization == organization.lower(), releases.c.state == ReleaseState.OPEN)
        .order_by(repos.c.first_seen_at, repos.c.hub_id)
    )
    return [_repo(row) for row in connection.execute(query)]


def merge_releases(connection: Connection, *, into: str, others: Sequence[str]) -> None:
    """Move the members of releases that wait to go out into one of them; the emptied ones are gone."""
    if not others:
        return
    connection.execute(sa.update(repos).where(repos.c.release_id.in_(others)).values(release_id=into))
    connection.execute(sa.delete(releases).where(releases.c.id.in_(others), releases.c.state == ReleaseState.OPEN))


def save_release(connection: Connection, release_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a release."""
    connection.execute(sa.update(releases).where(releases.c.id == release_id).values(**values))


def count_repos(connection: Connection) -> dict[str, int]:
    """How many repos are in each state."""
    query = sa.select(repos.c.state, sa.func.count()).group_by(repos.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def latest_errors(connection: Connection, limit: int = 10) -> list[dict[str, Any]]:
    """Repos whose last request failed, the latest first."""
    query = (
        sa.select(repos.c.name, repos.c.error, repos.c.failures, repos.c.retry_at)
        .where(repos.c.error.is_not(None))
        .order_by(repos.c.retry_at.desc())
        .limit(limit)
    )
    return [
        {"name": row.name, "error": row.error, "failures": row.failures, "retry_at": row.retry_at.isoformat()}
        for row in connection.execute(query)
    ]
