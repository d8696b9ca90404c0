"""What is kept for good: raw small files by blob id, records, reports with their pictures, baselines read ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.releases.model import EventKind, RepoRef
from watcher.report.model import Report
from watcher.store.schema import baselines, blobs, pictures, records, reports


def blob(connection: Connection, oid: str) -> bytes | None:
    """A file's bytes by blob id."""
    return connection.execute(sa.select(blobs.c.data).where(blobs.c.oid == oid)).scalar()


def keep_blobs(connection: Connection, files: Mapping[str, bytes], now: datetime) -> None:
    """Keep files by blob id; those we have stay as they are."""
    known = {row.oid for row in connection.execute(sa.select(blobs.c.oid).where(blobs.c.oid.in_(list(files))))}
    rows = [{"oid": oid, "data": data, "kept_at": now} for oid, data in files.items() if oid not in known]
    if rows:
        connection.execute(sa.insert(blobs), rows)


def keep_record(
    connection: Connection, key: str, fingerprint: str, data: Mapping[str, Any], config_oid: str | None, now: datetime
) -> None:
    """Keep a record; the same key is the same record."""
    if connection.execute(sa.select(records.c.key).where(records.c.key == key)).first() is None:
        values = {"key": key, "fingerprint": fingerprint, "data": data, "config_oid": config_oid, "made_at": now}
        connection.execute(sa.insert(records).values(**values))


def record(connection: Connection, key: str) -> dict[str, Any] | None:
    """A record's data."""
    data: dict[str, Any] | None = connection.execute(sa.select(records.c.data).where(records.c.key == key)).scalar()
    return data


def fingerprints(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """The fingerprints of these records."""
    query = sa.select(records.c.key, records.c.fingerprint).where(records.c.key.in_(list(keys)))
    return {row.key: row.fingerprint for row in connection.execute(query)}


def config_of(connection: Connection, key: str) -> bytes | None:
    """The raw config that a record was read from."""
    query = sa.select(blobs.c.data).join(records, records.c.config_oid == blobs.c.oid).where(records.c.key == key)
    return connection.execute(query).scalar()


def keep_baseline(connection: Connection, fingerprint: str, **values: Any) -> None:
    """A model that we read becomes a baseline, unless its architecture is one already."""
    query = sa.select(baselines.c.fingerprint).where(baselines.c.fingerprint == fingerprint)
    if connection.execute(query).first() is None:
        connection.execute(sa.insert(baselines).values(fingerprint=fingerprint, **values))


def read_baselines(connection: Connection) -> Sequence[Mapping[str, Any]]:
    """Architectures that we read ourselves: baseline columns, with the record's `data` and its raw `config`."""
    columns = list(baselines.c)
    query = (
        sa.select(*columns, records.c.data, blobs.c.data.label("config"))
        .join(records, records.c.key == baselines.c.record_key)
        .join(blobs, blobs.c.oid == records.c.config_oid, isouter=True)
        .order_by(baselines.c.first_seen_at)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def keep_report(connection: Connection, report: Report) -> None:
    """Keep a report with its body and its pictures."""
    connection.execute(
        sa.insert(reports).values(
            id=report.report_id,
            release_id=report.release_id,
            event=report.event.value,
            organization=report.organization,
            created_at=report.created_at,
            headline=report.headline,
            significance=report.significance,
            verdict=report.verdict,
            path=report.path,
            repos=[item.to_dict() for item in report.repos],
            data={
                "markdown": report.markdown,
                "record": dict(report.record),
                "comparison": report.comparison,
                "members": list(report.members),
                "hub_url": report.hub_url,
            },
        )
    )
    for name, data in report.pictures.items():
        connection.execute(sa.insert(pictures).values(report_id=report.report_id, name=name, data=data))


def report(connection: Connection, report_id: str) -> Report | None:
    """A report as it was made."""
    row = connection.execute(sa.select(reports).where(reports.c.id == report_id)).first()
    return _report(connection, row) if row else None


def event_of(connection: Connection, report_id: str) -> str | None:
    """The kind of event a report tells."""
    return connection.execute(sa.select(reports.c.event).where(reports.c.id == report_id)).scalar()


def _report(connection: Connection, row: Any) -> Report:
    refs = tuple(
        RepoRef(hub_id=item["_id"], name=item["id"], sha=item["sha"], variant=item["variant"]) for item in row.repos
    )
    return Report(
        report_id=row.id,
        release_id=row.release_id or "",
        event=EventKind(row.event),
        organization=row.organization,
        created_at=row.created_at,
        headline=row.headline,
        significance=row.significance,
        verdict=row.verdict,
        repos=refs,
        path=row.path,
        markdown=row.data["markdown"],
        pictures=pictures_of(connection, row.id),
        record=row.data["record"],
        comparison=row.data["comparison"],
        members=tuple(row.data["members"]),
        hub_url=row.data["hub_url"],
    )


def pictures_of(connection: Connection, report_id: str) -> dict[str, bytes]:
    """A report's pictures by name."""
    query = sa.select(pictures.c.name, pictures.c.data).where(pictures.c.report_id == report_id)
    return {row.name: row.data for row in connection.execute(query)}


def latest_report_of(connection: Connection, release_id: str) -> str | None:
    """The newest report about a release."""
    query = sa.select(reports.c.id).where(reports.c.release_id == release_id).order_by(reports.c.created_at.desc())
    found: str | None = connection.execute(query.limit(1)).scalar()
    return found


def latest_report_naming(connection: Connection, name: str, event: EventKind | None = None) -> str | None:
    """The newest report (of this kind of event, or of any) that names a repo (`org/name`, any case)."""
    organization = sa.func.lower(reports.c.organization) == name.partition("/")[0].lower()
    query = sa.select(reports.c.id, reports.c.repos).where(organization).order_by(reports.c.created_at.desc())
    rows = connection.execute(query.where(reports.c.event == event.value) if event else query)
    return next((row.id for row in rows if name.lower() in (repo["id"].lower() for repo in row.repos)), None)


def count_reports(connection: Connection) -> int:
    """How many reports are kept."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(reports)).scalar() or 0)


def reports_since(connection: Connection, since: datetime) -> list[Report]:
    """Every report made since a moment but early notes and those about the watcher itself, oldest first."""
    apart = [EventKind.ALERT, EventKind.EARLY]
    query = sa.select(reports).where(reports.c.created_at >= since, reports.c.event.not_in(apart))
    return [_report(connection, row) for row in connection.execute(query.order_by(reports.c.created_at, reports.c.id))]


def latest_reports(connection: Connection, limit: int = 1000) -> Sequence[Mapping[str, Any]]:
    """Index entries of the newest reports: id, path, headline, event, verdict, organization, created_at, repos."""
    columns = (
        reports.c.id,
        reports.c.path,
        reports.c.headline,
        reports.c.event,
        reports.c.verdict,
        reports.c.significance,
        reports.c.organization,
        reports.c.created_at,
        reports.c.repos,
    )
    query = sa.select(*columns).order_by(reports.c.created_at.desc(), reports.c.id).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]
