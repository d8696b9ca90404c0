"""Hints to look at an organization early, one row each, kept among the notes until a look has answered them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from watcher.store import notes

PREFIX = "hint "
LONGEST = 96
"""Characters of a key."""


@dataclass(frozen=True, slots=True)
class StoredHint:
    """An organization to be looked at."""

    organization: str
    """Lower case."""
    at: datetime
    """When the latest hint came."""
    due_at: datetime
    failures: int = 0


def add(connection: Connection, organization: str, at: datetime, delay: timedelta) -> None:
    """Note that something happened; a burst of hints is one look, `delay` after its first."""
    known = _read(connection, _key(organization))
    due_at = known.due_at if known else at + delay
    _write(connection, StoredHint(organization.lower(), at, due_at, known.failures if known else 0))


def due(connection: Connection, now: datetime) -> list[StoredHint]:
    """Hints whose look is due."""
    found = (_read(connection, key) for key in notes.keys(connection, PREFIX))
    return [hint for hint in found if hint is not None and hint.due_at <= now]


def settle(connection: Connection, hint: StoredHint, *, retry_at: datetime | None, delay: timedelta) -> None:
    """After a look: forgotten when it answered, due again when it failed or another hint came meanwhile."""
    known = _read(connection, _key(hint.organization))
    if known is None:
        return
    if retry_at is not None:
        _write(connection, StoredHint(hint.organization, known.at, retry_at, known.failures + 1))
    elif known.at == hint.at:
        notes.note(connection, _key(hint.organization), None)
    else:
        _write(connection, StoredHint(hint.organization, known.at, known.at + delay))


def _key(organization: str) -> str:
    return f"{PREFIX}{organization.lower()}"[:LONGEST]


def _read(connection: Connection, key: str) -> StoredHint | None:
    value: Any = notes.recall(connection, key)
    if not isinstance(value, dict):
        return None
    at, due_at = datetime.fromisoformat(value["at"]), datetime.fromisoformat(value["due_at"])
    return StoredHint(value["organization"], at, due_at, value["failures"])


def _write(connection: Connection, hint: StoredHint) -> None:
    value = {
        "organization": hint.organization,
        "at": hint.at.isoformat(),
        "due_at": hint.due_at.isoformat(),
        "failures": hint.failures,
    }
    notes.note(connection, _key(hint.organization), value)
