"""The whole state as text: JSON lines, sorted, so that a repository can keep it and a diff can show it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from watcher.errors import StoreError
from watcher.store.engine import HEAD, open_store
from watcher.store.schema import metadata

FORMAT = "model-release-watcher state"
BATCH = 500


def export_store(url: str, path: Path) -> int:
    """Write every row; how many. The file appears whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    count = 0
    try:
        with open_store(url) as store, store.begin() as connection, open(temporary, "w", encoding="utf-8") as handle:
            handle.write(json.dumps({"format": FORMAT, "schema": HEAD}) + "\n")
            for table in metadata.sorted_tables:
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns)):
                    line = {"table": table.name, "row": {key: _to_text(value) for key, value in row._mapping.items()}}
                    handle.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
                    count += 1
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}; check the folder and the free space") from None
    return count


def import_store(url: str, path: Path) -> int:
    """Read every row into an empty store, at the schema it was written with, and upgrade that; how many rows.

    Raises StoreError for a store in use, a file that is not ours, or one that a newer version wrote.
    """
    try:
        with open(path, encoding="utf-8") as handle:
            schema = _schema_of(handle.readline(), path)
            with open_store(url, exclusive=True, schema=schema) as store, store.begin() as connection:
                _check_empty(connection, url)
                count = _insert(connection, handle)
        open_store(url, exclusive=True).close()
        return count
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: is damaged ({type(error).__name__}); export it again") from None


def _schema_of(line: str, path: Path) -> str:
    try:
        header = json.loads(line or "null")
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StoreError(f"{path}: is not a state that `watcher export` wrote")
    schema = header.get("schema")
    if not isinstance(schema, str) or not schema.isdigit() or schema > HEAD:
        raise StoreError(f"{path}: has schema {schema}, this version knows {HEAD}; upgrade, then import again")
    return schema


def _check_empty(connection: sa.Connection, url: str) -> None:
    for name in ("repos", "reports"):
        if connection.execute(sa.select(sa.literal(1)).select_from(metadata.tables[name]).limit(1)).first():
            raise StoreError("the store is not empty; import into a fresh one (another store.url)")


def _insert(connection: sa.Connection, lines: Iterable[str]) -> int:
    count = 0
    pending: list[dict[str, Any]] = []
    current = ""
    for line in lines:
        item = json.loads(line)
        if pending and (item["table"] != current or len(pending) >= BATCH):
            connection.execute(sa.insert(metadata.tables[current]), pending)
            pending = []
        current = item["table"]
        pending.append(_from_text(metadata.tables[current], item["row"]))
        count += 1
    if pending:
        connection.execute(sa.insert(metadata.tables[current]), pending)
    return count


def _to_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    return {"$bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_text(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(item) for key, item in row.items() if key in table.c}


def _value(item: Any) -> Any:
    if isinstance(item, dict) and item.keys() == {"$at"}:
        return datetime.fromisoformat(item["$at"]).astimezone(UTC)
    if isinstance(item, dict) and item.keys() == {"$bytes"}:
        return base64.b64decode(item["$bytes"])
    return item
