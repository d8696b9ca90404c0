"""Verbs about what is watched."""

from __future__ import annotations

import argparse
import os

from watcher.commands.base import Verb, print_json, say, settings_of
from watcher.errors import ConfigurationError, WatcherError


def track(options: argparse.Namespace) -> int:
    """Add organizations to config.toml, in place; what they have already stays silent."""
    from watcher.tracking import track as add

    if not options.offline:
        _verify(options)
    for line in add(options.config, options.organizations, os.environ):
        say(line)
    return 0


def _verify(options: argparse.Namespace) -> None:
    """Every name exists on the Hub, or the Hub cannot be asked, which is said."""
    from watcher.runtime import hub_client
    from watcher.tracking import plain_name

    settings = settings_of(options)
    hub = hub_client(settings)
    for name in map(plain_name, options.organizations):
        try:
            exists = name.startswith("preset:") or hub.organization_exists(name)
        except WatcherError as error:
            say(f"{name}: could not be verified: {error}")
            continue
        if not exists:
            where = settings.hub.endpoint
            raise ConfigurationError(f"{name}: no organization or user of this name on {where}; check the spelling")


def untrack(options: argparse.Namespace) -> int:
    """Take organizations out of config.toml, in place; what is known of them is kept."""
    from watcher.tracking import untrack as remove

    for line in remove(options.config, options.organizations, os.environ):
        say(line)
    return 0


def plan(options: argparse.Namespace) -> int:
    """What the next cycle would ask the Hub, and why; asks nothing."""
    from watcher.standing import plan_ahead

    facts = plan_ahead(settings_of(options), os.environ)
    if options.json:
        return print_json(facts)
    for line in facts["why"]:
        say(line)
    for name in facts["organizations"]:
        say(f"  {name}")
    return 0


def presets(options: argparse.Namespace) -> int:
    """The shipped lists of organizations."""
    from watcher.presets import PRESETS

    if options.json:
        return print_json({name: {"about": about, "organizations": orgs} for name, (about, orgs) in PRESETS.items()})
    for name, (about, organizations) in PRESETS.items():
        say(f"preset:{name} ({len(organizations)}): {about}\n  {', '.join(organizations)}")
    return 0


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("organizations", nargs="+", metavar="ORG", help="organization, user, or preset:NAME")


def _track_arguments(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    parser.add_argument("--offline", action="store_true", help="do not ask the Hub whether it exists")


VERBS = (
    Verb("track", track, "watcher track mistralai\n  watcher track preset:small-models", _track_arguments),
    Verb("untrack", untrack, "watcher untrack nvidia", _names),
    Verb("plan", plan, "watcher plan", data=True),
    Verb("presets", presets, "watcher presets", config=False, data=True),
)
