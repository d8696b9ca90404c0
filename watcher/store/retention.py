"""What need not be kept for ever: deliveries that ended long ago, their attempts, and the pictures they carried."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.store.engine import Store
from watcher.store.outbox import DEAD
from watcher.store.schema import attempts, deliveries, pictures, reports

BATCH = 1000
"""Rows of one transaction: nobody else waits long for the store."""


LONGEST = timedelta(days=36_500)


def prune(store: Store, now: datetime, keep: timedelta, *, dead: bool = False) -> int:
    """Forget deliveries that arrived longer than `keep` ago (with `dead`, dead letters too); how many. Zero keeps all.

    Reports, raw files and records stay for ever; so does whatever still waits, with its pictures.
    """
    if not keep:
        return 0
    before, count = now - min(keep, LONGEST), 0
    ended = [deliveries.c.delivered_at < before]
    if dead:
        ended.append(sa.and_(deliveries.c.state == DEAD, deliveries.c.created_at < before))
    for condition in ended:
        while ids := _forget(store, condition):
            count += len(ids)
    while _forget_pictures(store, before):
        pass
    return count


def _forget(store: Store, condition: sa.ColumnElement[bool]) -> Collection[str]:
    """Some deliveries, with their attempts."""
    with store.begin() as connection:
        ids = [row.id for row in connection.execute(sa.select(deliveries.c.id).where(condition).limit(BATCH))]
        if ids:
            connection.execute(sa.delete(attempts).where(attempts.c.delivery_id.in_(ids)))
            connection.execute(sa.delete(deliveries).where(deliveries.c.id.in_(ids)))
    return ids


def _forget_pictures(store: Store, before: datetime) -> Collection[str]:
    """Pictures of some old reports that no delivery needs any more."""
    with store.begin() as connection:
        ids = _without_deliveries(connection, before)
        if ids:
            connection.execute(sa.delete(pictures).where(pictures.c.report_id.in_(ids)))
    return ids


def _without_deliveries(connection: Connection, before: datetime) -> list[str]:
    needed = sa.exists().where(deliveries.c.report_id == pictures.c.report_id)
    query = (
        sa.select(pictures.c.report_id)
        .join(reports, reports.c.id == pictures.c.report_id)
        .where(reports.c.created_at < before, ~needed)
        .distinct()
        .limit(BATCH)
    )
    return [row.report_id for row in connection.execute(query)]
