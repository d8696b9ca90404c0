"""How many requests were sent to the Hub, by its fixed windows of 300 seconds: shared by every part and instance."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.store.schema import spending

WINDOW = 300
KEPT = timedelta(days=1)


def _window(moment: datetime) -> int:
    return int(moment.timestamp()) // WINDOW * WINDOW


def spend(connection: Connection, now: datetime, requests: int) -> None:
    """Count requests in the window of `now`; windows of yesterday are forgotten."""
    if requests <= 0:
        return
    window = _window(now)
    raised = sa.update(spending).where(spending.c.window == window).values(requests=spending.c.requests + requests)
    if not connection.execute(raised).rowcount:
        connection.execute(sa.insert(spending).values(window=window, requests=requests))
        connection.execute(sa.delete(spending).where(spending.c.window < _window(now - KEPT)))


def spent(connection: Connection, now: datetime) -> int:
    """Requests counted in the window of `now`."""
    query = sa.select(spending.c.requests).where(spending.c.window == _window(now))
    return connection.execute(query).scalar() or 0
