"""A repo's own past: its files before a change, kept by blob id or fetched again, read with today's reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from watcher.architecture.config_file import raw_config
from watcher.architecture.record import Architecture
from watcher.context import Context
from watcher.hub.files import fetch_files
from watcher.hub.model import TreeFile
from watcher.releases.model import Event, Repo
from watcher.releases.reading import read_closely
from watcher.releases.takeover import sighting_of
from watcher.store import archive


@dataclass(frozen=True, slots=True)
class Past:
    """What a repo was before."""

    record: Architecture
    config: Mapping[str, Any] | None


def earlier_self(context: Context, repo: Repo, event: Event) -> Past:
    """Read the repo as it was before this event. Raises HubError when its old files cannot be had."""
    sha = str(event.before["sha"])
    with context.store.begin() as connection:
        tree = _rebuilt(repo, event, lambda oid: archive.blob(connection, oid))
    tree = tree or context.hub.tree(repo.name, sha)

    def known(oid: str) -> bytes | None:
        with context.store.begin() as connection:
            return archive.blob(connection, oid)

    fetched = fetch_files(context.hub, sighting_of(replace(repo, sha=sha)), sha, tree, known)
    _, record = read_closely(context, fetched, tree, sha, patient=False)
    return Past(record, raw_config(fetched.files)[0])


def _rebuilt(repo: Repo, event: Event, kept: Callable[[str], bytes | None]) -> tuple[TreeFile, ...] | None:
    """The tree before, from today's with the changed files put back; None unless we have all of those files."""
    old: Mapping[str, str] = event.before.get("files") or {}
    new: Mapping[str, str] = event.after.get("files") or {}
    found = {path: kept(oid) for path, oid in old.items()}
    if any(data is None for data in found.values()):
        return None
    same = [file for file in repo.tree or () if file.path not in new]
    back = [TreeFile(path=path, oid=old[path], size=len(data or b"")) for path, data in found.items()]
    return (*same, *back)
