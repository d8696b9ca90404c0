"""When a release goes out: all its members quiet, or the end of patience. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from watcher.releases.model import Release, Repo


def settled(
    release: Release,
    members: Sequence[Repo],
    pending: Sequence[Repo],
    now: datetime,
    settle: timedelta,
    max_settle: timedelta,
) -> bool:
    """Whether nothing more is to be waited for.

    `members` were read; `pending` are likely members that were seen and not read yet. Quiet is measured from the Hub's
    `lastModified`, so a finished repo that turns public is quiet at once; an upload with missing shards is not quiet.
    `max_settle`, counted from the first member, ends the wait.
    """
    if not members:
        return False
    first = min([*(repo.first_seen_at for repo in members), release.opened_at if release.out_at is None else now])
    if now - first >= max_settle:
        return True
    quiet = all(repo.whole and now - repo.quiet_since >= settle for repo in members)
    return quiet and not pending
