"""Verbs over the outbox: what was delivered, what waits, what was given up."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from watcher.commands.base import Verb, console, open_files, print_json, reference, say, settings_of
from watcher.values import duration

if TYPE_CHECKING:
    from watcher.releases.model import EventKind


def deliveries(options: argparse.Namespace) -> int:
    """The outbox: what was delivered, what waits, what was given up."""
    from watcher.standing import delivery_payload, list_deliveries, print_deliveries

    settings = settings_of(options)
    if options.id:
        return print_json(delivery_payload(settings, options.id))
    rows = list_deliveries(settings, dead=options.dead)
    if options.json:
        return print_json(rows)
    print_deliveries(rows, console())
    return 0


def retry(options: argparse.Namespace) -> int:
    """Put dead or retrying deliveries back into the outbox; `once` or the daemon sends them."""
    from watcher.standing import revive_deliveries

    count = revive_deliveries(settings_of(options), None if options.all else options.id, os.environ)
    say(f"{count} {'delivery is' if count == 1 else 'deliveries are'} due again")
    return 0 if count or options.all else 1


def prune(options: argparse.Namespace) -> int:
    """Forget deliveries that arrived long ago; reports and their data stay."""
    from watcher.standing import prune_deliveries

    count = prune_deliveries(settings_of(options), options.older, os.environ, dead=options.dead)
    say(f"forgot {count} {'delivery' if count == 1 else 'deliveries'}")
    return 0


def route(options: argparse.Namespace) -> int:
    """Where a report on a repo would go, when, and which rule says so."""
    from watcher.explaining import explain_repo
    from watcher.report.adhoc import adhoc_report
    from watcher.routes import itinerary, print_itinerary
    from watcher.runtime import build_channels, hub_client

    settings = settings_of(options)
    found = itinerary(
        settings,
        {name: channel for name, (channel, _) in build_channels(settings, os.environ).items()},
        options.name,
        options.event,
        environment=os.environ,
        make=lambda: adhoc_report(
            open_files(options, options.name), None, reference=reference(), environment=os.environ
        ),
        explain=lambda: explain_repo(settings, hub_client(settings), options.name).because,
    )
    if options.json:
        return print_json(found.to_dict())
    print_itinerary(found, console())
    return 0


def health(options: argparse.Namespace) -> int:
    """Whether the watcher is well: looks at the Hub, and every channel takes what it is sent; exit code 1 when not."""
    from watcher.standing import examine_store, print_health

    found = examine_store(settings_of(options), options.within, os.environ)
    if options.json:
        return print_json(found.to_dict()) or int(not found.well)
    print_health(found, say)
    return int(not found.well)


def _deliveries_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="with show: the exact payload of this delivery")
    parser.add_argument("--dead", action="store_true", help="only dead letters")


def _retry_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="every dead or retrying delivery")


def _prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older", type=duration, metavar="AGE", help="how old, as in 30d (default: store.keep)")
    parser.add_argument("--dead", action="store_true", help="dead letters of that age too")


def _event(text: str) -> EventKind:
    from watcher.releases.model import EventKind

    told = [kind.value for kind in EventKind if kind is not EventKind.DIGEST]
    if text not in told:
        raise argparse.ArgumentTypeError(f"{text!r} is no event; there are {', '.join(told)}")
    return EventKind(text)


def _route_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="ORG/NAME")
    parser.add_argument("--event", type=_event, metavar="EVENT", help="as if this had happened (default: the last)")


def _health_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--within", type=duration, metavar="AGE", help="how old the last look may be (default: three intervals)"
    )


VERBS = (
    Verb(
        "deliveries",
        deliveries,
        "watcher deliveries --dead\n  watcher deliveries show msg_1a2b3c",
        _deliveries_arguments,
        data=True,
    ),
    Verb("retry", retry, "watcher retry msg_1a2b3c\n  watcher retry --all", _retry_arguments),
    Verb(
        "route",
        route,
        "watcher route Qwen/Qwen3-8B\n  watcher route Qwen/Qwen3-8B --event license_changed",
        _route_arguments,
        data=True,
    ),
    Verb("health", health, "watcher health\n  watcher health --within 2h || reboot", _health_arguments, data=True),
    Verb("prune", prune, "watcher prune\n  watcher prune --older 30d --dead", _prune_arguments),
)
