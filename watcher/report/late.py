"""Which members that came after their release went out bring nothing new: the architecture is told already."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from watcher.architecture.record import Architecture
from watcher.compare.compare import compare
from watcher.compare.model import Verdict
from watcher.releases.content import has_config
from watcher.releases.grouping import is_copy
from watcher.releases.model import Repo
from watcher.store import archive

ALIKE = (Verdict.SAME, Verdict.SCALED)
"""What a copy may differ by from its original and be no news: a padded vocabulary, another context length."""


def told_members(connection: Connection, fresh: Sequence[Repo], earlier: Sequence[Repo]) -> set[str]:
    """The `_id`s of late members that are no news; `earlier`: the members that the release had before."""
    readable = {repo.hub_id: repo.record_key for repo in (*fresh, *earlier) if repo.record_key and not repo.unreadable}
    prints = archive.fingerprints(connection, readable.values())
    told = {prints.get(readable.get(repo.hub_id, "")) for repo in earlier} - {None}
    return {
        repo.hub_id
        for repo in fresh
        if prints.get(readable.get(repo.hub_id, "")) in told or _is_copy_of_one(connection, repo, earlier)
    }


def _is_copy_of_one(connection: Connection, repo: Repo, earlier: Sequence[Repo]) -> bool:
    """A copy is taken at its word where the two cannot be compared, or do not differ in structure."""
    originals = [other for other in earlier if is_copy(repo, other)]
    mine = _record(connection, repo)
    if mine is None:
        return bool(originals)
    for other in originals:
        its = _record(connection, other)
        if its is None or compare(its, mine).verdict in ALIKE:
            return True
    return False


def _record(connection: Connection, repo: Repo) -> Architecture | None:
    """What was read from a config; a GGUF file alone says too little to be compared with one."""
    if repo.record_key is None or repo.unreadable is not None or not has_config(repo):
        return None
    data = archive.record(connection, repo.record_key)
    return Architecture.from_dict(data) if data else None
