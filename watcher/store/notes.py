"""Small things the watcher must remember about itself, by key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.store.schema import notes


def recall(connection: Connection, key: str) -> Any:
    """What was noted, or None."""
    return connection.execute(sa.select(notes.c.value).where(notes.c.key == key)).scalar()


def note(connection: Connection, key: str, value: Any) -> None:
    """Note a JSON-safe value, in place of an earlier one; None forgets."""
    connection.execute(sa.delete(notes).where(notes.c.key == key))
    if value is not None:
        connection.execute(sa.insert(notes).values(key=key, value=value))


def keys(connection: Connection, prefix: str) -> list[str]:
    """Every key that begins with `prefix`."""
    query = sa.select(notes.c.key).where(notes.c.key.startswith(prefix, autoescape=True)).order_by(notes.c.key)
    return [row.key for row in connection.execute(query)]
