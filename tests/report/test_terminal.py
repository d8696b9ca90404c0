"""Records, comparisons and reports in a terminal: narrow, wide, in a pipe, without colour."""

from __future__ import annotations

import io

import pytest
from drafts import draft, subject
from rich.console import Console

from watcher.architecture.record import Architecture, LayerKind, Layers
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.report.terminal import print_comparison, print_layers, print_record, print_report
from watcher.report.write import write_report

GLM, NEXT = baseline_of("zai-org/GLM-5").record, baseline_of("Qwen/Qwen3-Next-80B-A3B-Instruct").record


def shown(show: object, *what: object, width: int = 120, colour: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colour, color_system="standard" if colour else None)
    show(*what, console)  # type: ignore[operator]
    return file.getvalue()


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    report = write_report(draft(subject("zai-org/GLM-5", "2026-02-11")))
    for text in (
        shown(print_record, GLM, width=width),
        shown(print_layers, NEXT, width=width),
        shown(print_comparison, compare(NEXT, GLM), width=width),
        shown(print_report, report, width=width),
    ):
        assert max(map(len, text.splitlines())) <= width


def test_layers_are_a_strip_of_letters() -> None:
    assert "AAAB" * 12 in shown(print_record, NEXT)
    assert "A   36 × gated-deltanet + moe" in shown(print_record, NEXT)


def test_colour_by_significance_only_where_it_is_asked_for() -> None:
    comparison = compare(NEXT, GLM)
    assert "\x1b[31m" in shown(print_comparison, comparison, colour=True)
    assert "\x1b" not in shown(print_comparison, comparison)


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100)
    print_comparison(compare(NEXT, GLM), console)
    assert "\x1b[31m" not in file.getvalue()
    assert "\x1b[33m" not in file.getvalue()


def test_facts_that_one_side_does_not_know_are_no_row() -> None:
    rows = shown(print_comparison, compare(Architecture(), GLM))
    assert "unknown  " not in rows


def test_a_report_unfolds_nothing_and_shows_no_markup() -> None:
    text = shown(print_report, write_report(draft(subject("zai-org/GLM-5", "2026-02-11"))))
    assert "What changed against" in text
    assert "<details>" not in text
    assert "**" not in text
    assert "report:" not in text


def test_control_characters_of_a_repo_never_reach_the_terminal() -> None:
    nasty = "\x1b[2J\u202e\x07x"
    kinds = (LayerKind(id="A", mixer=nasty, ff=nasty, count=1), LayerKind(id="B", mixer="gqa", ff=nasty, count=1))
    record = Architecture(layers=Layers(count=2, kinds=kinds, sequence="A B", pattern=nasty))
    for text in (
        shown(print_record, record),
        shown(print_layers, record),
        shown(print_comparison, compare(GLM, record)),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\x07" not in text
