"""Release ─settle─▶ (quiet) ─compare─▶ Comparison ─report─▶ Report: what is due is written, kept and enqueued (T3)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy.engine import Connection

from watcher.baselines.library import Library
from watcher.compare.model import Verdict
from watcher.context import Context
from watcher.errors import StoreError, WatcherError
from watcher.publish.edits import edits_for
from watcher.publish.enqueue import deliveries_for, is_wanted
from watcher.releases.detect import RELEASE_KINDS, is_closed
from watcher.releases.filters import is_quiet
from watcher.releases.model import EventKind, Release, ReleaseState, Repo
from watcher.releases.settle import settled
from watcher.report.draft import Material, draft_alert, draft_change, draft_release
from watcher.report.early import draft_early, early_id
from watcher.report.late import told_members
from watcher.report.model import Draft, Report
from watcher.report.picture import with_pictures
from watcher.report.templates import Templates, read_templates
from watcher.report.write import write_report
from watcher.store import archive, outbox
from watcher.store import events as event_table
from watcher.store import repos as table
from watcher.store.events import StoredEvent
from watcher.store.outbox import Delivery

MAIN = (
    EventKind.CONFIG_CHANGED,
    EventKind.CODE_CHANGED,
    EventKind.LICENSE_CHANGED,
    EventKind.GATED_CHANGED,
    EventKind.DISABLED_CHANGED,
    EventKind.DISAPPEARED,
    EventKind.RESTORED,
    EventKind.RENAMED,
    EventKind.WEIGHTS_CHANGED,
    EventKind.TOKENIZER_CHANGED,
    EventKind.CARD_CHANGED,
    EventKind.APPEARED,
    EventKind.ALERT,
)
"""Kinds of change, the one that names a report about several first."""

NEEDS_READING = (EventKind.CONFIG_CHANGED, EventKind.CODE_CHANGED)

OPENINGS = (EventKind.GATED_CHANGED, EventKind.DISABLED_CHANGED)
"""Changes after which a repo that was announced unread may be readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One report to be made."""

    draft: Draft
    events: tuple[StoredEvent, ...]
    """The events it tells."""
    release: Release | None = None
    """The release that is out with it."""
    members: tuple[Repo, ...] = ()
    past: bool = False
    """A silent release, told after all: it is out with this report."""
    whole: Callable[[], Draft] | None = None
    """For copies that came late: the draft of the whole release, for channels that can edit what told it."""
    note: str | None = None
    """The early note that this report takes the place of, on channels that can edit it."""


def report_due(context: Context) -> None:
    """Report every release that is quiet (or new at first sight), every late member, every change."""
    now = context.clock.now()
    library = Library(context.store)
    with context.store.begin() as connection:
        events = event_table.open_events(connection)
        releases = table.open_releases(connection)
    for release in releases:
        with _apart(context, release.stem):
            _tell_release(context, library, release, now)
    for release_id, late in _late(context, events).items():
        with _apart(context, late[0].event.name):
            _tell_late(context, library, release_id, late, now)
    for group in _changes(context, events, now):
        with _apart(context, group[0].event.name):
            _tell_changes(context, library, group, now)


@contextlib.contextmanager
def _apart(context: Context, name: str) -> Iterator[None]:
    """A report that cannot be made stops no other one: it is said, and tried again in the next cycle."""
    try:
        yield
    except WatcherError as error:
        if isinstance(error, StoreError):
            raise
        context.journal.error(f"{name}: {error}")
    except Exception as error:
        context.journal.error(f"{name}: internal fault, {type(error).__name__}: {error}; please report it")


# --- releases that go out --------------------------------------------------------------------------------------------


def _tell_release(context: Context, library: Library, release: Release, now: datetime) -> None:
    with context.store.begin() as connection:
        members = [repo for repo in table.members(connection, release.id) if repo.record_key]
        events = _announcing(connection, members)
        pending = [repo for repo in table.relatives(connection, release.organization, release.stem) if _unread(repo)]
    if not events:
        return
    material = Material(context, library, members, now)
    watch = context.settings.watch
    if not settled(release, members, pending, now, watch.settle, watch.max_settle) and not _new_at_sight(material):
        if (early := draft_early(context, material, release)) is not None:
            publish(context, Work(draft=early, events=()), now)
        return
    kind = _recreated(events) or EventKind.RELEASED
    draft = draft_release(material, release, kind, _before(events))
    work = Work(draft=draft, events=tuple(events), release=release, members=tuple(members), note=early_id(release))
    publish(context, work, now)


def _new_at_sight(material: Material) -> bool:
    """A new architecture does not wait: it goes out with its first readable member."""
    return any(
        subject.comparison is not None and subject.comparison.verdict is Verdict.NEW and subject.unreadable is None
        for subject in material.subjects
    )


def _announcing(connection: Connection, members: Sequence[Repo]) -> list[StoredEvent]:
    kinds = (*RELEASE_KINDS, EventKind.VARIANT_ADDED)
    ids = [repo.hub_id for repo in members]
    return [item for item in event_table.open_events(connection, ids) if item.event.kind in kinds]


def _unread(repo: Repo) -> bool:
    """Seen, wanted, with something to read, and not read yet (a request failed, or the look is due)."""
    return repo.state == "active" and repo.record_key is None and (repo.readable or repo.looked_sha != repo.sha)


def _recreated(events: Iterable[StoredEvent]) -> EventKind | None:
    """A repo made anew under its old name is told as that."""
    return next((item.event.kind for item in events if item.event.kind is EventKind.RECREATED), None)


def _before(events: Iterable[StoredEvent]) -> dict[str, object]:
    return {key: value for item in events for key, value in item.event.before.items()}


# --- members that come after the release went out --------------------------------------------------------------------


def _late(context: Context, events: Sequence[StoredEvent]) -> dict[str, list[StoredEvent]]:
    """Open announcements of repos whose release is out, or older than our tracking; by release."""
    kinds = (*RELEASE_KINDS, EventKind.VARIANT_ADDED)
    late: dict[str, list[StoredEvent]] = {}
    with context.store.begin() as connection:
        for item in events:
            if item.event.kind not in kinds:
                continue
            repo = table.repo(connection, item.event.hub_id)
            release = table.release(connection, repo.release_id) if repo and repo.release_id else None
            if release is not None and release.state is not ReleaseState.OPEN and repo and repo.record_key:
                late.setdefault(release.id, []).append(item)
    return late


def _tell_late(context: Context, library: Library, release_id: str, events: list[StoredEvent], now: datetime) -> None:
    with context.store.begin() as connection:
        release = table.release(connection, release_id)
        members = table.members(connection, release_id)
        ids = {item.event.hub_id for item in events}
        fresh = [repo for repo in members if repo.hub_id in ids]
        told = told_members(connection, fresh, [repo for repo in members if repo.hub_id not in ids])
    watch = context.settings.watch
    if release is None or not settled(release, fresh, [], now, watch.settle, watch.max_settle):
        return
    news = [repo for repo in fresh if not is_quiet(watch, repo) and repo.hub_id not in told]
    material = Material(context, library, news or fresh, now, beside=[repo for repo in members if repo not in fresh])
    kind = _recreated(events) or (EventKind.RELEASED if news else EventKind.VARIANT_ADDED)
    draft = draft_release(material, release, kind, _before(events), also=fresh)
    work = Work(draft=draft, events=tuple(events), release=release, members=tuple(fresh))
    if kind is EventKind.VARIANT_ADDED:
        work = replace(work, whole=lambda: _whole(Material(context, library, members, now), release))
    publish(context, work, now)


def _whole(material: Material, release: Release) -> Draft:
    """The release as it would be told if it went out now."""
    return replace(draft_release(material, release, EventKind.RELEASED, {}), earlier=None)


# --- changes of known repos ------------------------------------------------------------------------------------------


def _changes(context: Context, events: Sequence[StoredEvent], now: datetime) -> list[list[StoredEvent]]:
    """Open changes, those of one release that are alike together; what no channel asks for is closed unreported."""
    announcing = (*RELEASE_KINDS, EventKind.VARIANT_ADDED)
    due: list[tuple[StoredEvent, Repo | None]] = []
    with context.store.begin() as connection:
        for item in (item for item in events if item.event.kind not in announcing):
            if not is_wanted(context.channels, item.event.kind):
                event_table.close_events(connection, [item.id], "no channel asks for it")
                continue
            repo = table.repo(connection, item.event.hub_id)
            if repo is None or not _waits_for_reading(item.event.kind, repo, now):
                due.append((item, repo))
    kinds: dict[str, set[EventKind]] = {}
    for item, _ in due:
        kinds.setdefault(item.event.hub_id, set()).add(item.event.kind)
    groups: dict[tuple[str, ...], list[StoredEvent]] = {}
    for item, repo in due:
        home = repo.release_id or repo.hub_id if repo else item.event.hub_id
        groups.setdefault((home, *_alike(context, item, kinds[item.event.hub_id])), []).append(item)
    return list(groups.values())


def _alike(context: Context, item: StoredEvent, kinds: set[EventKind]) -> tuple[str, ...]:
    """Repos of one release that changed alike share a report: by the files for what is read, else by the kinds.

    What happened to one repo at once is one report for the same channels: none is told of it under a kind that it did
    not ask for, and none misses what it asked for.
    """
    if item.event.kind in NEEDS_READING:
        return (item.event.kind.value, *sorted(dict(item.event.after).get("files", {})))
    asking = (name for name, (settings, _) in context.channels.items() if item.event.kind in settings.events)
    return ("rest", *sorted(kinds - set(NEEDS_READING)), "for", *sorted(asking))


def _waits_for_reading(kind: EventKind, repo: Repo, now: datetime) -> bool:
    """Whether the report needs a reading that is still due."""
    if kind in NEEDS_READING:
        return repo.read_sha != repo.looked_sha
    due = repo.retry_at is not None and repo.retry_at <= now
    return kind in OPENINGS and is_closed(repo) and (due or repo.looked_sha != repo.sha)


def _tell_changes(context: Context, library: Library, events: list[StoredEvent], now: datetime) -> None:
    events.sort(key=lambda item: MAIN.index(item.event.kind))
    with context.store.begin() as connection:
        found = [table.repo(connection, item.event.hub_id) for item in events]
    members = list({repo.hub_id: repo for repo in found if repo is not None}.values())
    draft = draft_change(Material(context, library, members, now), events[0].event, events)
    publish(context, Work(draft=draft, events=tuple(events)), now)


# --- T3 --------------------------------------------------------------------------------------------------------------


def publish(context: Context, work: Work, now: datetime) -> None:
    """Write the report, then T3: report, deliveries and the events' report_id, all or nothing."""
    report = _said(context, with_pictures(work.draft, _templates(context)))
    waiting = _waiting(context, work, report, now)
    with context.store.begin() as connection:
        if not event_table.claim_events(connection, [item.id for item in work.events], report.report_id):
            connection.rollback()
            return
        archive.keep_report(connection, report)
        for delivery in waiting:
            outbox.enqueue(connection, delivery)
        _note_release(connection, work, report, now)
    context.journal.note("reports", f"{report.event.value}: {report.headline}")


def _templates(context: Context, folder: str = "") -> Templates | None:
    """The user's own templates, read anew for each report: a change needs no restart. "" is `reports.templates`."""
    chosen = context.settings.folder / folder if folder else context.settings.templates_directory
    return read_templates(chosen) if chosen is not None else None


def _waiting(context: Context, work: Work, report: Report, now: datetime) -> list[Delivery]:
    """What goes into the outbox: edits of the messages that told the release, and messages for the other channels."""

    @cache
    def worded(folder: str) -> Report:
        return _said(context, write_report(work.draft, pictures=report.pictures, templates=_templates(context, folder)))

    @cache
    def completed(folder: str) -> Report:
        if work.whole is None:
            return worded(folder)
        return _said(context, with_pictures(work.whole(), _templates(context, folder)))

    first = work.release.report_id if work.release is not None and work.whole is not None else work.note
    edits = edits_for(context, first, report, completed, now)
    edited = {item.channel for item in edits}
    fresh = deliveries_for(context, report, now, worded=worded)
    return [*edits, *(item for item in fresh if item.channel not in edited)]


def _said(context: Context, report: Report) -> Report:
    """The report, its problems told."""
    for problem in report.problems:
        context.journal.error(problem)
    return report


def _note_release(connection: Connection, work: Work, report: Report, now: datetime) -> None:
    if work.release is None:
        return
    if work.release.state is ReleaseState.OPEN or work.past:
        values = {"state": ReleaseState.OUT.value, "out_at": now, "report_id": report.report_id}
        table.save_release(connection, work.release.id, values)
    keys = [repo.record_key for repo in work.members if repo.record_key and repo.unreadable is None]
    prints = archive.fingerprints(connection, keys)
    for repo in work.members:
        if repo.record_key in prints:
            archive.keep_baseline(
                connection,
                prints[repo.record_key],
                hub_id=repo.hub_id,
                name=repo.name,
                release_id=work.release.id,
                record_key=repo.record_key,
                first_seen_at=repo.first_seen_at,
                added=False,
            )


def report_alert(context: Context, text: str, about: str) -> None:
    """Tell every channel but one about the watcher itself, once per text and day."""
    now = context.clock.now()
    digest = hashlib.sha256(f"alert {text} {now:%Y-%m-%d}".encode()).hexdigest()
    report = with_pictures(draft_alert(f"rep_{digest[:20]}", text, now))
    waiting = [item for item in deliveries_for(context, report, now) if item.channel != about]
    with context.store.begin() as connection:
        if archive.report(connection, report.report_id) is not None:
            return
        archive.keep_report(connection, report)
        for delivery in waiting:
            outbox.enqueue(connection, delivery)
    context.journal.note("alerts", f"alert: {text}")
