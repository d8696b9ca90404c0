"""How long releases took, stage by stage: from the Hub's own time to the sighting, the report and the delivery."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from watcher.store.schema import deliveries, reports, repos

LATEST = 100
"""Releases that are looked at."""


def latency(connection: Connection, latest: int = LATEST) -> dict[str, dict[str, float]]:
    """Median and longest seconds of each stage over the latest releases; a stage that never happened is left out.

    `hub_to_sighting` begins at the last commit before the sighting, which is early for a repo that was private first.
    """
    query = (
        sa.select(reports.c.id, reports.c.created_at, reports.c.repos)
        .where(reports.c.event == "released")
        .order_by(reports.c.created_at.desc())
        .limit(latest)
    )
    spans: dict[str, list[float]] = {"hub_to_sighting": [], "sighting_to_report": [], "report_to_delivery": []}
    for row in connection.execute(query).all():
        seen = _seen(connection, [item["_id"] for item in row.repos])
        if seen:
            newest = max(seen, key=lambda repo: repo.first_seen_at)
            spans["hub_to_sighting"] += _seconds(_hub_time(newest), newest.first_seen_at)
            spans["sighting_to_report"] += _seconds(newest.first_seen_at, row.created_at)
        arrived = sa.select(deliveries.c.delivered_at).where(deliveries.c.report_id == row.id)
        for (moment,) in connection.execute(arrived):
            spans["report_to_delivery"] += _seconds(row.created_at, moment)
    return {stage: _summary(values) for stage, values in spans.items() if values}


def _seen(connection: Connection, ids: Iterable[str]) -> list[Row[Any]]:
    columns = (repos.c.first_seen_at, repos.c.created_at, repos.c.last_modified)
    return list(connection.execute(sa.select(*columns).where(repos.c.hub_id.in_(list(ids)))))


def _hub_time(repo: Row[Any]) -> datetime | None:
    """The latest of the Hub's dates that is not after the sighting."""
    moments = [item for item in (repo.created_at, repo.last_modified) if item and item <= repo.first_seen_at]
    return max(moments, default=None)


def _seconds(begin: datetime | None, end: datetime | None) -> list[float]:
    return [max(0.0, (end - begin).total_seconds())] if begin and end else []


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": round(median(values), 1), "longest": round(max(values), 1)}
