"""Event ─read─▶ Architecture ─group─▶ Release: fetch what a reader needs, read it, and put it where it belongs (T2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from watcher.architecture.read import READER_VERSION, read
from watcher.architecture.record import Architecture, Model, Unknown
from watcher.architecture.weights.wanted import wanted
from watcher.architecture.witness import RepoFiles
from watcher.compare.fingerprint import fingerprint
from watcher.context import Context
from watcher.hub.files import Fetched, facts_of, fetch_files
from watcher.hub.headers import Kept, read_headers
from watcher.hub.model import HubError, TreeFile
from watcher.releases.content import CONFIGS, has_config
from watcher.releases.detect import CLOSED, is_closed
from watcher.releases.filters import is_quiet
from watcher.releases.inspect import REFUSED, fail
from watcher.releases.joining import join
from watcher.releases.model import Event, EventKind, Repo, RepoState
from watcher.releases.takeover import sighting_of
from watcher.store import archive
from watcher.store import events as event_table
from watcher.store import repos as table

CLOSED_FOR = timedelta(days=1)
"""How long a gated or disabled repo is left alone before it is tried again; a change of its gate ends the wait."""

HEADERS_PATIENCE = 3
"""Failures of reading a repo before it is announced without the headers of its weights, which only check counts."""

PATIENCE = 6
"""Refusals of a file that the repo lists, before the repo is announced without it: half an hour and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One repo's architecture, ready to be kept."""

    record: Architecture
    key: str
    """Over the blob ids it was read from and the reader's version."""
    blobs: Mapping[str, bytes]
    """Files that were fetched for it, by blob id."""
    config_oid: str | None = None
    unreadable: str | None = None
    """Why the architecture is not known."""


def read_due(context: Context) -> None:
    """Read every repo that has news and was not read at this revision."""
    now = context.clock.now()
    with context.store.begin() as connection:
        due = table.due_for_reading(connection, now)
    for repo in due:
        try:
            found = read_repo(context, repo, repo.tree or (), repo.looked_sha or "")
        except HubError as error:
            fail(context, repo, error, now)
            continue
        _keep(context, repo, found, now)


def read_repo(context: Context, repo: Repo, tree: tuple[TreeFile, ...], revision: str) -> Read:
    """Fetch and read one repo at one revision. Raises HubError when an answer may still come."""
    refusal = repo.unreadable if repo.unreadable in REFUSED.values() and not tree else None
    fetched, refusal = (_nothing(repo, revision), refusal) if refusal else _fetch(context, repo, tree, revision)
    if refusal or fetched.unreadable:
        files, record = fetched.files, _read_safely(context, fetched.files)
    else:
        files, record = read_closely(context, fetched, tree, revision, patient=repo.failures < HEADERS_PATIENCE)
    unreadable = refusal or fetched.unreadable or _why_unknown(record)
    oids = {file.path: file.oid for file in tree}
    config_oid = next((oids[path] for path in CONFIGS if path in files.files and path in oids), None)
    return Read(
        record=record,
        key=record_key(files, oids),
        blobs=fetched.blobs,
        config_oid=config_oid,
        unreadable=unreadable,
    )


def read_closely(
    context: Context, fetched: Fetched, tree: tuple[TreeFile, ...], revision: str, *, patient: bool
) -> tuple[RepoFiles, Architecture]:
    """The files with their record; where a count is in doubt, with the headers of the weights too.

    Headers that cannot be had now are done without, unless we are `patient`: HubError then.
    """
    record = _read_safely(context, fetched.files)
    if wanted(record, fetched.files) is None:
        return fetched.files, record
    try:
        files = read_headers(context.hub, fetched.files, revision, tree, _kept(context, fetched.blobs))
    except HubError:
        if patient:
            raise
        return fetched.files, record
    return files, _read_safely(context, files)


def _kept(context: Context, blobs: Mapping[str, bytes]) -> Kept:
    """Headers are kept one by one, and the small files before them: a retry asks for nothing that it had."""

    def get(name: str) -> bytes | None:
        with context.store.begin() as connection:
            return archive.blob(connection, name)

    def put(name: str, data: bytes) -> None:
        with context.store.begin() as connection:
            archive.keep_blobs(connection, {**blobs, name: data}, context.clock.now())

    return Kept(get, put)


def _read_safely(context: Context, files: RepoFiles) -> Architecture:
    """The record; one whose reader fails is unknown with that reason: no repo may stop the others."""
    try:
        return read(files, reference=context.reference)
    except Exception as error:
        why = f"our reader failed on it ({type(error).__name__}); please report this model"
        return Architecture(
            model=Model(id=files.name, revision=files.revision), unknown=(Unknown(fact="layers", why=why),)
        )


def _fetch(context: Context, repo: Repo, tree: tuple[TreeFile, ...], revision: str) -> tuple[Fetched, str | None]:
    def known(oid: str) -> bytes | None:
        with context.store.begin() as connection:
            return archive.blob(connection, oid)

    try:
        return fetch_files(context.hub, sighting_of(repo), revision, tree, known), None
    except HubError as error:
        if error.problem in REFUSED:
            return _nothing(repo, revision, tree), REFUSED[error.problem]
        if error.transient or repo.failures < PATIENCE:
            raise
        return _nothing(repo, revision, tree), f"its files cannot be had ({error.problem})"


def _nothing(repo: Repo, revision: str, tree: tuple[TreeFile, ...] = ()) -> Fetched:
    sizes = {file.path: file.size for file in tree}
    files = RepoFiles(name=repo.name, revision=revision, sizes=sizes, hub=facts_of(sighting_of(repo)))
    return Fetched(files=files, blobs={})


def _why_unknown(record: Architecture) -> str | None:
    """The reason, when not even the number of layers and the width are known."""
    if record.layers.count is not None or record.hidden_size is not None:
        return None
    return next(
        (item.why for item in record.unknown if item.fact in ("layers.count", "layers", "*")), "nothing to read"
    )


def record_key(files: RepoFiles, oids: Mapping[str, str]) -> str:
    """What a record is cached by: the blobs it was read from, and the reader's version."""
    parts = sorted(f"{path} {oids.get(path, '')}" for path in (*files.files, *files.headers))
    text = "\n".join([READER_VERSION, files.name, files.revision or "", *parts])
    return hashlib.sha256(text.encode()).hexdigest()


# --- T2 --------------------------------------------------------------------------------------------------------------


def _keep(context: Context, repo: Repo, found: Read, now: datetime) -> None:
    """T2: raw files, record, and the repo's place in a release, in one transaction."""
    with context.store.begin() as connection:
        keep_read(connection, found, now)
        values = {"record_key": found.key, "read_sha": repo.looked_sha, "unreadable": found.unreadable}
        if repo.release_id is None and repo.state is RepoState.ACTIVE:
            print_ = fingerprint(found.record) if found.unreadable is None and has_config(repo) else None
            quiet = is_quiet(context.settings.watch, repo)
            values["release_id"] = join(connection, repo, print_, now, quiet=quiet)
        again = now + CLOSED_FOR if found.unreadable in CLOSED else None
        table.save_fields(connection, repo.hub_id, retry_at=again, failures=0, error=None, **values)
        if is_closed(repo) and again is None:
            _opened(connection, repo, now)
    if repo.read_sha != repo.looked_sha or found.unreadable != repo.unreadable:
        context.journal.note("read", f"{repo.name}: {_summary(found)}")


def _opened(connection: Connection, repo: Repo, now: datetime) -> None:
    """A repo that was closed can be read: told by the change of its gate, or as one if the Hub names no change."""
    told = {item.event.kind for item in event_table.open_events(connection, [repo.hub_id])}
    if told & {EventKind.GATED_CHANGED, EventKind.DISABLED_CHANGED}:
        return
    gate = {"gated": repo.gated, "disabled": repo.disabled}
    current = table.repo(connection, repo.hub_id) or repo
    event = Event(
        hub_id=repo.hub_id,
        kind=EventKind.GATED_CHANGED,
        version=current.version + 1,
        at=now,
        name=repo.name,
        before=gate | {"readable": False},
        after=gate | {"readable": True},
    )
    event_table.add_event(connection, event)
    table.save_fields(connection, repo.hub_id, version=event.version)


def keep_read(connection: Connection, found: Read, now: datetime) -> None:
    """The files and the record of one reading."""
    archive.keep_blobs(connection, found.blobs, now)
    data, print_ = found.record.to_dict(), fingerprint(found.record)
    archive.keep_record(connection, found.key, print_, data, found.config_oid, now)


def _summary(found: Read) -> str:
    if found.unreadable:
        return f"its architecture cannot be read: {found.unreadable}"
    return f"read as {found.record.decoder_type or 'unknown type'}, {found.record.layers.pattern or 'unknown layers'}"
