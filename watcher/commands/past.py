"""Verbs about the past: reports for what came out before we looked, and one report once more."""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watcher.commands.base import Verb, console, print_json, say, settings_of

if TYPE_CHECKING:
    from watcher.backfill import PastRelease
    from watcher.context import Context


def backfill(options: argparse.Namespace) -> int:
    """Write reports for past releases, oldest first, into the archives; nothing goes to chat without --send."""
    from watcher import cycle
    from watcher.backfill import chosen, plan
    from watcher.runtime import running

    settings = settings_of(options)
    quiet = options.dry_run or options.json
    with running(settings, os.environ, (lambda _: None) if quiet else say, beside=True) as context:
        names = chosen(context, options.org)
        if context.alone and not options.dry_run:
            cycle.once(context)
        past = plan(context, names, options.since, options.until)
        if options.dry_run:
            return _print_plan(past, options)
        return _tell(context, past, options)


def _tell(context: Context, past: Sequence[PastRelease], options: argparse.Namespace) -> int:
    from watcher.backfill import backfill as run

    before = dict(context.journal.counts)
    with _progress(context, len(past)) as step:
        run(context, past, send=options.send, step=step)
    counts = {key: count - before.get(key, 0) for key, count in context.journal.counts.items()}
    written, errors = counts.get("reports", 0), counts.get("errors", 0)
    if options.json:
        print_json({"planned": len(past), "reports": written, "skipped": counts.get("skipped", 0), "errors": errors})
    else:
        say(f"done: {written} of {len(past)} past releases reported" + (f", {errors} errors" if errors else ""))
    if not context.alone and written:
        say("the watcher that is running delivers them")
    return int(bool(errors))


@contextmanager
def _progress(context: Context, total: int) -> Iterator[Callable[[PastRelease], None]]:
    """A bar on the terminal, with what is said above it; elsewhere nothing but what is said."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    terminal = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("past releases", total=total)
        if terminal.is_terminal:
            context.journal.say = lambda line: bar.console.print(line, markup=False, soft_wrap=True)

        done = itertools.count()

        def step(item: PastRelease) -> None:
            bar.update(task, completed=next(done), description=f"{item.at:%Y-%m-%d} {item.members[0].name}")

        yield step
        bar.update(task, completed=total)


def _print_plan(past: Sequence[PastRelease], options: argparse.Namespace) -> int:
    if options.json:
        return print_json([item.to_dict() for item in past])
    for item in past:
        more = f" and {len(item.members) - 1} more" if len(item.members) > 1 else ""
        say(f"{item.at:%Y-%m-%d}  {item.members[0].name}{more}")
    say(f"{len(past)} past releases would be reported; nothing was written")
    return 0


def replay(options: argparse.Namespace) -> int:
    """Make one report again with today's reader and send it again; without an argument, list the latest."""
    from watcher import cycle
    from watcher.replay import find
    from watcher.replay import replay as again
    from watcher.runtime import running

    with running(settings_of(options), os.environ, say, beside=True) as context:
        if options.what is None:
            return _print_latest(context, options)
        report = find(context, options.what)
        if options.dry_run:
            say(f"would make {report.report_id} again: {report.headline}")
            return 0
        done = again(context, report, channels=options.channel, as_it_was=options.as_it_was)
        say(f"{done.report.event.value}: {done.report.headline}")
        if not done.channels:
            say("no channel wants it; name one with --channel")
            return 1
        if not context.alone:
            say(f"the watcher that is running delivers it to {', '.join(done.channels)}")
            return 0
        cycle.send(context)
        return int(bool(context.journal.counts.get("errors")))


def _print_latest(context: Context, options: argparse.Namespace) -> int:
    from rich.table import Table
    from rich.text import Text

    from watcher.store import archive

    with context.store.begin() as connection:
        rows = archive.latest_reports(connection, 20)
    if options.json:
        keys = ("id", "event", "headline", "organization")
        return print_json([{"at": row["created_at"].isoformat(), **{key: row[key] for key in keys}} for row in rows])
    table = Table(box=None, pad_edge=False)
    for title in ("report", "date", "event", "headline"):
        table.add_column(title, no_wrap=title != "headline")
    for row in rows:
        cells = (row["id"], f"{row['created_at']:%Y-%m-%d}", row["event"], row["headline"])
        table.add_row(*(Text(cell) for cell in cells))
    console().print(table if rows else "no reports yet")
    return 0


def _day(text: str) -> datetime:
    """`2025-01-01` or a moment; UTC where it has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write for example 2025-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _backfill_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_day, required=True, metavar="DATE", help="releases from this day on")
    parser.add_argument("--until", type=_day, metavar="DATE", help="and before this one")
    parser.add_argument("--org", action="append", default=[], metavar="ORG", help="only this organization (repeatable)")
    parser.add_argument("--dry-run", action="store_true", help="list what would be reported, write nothing")
    parser.add_argument("--send", action="store_true", help="to every channel that wants it, not to archives alone")


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="EVENT|RELEASE", help="rep_…, rel_…, an event's number, or org/name")
    parser.add_argument("--channel", action="append", default=[], metavar="NAME", help="to this channel (repeatable)")
    parser.add_argument("--as-it-was", action="store_true", help="send it as it was made, read nothing again")
    parser.add_argument("--dry-run", action="store_true", help="say which report it is")


VERBS = (
    Verb(
        "backfill",
        backfill,
        "watcher backfill --since 2025-01-01 --dry-run\n  watcher backfill --since 2025-01-01 --org Qwen",
        _backfill_arguments,
        data=True,
    ),
    Verb(
        "replay",
        replay,
        "watcher replay\n  watcher replay Qwen/Qwen3-8B --channel research",
        _replay_arguments,
        data=True,
    ),
)
