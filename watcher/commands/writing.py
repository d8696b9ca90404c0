"""Verbs that write pages over many releases, and those about what reports are made with: runtimes, schemas."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.commands.base import Verb, print_json, say, settings_of
from watcher.errors import ConfigurationError

if TYPE_CHECKING:
    from watcher.report.model import Report
    from watcher.settings import Settings

FORMATS = ["md", "html", "json", "text", "slack", "discord"]


def digest(options: argparse.Namespace) -> int:
    """One page over many releases: a table, and a paragraph for each."""
    from watcher.clock import clock_from
    from watcher.report.digest import digest_report

    now = clock_from(os.environ).now()
    reports, links = _kept(settings_of(options), _since(options.since, now))
    if not reports:
        say(f"no report since {options.since}")
        return 0
    return _write(digest_report(reports, links, channel="digest", now=now), options)


def trends(options: argparse.Namespace) -> int:
    """What the architectures of one month have in common, beside the year before."""
    from watcher.baselines.catalog import load_catalog
    from watcher.clock import clock_from
    from watcher.report.trends import merged, model_of, models_of_catalog, trends_report

    now = clock_from(os.environ).now()
    month = options.month or now.date().replace(day=1)
    reports, links = _kept(settings_of(options, required=False), datetime(month.year - 1, month.month, 1, tzinfo=UTC))
    own = [model for item in reports if (model := model_of(item, links[item.report_id])) is not None]
    catalog = models_of_catalog([(item.name, item.date, item.record) for item in load_catalog().baselines])
    return _write(trends_report(month, merged(own, catalog), now), options)


def runtimes(options: argparse.Namespace) -> int:
    """The lists of architectures that runtimes know; `update` reads them anew from their newest wheels."""
    from watcher.report.runtimes import lists_at
    from watcher.runtime import cache_directory

    folder = cache_directory(os.environ)
    problems = _update(folder, options) if options.action == "update" else []
    rows = [
        {"runtime": item.name, "version": item.version, "date": item.date, "architectures": len(item.names)}
        for item in lists_at(folder)
    ]
    if options.json:
        print_json(rows)
    else:
        for row in rows:
            say(f"{row['runtime']} {row['version']}: {row['architectures']} architectures, list of {row['date']}")
    for problem in problems:
        sys.stderr.write(f"not read anew: {problem}\n")
    return int(bool(problems))


def schema(options: argparse.Namespace) -> int:
    """The JSON Schema of the record or of the comparison."""
    from watcher.report.schema import shipped

    return print_json(shipped(options.name))


def _since(text: str, now: datetime) -> datetime:
    """A duration back from now, or a day."""
    from watcher.values import duration

    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if "-" in text else now - duration(text)
    except ValueError:
        raise ConfigurationError(f"--since {text}: write a duration (7d, 24h) or a day (2026-11-01)") from None


def _kept(settings: Settings, since: datetime) -> tuple[list[Report], dict[str, str]]:
    """The store's reports since a moment, with the address of each; none where there is no store yet."""
    from watcher.publish.enqueue import public_address
    from watcher.store import archive
    from watcher.store.engine import open_store

    path = settings.store_url.removeprefix("sqlite:///")
    if settings.store_url.startswith("sqlite") and not Path(path).exists():
        return [], {}
    with open_store(settings.store_url) as store, store.begin() as connection:
        found = archive.reports_since(connection, since)
    return found, {item.report_id: public_address(settings, item) for item in found}


def _write(made: Report, options: argparse.Namespace) -> int:
    from watcher.publish.preview import render, write_files

    if options.output:
        for path in write_files(made, options.output, options.format):
            say(f"wrote {path}")
        return 0
    sys.stdout.write(render(made, options.format))
    return 0


def _update(folder: Path, options: argparse.Namespace) -> list[str]:
    """Lists from the given wheels or folders, from the packages installed here, else from the newest wheels of the
    package index; kept in the cache folder. Returns a sentence for each that could not be had."""
    from watcher.report.runtime_lists import installed, read_list
    from watcher.report.runtime_wheels import fetch_lists
    from watcher.whole_file import write_whole

    chosen = options.paths or (installed() if options.installed else [])
    if options.installed and not chosen:
        raise ConfigurationError("runtimes update --installed: neither vllm, sglang nor gguf is installed here")
    today = datetime.now(UTC).date().isoformat()
    fresh, problems = (dict(read_list(path, today) for path in chosen), []) if chosen else fetch_lists(today)
    target = folder / "runtimes.json"
    try:
        kept = json.loads(target.read_text("utf-8"))
    except (OSError, ValueError):
        kept = {}
    if fresh:
        write_whole(target, json.dumps((kept if isinstance(kept, dict) else {}) | fresh).encode())
    return problems


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write 2026-11") from None


def _page_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument("--format", choices=FORMATS, default="md", help="what to write (default: md)")


def _digest_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", required=True, metavar="WHEN", help="a duration back (7d, 24h), or a day")
    _page_arguments(parser)


def _trends_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--month", type=_month, metavar="YYYY-MM", help="which month (default: this one)")
    _page_arguments(parser)


def _runtimes_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "update"], default="list")
    parser.add_argument("paths", nargs="*", type=Path, metavar="WHEEL", help="a wheel, or a package's folder")
    parser.add_argument("--installed", action="store_true", help="update from the packages that are installed here")


def _schema_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=["record", "comparison"])


VERBS = (
    Verb("digest", digest, "watcher digest --since 7d -o week.md", _digest_arguments),
    Verb("trends", trends, "watcher trends --month 2026-10 -o trends.md", _trends_arguments),
    Verb(
        "runtimes",
        runtimes,
        "watcher runtimes\n  watcher runtimes update\n  watcher runtimes update gguf-0.19.0-py3-none-any.whl",
        _runtimes_arguments,
        config=False,
        data=True,
    ),
    Verb("schema", schema, "watcher schema record", _schema_arguments, config=False),
)
