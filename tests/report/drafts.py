"""Drafts of real models, made as the pipeline makes them, for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime

from watcher.baselines.library import Library
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.naming.names import take_apart
from watcher.releases.model import EventKind, Repo, RepoRef, RepoState
from watcher.report.model import Draft, Neighbour, Role, Subject
from watcher.report.neighbours import neighbours

LIBRARY = Library()


def repo(name: str, day: str) -> Repo:
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Repo(
        hub_id="", name=name, organization=name.partition("/")[0].lower(), stem=take_apart(name).stem,
        state=RepoState.ACTIVE, first_seen_at=moment, changed_at=moment, sha=None,
    )  # fmt: skip


def subject(name: str, day: str) -> Subject:
    record, of = baseline_of(name).record, repo(name, day)
    match = LIBRARY.nearest(record, of, ())
    assert match is not None
    comparison = compare(match.record, record)
    nearest = Neighbour(role=Role.NEAREST, name=match.name, comparison=comparison)
    return Subject(
        record=record,
        repos=(RepoRef(hub_id="1", name=name, sha=None),),
        comparison=comparison,
        baseline=match.name,
        neighbours=neighbours(record, of, (), LIBRARY, nearest),
    )


def draft(lead: Subject) -> Draft:
    return Draft(
        report_id="rep_1", release_id="rel_1", event=EventKind.RELEASED, organization="x", lead=lead,
        created_at=datetime(2026, 11, 24, tzinfo=UTC), hub_url="https://example.org/x",
    )  # fmt: skip
