"""Sightings → repos as last seen, and the events between two looks. Pure: what T1 writes is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.hub.model import Sighting, TreeFile
from watcher.naming.names import take_apart
from watcher.releases.content import changed_kinds, survey
from watcher.releases.filters import Answer, Decision
from watcher.releases.model import Event, EventKind, Repo, RepoState

COPIED = (
    "name",
    "sha",
    "last_modified",
    "created_at",
    "gated",
    "disabled",
    "license",
    "pipeline_tag",
    "library_name",
    "tags",
    "stored_parameters",
)
"""What a row takes over from a sighting as it is."""

CLOSED = ("gated", "disabled")
"""Why the files of a repo that is there cannot be read; it may open later."""

RELEASE_KINDS = (EventKind.RELEASED, EventKind.RECREATED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What T1 writes: the row as it is now, and what happened to it."""

    repo: Repo
    events: tuple[Event, ...] = ()


def is_closed(repo: Repo) -> bool:
    """Whether the repo was announced from what the API tells, and could not be read yet."""
    return repo.unreadable in CLOSED


def first_sight(sighting: Sighting, decision: Decision, *, silent: bool, now: datetime) -> Seen:
    """A repo we did not know. Whether it is a release is told when its files were looked at."""
    states = {
        Answer.YES: RepoState.ACTIVE,
        Answer.NO: RepoState.IGNORED,
        Answer.UNDECIDED: RepoState.CANDIDATE,
    }
    return Seen(
        Repo(
            hub_id=sighting.hub_id,
            organization=sighting.organization.lower(),
            stem=take_apart(sighting.name).stem,
            state=RepoState.SILENT if silent else states[decision.answer],
            because="was there at the first look" if silent else decision.because,
            first_seen_at=now,
            changed_at=now,
            looked_sha=sighting.sha if silent else None,
            base_models=_relations(sighting),
            **{key: getattr(sighting, key) for key in COPIED},
        )
    )


def seen_again(known: Repo, sighting: Sighting, now: datetime) -> Seen | None:
    """A repo we know: the row brought up to date and its events, or None when nothing is new."""
    fresh = replace(
        known,
        organization=sighting.organization.lower(),
        stem=take_apart(sighting.name).stem,
        base_models=_relations(sighting),
        missing_since=None,
        **{key: getattr(sighting, key) for key in COPIED},
    )
    if known.state is RepoState.GONE:
        fresh = replace(fresh, state=RepoState.ACTIVE if known.release_id else RepoState.SILENT)
    if fresh == known:
        return None
    version = known.version + 1
    repo = replace(fresh, version=version, changed_at=now if fresh.sha != known.sha else known.changed_at)
    if repo.sha != known.sha:
        repo = replace(repo, retry_at=None)
    if is_closed(known) and (repo.gated, repo.disabled) != (known.gated, known.disabled):
        repo = replace(repo, retry_at=now, looked_sha=known.looked_sha if known.tree else None)
    if known.state in (RepoState.IGNORED, RepoState.CANDIDATE):
        return Seen(repo)
    return Seen(repo, tuple(_differences(known, repo, now)))


def _relations(sighting: Sighting) -> tuple[tuple[str, str], ...]:
    return tuple((base.relation, base.id) for base in sighting.base_models)


def _differences(before: Repo, after: Repo, now: datetime) -> Iterable[Event]:
    """Events that the listing alone tells. A value that the Hub derives later (absent → present) is no change."""
    if before.state is RepoState.GONE:
        yield _event(after, EventKind.RESTORED, now, {"missing_since": _text(before.missing_since)}, {})
    if before.name != after.name:
        yield _event(after, EventKind.RENAMED, now, {"name": before.name}, {"name": after.name})
    if before.gated != after.gated:
        yield _event(after, EventKind.GATED_CHANGED, now, {"gated": before.gated}, {"gated": after.gated})
    if before.disabled != after.disabled:
        was, now_is = {"disabled": before.disabled}, {"disabled": after.disabled}
        yield _event(after, EventKind.DISABLED_CHANGED, now, was, now_is)
    if before.license is not None and before.license != after.license and before.sha != after.sha:
        yield _event(after, EventKind.LICENSE_CHANGED, now, {"license": before.license}, {"license": after.license})


def _event(
    repo: Repo, kind: EventKind, now: datetime, before: Mapping[str, object], after: Mapping[str, object]
) -> Event:
    return Event(
        hub_id=repo.hub_id,
        kind=kind,
        version=repo.version,
        at=now,
        name=repo.name,
        before=before,
        after=after,
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def decided(repo: Repo, decision: Decision, now: datetime, patience: timedelta) -> Repo | None:
    """A candidate decided again; None while it stays one. After `patience`, undecided means yes."""
    if repo.state is not RepoState.CANDIDATE:
        return None
    answer, because = decision.answer, decision.because
    if answer is Answer.UNDECIDED and now - repo.first_seen_at >= patience:
        answer, because = Answer.YES, f"{because}, and the wait is over"
    if answer is Answer.UNDECIDED:
        return None
    state = RepoState.ACTIVE if answer is Answer.YES else RepoState.IGNORED
    return replace(repo, state=state, because=because, version=repo.version + 1)


def missed(repo: Repo, now: datetime, confirm_after: timedelta) -> Seen:
    """A repo that a complete listing lacks and whose own info call refuses: noted first, gone when confirmed."""
    version = repo.version + 1
    if repo.missing_since is None:
        return Seen(replace(repo, missing_since=now, version=version))
    if now - repo.missing_since < confirm_after:
        return Seen(repo)
    gone = replace(repo, state=RepoState.GONE, version=version)
    if repo.state in (RepoState.IGNORED, RepoState.CANDIDATE):
        return Seen(gone)
    before, after = {"name": repo.name, "sha": repo.sha}, {"missing_since": _text(repo.missing_since)}
    return Seen(gone, (_event(gone, EventKind.DISAPPEARED, now, before, after),))


def looked(
    repo: Repo,
    old_tree: tuple[TreeFile, ...] | None,
    tree: tuple[TreeFile, ...],
    *,
    announced: bool,
    recreated_from: str | None,
    now: datetime,
    refusal: str | None = None,
    weights_will_do: bool = False,
) -> Seen:
    """A repo whose files were looked at: the row with its tree, and what its files say happened.

    `announced`: a release event was drawn for it before. `old_tree`: its files as we last knew them.
    `refusal`: why the Hub does not list its files (gated, disabled); that is content enough for news.
    `weights_will_do`: it has been quiet for so long that no config will come any more.
    """
    content = survey(tree)
    fresh = replace(
        repo,
        version=repo.version + 1,
        looked_sha=repo.sha,
        tree=tree,
        readable=content.readable or refusal is not None or (weights_will_do and content.weights),
        unreadable=refusal,
        whole=content.whole,
        retry_at=None,
        failures=0,
        error=None,
    )
    if is_closed(repo) and not repo.tree and announced:  # its files were never listed: nothing of them has changed
        return Seen(replace(fresh, read_sha=None))
    was_empty = old_tree is not None and not survey(old_tree).readable
    if repo.state is RepoState.ACTIVE and not announced:
        return Seen(fresh, tuple(_arrival(fresh, recreated_from, repo.looked_sha is None, now)))
    if repo.state is RepoState.SILENT and was_empty and content.readable:
        fresh = replace(fresh, state=RepoState.ACTIVE, because="was empty at the first look")
        return Seen(fresh, tuple(_arrival(fresh, None, False, now)))
    return Seen(fresh, tuple(_file_events(fresh, repo.looked_sha, old_tree, now)))


def _arrival(repo: Repo, recreated_from: str | None, first_look: bool, now: datetime) -> Iterable[Event]:
    if repo.readable:
        kind = EventKind.RECREATED if recreated_from else EventKind.RELEASED
        yield _event(repo, kind, now, {"_id": recreated_from} if recreated_from else {}, {"sha": repo.sha})
    elif first_look:
        yield _event(repo, EventKind.APPEARED, now, {}, {"sha": repo.sha})


def _file_events(
    repo: Repo, old_sha: str | None, old_tree: tuple[TreeFile, ...] | None, now: datetime
) -> Iterable[Event]:
    if old_tree is None or repo.tree is None:
        return
    for kind, paths in changed_kinds(old_tree, repo.tree).items():
        old = {file.path: file.oid for file in old_tree if file.path in paths}
        new = {file.path: file.oid for file in repo.tree if file.path in paths}
        yield _event(repo, kind, now, {"sha": old_sha, "files": old}, {"sha": repo.sha, "files": new})
