"""Verbs over the outbox: what was delivered, what waits, what was given up."""

from __future__ import annotations

import argparse
import os

from watcher.commands.base import Verb, console, print_json, say, settings_of
from watcher.values import duration


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


VERBS = (
    Verb(
        "deliveries",
        deliveries,
        "watcher deliveries --dead\n  watcher deliveries show msg_1a2b3c",
        _deliveries_arguments,
        data=True,
    ),
    Verb("retry", retry, "watcher retry msg_1a2b3c\n  watcher retry --all", _retry_arguments),
    Verb("prune", prune, "watcher prune\n  watcher prune --older 30d --dead", _prune_arguments),
)
