"""Whatever a repo holds, the page stays valid Markdown, readable and harmless."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from watcher.architecture.record import (
    Architecture,
    Disagreement,
    Evidence,
    LayerKind,
    Layers,
    MixEntry,
    Novel,
    Unknown,
)
from watcher.baselines.catalog import load_catalog
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.compare.model import Comparison
from watcher.demo.models import baseline_of
from watcher.publish.document import parse
from watcher.publish.preview import MESSAGES, render
from watcher.releases.model import EventKind, RepoRef
from watcher.report.digest import digest_report
from watcher.report.formats import strip_front_matter, to_html
from watcher.report.model import Draft, Neighbour, Report, Role, Source, Subject
from watcher.report.terminal import print_report
from watcher.report.write import write_report

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NASTY = (
    "<script>alert(1)</script>", "</details>", "<!-- ", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "| a | b |", "```\n# x\n```", "````json", "[a](javascript:x)", "![a](http://e.org/x.png)", "\n# heading\n",
    "\u202egnp.exe", "\x00\x1b[31m", "\u2066\u2069\u200b", "**bold**_it_~~s~~", "a" * 10_000,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 50, "---\ntitle: x\n---", "<!channel> @everyone", "&lt;b&gt;",
    "\r\n\r\n",
    "1. one\n2. two", "\\", "`", "e\u0301" * 300, "www.evil.org http://evil.org",
)  # fmt: skip
FORBIDDEN = {"\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200b", "\x1b", "\x00"}


def infected(record: Architecture, text: str) -> Architecture:
    """Every word of a record made hostile, its numbers left as they are."""

    def bad(value: Any) -> Any:
        if isinstance(value, str):
            return text
        if isinstance(value, tuple):
            return tuple(bad(item) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(
                value, **{item.name: bad(getattr(value, item.name)) for item in dataclasses.fields(value)}
            )
        return value

    return dataclasses.replace(
        bad(dataclasses.replace(record, evidence={}, disagreements=())),
        evidence={text: Evidence(witness=text, where=text, doubt=text), "a": Evidence(witness="w", where=(text, text))},
        disagreements=(Disagreement(fact=text, values={text: text}, taken=text),),
        unknown=(Unknown(fact=text, why=text),),
        novel=Novel(config_keys=(text, text + "2"), tensor_names=(text,), classes=(text,)),
        layers=dataclasses.replace(bad(record.layers), sequence=record.layers.sequence),
    )


def beside(text: str, base: Architecture, comparison: Comparison) -> tuple[Neighbour, ...]:
    """One neighbour of each role, called as nastily as the model."""
    origin = Baseline(name=f"org/{text}", date="2024-01", record=base)
    return tuple(
        Neighbour(
            role=role, name=f"{role}/{text}", comparison=comparison, origin=origin if role is Role.NEAREST else None
        )
        for role in Role
    )


def page_of(record: Architecture, base: Architecture | None, text: str = "x", **more: Any) -> Report:
    name = f"{text}/{text}"
    comparison = compare(base, record, config_a={text: text}, config_b={"k": [text, {text: text}]}) if base else None
    lead = Subject(
        record=record,
        repos=(RepoRef(hub_id="1", name=name, sha=text, variant=text), RepoRef(hub_id="2", name=name, sha=None)),
        comparison=comparison,
        baseline=text if base else None,
        neighbours=beside(text, base, comparison) if base and comparison else (),
    )
    return write_report(
        Draft(
            report_id="rep_1", release_id="rel_1", event=EventKind.RELEASED, organization=text, lead=lead,
            created_at=NOW, sources=(Source(label=text, url=text), Source(label=text, url="https://e.org/" + text)),
            notes=(text,), gated=text, catalog_version=text, hub_url="https://huggingface.co/x", **more,
        )
    )  # fmt: skip


def check(report: Report) -> None:
    """The page, parsed back: one first heading, known raw HTML, links to http only, no hidden signs."""
    body = strip_front_matter(report.markdown)
    assert not report.markdown.startswith("---\n---")
    assert not FORBIDDEN & set(report.markdown)
    assert all(unicodedata.category(sign) != "Cc" or sign == "\n" for sign in report.markdown)
    assert len(report.headline) <= 400
    assert len(report.markdown) < 600_000
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(body)
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1
    depth = 0
    for token in tokens:
        if token.type == "html_block":
            assert token.content.startswith(("<details><summary>", "</details>")), token.content[:80]
            assert token.content.count("<") == (3 if token.content.startswith("<details>") else 1)
            depth += 1 if token.content.startswith("<details>") else -1
        for child in token.children or ():
            assert child.type != "html_inline"
            if child.type == "link_open":
                assert str(child.attrs["href"]).startswith(("http://", "https://"))
            if child.type == "image":
                assert "://" not in str(child.attrs["src"])
    assert depth == 0
    heads = [token.type for token in tokens]
    assert heads.count("table_open") == heads.count("table_close")
    assert "<script" not in to_html(report.markdown)
    assert parse(report.markdown)
    json.dumps(report.record)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_hostile_words_everywhere(text: str) -> None:
    mine, base = baseline_of("zai-org/GLM-5").record, baseline_of("google/gemma-3-27b-it").record
    check(page_of(infected(mine, text), infected(base, text[::-1]), text))
    check(page_of(mine, None, text))


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300), st.sampled_from(load_catalog().baselines[::9]))
def test_any_words_on_any_model(text: str, baseline: Any) -> None:
    check(page_of(infected(baseline.record, text), baseline.record, text))


def test_a_record_that_knows_nothing() -> None:
    empty = Architecture(unknown=(Unknown(fact="*", why="nothing was read"),))
    check(page_of(empty, None))
    check(page_of(empty, baseline_of("zai-org/GLM-5").record))
    check(page_of(baseline_of("zai-org/GLM-5").record, empty))


def test_a_baseline_of_another_modality() -> None:
    check(page_of(baseline_of("Qwen/Qwen3-32B").record, baseline_of("Qwen/Qwen2.5-Omni").record))
    check(page_of(baseline_of("Qwen/Qwen2.5-Omni").record, baseline_of("Qwen/Qwen3-32B").record))


def endless() -> Architecture:
    """A thousand layers of 120 kinds, without any order."""
    letters = [chr(65 + place % 26) + chr(65 + place // 26) for place in range(120)]
    kinds = tuple(LayerKind(id=letter, mixer=f"mixer-{letter}", ff="dense", count=8) for letter in letters)
    layers = Layers(
        count=1000,
        mix=tuple(MixEntry(kind=f"mixer-{letter}", count=8) for letter in letters),
        kinds=kinds,
        sequence=" ".join(letters[place * 7 % 120] for place in range(1000)),
        pattern=" ".join(f"1×(mixer-{letters[place * 7 % 120]}+dense)" for place in range(1000)),
    )
    return dataclasses.replace(baseline_of("zai-org/GLM-5").record, layers=layers)


def test_a_thousand_layers_of_many_kinds() -> None:
    report = page_of(endless(), baseline_of("zai-org/GLM-5").record)
    check(report)
    assert max(map(len, report.markdown.splitlines())) < 8000


def check_forms(report: Report) -> None:
    """Every form: data parses back, HTML has no tag but ours, text for people has no hidden signs or terminal codes."""
    for kind in ("json", *MESSAGES):
        json.loads(render(report, kind))
    assert not FORBIDDEN & set(render(report, "html") + render(report, "text"))
    tags = set(re.findall(r"<\s*(/?[a-zA-Z!][a-zA-Z0-9]*)", render(report, "html")))
    assert {tag.lstrip("/") for tag in tags} <= SAFE_TAGS
    for width in (40, 120):
        shown = io.StringIO()
        print_report(report, Console(file=shown, width=width))
        assert not FORBIDDEN & set(shown.getvalue())


SAFE_TAGS = set(
    "h1 h2 p a em strong code pre ul ol li img table thead tbody tr th td details summary blockquote hr br".split()
)


@pytest.mark.parametrize("text", NASTY[1::2])
def test_every_form_of_a_hostile_report(text: str) -> None:
    mine, base = baseline_of("zai-org/GLM-5").record, baseline_of("google/gemma-3-27b-it").record
    check_forms(page_of(infected(mine, text), infected(base, text[::-1]), text))


def test_every_form_of_what_knows_nothing_and_of_what_is_endless() -> None:
    empty = Architecture(unknown=(Unknown(fact="*", why="nothing was read"),))
    check_forms(page_of(empty, baseline_of("zai-org/GLM-5").record))
    check_forms(page_of(endless(), empty))


@pytest.mark.parametrize("text", NASTY[::3])
def test_a_digest_of_hostile_reports(text: str) -> None:
    made = page_of(infected(baseline_of("zai-org/GLM-5").record, text), None, text)
    check(digest_report([made, made], {made.report_id: text}, channel=text[:40], now=NOW))
