"""`watcher replay`: one report made again with today's reader and words, and sent again on purpose."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watcher.baselines.library import Library
from watcher.context import Context
from watcher.errors import ConfigurationError, SourceError
from watcher.publish.enqueue import deliveries_for
from watcher.publish.routing import wants
from watcher.releases.detect import RELEASE_KINDS
from watcher.releases.model import EventKind, Repo
from watcher.releases.reading import keep_read, read_repo
from watcher.report.draft import Material, draft_change, draft_release
from watcher.report.make import MAIN
from watcher.report.model import Draft, Report
from watcher.report.picture import with_pictures
from watcher.report.templates import own_templates
from watcher.store import archive, outbox
from watcher.store import events as event_table
from watcher.store import repos as table

ANNOUNCING = (*RELEASE_KINDS, EventKind.VARIANT_ADDED)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was made and where it goes."""

    report: Report
    channels: tuple[str, ...]


def find(context: Context, what: str) -> Report:
    """The report that an event (its number), report, release or repo names. Raises SourceError that says what to do."""
    with context.store.begin() as connection:
        found = _report_id(connection, what)
        report = archive.report(connection, found) if found else None
    if report is None:
        raise SourceError(f"{what}: no report is known by this; `watcher replay` lists the latest")
    return report


def _report_id(connection: Any, what: str) -> str | None:
    if what.startswith("rep_"):
        return what
    if what.isdigit():
        event = event_table.event(connection, int(what))
        if event is not None and event.report_id is None:
            raise SourceError(f"event {what} ({event.event.name}: {event.event.kind.value}) was not reported")
        return event.report_id if event else None
    if what.startswith("rel_"):
        release = table.release(connection, what)
        return release.report_id if release and release.report_id else archive.latest_report_of(connection, what)
    return archive.latest_report_naming(connection, what)


def replay(context: Context, report: Report, *, channels: Sequence[str] = (), as_it_was: bool = False) -> Replayed:
    """Make the report again and put it into the outbox under new delivery ids; the old one stays as it is.

    `channels`: exactly these, whatever their rules say; else all that want it. `as_it_was`: nothing is read again.
    Raises HubError when a file it needs is not kept and cannot be had.
    """
    unknown = next((name for name in channels if name not in context.channels), None)
    if unknown is not None:
        known = ", ".join(context.channels) or "none"
        raise ConfigurationError(f"--channel {unknown}: there is no such channel; configured: {known}")
    now = context.clock.now()
    made = None if as_it_was else _again(context, report, now)
    identity = f"rep_{uuid.uuid4().hex[:20]}"
    templates = own_templates(context.settings.templates_directory)
    again = replace(made, report_id=identity) if made else None
    fresh = with_pictures(again, templates) if again else replace(report, report_id=identity)
    for problem in fresh.problems:
        context.journal.error(problem)
    return _enqueue(context, fresh, channels, now)


def _enqueue(context: Context, report: Report, channels: Sequence[str], now: datetime) -> Replayed:
    wanted = [name for name, (settings, _) in context.channels.items() if wants(settings, report).wanted]
    deliveries = deliveries_for(context, report, now, asked=channels or wanted)
    with context.store.begin() as connection:
        archive.keep_report(connection, report)
        for delivery in deliveries:
            outbox.enqueue(connection, delivery)
    return Replayed(report, tuple(delivery.channel for delivery in deliveries))


def _again(context: Context, report: Report, now: datetime) -> Draft | None:
    """The draft made anew; None for what cannot be: alerts, and repos that the store does not know any more."""
    with context.store.begin() as connection:
        events = event_table.events_of_report(connection, report.report_id)
        found = table.repos_by_id(connection, [repo.hub_id for repo in report.repos])
        release = table.release(connection, report.release_id) if report.release_id else None
    members = [_read_again(context, found[repo.hub_id], report) for repo in report.repos if repo.hub_id in found]
    if not members or report.event is EventKind.ALERT:
        return None
    material = Material(context, Library(context.store), members, report.created_at)
    if report.event in ANNOUNCING:
        if release is None:
            return None
        before: Mapping[str, object] = {key: value for item in events for key, value in item.event.before.items()}
        earlier = replace(release, report_id=None) if release.report_id == report.report_id else release
        draft = draft_release(material, earlier, report.event, before)
    elif events:
        events.sort(key=lambda item: MAIN.index(item.event.kind))
        draft = draft_change(material, events[0].event, events)
    else:
        return None
    note = f"Made again on {now:%Y-%m-%d %H:%M} UTC with today's reader."
    return replace(draft, notes=(*draft.notes, note))


def _read_again(context: Context, repo: Repo, report: Report) -> Repo:
    """A repo with its record by today's reader, from the files that are kept; as it was when it came out."""
    if repo.tree is not None and repo.looked_sha is not None:
        found = read_repo(context, repo, repo.tree, repo.looked_sha)
        repo = replace(repo, record_key=found.key, read_sha=repo.looked_sha, unreadable=found.unreadable)
        with context.store.begin() as connection:
            keep_read(connection, found, context.clock.now())
            table.save_look(connection, repo)
    return replace(repo, first_seen_at=min(repo.first_seen_at, report.created_at))
