"""What every verb is made of, and what verbs share: settings, sources, and the ways to print."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.architecture.witness import RepoFiles
    from watcher.settings import Settings

Arguments = Callable[[argparse.ArgumentParser], Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """One command: its name, the function whose docstring is its help, an example, and its arguments."""

    name: str
    run: Callable[[argparse.Namespace], int]
    example: str
    arguments: Arguments = lambda _: None
    config: bool = True
    """Whether it takes `--config`."""
    data: bool = False
    """Whether it takes `--json`."""

    def add_to(self, parsers: Any) -> None:
        """Make this verb's parser, with its help and example."""
        about = (self.run.__doc__ or "").strip()
        parser = parsers.add_parser(
            self.name,
            help=about,
            description=about,
            epilog=f"example:\n  {self.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(verb=self.run)
        if self.config:
            parser.add_argument("--config", metavar="FILE", help="configuration (default: see the README)")
        if self.data:
            parser.add_argument("--json", action="store_true", help="print one JSON document")
        self.arguments(parser)


def settings_of(options: argparse.Namespace, *, required: bool = True) -> Settings:
    """The configuration that `--config`, the environment or the usual places name."""
    from watcher.configuration import load_settings

    return load_settings(options.config, os.environ, required=required)


def open_files(options: argparse.Namespace, source: str) -> RepoFiles:
    """A SOURCE's files; the configuration is read only when the Hub is needed."""
    from watcher.architecture.read import read
    from watcher.runtime import hub_client
    from watcher.sources import open_source

    return open_source(
        source,
        lambda: hub_client(settings_of(options, required=False)),
        lambda files: read(files, reference=reference()),
    )


def reference() -> Any:
    """Facts about `transformers` model types."""
    from watcher.runtime import reference as load

    return load(os.environ)


def console() -> Console:
    """Where tables go: as wide as the terminal; in a pipe wide enough that lines stay whole for grep."""
    from rich.console import Console

    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=PIPE if piped else None)


PIPE = 160
"""Columns of a table in a pipe."""


def say(line: str) -> None:
    """One line to standard output, at once, whatever a model's name holds."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201


def log(line: str) -> None:
    """One line to standard error, with the time."""
    from datetime import UTC, datetime

    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", file=sys.stderr, flush=True)  # noqa: T201


def print_json(data: Any) -> int:
    """One JSON document to standard output; 0."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    return 0
