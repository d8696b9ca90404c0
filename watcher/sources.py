"""SOURCE → the files to read: a Hub repo (`org/name`, `org/name@revision`), a folder, or the path of a config.json."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from watcher.architecture.witness import RepoFiles
from watcher.errors import UsageError
from watcher.hub.model import Hub

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


def open_source(source: str, hub: Callable[[], Hub]) -> RepoFiles:
    """Read what a SOURCE names; the Hub is only asked for (and its client only made) when it is needed.

    Raises UsageError for something that is neither a path nor a repo, HubError when the Hub does not give it.
    """
    from watcher.architecture.source import read_source_folder

    path = Path(source)
    if path.exists():
        return read_source_folder(path)
    if not _REPO.fullmatch(source):
        raise UsageError(f"{source}: no such file or folder, and not the name of a Hub repo (org/name or org/name@rev)")
    name, _, revision = source.partition("@")
    return _from_hub(hub(), name, revision)


def _from_hub(hub: Hub, name: str, revision: str) -> RepoFiles:
    from watcher.hub.files import fetch_files

    sighting = hub.info(name)
    sha = revision or sighting.sha or "main"
    tree = hub.tree(sighting.name, sha)
    return fetch_files(hub, sighting, sha, tree, lambda oid: None, headers=True).files
