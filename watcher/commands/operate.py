"""Verbs that set the watcher up and run it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.commands.base import Verb, console, log, print_json, say, settings_of
from watcher.errors import ConfigurationError

if TYPE_CHECKING:
    from watcher.settings import Settings


def init(options: argparse.Namespace) -> int:
    """Write a commented config.toml to start from."""
    from watcher.starter import write_starter

    write_starter(options.path, force=options.force)
    say(f"wrote {options.path}; next: edit it, then `watcher check`")
    return 0


def check(options: argparse.Namespace) -> int:
    """Validate configuration, store, Hub access and token, and every channel, without sending anything."""
    from watcher.checks import run_checks

    settings = settings_of(options)
    if options.explain:
        return _explain(settings, options)
    results = run_checks(settings, os.environ, offline=options.offline)
    if options.json:
        return print_json([item.to_dict() for item in results]) or int(any(not item.ok for item in results))
    from watcher.checks import print_checks

    print_checks(results, console())
    return int(any(not item.ok for item in results))


def _explain(settings: Settings, options: argparse.Namespace) -> int:
    from watcher.explaining import explain_repo, print_explanation
    from watcher.runtime import hub_client

    explanation = explain_repo(settings, hub_client(settings), options.explain)
    if options.json:
        return print_json(explanation.to_dict())
    print_explanation(explanation, console())
    return 0


def once(options: argparse.Namespace) -> int:
    """One cycle, then delivery, then exit: for cron and CI."""
    from watcher import cycle
    from watcher.runtime import running

    with running(settings_of(options), os.environ, say) as context:
        cycle.once(context)
        say(cycle.summary(context))
        return int(bool(context.journal.counts.get("errors")))


def run(options: argparse.Namespace) -> int:
    """The daemon: looks, reads, reports and delivers until it is stopped."""
    from watcher.runtime import running
    from watcher.service import serve

    with running(settings_of(options), os.environ, log) as context:
        serve(context)
    return 0


def status(options: argparse.Namespace) -> int:
    """What is tracked, the last look, pending deliveries, the last errors."""
    from watcher.standing import gather, print_status

    facts = gather(settings_of(options), os.environ)
    if options.json:
        return print_json(facts)
    print_status(facts, console())
    return 0


def notify(options: argparse.Namespace) -> int:
    """Send a realistic worst-case message to one channel or to all."""
    from watcher.runtime import build_channels
    from watcher.trial import send_trial

    settings = settings_of(options)
    settings.verify_secrets()
    if not options.test:
        raise ConfigurationError("notify: only --test can be sent by hand; see `watcher notify --help`")
    return send_trial(build_channels(settings, os.environ), options.channel, say, keep=options.keep)


def demo(options: argparse.Namespace) -> int:
    """The whole product, offline: a Hub stand-in, real receivers, a week in half a minute."""
    from watcher.demo.run import run_demo

    return run_demo(options.output, config=options.config, say=say)


def _init_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=Path("config.toml"), metavar="FILE")
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--explain", metavar="ORG/NAME", help="which rule of [watch] keeps or drops a repo")
    parser.add_argument("--offline", action="store_true", help="ask neither the Hub nor a channel")


def _notify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--test", action="store_true", help="send a test message")
    parser.add_argument("channel", nargs="?", help="only this channel")
    parser.add_argument("--keep", action="store_true", help="leave the message there, to look at it")


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, help="folder to leave everything in")


VERBS = (
    Verb("init", init, "watcher init\n  watcher init /etc/watcher/config.toml", _init_arguments, config=False),
    Verb("check", check, "watcher check\n  watcher check --explain Qwen/Qwen3-8B", _check_arguments, data=True),
    Verb("once", once, "watcher once\n  WATCHER_NOW=2026-01-31T12:00:00+00:00 watcher once --config test.toml"),
    Verb("run", run, "watcher run --config /etc/watcher/config.toml"),
    Verb("status", status, "watcher status", data=True),
    Verb("notify", notify, "watcher notify --test\n  watcher notify --test research --keep", _notify_arguments),
    Verb("demo", demo, "watcher demo\n  watcher demo --config mine.toml -o /tmp/demo", _demo_arguments),
)
