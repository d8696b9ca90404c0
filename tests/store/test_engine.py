"""Opening the store: migrated, locked, and clear about what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from watcher.errors import ConfigurationError, StoreError
from watcher.store import engine
from watcher.store.engine import Store, open_store
from watcher.store.schema import metadata
from watcher.store.transfer import export_store, import_store


def address(folder: Path, name: str = "watcher.db") -> str:
    return f"sqlite:///{folder}/{name}"


def test_the_migrations_replayed_are_the_schema(store: Store) -> None:
    with store.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_head_named_in_the_code_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(engine.__file__).parent / "migrations"))
    assert scripts.get_current_head() == engine.HEAD


def test_a_second_instance_is_refused_and_the_first_can_be_followed(tmp_path: Path) -> None:
    with (
        open_store(address(tmp_path), exclusive=True),
        pytest.raises(StoreError, match="another watcher is running"),
    ):
        open_store(address(tmp_path), exclusive=True)
    open_store(address(tmp_path), exclusive=True).close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with open_store(address(tmp_path)) as store, store.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(address(tmp_path))


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("nonsense", ConfigurationError, "store.url"),
        ("sqlite:////nowhere/at/all/watcher.db", StoreError, "folder"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(url: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        open_store(url, exclusive=True)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "watcher.db").write_bytes(os.urandom(4096))
    with pytest.raises(StoreError, match="not a database"):
        open_store(address(tmp_path))


def test_an_export_can_be_imported_into_an_empty_store_only(tmp_path: Path) -> None:
    with open_store(address(tmp_path)) as store, store.begin() as connection:
        row = {"oid": "x", "data": b"\x00bytes", "kept_at": sa.func.now()}
        connection.execute(sa.insert(metadata.tables["blobs"]).values(row))
        connection.execute(sa.insert(metadata.tables["notes"]).values(key="k", value={"a": [1, None]}))
    text = tmp_path / "state.jsonl"
    assert export_store(address(tmp_path), text) == 2
    assert import_store(address(tmp_path, "other.db"), text) == 2
    export_store(address(tmp_path, "other.db"), tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_text() == text.read_text()
    text.write_text("something else")
    with pytest.raises(StoreError, match="not a state"):
        import_store(address(tmp_path, "third.db"), text)
