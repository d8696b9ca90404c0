"""`watcher backfill`: reports for releases from before our tracking, oldest first, within what polling leaves over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from watcher import cycle
from watcher.baselines.library import Library
from watcher.context import Context
from watcher.errors import ConfigurationError
from watcher.hub.model import HubError, HubProblem, TreeFile
from watcher.releases.content import survey
from watcher.releases.detect import first_sight
from watcher.releases.filters import Answer, decide, is_quiet
from watcher.releases.grouping import assemble, moment, new_release
from watcher.releases.inspect import REFUSED, files_of
from watcher.releases.model import EventKind, Release, ReleaseState, Repo, RepoState
from watcher.releases.reading import keep_read, read_repo
from watcher.releases.takeover import sighting_of
from watcher.report.draft import Material, draft_release
from watcher.report.make import Work, publish
from watcher.store import repos as table

PAST = (RepoState.SILENT, RepoState.IGNORED)
"""Repos that were never announced."""

SENDING = 10
"""Reports between two deliveries to the archives."""

PATIENCE = 5
"""Tries of one release while the Hub refuses for a time."""

LONGEST_PAUSE = 300.0
"""Seconds: one window of the Hub's rate limit."""

Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class PastRelease:
    """A release that a report is due for."""

    members: tuple[Repo, ...]
    """Those that the filters keep, the earliest first."""
    release_id: str | None
    """Of the silent release that some of them are in already."""

    @property
    def at(self) -> datetime:
        """When it came out, as the Hub tells."""
        return moment(self.members[0])

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        names = [repo.name for repo in self.members]
        return {"at": self.at.isoformat(), "organization": names[0].partition("/")[0], "repos": names}


# --- what is due -----------------------------------------------------------------------------------------------------


def plan(
    context: Context, organizations: Iterable[str], since: datetime, until: datetime | None = None
) -> list[PastRelease]:
    """Past releases of these organizations without a report, oldest first. Those never looked at are asked for now."""
    found = [item for name in organizations for item in _of_organization(context, name)]
    return sorted(
        (item for item in found if since <= item.at and (until is None or item.at < until)),
        key=lambda item: (item.at, item.members[0].name),
    )


def chosen(context: Context, wanted: Sequence[str]) -> list[str]:
    """The tracked organizations among `wanted`, or all. Raises ConfigurationError for one that is not tracked."""
    tracked = {name.lower(): name for name in context.settings.watch.organizations}
    missing = next((name for name in wanted if name.lower() not in tracked), None)
    if missing is not None:
        raise ConfigurationError(f"--org {missing}: is not tracked; `watcher track {missing}` adds it")
    return [tracked[name.lower()] for name in wanted] or list(tracked.values())


def _of_organization(context: Context, name: str) -> Iterator[PastRelease]:
    for group in assemble(_known(context, name)):
        release = _told(context, group)
        members = tuple(repo for repo in group if repo.state in PAST and _is_wanted(context, repo))
        if members and (release is None or release.state is ReleaseState.SILENT):
            yield PastRelease(members, release.id if release else None)


def _known(context: Context, name: str) -> list[Repo]:
    """What the store knows of an organization, else what the Hub lists, as if it was just recorded."""
    with context.store.begin() as connection:
        repos = list(table.repos_of(connection, name).values())
    if repos:
        return [repo for repo in repos if repo.state is not RepoState.CANDIDATE]
    now, watch = context.clock.now(), context.settings.watch
    listing = context.hub.list_organization(name)
    return [first_sight(item, decide(watch, item), silent=True, now=now).repo for item in listing.sightings]


def _told(context: Context, group: Sequence[Repo]) -> Release | None:
    """The release that some of a group are in: one that is told or waits if there is any, else a silent one."""
    ids = sorted({repo.release_id for repo in group if repo.release_id})
    with context.store.begin() as connection:
        found = [item for item in (table.release(connection, release_id) for release_id in ids) if item]
    return max(found, key=lambda item: item.state is not ReleaseState.SILENT, default=None)


def _is_wanted(context: Context, repo: Repo) -> bool:
    watch = context.settings.watch
    return decide(watch, sighting_of(repo)).answer is not Answer.NO and not is_quiet(watch, repo)


# --- telling it ------------------------------------------------------------------------------------------------------


def backfill(
    context: Context,
    past: Sequence[PastRelease],
    *,
    send: bool = False,
    pause: Pause = time.sleep,
    step: Callable[[PastRelease], None] = lambda _: None,
) -> None:
    """Write a report for each release, in order, and look at the organizations whenever it is time to.

    `send`: to every channel that wants it; else to archives alone. `step` is called before each. Stopped anywhere, the
    same call goes on from there: what was told is not planned again.
    """
    archives = context if send else replace(context, channels=_archives(context))
    looked = context.clock.now()
    for number, item in enumerate(past):
        step(item)
        looked = _look_if_due(context, looked)
        _tell_patiently(archives, item, pause)
        if context.alone and number % SENDING == SENDING - 1:
            cycle.send(context)
    if context.alone:
        cycle.send(context)


def _archives(context: Context) -> dict[str, Any]:
    return {name: pair for name, pair in context.channels.items() if pair[0].archive}


def _look_if_due(context: Context, looked: datetime) -> datetime:
    """Polling goes first: a whole cycle when its interval is over. Beside a daemon that is the daemon's."""
    now = context.clock.now()
    if not context.alone or now - looked < context.settings.watch.interval:
        return looked
    context.hub.uncounted()  # what the past costs is not polling's share
    cycle.once(context)
    return now


def _tell_patiently(context: Context, item: PastRelease, pause: Pause) -> None:
    """One release; a Hub that refuses for a time is waited for, anything else is said and skipped."""
    for attempt in range(PATIENCE):
        _wait_for_room(context, pause)
        try:
            _tell(context, item)
            return
        except HubError as error:
            last = attempt == PATIENCE - 1
            if last or not error.transient:
                context.journal.error(f"{item.members[0].name}: {error}; the same command tries it again")
                return
            pause(min(LONGEST_PAUSE, error.retry_after or 2.0**attempt))


def _wait_for_room(context: Context, pause: Pause) -> None:
    """Leave polling its share of every window."""
    for rate in context.hub.rates.values():
        left = (rate.resets_at - datetime.now(UTC)).total_seconds()
        if rate.quota and rate.remaining <= rate.quota * context.settings.hub.share and left > 0:
            context.journal.say(f"waiting {left:.0f} s: the rest of the Hub's rate limit is for polling")
            pause(min(LONGEST_PAUSE, left + 1))


def _tell(context: Context, item: PastRelease) -> None:
    read = [repo for repo in (_read(context, repo) for repo in item.members) if repo is not None]
    if not read:
        context.journal.note("skipped", f"{item.members[0].name}: nothing to read, no report")
        return
    release = _release(context, item, read)
    members = [replace(repo, release_id=release.id, first_seen_at=moment(repo)) for repo in read]
    now = context.clock.now()
    material = Material(context, Library(context.store), members, item.at)
    draft = draft_release(material, release, EventKind.RELEASED, {})
    note = f"Written on {now:%Y-%m-%d}, after the fact: its dates are the Hub's, its baselines are older than it."
    work = Work(
        draft=replace(draft, notes=(*draft.notes, note)), events=(), release=release, members=tuple(members), past=True
    )
    publish(context, work, now)


def _release(context: Context, item: PastRelease, read: Sequence[Repo]) -> Release:
    """The silent release they are in or a new one, and everyone a member of it."""
    with context.store.begin() as connection:
        known = table.release(connection, item.release_id) if item.release_id else None
        release = known or new_release(item.members[0], ReleaseState.SILENT, item.at)
        table.add_release(connection, release)
        for repo in item.members:
            table.save_fields(connection, repo.hub_id, release_id=release.id, state=RepoState.SILENT.value)
    return release


def _read(context: Context, repo: Repo) -> Repo | None:
    """A member with its record (T2), or None when there is nothing to read. Raises HubError to be tried again."""
    if repo.record_key and repo.read_sha == repo.sha:
        return repo
    try:
        tree, refusal = _tree(context, repo)
    except HubError as error:
        if error.problem is not HubProblem.NOT_FOUND:
            raise
        return None
    content = survey(tree)
    looked = replace(
        repo,
        tree=tree,
        looked_sha=repo.sha,
        readable=content.readable or refusal is not None,
        whole=content.whole,
        unreadable=refusal,
    )
    found = read_repo(context, looked, tree, repo.sha or "main") if looked.readable else None
    if found is not None:
        looked = replace(looked, record_key=found.key, read_sha=repo.sha, unreadable=found.unreadable)
    with context.store.begin() as connection:
        if found is not None:
            keep_read(connection, found, context.clock.now())
        table.save_look(connection, looked)
    return looked if found is not None else None


def _tree(context: Context, repo: Repo) -> tuple[tuple[TreeFile, ...], str | None]:
    """The files, or none and why the Hub refuses to list them; those of a look before are not asked for again."""
    if repo.tree is not None and repo.looked_sha == repo.sha:
        return repo.tree, repo.unreadable if repo.unreadable in REFUSED.values() else None
    return files_of(context, repo)
