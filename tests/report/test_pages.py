"""The page: what it says, how it is made safe, and that it is the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from watcher.architecture.record import Architecture
from watcher.baselines.catalog import load_catalog
from watcher.compare.compare import compare
from watcher.demo.models import baseline_of
from watcher.releases.model import EventKind, RepoRef
from watcher.report.escape import clean, code, fenced, inline, link
from watcher.report.headline import EVENTS, headline
from watcher.report.model import Draft, Neighbour, Role, Subject
from watcher.report.numbers import count, size, tokens
from watcher.report.picture import with_pictures
from watcher.report.write import report_path, write_report

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def draft(name: str = "zai-org/GLM-5", base: str | None = "deepseek-ai/DeepSeek-V3", **more: Any) -> Draft:
    record = baseline_of(name).record if "/" in name and name.startswith("zai") else Architecture()
    comparison = compare(baseline_of(base).record, record) if base else None
    values: dict[str, Any] = {
        "report_id": "rep_1",
        "release_id": "rel_1",
        "event": EventKind.RELEASED,
        "organization": name.partition("/")[0],
        "lead": Subject(
            record=record,
            repos=(RepoRef(hub_id="1", name=name, sha="abcdef0" + "1" * 33),),
            comparison=comparison,
            baseline=base,
        ),
        "created_at": NOW,
        "hub_url": f"https://huggingface.co/{name}",
    }
    return Draft(**(values | more))


def test_a_page_has_its_parts_in_order() -> None:
    page = write_report(draft()).markdown
    titles = [line for line in page.splitlines() if line.startswith("#")]
    assert titles[0].startswith("# GLM-5 (744B, 40.8B active)")
    wanted = ["## What changed against", "## Facts", "## Layers", "## Will it fit", "## Runtimes",
              "## Licence and access", "## Not known", "## Sources"]  # fmt: skip
    assert [next(t for t in titles if t.startswith(w)) for w in wanted] == [t for t in titles if t.startswith("## ")]
    assert page.count("<details>") == page.count("</details>") >= 1


def test_the_sketch_is_marked_against_what_the_page_tells_the_changes_against() -> None:
    made = draft()
    before = baseline_of("Qwen/Qwen3-32B").record
    earlier = Neighbour(role=Role.PREDECESSOR, name="Qwen/Qwen3-32B", comparison=compare(before, made.lead.record))
    report = with_pictures(replace(made, lead=replace(made.lead, neighbours=(earlier,))))
    assert "## What changed against Qwen3-32B" in report.markdown
    sketch = next(data for name, data in report.pictures.items() if name.endswith(".svg")).decode()
    assert "Qwen3-32B" in sketch
    assert "DeepSeek-V3" not in sketch


def test_the_facts_stand_beside_the_baselines() -> None:
    page = write_report(draft()).markdown
    assert "| parameters | **744B** | 671B |" in page
    assert "| KV cache per token, as tables count it | **87.8 KiB** | 68.6 KiB |" in page


def test_every_baseline_of_the_catalog_makes_a_page() -> None:
    baselines = load_catalog().baselines
    for old, new in pairwise(baselines):
        subject = Subject(
            record=new.record,
            repos=(RepoRef(hub_id="1", name=new.name, sha=None),),
            comparison=compare(old.record, new.record, config_a=old.config, config_b=new.config),
            baseline=old.name,
            config=new.config,
        )
        report = write_report(draft(lead=subject))
        assert "None" not in report.headline
        assert "\n\n\n" not in report.markdown
        json.dumps(report.record)


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind is not EventKind.DIGEST])
def test_every_event_has_a_sentence(kind: EventKind) -> None:
    made = draft(
        event=kind,
        before={"license": "mit", "gated": None, "name": "a/b"},
        after={"license": "apache-2.0", "name": "a/c"},
    )
    assert kind in EVENTS
    told = headline(made)
    assert told
    assert "\n" not in told
    assert write_report(made).markdown.count("# ") >= 1


def test_an_unreadable_model_is_announced_with_its_reason() -> None:
    made = draft(
        "maker/Gated",
        None,
        lead=Subject(
            record=Architecture(), repos=(RepoRef(hub_id="1", name="maker/Gated", sha=None),), unreadable="gated"
        ),
    )
    assert "gated" in headline(made)
    assert "cannot be read: gated" in write_report(made).markdown


@given(st.text(max_size=120), st.text(max_size=120))
def test_a_path_is_safe_on_every_file_system(org: str, name: str) -> None:
    path = report_path(draft(f"{org}/{name}", None))
    parts = path.split("/")
    assert len(parts) == 3
    assert all(part and not part.startswith(".") and len(part) < 150 for part in parts)
    assert set(path) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
    assert parts[0].lower() not in ("con", "nul", "aux", "prn")


MD = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@given(st.text(max_size=200))
def test_inline_text_stays_text(text: str) -> None:
    for markdown in (
        f"a {inline(text)} b",
        f"# {inline(text) or 'x'}",
        f"- {inline(text) or 'x'}",
        inline(text) or "x",
    ):
        tokens = MD.parse(markdown)
        kinds = {child.type for token in tokens for child in token.children or []}
        assert kinds <= {"text", "softbreak", "text_special"}, (markdown, kinds)
        assert len([token for token in tokens if token.type == "inline"]) == 1


@given(st.text(max_size=200))
def test_code_holds_anything(text: str) -> None:
    (token,) = [token for token in MD.parse(f"a {code(text)} b") if token.type == "inline"]
    assert [child.type for child in token.children or []] == ["text", "code_inline", "text"]


@given(st.text(max_size=200))
def test_a_fence_is_never_left(text: str) -> None:
    tokens = MD.parse(fenced({"key": text, "`````": text}) + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_link_leads_to_the_web_or_nowhere(label: str, url: str) -> None:
    for address in (url, f"https://example.org/{url}"):
        (token,) = [token for token in MD.parse(f"a {link(label, address)} b") if token.type == "inline"]
        for child in token.children or []:
            if child.type == "link_open":
                assert str(child.attrs["href"]).startswith(("http://", "https://"))
    assert link("x", "javascript:alert(1)") == "x"


@given(st.text(max_size=300))
def test_cleaned_text_is_one_visible_line(text: str) -> None:
    found = clean(text)
    assert "\n" not in found
    assert all(ord(letter) >= 32 for letter in found)
    assert len(found) <= 300


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (671026404352, "671B"),
        (36625603584, "36.6B"),
        (596049920, "596M"),
        (1026408232448, "1.03T"),
        (None, "unknown"),
        (999_999_999, "1B"),
    ],
)
def test_counts(value: int | None, text: str) -> None:
    assert count(value) == text


def test_sizes_and_lengths() -> None:
    assert size(70272) == "68.6 KiB"
    assert size(0) == "0 B"
    assert (tokens(131072), tokens(1048576), tokens(202752), tokens(1000000)) == ("128k", "1M", "198k", "1,000,000")
