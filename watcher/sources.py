"""SOURCE → the files to read: a Hub repo (`org/name`, `org/name@revision`), a folder, or the path of a config.json."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.errors import UsageError
from watcher.hub.model import Hub

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


Reader = Callable[[RepoFiles], Architecture]


def open_source(source: str, hub: Callable[[], Hub], reader: Reader) -> RepoFiles:
    """Read what a SOURCE names; the Hub is only asked for (and its client only made) when it is needed.

    `reader` tells what the small files say: headers of weights are asked for where that leaves a count in doubt.

    Raises UsageError for something that is neither a path nor a repo, HubError when the Hub does not give it.
    """
    from watcher.architecture.source import read_source_folder

    path = Path(source)
    if path.exists():
        return read_source_folder(path)
    if not _REPO.fullmatch(source):
        raise UsageError(f"{source}: no such file or folder, and not the name of a Hub repo (org/name or org/name@rev)")
    name, _, revision = source.partition("@")
    return _from_hub(hub(), name, revision, reader)


def _from_hub(hub: Hub, name: str, revision: str, reader: Reader) -> RepoFiles:
    from watcher.architecture.weights.wanted import wanted
    from watcher.hub.files import fetch_files
    from watcher.hub.headers import read_headers

    sighting = hub.info(name)
    sha = revision or sighting.sha or "main"
    tree = hub.tree(sighting.name, sha)
    files = fetch_files(hub, sighting, sha, tree, lambda oid: None).files
    return read_headers(hub, files, sha, tree) if wanted(reader(files), files) else files
