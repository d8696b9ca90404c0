"""Opening the store: address → engine with real transactions, migrated, and locked to one instance where it must be."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from watcher.errors import ConfigurationError, StoreError, StoreTaken

HEAD = "0005"
"""The newest migration; a test keeps it true, so that opening a current store does not load Alembic."""

BUSY = 30.0
"""Seconds to wait for another process's transaction (SQLite); `?timeout=` in the address says otherwise."""


class Store:
    """An open store. `begin()` is the only way in: everything in one `with` is one transaction."""

    def __init__(self, engine: Engine, lock: int | None = None) -> None:
        self._engine = engine
        self._lock = lock
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None

    @property
    def locked(self) -> bool:
        """Whether no other instance can be using it: then every older lease is dead."""
        return self._lock is not None

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Raises StoreError when the database refuses."""
        try:
            with self._taking_turns(), self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreError(_refusal(error)) from error

    @contextlib.contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """SQLite has one writer at a time, and waits for it in sleeps; our own threads wait for each other here."""
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY):
            raise StoreError(f"another part of this program held the store for {BUSY:.0f} s; please report it")
        try:
            yield
        finally:
            self._turn.release()

    def compact(self) -> None:
        """Give the space of deleted rows back to the file system. PostgreSQL does that by itself."""
        if self._engine.dialect.name != "sqlite":
            return
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # VACUUM cannot run inside a transaction
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("BEGIN")
        except DBAPIError as error:
            raise StoreError(_refusal(error)) from None

    def close(self) -> None:
        """Let go of the database and of the instance lock."""
        self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(url: str, *, exclusive: bool = False, schema: str = HEAD) -> Store:
    """Open (and create or upgrade) the store at a SQLAlchemy address; `schema` is an older version to stop at.

    With `exclusive`, hold the instance lock until it is closed (SQLite only: PostgreSQL coordinates by itself).
    Raises ConfigurationError for an address that makes no sense, StoreError for a store that cannot be used.
    """
    try:
        engine = _engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigurationError(f"store.url: {_first_line(error)}; write sqlite:///watcher.db") from None
    lock = _instance_lock(engine) if exclusive else None
    try:
        _migrate(engine, schema)
    except BaseException:
        Store(engine, lock).close()
        raise
    return Store(engine, lock)


def _engine(url: str) -> Engine:
    sqlite = sa.make_url(url).get_backend_name() == "sqlite"
    patience = {} if not sqlite or "timeout" in sa.make_url(url).query else {"timeout": BUSY}
    engine = sa.create_engine(url, pool_pre_ping=not sqlite, connect_args=patience)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is late and not for every statement
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _instance_lock(engine: Engine) -> int | None:
    """Hold `<database>.lock`: proves that no other instance runs and that older leases are dead."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    try:
        handle = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be locked: {error.strerror}; check its folder") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreTaken(
            f"another watcher is running on {path}; stop it, or give this one a store of its own"
        ) from None
    return handle


def _migrate(engine: Engine, schema: str) -> None:
    """Bring the schema to this program's version (or an older one); refuse a newer one."""
    try:
        with engine.begin() as connection:
            tables = sa.inspect(connection).get_table_names()
            found = None
            if "alembic_version" in tables:
                found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        raise StoreError(_refusal(error)) from None
    if found == schema:
        return
    if found is not None and found > HEAD:
        raise StoreError(f"the store was written by a newer version (schema {found}, this one knows {HEAD}); upgrade")
    _upgrade(engine, schema)


def _upgrade(engine: Engine, schema: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, schema)
    except DBAPIError as error:
        raise StoreError(_refusal(error)) from None


def _refusal(error: DBAPIError) -> str:
    """What the database said, in one line, with the remedy."""
    text = _first_line(error.orig or error)
    remedies = {
        "locked": "another process holds it; stop that one",
        "readonly": "make the file and its folder writable",
        "unable to open": "make sure its folder exists and is writable",
        "full": "free some disk space",
        "disk i/o": "check the disk and its free space",
        "malformed": "restore a backup",
        "not a database": "name another file in store.url, or restore a backup",
    }
    remedy = next((advice for sign, advice in remedies.items() if sign in text.lower()), "check store.url")
    return f"the store refused: {text}; {remedy}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
