"""The command line: one function a verb; parses, calls, prints; no logic.

Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcher import __version__
from watcher.errors import ConfigurationError, WatcherError

if TYPE_CHECKING:
    from rich.console import Console

    from watcher.architecture.witness import RepoFiles
    from watcher.settings import Settings

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "verb"):
        parser.print_help()
        return 0
    try:
        verb: Verb = options.verb
        return verb(options)
    except WatcherError as error:
        print(f"watcher: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 1


# --- the daemon's verbs ----------------------------------------------------------------------------------------------


def init(options: argparse.Namespace) -> int:
    """Write a commented config.toml to start from."""
    from watcher.starter import write_starter

    write_starter(options.path, force=options.force)
    _say(f"wrote {options.path}; next: edit it, then `watcher check`")
    return 0


def check(options: argparse.Namespace) -> int:
    """Validate configuration, store, Hub access and token, and every channel, without sending anything."""
    from watcher.checks import explain_repo, run_checks
    from watcher.runtime import hub_client

    settings = _settings(options)
    if options.explain:
        _say(explain_repo(settings, hub_client(settings), options.explain))
        return 0
    results = run_checks(settings, os.environ, offline=options.offline)
    if options.json:
        return _print_json([item.to_dict() for item in results]) or int(any(not item.ok for item in results))
    from watcher.checks import print_checks

    print_checks(results, _console())
    return int(any(not item.ok for item in results))


def once(options: argparse.Namespace) -> int:
    """One cycle, then delivery, then exit: for cron and CI."""
    from watcher import cycle
    from watcher.runtime import running

    with running(_settings(options), os.environ, _say) as context:
        cycle.once(context)
        _say(cycle.summary(context))
        return int(bool(context.journal.counts.get("errors")))


def run(options: argparse.Namespace) -> int:
    """The daemon: looks, reads, reports and delivers until it is stopped."""
    from watcher.runtime import running
    from watcher.service import serve

    with running(_settings(options), os.environ, _log) as context:
        serve(context)
    return 0


def status(options: argparse.Namespace) -> int:
    """What is tracked, the last look, pending deliveries, the last errors."""
    from watcher.standing import gather, print_status

    facts = gather(_settings(options), os.environ)
    if options.json:
        return _print_json(facts)
    print_status(facts, _console())
    return 0


def notify(options: argparse.Namespace) -> int:
    """Send a realistic worst-case message to one channel or to all."""
    from watcher.runtime import build_channels
    from watcher.trial import send_trial

    settings = _settings(options)
    settings.verify_secrets()
    if not options.test:
        raise ConfigurationError("notify: only --test can be sent by hand; see `watcher notify --help`")
    return send_trial(build_channels(settings, os.environ), options.channel, _say)


def deliveries(options: argparse.Namespace) -> int:
    """The outbox: what was delivered, what waits, what was given up."""
    from watcher.standing import delivery_payload, list_deliveries, print_deliveries

    settings = _settings(options)
    if options.id:
        return _print_json(delivery_payload(settings, options.id))
    rows = list_deliveries(settings, dead=options.dead)
    if options.json:
        return _print_json(rows)
    print_deliveries(rows, _console())
    return 0


def retry(options: argparse.Namespace) -> int:
    """Put dead or retrying deliveries back into the outbox; `once` or the daemon sends them."""
    from watcher.standing import revive_deliveries

    count = revive_deliveries(_settings(options), None if options.all else options.id, os.environ)
    _say(f"{count} {'delivery is' if count == 1 else 'deliveries are'} due again")
    return 0 if count or options.all else 1


def export(options: argparse.Namespace) -> int:
    """Write the whole state as text (JSON lines, sorted), for a branch or a backup."""
    from watcher.store.transfer import export_store

    count = export_store(_settings(options).store_url, options.path)
    _say(f"wrote {count} rows to {options.path}")
    return 0


def import_(options: argparse.Namespace) -> int:
    """Read an exported state into an empty store."""
    from watcher.store.transfer import import_store

    count = import_store(_settings(options).store_url, options.path)
    _say(f"read {count} rows from {options.path}")
    return 0


def presets(options: argparse.Namespace) -> int:
    """The shipped lists of organizations."""
    from watcher.presets import PRESETS

    if options.json:
        return _print_json({name: {"about": about, "organizations": orgs} for name, (about, orgs) in PRESETS.items()})
    for name, (about, organizations) in PRESETS.items():
        _say(f"preset:{name} ({len(organizations)}): {about}\n  {', '.join(organizations)}")
    return 0


# --- the reader's verbs ----------------------------------------------------------------------------------------------


def inspect(options: argparse.Namespace) -> int:
    """Read one model's architecture, with the evidence for every fact."""
    from watcher.architecture.read import read

    files = _open(options, options.source)
    record = read(files, reference=_reference())
    if options.explain:
        from watcher.architecture.explain import explain

        _say("\n".join(explain(record, options.explain, files)))
        return 0
    if options.json:
        return _print_json(record.to_dict())
    from watcher.report.terminal import print_layers, print_record

    (print_layers if options.layers else print_record)(record, _console())
    return 0


def compare(options: argparse.Namespace) -> int:
    """Compare model B with baseline A."""
    from watcher.architecture.read import raw_config, read
    from watcher.compare.compare import compare as compare_records

    sides = [_open(options, source) for source in (options.a, options.b)]
    records = [read(files, reference=_reference()) for files in sides]
    configs = [raw_config(files)[0] for files in sides]
    comparison = compare_records(records[0], records[1], config_a=configs[0], config_b=configs[1])
    if options.json:
        return _print_json(comparison.to_dict())
    from watcher.report.terminal import print_comparison

    print_comparison(comparison, _console())
    return 0


def report(options: argparse.Namespace) -> int:
    """A Markdown report for any model now, with no state."""
    from watcher.publish.preview import render, write_files
    from watcher.report.adhoc import adhoc_report

    files = _open(options, options.source)
    against = _open(options, options.against) if options.against else None
    made = adhoc_report(files, against, reference=_reference(), environment=os.environ)
    if options.output:
        for path in write_files(made, options.output, options.format):
            _say(f"wrote {path}")
        return 0
    sys.stdout.write(render(made, options.format))
    return 0


def baselines(options: argparse.Namespace) -> int:
    """The known architectures: the catalog shipped with the package, and those the watcher has read itself."""
    from watcher.library import add_baseline, listing

    if options.action == "add":
        if not options.source:
            raise ConfigurationError("baselines add: which SOURCE?")
        _say(add_baseline(_settings(options), _open(options, options.source), _reference(), os.environ))
        return 0
    rows = listing(_settings(options, required=False))
    if options.json:
        return _print_json(rows)
    from watcher.library import print_listing

    print_listing(rows, _console())
    return 0


def demo(options: argparse.Namespace) -> int:
    """The whole product, offline: a Hub stand-in, real receivers, a week in half a minute."""
    from watcher.demo.run import run_demo

    return run_demo(options.output, config=options.config, say=_say)


# --- parsing ---------------------------------------------------------------------------------------------------------

EXAMPLES = {
    "init": "watcher init\n  watcher init /etc/watcher/config.toml",
    "check": "watcher check\n  watcher check --explain Qwen/Qwen3-8B",
    "once": "watcher once\n  WATCHER_NOW=2026-01-31T12:00:00+00:00 watcher once --config test.toml",
    "run": "watcher run --config /etc/watcher/config.toml",
    "inspect": "watcher inspect deepseek-ai/DeepSeek-V3\n  watcher inspect ./model --explain layers.count",
    "compare": "watcher compare deepseek-ai/DeepSeek-V3 moonshotai/Kimi-K2-Instruct",
    "report": "watcher report zai-org/GLM-5 -o glm-5.md\n  watcher report ./b --against ./a",
    "status": "watcher status",
    "notify": "watcher notify --test\n  watcher notify --test research",
    "baselines": "watcher baselines\n  watcher baselines add org/name",
    "demo": "watcher demo\n  watcher demo --config mine.toml -o /tmp/demo",
    "deliveries": "watcher deliveries --dead\n  watcher deliveries show msg_1a2b3c",
    "retry": "watcher retry msg_1a2b3c\n  watcher retry --all",
    "export": "watcher export state.jsonl",
    "import": "watcher import state.jsonl",
    "presets": "watcher presets",
}
"""An example a verb, shown by its --help."""


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb."""
    parser = argparse.ArgumentParser(
        prog="watcher",
        description="Sees new open-weight models on the Hugging Face Hub and reports what is really new in them.",
        epilog="Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration.",
    )
    parser.add_argument("--version", action="version", version=f"watcher {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND")
    for build in (_daemon_verbs, _reader_verbs, _state_verbs):
        build(verbs)
    return parser


def _verb(verbs: Any, name: str, function: Verb, *, config: bool = True, data: bool = False) -> Any:
    """One verb with its help, its example, and the options that all of its kind share."""
    about = (function.__doc__ or "").strip()
    parser = verbs.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example:\n  {EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=function)
    if config:
        parser.add_argument("--config", metavar="FILE", help="configuration (default: see the README)")
    if data:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _daemon_verbs(verbs: Any) -> None:
    parser = _verb(verbs, "init", init, config=False)
    parser.add_argument("path", nargs="?", type=Path, default=Path("config.toml"), metavar="FILE")
    parser.add_argument("--force", action="store_true", help="write over an existing file")
    parser = _verb(verbs, "check", check, data=True)
    parser.add_argument("--explain", metavar="ORG/NAME", help="which rule of [watch] keeps or drops a repo")
    parser.add_argument("--offline", action="store_true", help="ask neither the Hub nor a channel")
    _verb(verbs, "once", once)
    _verb(verbs, "run", run)
    _verb(verbs, "status", status, data=True)
    parser = _verb(verbs, "notify", notify)
    parser.add_argument("--test", action="store_true", help="send a test message")
    parser.add_argument("channel", nargs="?", help="only this channel")
    parser = _verb(verbs, "demo", demo)
    parser.add_argument("-o", "--output", type=Path, help="folder to leave everything in")


def _reader_verbs(verbs: Any) -> None:
    parser = _verb(verbs, "inspect", inspect, data=True)
    parser.add_argument("source", metavar="SOURCE", help="org/name, org/name@revision, a folder, or a config.json")
    parser.add_argument("--explain", metavar="FACT", help="how one fact was derived")
    parser.add_argument("--layers", action="store_true", help="the per-layer table")
    parser = _verb(verbs, "compare", compare, data=True)
    parser.add_argument("a", metavar="A", help="the baseline (SOURCE)")
    parser.add_argument("b", metavar="B", help="the model (SOURCE)")
    parser = _verb(verbs, "report", report)
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--against", metavar="B", help="compare with this SOURCE instead of the nearest baseline")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page, its sketch beside it")
    formats = ["md", "html", "json", "text", "slack", "discord"]
    parser.add_argument("--format", choices=formats, default="md", help="what to write (default: md)")
    parser = _verb(verbs, "baselines", baselines, data=True)
    parser.add_argument("action", nargs="?", choices=["list", "add"], default="list")
    parser.add_argument("source", nargs="?", metavar="SOURCE")


def _state_verbs(verbs: Any) -> None:
    parser = _verb(verbs, "deliveries", deliveries, data=True)
    parser.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="with show: the exact payload of this delivery")
    parser.add_argument("--dead", action="store_true", help="only dead letters")
    parser = _verb(verbs, "retry", retry)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="every dead or retrying delivery")
    parser = _verb(verbs, "export", export)
    parser.add_argument("path", type=Path, metavar="FILE")
    parser = _verb(verbs, "import", import_)
    parser.add_argument("path", type=Path, metavar="FILE")
    _verb(verbs, "presets", presets, config=False, data=True)


# --- what verbs share ------------------------------------------------------------------------------------------------


def _settings(options: argparse.Namespace, *, required: bool = True) -> Settings:
    from watcher.settings import load_settings

    return load_settings(options.config, os.environ, required=required)


def _open(options: argparse.Namespace, source: str) -> RepoFiles:
    """A SOURCE's files; the configuration is read only when the Hub is needed."""
    from watcher.runtime import hub_client
    from watcher.sources import open_source

    return open_source(source, lambda: hub_client(_settings(options, required=False)))


def _reference() -> Any:
    from watcher.runtime import reference as load

    return load(os.environ)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _say(line: str) -> None:
    """One line to standard output, at once, whatever a model's name holds."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201


def _log(line: str) -> None:
    """One line to standard error, with the time."""
    from datetime import UTC, datetime

    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", file=sys.stderr, flush=True)  # noqa: T201


def _print_json(data: Any) -> int:
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
