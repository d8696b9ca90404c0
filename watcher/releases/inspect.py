"""Sighting ─detect─▶ Event, second look: the files of repos that moved, told apart by their blob ids (T1)."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from watcher.context import Context
from watcher.hub.model import HubError, HubProblem, TreeFile
from watcher.releases.budget import is_used_up
from watcher.releases.content import survey
from watcher.releases.detect import RELEASE_KINDS, Seen, looked
from watcher.releases.model import EventKind, Repo, RepoState
from watcher.store import events as event_table
from watcher.store import repos as table

REFUSED = {HubProblem.GATED: "gated", HubProblem.DISABLED: "disabled"}
"""Answers that say the repo is there and closed: it is announced from what the API tells."""

KEPT = ((timedelta(hours=1), 0.5), (timedelta.max, 0.1))
"""Of a window, that changes of repos from before our tracking leave to looks and releases, by how long they waited."""

STOPS = (HubProblem.RATE_LIMITED, HubProblem.BAD_TOKEN)
"""Problems that every further request of this cycle would meet too."""

LOST = (HubProblem.NO_REVISION, HubProblem.NO_ENTRY, HubProblem.NOT_FOUND)
"""Answers that say an old revision cannot be had any more."""


def inspect(context: Context) -> None:
    """Look at the files of every repo whose revision moved; and at those that are done without a config."""
    now = context.clock.now()
    _look_at_moved(context, now)
    _take_weights_alone(context, now)


def _take_weights_alone(context: Context, now: datetime) -> None:
    """Weights without any config, quiet for `max_settle`, are a release too; nothing is asked for it."""
    with context.store.begin() as connection:
        waiting = table.without_config(connection, now - context.settings.watch.max_settle)
    for repo in waiting:
        tree = repo.tree or ()
        if survey(tree).weights:
            seen = looked(repo, tree, tree, announced=False, recreated_from=None, now=now, weights_will_do=True)
            _write(context, seen, None)


def _look_at_moved(context: Context, now: datetime) -> None:
    with context.store.begin() as connection:
        due = table.due_for_look(connection, now)
    for position, repo in enumerate(sorted(due, key=lambda repo: repo.state is RepoState.SILENT)):
        if is_used_up(context.hub, keep=_kept(repo, now)):
            context.journal.say(f"{len(due) - position} changed repos wait: the Hub's rate limit is nearly used up")
            return
        try:
            _inspect_one(context, repo, now)
        except HubError as error:
            if error.problem in STOPS:  # the others would meet it too; they are due in the next cycle
                context.journal.error(f"{repo.name}: {error}")
                return
            fail(context, repo, error, now)


def _kept(repo: Repo, now: datetime) -> float:
    """The part of a window that is not for this repo."""
    waited = now - repo.changed_at
    return next(part for limit, part in KEPT if waited < limit) if repo.state is RepoState.SILENT else 0.0


def _inspect_one(context: Context, repo: Repo, now: datetime) -> None:
    tree, refusal = files_of(context, repo)
    with context.store.begin() as connection:
        announced = bool(event_table.release_events(connection, repo.hub_id))
        namesake = table.repo_named(connection, repo.name, besides=repo.hub_id)
    old_tree = repo.tree if announced or repo.tree is not None else _old_tree(context, repo)
    recreated_from = namesake.hub_id if namesake else None
    seen = looked(repo, old_tree, tree, announced=announced, recreated_from=recreated_from, now=now, refusal=refusal)
    if announced and not _is_out(context, repo):
        seen = dataclasses.replace(seen, events=())  # still on its way: it is read again, not reported as changed
    _write(context, seen, namesake)


def _write(context: Context, seen: Seen, namesake: Repo | None) -> None:
    with context.store.begin() as connection:
        if not table.save_seen(connection, seen, new=False):
            return
        if namesake is not None and any(event.kind is EventKind.RECREATED for event in seen.events):
            table.save_fields(connection, namesake.hub_id, state=RepoState.GONE.value)
    for event in seen.events:
        context.journal.note("events", f"{event.name}: {event.kind.value}")


def files_of(context: Context, repo: Repo) -> tuple[tuple[TreeFile, ...], str | None]:
    """The files at the revision we saw, or none and why the Hub refuses to list them."""
    try:
        return context.hub.tree(repo.name, repo.sha or "main"), None
    except HubError as error:
        if error.problem not in REFUSED:
            raise
        return (), REFUSED[error.problem]


def _old_tree(context: Context, repo: Repo) -> tuple[TreeFile, ...] | None:
    """The files at the revision we knew before; None when there was none or it cannot be had."""
    if repo.state is not RepoState.SILENT:
        return None
    if repo.looked_sha is None:
        return ()  # it was empty when it was first seen
    try:
        return context.hub.tree(repo.name, repo.looked_sha)
    except HubError as error:
        if error.problem in LOST:
            return None
        raise


def _is_out(context: Context, repo: Repo) -> bool:
    """Whether a report told of this repo."""
    with context.store.begin() as connection:
        told = event_table.release_events(connection, repo.hub_id)
    return any(item.report_id for item in told if item.event.kind in (*RELEASE_KINDS, EventKind.VARIANT_ADDED))


def fail(context: Context, repo: Repo, error: HubError, now: datetime) -> None:
    """A request for this repo failed: say it, keep what we know, and try again later."""
    wait = timedelta(0) if repo.failures == 0 else timedelta(minutes=min(60, 2 ** min(repo.failures - 1, 6)))
    context.journal.error(f"{repo.name}: {error}")
    with context.store.begin() as connection:
        table.save_fields(
            connection, repo.hub_id, failures=repo.failures + 1, retry_at=now + wait, error=str(error)[:1000]
        )
