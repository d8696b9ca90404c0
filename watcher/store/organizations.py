"""Tracked organizations: what the looks at them brought."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.store.schema import organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One tracked organization as the store knows it."""

    name: str
    """Lower case."""
    tracked: bool
    tracked_since: datetime
    known_since: datetime | None = None
    looked_at: datetime | None = None
    complete_at: datetime | None = None
    changed_at: datetime | None = None
    digest: str | None = None
    etag: str | None = None
    pages: int = 1
    error: str | None = None


def track(connection: Connection, names: Iterable[str], now: datetime) -> dict[str, Organization]:
    """Make exactly these organizations tracked; one that comes (back) starts unknown, so that its past stays silent."""
    wanted = {name.lower() for name in names}
    known = {row.name: Organization(**row._mapping) for row in connection.execute(sa.select(organizations))}
    for name in sorted(wanted - known.keys()):
        connection.execute(sa.insert(organizations).values(name=name, tracked=True, tracked_since=now))
        known[name] = Organization(name=name, tracked=True, tracked_since=now)
    fresh = {"tracked": True, "tracked_since": now, "known_since": None, "digest": None, "etag": None}
    for name, organization in known.items():
        if organization.tracked != (name in wanted):
            values = fresh if name in wanted else {"tracked": False}
            connection.execute(sa.update(organizations).where(organizations.c.name == name).values(**values))
            known[name] = dataclasses.replace(organization, **values)
    return {name: known[name] for name in wanted}


def save_organization(connection: Connection, name: str, **values: Any) -> None:
    """Note what a look at an organization brought."""
    connection.execute(sa.update(organizations).where(organizations.c.name == name).values(**values))


def last_success(connection: Connection) -> datetime | None:
    """When a listing was last complete; before the first one, since when anything is tracked."""
    query = sa.select(sa.func.max(organizations.c.complete_at), sa.func.min(organizations.c.tracked_since))
    latest, begun = connection.execute(query.where(organizations.c.tracked)).one()
    moment: datetime | None = latest or begun
    return moment


def all_organizations(connection: Connection) -> list[Organization]:
    """Every tracked organization, by name."""
    query = sa.select(organizations).where(organizations.c.tracked).order_by(organizations.c.name)
    return [Organization(**row._mapping) for row in connection.execute(query)]
