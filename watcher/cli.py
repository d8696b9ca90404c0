"""The command line: puts the verbs together, runs one, and turns errors into exit codes.

Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration. A verb is a function and a row of `VERBS` in one
of the modules of `watcher/commands/`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from watcher import __version__
from watcher.commands import keeping, models, operate, organizations, outbox, past, reference, site, writing
from watcher.commands.base import Verb
from watcher.errors import WatcherError

VERBS: tuple[Verb, ...] = (
    *operate.VERBS,
    *models.VERBS,
    *reference.VERBS,
    *organizations.VERBS,
    *outbox.VERBS,
    *past.VERBS,
    *keeping.VERBS,
    *writing.VERBS,
    *site.VERBS,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "verb"):
        parser.print_help()
        return 0
    try:
        return int(options.verb(options))
    except WatcherError as error:
        print(f"watcher: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 1


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb."""
    parser = argparse.ArgumentParser(
        prog="watcher",
        description="Sees new open-weight models on the Hugging Face Hub and reports what is really new in them.",
        epilog="Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration.",
    )
    parser.add_argument("--version", action="version", version=f"watcher {__version__}")
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for verb in VERBS:
        verb.add_to(parsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
