"""Messages on each platform: within its limits, harmless whatever a repo holds, and the same bytes every time."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from watcher.baselines.catalog import load_catalog
from watcher.compare.compare import compare
from watcher.demo.receivers import discord_problem, slack_problem, webhook_problem
from watcher.publish import discord, slack
from watcher.publish.document import parse
from watcher.publish.interface import Links
from watcher.publish.preview import render
from watcher.publish.text import cut, plain_text
from watcher.publish.worst_case import HOSTILE, worst_case_report
from watcher.releases.model import EventKind, RepoRef
from watcher.report.formats import strip_front_matter, webhook_body
from watcher.report.model import Draft, Report, Source, Subject
from watcher.report.write import write_report

LINKS = Links(report="https://example.org/report?a=1|2>3")
NASTY = st.text(alphabet=string.printable + "<>@#`*_~|[]()\\é漢👩‍👩‍👧\u202e\u2028\x00", max_size=300)


@cache
def worst() -> Report:
    return worst_case_report()


def report_of(name: str, note: str = "", headline: str = "x") -> Report:
    baseline = load_catalog().baselines[-1]
    return write_report(
        Draft(
            report_id="rep_1",
            release_id="rel_1",
            event=EventKind.RELEASED,
            organization="maker",
            lead=Subject(
                record=baseline.record,
                repos=(RepoRef(hub_id="1", name=name, sha="a" * 40),),
                comparison=compare(load_catalog().baselines[0].record, baseline.record),
                baseline=headline,
            ),
            created_at=datetime(2026, 1, 2, tzinfo=UTC),
            notes=(note,) if note else (),
            sources=(Source(label=note or "x", url="https://example.org/)x"),),
            hub_url="https://example.org/m",
        )
    )


def test_the_worst_case_fits_every_platform() -> None:
    assert slack_problem(slack.message(worst(), LINKS)) is None
    assert discord_problem(discord.message(worst(), LINKS, "sketch.png")) is None
    assert webhook_problem(webhook_body(worst(), LINKS.report)) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, NASTY, NASTY)
def test_whatever_a_repo_holds_messages_stay_legal(name: str, note: str, base: str) -> None:
    report = report_of(f"maker/{name}", note, base)
    message = slack.message(report, LINKS)
    assert slack_problem(message) is None
    text = json.dumps(message, ensure_ascii=False)
    assert "<!" not in text
    assert "<@" not in text
    assert discord_problem(discord.message(report, LINKS, None)) is None
    assert discord.message(report, LINKS, None)["allowed_mentions"] == {"parse": []}
    assert "\x00" not in report.markdown
    assert "\u202e" not in report.markdown


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, NASTY)
def test_a_page_holds_no_html_links_or_headings_of_a_repo(name: str, note: str) -> None:
    clean = report_of("maker/x", "n", "b")
    report = report_of(f"maker/{name}", f"{note}n", "b")
    assert _shape(report.markdown) == _shape(clean.markdown)


def _shape(markdown: str) -> list[tuple[str, str]]:
    """The page's structure: everything a repo's text could break."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(strip_front_matter(markdown))
    blocks = [(token.type, token.tag) for token in tokens if token.type != "inline"]
    children = [child for token in tokens for child in token.children or []]
    inline = sorted({child.type for child in children} - {"text", "softbreak", "code_inline"})
    return [*blocks, *((kind, "") for kind in inline)]


def test_slack_shows_the_changes_and_a_link() -> None:
    message = slack.message(worst(), LINKS)
    text = json.dumps(message, ensure_ascii=False)
    assert "What changed" in text
    assert "|full report>" in text
    assert "&lt;!channel&gt;" in text


def test_discord_attaches_the_sketch_with_words_for_it() -> None:
    message = discord.message(worst(), LINKS, "sketch.png")
    assert message["embeds"][0]["image"]["url"] == "attachment://sketch.png"
    assert message["attachments"][0]["description"].startswith("Sketch of")
    assert "@everyone" not in json.dumps(message)


def test_the_same_report_gives_the_same_bytes() -> None:
    again = worst_case_report()
    assert again.markdown == worst().markdown
    assert again.pictures == worst().pictures
    assert slack.message(again, LINKS) == slack.message(worst(), LINKS)


@pytest.mark.parametrize("kind", ["md", "html", "json", "text", "slack", "discord"])
def test_every_form_can_be_made(kind: str) -> None:
    text = render(worst(), kind)
    assert text.endswith("\n")
    if kind in ("json", "slack", "discord"):
        json.loads(text)
    if kind == "html":
        assert "<script>" not in text
    if kind == "text":
        assert "**" not in text


def test_what_is_folded_away_stays_out_of_chat() -> None:
    assert "Evidence" in worst().markdown
    assert "read in" not in plain_text(parse(worst().markdown))
    assert HOSTILE.split()[0] in plain_text(parse(worst().markdown))


@given(st.text(max_size=200), st.integers(1, 100))
def test_cutting_keeps_to_the_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert cut(text, len(text)) == text


def test_cutting_keeps_combined_characters_whole() -> None:
    family = "👩‍👩‍👧"
    assert cut(f"ab{family}", 4) == "ab…"
