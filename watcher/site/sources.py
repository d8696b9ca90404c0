"""Where the site's models come from: the store's reports, pages of the reports folder, and every baseline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from watcher.architecture.record import Architecture, Model
from watcher.baselines.catalog import Catalog
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.report.formats import strip_front_matter
from watcher.site.model import Detail, Source, Story
from watcher.site.rows import row
from watcher.store.engine import Store

MAX_PAGE = 1_000_000
"""Bytes of a page of the reports folder; larger ones are none of ours."""
APART = frozenset({"alert", "digest", "early"})
"""Reports about no single model stay out of the gallery: about the watcher itself, and over many releases."""


def sources(catalog: Catalog, store: Store | None, folder: Path | None) -> Iterator[Source]:
    """Every source, with keys that tell whether it has to be read again."""
    for item in catalog.baselines:
        yield Source(f"catalog:{catalog.version}:{item.name}", partial(_read_baseline, catalog, item))
    told: set[str] = set()
    if store is not None:
        yield from _own_baselines(catalog, store)
        for source in _reports(store):
            told.add(source.key.removeprefix("report:"))
            yield source
    if folder is not None and folder.is_dir():
        yield from _pages(catalog, folder, told)


# --- the store's reports ---------------------------------------------------------------------------------------------


def _reports(store: Store) -> Iterator[Source]:
    import sqlalchemy as sa

    from watcher.store.schema import reports

    with store.begin() as connection:
        query = (
            sa.select(reports.c.id).where(reports.c.event.not_in(APART)).order_by(reports.c.created_at, reports.c.id)
        )
        ids = [row.id for row in connection.execute(query)]
    for report_id in ids:
        yield Source(f"report:{report_id}", partial(_read_report, store, report_id))


def _read_report(store: Store, report_id: str) -> list[Detail]:
    """The distinct architectures of one report, the lead's first."""
    import sqlalchemy as sa

    from watcher.store.schema import reports

    with store.begin() as connection:
        found = connection.execute(sa.select(reports).where(reports.c.id == report_id)).first()
    if found is None:
        return []
    story = Story(
        id=found.id,
        event=found.event,
        date=found.created_at.isoformat(),
        headline=found.headline,
        verdict=found.verdict,
    )
    members = found.data["members"] or [{"repos": found.repos, "record": found.data["record"], "comparison": None}]
    return [_member(item, story, found.data, index == 0) for index, item in enumerate(members) if item["repos"]]


def _member(item: Mapping[str, Any], story: Story, data: Mapping[str, Any], lead: bool) -> Detail:
    record = Architecture.from_dict(dict(item["record"]))
    comparison = item["comparison"] or {}
    baseline = Architecture.from_dict(comparison["a"]) if comparison else None
    names = [repo["id"] for repo in item["repos"]]
    address = str(data["hub_url"] or "")
    return Detail(
        row=row(
            record,
            name=names[0],
            origin="report",
            date=story.date[:10],
            baseline=baseline.model.id if baseline else None,
            aliases=names[1:],
            story=story,
        ),
        record=record,
        baseline=baseline,
        changes=comparison.get("changes", ()),
        similarity=comparison.get("similarity"),
        markdown=data["markdown"],
        hub_url=address if lead else "",
    )


# --- pages of the reports folder that the store does not have --------------------------------------------------------


def _pages(catalog: Catalog, folder: Path, told: set[str]) -> Iterator[Source]:
    from watcher.publish.pages import entries

    for entry in entries(folder):
        path = folder / entry.path
        try:
            stat = path.stat()
            values = front_matter(path)
        except OSError:
            continue
        if values.get("report") in told or values.get("event") in APART or stat.st_size > MAX_PAGE:
            continue
        yield Source(f"page:{entry.path}:{stat.st_mtime_ns}:{stat.st_size}", partial(_read_page, catalog, path, values))


def front_matter(path: Path) -> dict[str, Any]:
    """The values of a page's front matter; every line of ours is a key and a JSON value."""
    with open(path, encoding="utf-8", errors="replace") as handle:
        head = handle.read(65_536)
    values: dict[str, Any] = {}
    for line in head[4:].partition("\n---\n")[0].splitlines() if head.startswith("---\n") else ():
        key, _, value = line.partition(": ")
        try:
            values[key] = json.loads(value)
        except (ValueError, RecursionError):
            continue
    return values


def _read_page(catalog: Catalog, path: Path, values: Mapping[str, Any]) -> list[Detail]:
    """A page's model: its record beside the page if the front matter names one, else the catalog's."""
    names = [str(name) for name in values.get("repos", ()) if isinstance(name, str)]
    if not names:
        return []
    story = Story(
        id=str(values.get("report") or path.stem),
        event=str(values.get("event", "released")),
        date=str(values.get("date", "")),
        headline=str(values.get("headline", "")),
        verdict=values["verdict"] if isinstance(values.get("verdict"), str) else None,
    )
    known = _known(catalog, names[0])
    record = _record_beside(path, values) or (known.record if known else Architecture(model=Model(id=names[0])))
    base = _known(catalog, str(values.get("baseline", "")))
    comparison = compare(base.record, record) if base and record.layers.count is not None else None
    return [
        Detail(
            row=row(
                record,
                name=names[0],
                origin="page",
                date=story.date[:10],
                baseline=str(values["baseline"]) if "baseline" in values else None,
                aliases=names[1:],
                story=story,
            ),
            record=record,
            baseline=base.record if base else None,
            changes=[change.to_dict() for change in comparison.changes] if comparison else (),
            similarity=comparison.similarity if comparison else None,
            markdown=strip_front_matter(path.read_text(encoding="utf-8", errors="replace")),
        )
    ]


def _record_beside(path: Path, values: Mapping[str, Any]) -> Architecture | None:
    """The record that `record: "name.json"` names, if it lies beside the page."""
    name = values.get("record")
    if not isinstance(name, str) or "/" in name or "\\" in name or not name.endswith(".json"):
        return None
    try:
        data = json.loads((path.parent / name).read_bytes()[:MAX_PAGE])
        return Architecture.from_dict(data.get("record", data))
    except (OSError, ValueError, RecursionError, TypeError, AttributeError, KeyError):
        return None


# --- baselines -------------------------------------------------------------------------------------------------------


def _own_baselines(catalog: Catalog, store: Store) -> Iterator[Source]:
    """Architectures that were added by hand; those that came with a release have its report."""
    import sqlalchemy as sa

    from watcher.store.schema import baselines

    with store.begin() as connection:
        found = [dict(each._mapping) for each in connection.execute(sa.select(baselines).where(baselines.c.added))]
    for each in found:
        yield Source(f"baseline:{each['fingerprint']}:{each['record_key']}", partial(_read_own, catalog, store, each))


def _read_own(catalog: Catalog, store: Store, each: Mapping[str, Any]) -> list[Detail]:
    from watcher.store import archive

    with store.begin() as connection:
        data = archive.record(connection, each["record_key"])
    if data is None:
        return []
    record = Architecture.from_dict(data)
    date = each["first_seen_at"].date().isoformat()
    return _read_baseline(catalog, Baseline(name=each["name"], date=date, record=record))


def _read_baseline(catalog: Catalog, item: Baseline) -> list[Detail]:
    """A baseline beside the nearest one that came before it."""
    from watcher.baselines.nearest import nearest

    earlier = (other for other in catalog.baselines if other.name != item.name and _before(other, item))
    match = nearest(item.record, earlier) if item.date else None
    comparison = compare(match.baseline.record, item.record) if match else None
    return [
        Detail(
            row=row(
                item.record,
                name=item.name,
                origin="catalog",
                date=item.date,
                baseline=match.baseline.name if match else None,
                aliases=item.members,
            ),
            record=item.record,
            baseline=match.baseline.record if match else None,
            changes=[change.to_dict() for change in comparison.changes] if comparison else (),
            similarity=comparison.similarity if comparison else None,
        )
    ]


def _before(other: Baseline, item: Baseline) -> bool:
    return bool(other.date) and other.date < item.date


def _known(catalog: Catalog, name: str) -> Baseline | None:
    wanted = name.lower()
    matches = (item for item in catalog.baselines if wanted in (each.lower() for each in item.names))
    return next(matches, None)
