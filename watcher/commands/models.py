"""Verbs that read, compare and report any model now, without state."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.commands.base import Verb, console, log, open_files, print_json, reference, say, settings_of
from watcher.errors import ConfigurationError

if TYPE_CHECKING:
    from watcher.report.templates import Templates


def inspect(options: argparse.Namespace) -> int:
    """Read one model's architecture, with the evidence for every fact."""
    from watcher.architecture.read import read

    files = open_files(options, options.source)
    record = read(files, reference=reference())
    if options.explain:
        from watcher.architecture.explain import explain

        say("\n".join(explain(record, options.explain, files)))
        return 0
    if options.json:
        return print_json(record.to_dict())
    from watcher.report.terminal import print_layers, print_record

    (print_layers if options.layers else print_record)(record, console())
    return 0


def compare(options: argparse.Namespace) -> int:
    """Compare model B with baseline A."""
    from watcher.architecture.config_file import raw_config
    from watcher.architecture.read import read
    from watcher.compare.compare import compare as compare_records

    sides = [open_files(options, source) for source in (options.a, options.b)]
    records = [read(files, reference=reference()) for files in sides]
    configs = [raw_config(files)[0] for files in sides]
    comparison = compare_records(records[0], records[1], config_a=configs[0], config_b=configs[1])
    if options.sketch:
        from watcher.report.sketch.files import write_pair

        written = write_pair(records[0], records[1], options.sketch)
        if not options.json:
            say(f"wrote {written}")
    if options.json:
        return print_json(comparison.to_dict())
    from watcher.report.terminal import print_comparison

    print_comparison(comparison, console())
    return 0


def report(options: argparse.Namespace) -> int:
    """A Markdown report for any model now, with no state."""
    from watcher.publish.preview import render, write_files
    from watcher.report.adhoc import adhoc_report
    from watcher.report.formats import report_json

    files = open_files(options, options.source)
    against = open_files(options, options.against) if options.against else None
    made = adhoc_report(files, against, reference=reference(), environment=os.environ, templates=_templates(options))
    for problem in made.problems:
        log(problem)
    failed = 1 if made.problems else 0
    if options.output:
        for path in write_files(made, options.output, options.format):
            say(f"wrote {path}")
        return failed
    if options.json:
        return print_json(report_json(made)) or failed
    if options.format == "md" and sys.stdout.isatty():
        from watcher.report.terminal import print_report

        print_report(made, console())
        return failed
    sys.stdout.write(render(made, options.format))
    return failed


def _templates(options: argparse.Namespace) -> Templates | None:
    """The one to preview, else the configured folder's."""
    from watcher.report.templates import own_templates, read_template

    if options.template:
        return read_template(options.template)
    return own_templates(settings_of(options, required=False).templates_directory)


def baselines(options: argparse.Namespace) -> int:
    """The known architectures: the catalog shipped with the package, and those the watcher has read itself."""
    from watcher.library import add_baseline, listing

    if options.action == "add":
        if not options.source:
            raise ConfigurationError("baselines add: which SOURCE?")
        say(add_baseline(settings_of(options), open_files(options, options.source), reference(), os.environ))
        return 0
    rows = listing(settings_of(options, required=False))
    if options.json:
        return print_json(rows)
    from watcher.library import print_listing

    print_listing(rows, console())
    return 0


FORMATS = "md html json text slack discord teams mattermost telegram matrix ntfy email".split()


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="org/name, org/name@revision, a folder, or a config.json")
    parser.add_argument("--explain", metavar="FACT", help="how one fact was derived")
    parser.add_argument("--layers", action="store_true", help="the per-layer table")


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="the baseline (SOURCE)")
    parser.add_argument("b", metavar="B", help="the model (SOURCE)")
    parser.add_argument("--sketch", type=Path, metavar="FILE", help="draw both side by side (.svg or .png)")


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--against", metavar="B", help="compare with this SOURCE instead of the nearest baseline")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the page, its sketch beside it")
    parser.add_argument("--template", type=Path, metavar="FILE", help="preview your own Jinja2 template")
    parser.add_argument("--format", choices=FORMATS, default="md", help="what to write (default: md)")


def _baselines_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "add"], default="list")
    parser.add_argument("source", nargs="?", metavar="SOURCE")


VERBS = (
    Verb(
        "inspect",
        inspect,
        "watcher inspect deepseek-ai/DeepSeek-V3\n  watcher inspect ./model --explain layers.count",
        _inspect_arguments,
        data=True,
    ),
    Verb(
        "compare",
        compare,
        "watcher compare deepseek-ai/DeepSeek-V3 moonshotai/Kimi-K2-Instruct --sketch both.svg",
        _compare_arguments,
        data=True,
    ),
    Verb(
        "report",
        report,
        "watcher report zai-org/GLM-5 -o glm-5.md\n  watcher report ./b --against ./a",
        _report_arguments,
        data=True,
    ),
    Verb(
        "baselines", baselines, "watcher baselines\n  watcher baselines add org/name", _baselines_arguments, data=True
    ),
)
