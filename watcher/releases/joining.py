"""Architecture ─group─▶ Release, in the store: the release a repo joins, opens, or brings together (part of T2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from watcher.releases.content import has_config
from watcher.releases.grouping import Kinship, find_kin, new_release
from watcher.releases.model import Release, ReleaseState, Repo, RepoState
from watcher.store import archive
from watcher.store import repos as table

STRANGERS = (RepoState.IGNORED, RepoState.CANDIDATE)
"""Repos that nobody is told of are no reason for a release to be one."""


def join(connection: Connection, repo: Repo, fingerprint: str | None, now: datetime, *, quiet: bool = False) -> str:
    """The id of the release this repo belongs to: its kin's, opened if need be, or one of its own.

    Releases that wait to go out and turn out to be one, because this repo is tied to both, are put together. A `quiet`
    repo opens a silent release.
    """
    relatives = _candidates(connection, repo)
    releases = _releases_of(connection, relatives)
    waiting = {key for key, release in releases.items() if release.state is ReleaseState.OPEN}
    prints = _prints(connection, relatives) | ({repo.hub_id: fingerprint} if fingerprint else {})
    kin = find_kin(repo, relatives, lambda other: other.release_id in waiting, prints)
    if not kin:
        release = new_release(repo, ReleaseState.SILENT if quiet else ReleaseState.OPEN, now)
        table.add_release(connection, release)
        return release.id
    return _bring_together(connection, _release_of(connection, kin[0].relative, now), kin, releases)


def _candidates(connection: Connection, repo: Repo) -> list[Repo]:
    """Who may be kin: the same stem, what either declares, and whoever waits in the same organization."""
    named = [table.repo_named(connection, base) for _, base in repo.base_models]
    found = [
        *table.relatives(connection, repo.organization, repo.stem),
        *table.waiting_members(connection, repo.organization),
        *(base for base in named if base is not None),
    ]
    return list({other.hub_id: other for other in found if other.state not in STRANGERS}.values())


def _releases_of(connection: Connection, relatives: Sequence[Repo]) -> dict[str, Release]:
    ids = {other.release_id for other in relatives if other.release_id}
    return {item.id: item for item in (table.release(connection, release_id) for release_id in ids) if item}


def _prints(connection: Connection, relatives: Sequence[Repo]) -> dict[str, str]:
    """Fingerprints by `_id`, of those whose architecture could be read."""
    read = (other for other in relatives if other.record_key and not other.unreadable and has_config(other))
    keys = {other.hub_id: other.record_key for other in read if other.record_key}
    known = archive.fingerprints(connection, keys.values())
    return {hub_id: known[key] for hub_id, key in keys.items() if key in known}


def _release_of(connection: Connection, relative: Repo, now: datetime) -> Release:
    """A relative's release; one from before our tracking gets a silent release to be joined."""
    known = table.release(connection, relative.release_id) if relative.release_id else None
    if known is not None:
        return known
    state = ReleaseState.OPEN if relative.state is RepoState.ACTIVE else ReleaseState.SILENT
    release = new_release(relative, state, now)
    table.add_release(connection, release)
    table.save_fields(connection, relative.hub_id, release_id=release.id)
    return release


def _bring_together(
    connection: Connection, home: Release, kin: Sequence[Kinship], releases: Mapping[str, Release]
) -> str:
    """The release to join, after the open releases of all kin were made one, the earliest."""
    if home.state is not ReleaseState.OPEN:
        return home.id
    ids = {item.relative.release_id or "" for item in kin} & releases.keys()
    waiting = {home.id: home} | {key: releases[key] for key in ids if releases[key].state is ReleaseState.OPEN}
    first = min(waiting.values(), key=lambda release: (release.opened_at, release.id))
    table.merge_releases(connection, into=first.id, others=sorted(waiting.keys() - {first.id}))
    return first.id
