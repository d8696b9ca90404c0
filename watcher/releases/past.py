"""A repo's own past: its files before a change, kept by blob id or fetched at the old revision, read with today's reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from watcher.architecture.read import raw_config
from watcher.architecture.record import Architecture
from watcher.context import Context
from watcher.hub.files import fetch_files
from watcher.hub.model import TreeFile
from watcher.releases.model import Event, Repo
from watcher.releases.poll import sighting_of
from watcher.store import archive


@dataclass(frozen=True, slots=True)
class Past:
    """What a repo was before."""

    record: Architecture
    config: Mapping[str, Any] | None


def earlier_self(context: Context, repo: Repo, event: Event) -> Past:
    """Read the repo as it was before this event. Raises HubError when its old files cannot be had."""
    from watcher.architecture.read import read

    def known(oid: str) -> bytes | None:
        with context.store.begin() as connection:
            return archive.blob(connection, oid)

    sha = str(event.before["sha"])
    fetched = fetch_files(context.hub, sighting_of(replace(repo, sha=sha)), sha, old_tree(repo, event), known)
    return Past(read(fetched.files, reference=context.reference), raw_config(fetched.files)[0])


def old_tree(repo: Repo, event: Event) -> tuple[TreeFile, ...]:
    """The tree before: today's, with the files that changed put back to their old blob ids.

    Only names and blob ids matter to what follows; the size of a changed file is unknown, so its limit decides.
    """
    old: Mapping[str, str] = event.before.get("files") or {}
    new: Mapping[str, str] = event.after.get("files") or {}
    same = [file for file in repo.tree or () if file.path not in new]
    sizes = {file.path: file.size for file in repo.tree or ()}
    back = [TreeFile(path=path, oid=oid, size=sizes.get(path, 0)) for path, oid in old.items()]
    return tuple([*same, *back])
