"""Verbs about what is watched."""

from __future__ import annotations

import argparse

from watcher.commands.base import Verb, print_json, say


def presets(options: argparse.Namespace) -> int:
    """The shipped lists of organizations."""
    from watcher.presets import PRESETS

    if options.json:
        return print_json({name: {"about": about, "organizations": orgs} for name, (about, orgs) in PRESETS.items()})
    for name, (about, organizations) in PRESETS.items():
        say(f"preset:{name} ({len(organizations)}): {about}\n  {', '.join(organizations)}")
    return 0


VERBS = (Verb("presets", presets, "watcher presets", config=False, data=True),)
