"""The verb about the reference implementation: which version is read, and a newer one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from watcher.commands.base import Verb, reference, say


def show(options: argparse.Namespace) -> int:
    """the version of `transformers` that architectures are read against; `update` takes a newer one"""
    from watcher.errors import UsageError

    if options.wheel is not None and options.action != "update":
        raise UsageError("--wheel FILE goes with `watcher reference update`")
    say((_update(options.wheel) if options.action == "update" else reference()).describe())
    return 0


def _update(wheel: Path | None):  # type: ignore[no-untyped-def]
    """The given wheel, or the newest of the package index, as the reference from now on."""
    from watcher.architecture.wheel import fetch, keep
    from watcher.runtime import cache_directory

    cache = cache_directory(os.environ)
    return fetch(cache) if wheel is None else keep(wheel, cache)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["show", "update"], default="show")
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="take this wheel instead of the newest release")


VERBS = (
    Verb(
        "reference",
        show,
        "watcher reference update\n  watcher reference update --wheel transformers-5.23.0-py3-none-any.whl",
        _arguments,
        config=False,
    ),
)
