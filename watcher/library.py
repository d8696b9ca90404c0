"""`watcher baselines`: list what there is to compare with, and add to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watcher.architecture.witness import RepoFiles
from watcher.clock import clock_from
from watcher.errors import SourceError
from watcher.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.architecture.reference import Reference


def listing(settings: Settings) -> list[dict[str, Any]]:
    """Every baseline: the catalog's and, where there is a store, our own."""
    from pathlib import Path

    from watcher.baselines.library import Library, listing_rows
    from watcher.store.engine import open_store

    path = settings.store_url.removeprefix("sqlite:///")
    if settings.store_url.startswith("sqlite") and not Path(path).exists():
        return listing_rows(Library())
    with open_store(settings.store_url) as store:
        return listing_rows(Library(store))


def add_baseline(
    settings: Settings, files: RepoFiles, reference: Reference | None, environment: Mapping[str, str]
) -> str:
    """Read a SOURCE and keep it as a baseline; what was done, in one sentence. Raises SourceError."""
    from watcher.architecture.read import read
    from watcher.compare.fingerprint import fingerprint
    from watcher.store import archive
    from watcher.store.engine import open_store

    record = read(files, reference=reference)
    if record.layers.count is None:
        why = record.unknown[0].why if record.unknown else "nothing to read"
        raise SourceError(f"{files.name}: its architecture cannot be read: {why}")
    now = clock_from(environment).now()
    print_ = fingerprint(record)
    config = files.files.get("config.json") or files.files.get("params.json") or b""
    oid = hashlib.sha1(b"blob %d\0" % len(config) + config).hexdigest()
    key = hashlib.sha256(f"{files.name} {files.revision} {oid}".encode()).hexdigest()
    with open_store(settings.store_url) as store, store.begin() as connection:
        archive.keep_blobs(connection, {oid: config}, now)
        archive.keep_record(connection, key, print_, record.to_dict(), oid, now)
        archive.keep_baseline(
            connection,
            print_,
            hub_id=None,
            name=files.name,
            release_id=None,
            record_key=key,
            first_seen_at=now,
            added=True,
        )
    return f"{files.name} is a baseline now: {record.decoder_type}, {record.layers.pattern}"


def print_listing(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """A table of baselines."""
    from rich.table import Table
    from rich.text import Text

    from watcher.report.numbers import count

    grid = Table(box=None, pad_edge=False)
    for title in ("model", "date", "type", "size", "layers", ""):
        grid.add_column(title, overflow="fold")
    for row in rows:
        cells = (row["name"], row["date"], row["decoder_type"] or "?", count(row["parameters"]), row["pattern"] or "?")
        grid.add_row(*(Text(cell) for cell in cells), "" if row["source"] == "catalog" else row["source"])
    console.print(grid)
