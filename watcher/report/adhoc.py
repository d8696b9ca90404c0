"""A report on any model now, with no state: for `watcher report`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from watcher.architecture.config_file import raw_config
from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.clock import clock_from
from watcher.compare.compare import compare
from watcher.naming.names import take_apart, variant_of
from watcher.releases.model import EventKind, Repo, RepoRef, RepoState
from watcher.report.card import card_sources
from watcher.report.draft import lineage_of, report_id
from watcher.report.model import Draft, Report, Source, Subject
from watcher.report.neighbours import compared
from watcher.report.picture import with_pictures
from watcher.report.runtimes import lists_at
from watcher.report.templates import Templates
from watcher.runtime import cache_directory

if TYPE_CHECKING:
    from watcher.architecture.reference import Reference

HUB = "https://huggingface.co"


def adhoc_report(
    files: RepoFiles,
    against: RepoFiles | None,
    *,
    reference: Reference | None = None,
    environment: Mapping[str, str],
    templates: Templates | None = None,
) -> Report:
    """The report on one model, against another one or its nearest baseline."""
    return with_pictures(adhoc_draft(files, against, reference=reference, environment=environment), templates)


def adhoc_draft(
    files: RepoFiles, against: RepoFiles | None, *, reference: Reference | None, environment: Mapping[str, str]
) -> Draft:
    """What that report says, before it is written and drawn."""
    now = clock_from(environment).now()
    record = read(files, reference=reference)
    library = Library()
    subject = _subject(files, record, against, library, reference, now)
    name = files.name if "/" in files.name else f"local/{files.name}"
    tags = tuple(str(tag) for tag in files.hub.get("tags") or ())
    page = f"{environment.get('HF_ENDPOINT', HUB).rstrip('/')}/{name}" if "/" in files.name else ""
    revision = files.revision or ""
    config = [Source(label=f"config.json at {revision[:7]}", url=f"{page}/blob/{revision}/config.json")]
    return Draft(
        report_id=report_id("adhoc", name, files.revision, now.date()),
        release_id="",
        event=EventKind.RELEASED,
        organization=name.partition("/")[0],
        lead=subject,
        created_at=now,
        sources=(*(config if revision else ()), *card_sources(files.files.get("README.md"), tags)),
        gated=_text(files.hub.get("gated")) if "gated" in files.hub else "not told",
        catalog_version=library.version,
        hub_url=page,
        lineage=lineage_of(reference, subject.config),
        runtimes=lists_at(cache_directory(environment)),
    )


def _subject(
    files: RepoFiles,
    record: Architecture,
    against: RepoFiles | None,
    library: Library,
    reference: Reference | None,
    now: datetime,
) -> Subject:
    config, _, problem = raw_config(files)
    name = files.name if "/" in files.name else f"local/{files.name}"
    repos = (RepoRef(hub_id="", name=name, sha=files.revision, variant=variant_of(name)),)
    if record.layers.count is None and record.hidden_size is None:
        why = problem or next((item.why for item in record.unknown if item.fact == "layers"), "nothing to read")
        return Subject(record=record, repos=repos, config=config, unreadable=why)
    if against is not None:
        base, base_config = read(against, reference=reference), raw_config(against)[0]
        comparison = compare(base, record, config_a=base_config, config_b=config)
        return Subject(record=record, repos=repos, config=config, comparison=comparison, baseline=against.name)
    known = library.known_as(files.name) or name
    repo = _as_repo(known, files, library.seen(known) or min(_created(files) or now, now))
    return compared(Subject(record=record, repos=repos, config=config), repo, (), library)


def _as_repo(name: str, files: RepoFiles, seen: datetime) -> Repo:
    """A repo row for a model that no store knows."""
    return Repo(
        hub_id="",
        name=name,
        organization=name.partition("/")[0].lower(),
        stem=take_apart(name).stem,
        state=RepoState.ACTIVE,
        first_seen_at=seen,
        changed_at=seen,
        sha=files.revision,
    )


def _created(files: RepoFiles) -> datetime | None:
    """When the Hub says the repo was made: what came later is no baseline."""
    told = files.hub.get("created_at")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
