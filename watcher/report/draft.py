"""What a report is made from: members and their records → subjects, each compared with what it should be."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from watcher.architecture.config_file import raw_config
from watcher.architecture.record import Architecture
from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.compare.compare import compare
from watcher.compare.fingerprint import fingerprint
from watcher.context import Context
from watcher.hub.model import HubError
from watcher.naming.names import take_apart, variant_of
from watcher.publish.enqueue import links_for
from watcher.releases.content import has_config
from watcher.releases.grouping import is_copy
from watcher.releases.model import Event, EventKind, Release, Repo, RepoRef
from watcher.releases.past import earlier_self
from watcher.report.model import Draft, Report, Source, Subject
from watcher.report.neighbours import compared
from watcher.store import archive
from watcher.store import repos as table
from watcher.store.events import StoredEvent

PATIENCE = timedelta(hours=6)
"""How long a change waits for the repo's old files when the Hub does not answer."""


class Material:
    """The members of one report with everything known about them, read from the store when it is asked for."""

    def __init__(
        self,
        context: Context,
        library: Library,
        members: Sequence[Repo],
        now: datetime,
        beside: Sequence[Repo] = (),
    ) -> None:
        self.context = context
        self.library = library
        self.members = list(members)
        self.now = now
        self.beside = list(beside)
        """Earlier members of the release: a first choice to compare a late one with."""

    @cached_property
    def records(self) -> dict[str, Architecture]:
        """By `_id`; everything unknown for a member that was never read."""
        found: dict[str, Architecture] = {}
        with self.context.store.begin() as connection:
            for repo in self.members:
                data = archive.record(connection, repo.record_key) if repo.record_key else None
                found[repo.hub_id] = Architecture.from_dict(data) if data else unread(repo)
        return found

    @cached_property
    def configs(self) -> dict[str, Mapping[str, Any] | None]:
        """The raw configs, by `_id`."""
        found: dict[str, Mapping[str, Any] | None] = {}
        with self.context.store.begin() as connection:
            for repo in self.members:
                data = archive.config_of(connection, repo.record_key) if repo.record_key else None
                found[repo.hub_id] = parse_config(repo.name, data)
        return found

    @cached_property
    def subjects(self) -> list[Subject]:
        """One per distinct architecture, the lead first, each compared with its nearest baseline."""
        return [self.subject(group) for group in self._alike()]

    def _alike(self) -> list[list[Repo]]:
        """Members by architecture: the largest original leads; a member that was not read goes with its original."""
        groups: dict[str, list[Repo]] = {}
        for repo in sorted(self.members, key=self._rank):
            print_ = fingerprint(self.records[repo.hub_id]) if repo.unreadable is None and repo.record_key else ""
            original = None if print_ and has_config(repo) else _group_of_original(repo, groups)
            groups.setdefault(original or print_ or f"unread {take_apart(repo.name).size}", []).append(repo)
        return list(groups.values())

    def _rank(self, repo: Repo) -> tuple[bool, bool, int, int, str]:
        """Readable and unquantised first, then the largest, then the plainest name."""
        record = self.records[repo.hub_id]
        copied = bool(take_apart(repo.name).copy) or (record.quantization is not None and bool(repo.base_models))
        size = record.parameters.total or record.parameters.stored or repo.stored_parameters or 0
        return (repo.unreadable is not None, copied, -size, len(repo.name), repo.name)

    def subject(self, group: list[Repo]) -> Subject:
        """One architecture, its first repo compared with the nearest baseline."""
        repo = group[0]
        record = self.records[repo.hub_id]
        config = self.configs[repo.hub_id]
        refs = tuple(reference_to(item) for item in group)
        if repo.unreadable is not None:
            return Subject(record=record, repos=refs, config=config, unreadable=repo.unreadable)
        return compared(Subject(record=record, repos=refs, config=config), repo, self.members, self.library)


def _group_of_original(repo: Repo, groups: Mapping[str, Sequence[Repo]]) -> str | None:
    """Where the original of a copy is that says little about its architecture, as a GGUF file does."""
    return next((key for key, group in groups.items() if any(is_copy(repo, other) for other in group)), None)


def unread(repo: Repo) -> Architecture:
    """What the API tells of a repo that was never read, as a record with everything else unknown."""
    from watcher.architecture.read import read

    hub = {"license": repo.license, "gated": repo.gated, "tags": list(repo.tags), "pipeline_tag": repo.pipeline_tag}
    return read(RepoFiles(name=repo.name, revision=repo.sha, hub=hub))


def parse_config(name: str, data: bytes | None) -> Mapping[str, Any] | None:
    """A raw config from its bytes, by the reader's own careful parser."""
    return raw_config(RepoFiles(name=name, files={"config.json": data}))[0] if data else None


def reference_to(repo: Repo) -> RepoRef:
    """A repo as a report names it."""
    return RepoRef(hub_id=repo.hub_id, name=repo.name, sha=repo.sha, variant=variant_of(repo.name))


def report_id(*parts: object) -> str:
    """The same parts, the same report: a replay after a crash makes no second one."""
    return "rep_" + hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:20]


def draft_release(
    material: Material,
    release: Release,
    kind: EventKind,
    before: Mapping[str, Any],
    also: Sequence[Repo] = (),
) -> Draft:
    """The draft of a release, or of members that came late (`also`: every repo it tells of)."""
    lead, *others = material.subjects
    first = min(material.members, key=lambda repo: repo.first_seen_at)
    main = next(repo for repo in material.members if repo.hub_id == lead.repos[0].hub_id)
    told = sorted(repo.hub_id for repo in (also or material.members))
    untold = [repo for repo in also if repo.hub_id not in {item.hub_id for item in material.members}]
    if untold:
        lead = dataclasses.replace(lead, repos=(*lead.repos, *(reference_to(repo) for repo in untold)))
    return Draft(
        report_id=report_id(release.id, kind.value, *told, *(repo.sha for repo in material.members)),
        release_id=release.id,
        event=kind,
        organization=main.name.partition("/")[0],
        lead=lead,
        members=tuple(others),
        created_at=material.now,
        first_seen_at=first.first_seen_at,
        published_at=main.created_at,
        before=before,
        sources=sources_of(material, main),
        earlier=_earlier(material, release),
        gated=main.gated,
        notes=_notes(material),
        catalog_version=material.library.version,
        runtimes=material.context.runtimes,
        lineage=lineage_of(material.context.reference, lead.config),
        hub_url=hub_url(material.context, main.name),
    )


def _notes(material: Material) -> tuple[str, ...]:
    partial = [repo.name for repo in material.members if not repo.whole]
    return tuple(f"{name} was still being uploaded when this was written." for name in partial)


def _earlier(material: Material, release: Release) -> Source | None:
    if release.report_id is None:
        return None
    with material.context.store.begin() as connection:
        report = archive.report(connection, release.report_id)
    return _source_of(material, report) if report else None


def _source_of(material: Material, report: Report) -> Source:
    return Source(label=report.headline, url=links_for(material.context, report).report)


def lineage_of(reference: Reference | None, config: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What the reference's classes extend of other models, attention first; empty where no reference tells."""
    if reference is None or not config:
        return ()
    found = [str(fact.value) for name, fact in reference.lineage(config).items() if name.startswith("lineage[")]
    return tuple(sorted(found, key=lambda text: ("Attention" not in text, text)))


def hub_url(context: Context, name: str) -> str:
    """The model's page on the Hub."""
    return f"{context.settings.hub.endpoint}/{name}"


def sources_of(material: Material, repo: Repo) -> tuple[Source, ...]:
    """Where a reader can check: the config at its revision, what the card links to, the reference implementation."""
    from watcher.report.card import card_sources

    page = hub_url(material.context, repo.name)
    found: list[Source] = []
    paths = {file.path: file.oid for file in repo.tree or ()}
    for path in ("config.json", "params.json"):
        if path in paths and repo.looked_sha:
            label = f"{path} at {repo.looked_sha[:7]}"
            found.append(Source(label=label, url=f"{page}/blob/{repo.looked_sha}/{path}"))
    with material.context.store.begin() as connection:
        card = archive.blob(connection, paths["README.md"]) if "README.md" in paths else None
    found += card_sources(card, repo.tags)
    return tuple(found)


def draft_change(material: Material, event: Event, events: Sequence[StoredEvent]) -> Draft:
    """The draft of a change of known repos; `event` names it, `events` are all it tells."""
    repo = next((item for item in material.members if item.hub_id == event.hub_id), material.members[0])
    refs = tuple(reference_to(item) for item in sorted(material.members, key=lambda item: item.hub_id != repo.hub_id))
    subject, notes = _changed_subject(material, repo, event, refs)
    told = _told_before(material, repo) if subject.comparison and not subject.own_past else None
    ids = [item.id for item in events]
    return Draft(
        report_id=report_id(event.kind.value, *ids),
        release_id=repo.release_id or "",
        event=event.kind,
        organization=repo.name.partition("/")[0],
        lead=subject,
        created_at=material.now,
        first_seen_at=repo.first_seen_at,
        published_at=repo.created_at,
        before=event.before,
        after=event.after,
        sources=sources_of(material, repo),
        earlier=_source_of(material, told) if told else None,
        gated=repo.gated,
        notes=(*notes, *_also(events, event)),
        catalog_version=material.library.version,
        runtimes=material.context.runtimes,
        lineage=lineage_of(material.context.reference, subject.config),
        hub_url=hub_url(material.context, repo.name),
    )


def _also(events: Sequence[StoredEvent], main: Event) -> tuple[str, ...]:
    """What else happened to these repos, a sentence each."""
    others = [item.event for item in events if item.event is not main]
    return tuple(f"{event.name}: {event.kind.value.replace('_', ' ')}." for event in others)


def _told_before(material: Material, repo: Repo) -> Report | None:
    """The first report of the repo's release."""
    with material.context.store.begin() as connection:
        release = table.release(connection, repo.release_id) if repo.release_id else None
        return archive.report(connection, release.report_id) if release and release.report_id else None


def _completes(material: Material, repo: Repo, event: Event) -> bool:
    """Whether this change made readable what was announced unread."""
    if event.kind not in (EventKind.GATED_CHANGED, EventKind.DISABLED_CHANGED) or repo.unreadable:
        return False
    told = _told_before(material, repo)
    return told is not None and told.comparison is None and not (told.record.get("layers") or {}).get("count")


def _changed_subject(
    material: Material, repo: Repo, event: Event, refs: tuple[RepoRef, ...]
) -> tuple[Subject, tuple[str, ...]]:
    """A change of files is compared with the repo's own past, read with today's reader; else the record is enough.

    Raises HubError while the Hub may still answer for the old files; after `PATIENCE` the nearest baseline must do.
    """
    record, config = material.records[repo.hub_id], material.configs[repo.hub_id]
    plain = Subject(record=record, repos=refs, config=config, unreadable=repo.unreadable)
    if _completes(material, repo, event):
        return replace(material.subject([repo]), repos=refs), ()
    if event.kind not in (EventKind.CONFIG_CHANGED, EventKind.CODE_CHANGED) or repo.unreadable:
        return plain, ()
    sha = str(event.before.get("sha") or "")
    try:
        past = earlier_self(material.context, repo, event)
    except HubError as error:
        if error.transient and material.now - event.at < PATIENCE:
            raise
        note = f"The files of revision {sha[:7]} cannot be had ({error}); compared with the nearest baseline instead."
        match = material.library.nearest(record, repo, material.members)
        if match is None:
            return plain, (note,)
        comparison = compare(match.record, record, config_a=match.config, config_b=config)
        return Subject(record=record, repos=refs, config=config, comparison=comparison, baseline=match.name), (note,)
    comparison = compare(past.record, record, config_a=past.config, config_b=config)
    label = f"its own revision {sha[:7]}"
    return Subject(record=record, repos=refs, config=config, comparison=comparison, baseline=label, own_past=True), ()


def draft_alert(identity: str, text: str, now: datetime) -> Draft:
    """A message about the watcher itself."""
    return Draft(
        report_id=identity,
        release_id="",
        event=EventKind.ALERT,
        organization="watcher",
        lead=Subject(record=Architecture(), repos=(), unreadable="this is about the watcher itself"),
        created_at=now,
        after={"alert": text},
    )
