"""Verbs over the whole state: export and import."""

from __future__ import annotations

import argparse
from pathlib import Path

from watcher.commands.base import Verb, say, settings_of


def export(options: argparse.Namespace) -> int:
    """Write the whole state as text (JSON lines, sorted), for a branch or a backup."""
    from watcher.store.transfer import export_store

    count = export_store(settings_of(options).store_url, options.path)
    say(f"wrote {count} rows to {options.path}")
    return 0


def import_(options: argparse.Namespace) -> int:
    """Read an exported state into an empty store."""
    from watcher.store.transfer import import_store

    count = import_store(settings_of(options).store_url, options.path)
    say(f"read {count} rows from {options.path}")
    return 0


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FILE")


VERBS = (
    Verb("export", export, "watcher export state.jsonl", _file),
    Verb("import", import_, "watcher import state.jsonl", _file),
)
