"""Fitting: whatever a page holds, every platform gets a legal message that shows the most significant part of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watcher.demo.rules import PROBLEMS
from watcher.publish import discord, matrix, mattermost, ntfy, slack, slack_bot, teams, telegram
from watcher.publish.document import Block, Run, Section, parse
from watcher.publish.fit import Limits, fit, shortened
from watcher.publish.interface import Links
from watcher.publish.marks import DISCORD, HTML, MATTERMOST, SLACK, write
from watcher.publish.preview import FORMS, MESSAGES
from watcher.publish.text import boundaries, clusters, cut, utf8, utf16
from watcher.releases.model import EventKind, RepoRef
from watcher.report.escape import code, inline
from watcher.report.model import Report

LINKS = Links(report="https://example.org/r?a=1|2>3", picture="https://example.org/s.png")

NASTY = st.one_of(
    st.sampled_from(
        [
            "<!channel> <@U1> <!subteam^S1|x> <http://evil.example|click>",
            "@everyone @here <@&1> <#2> @all @channel ~town-square #tag :tada:",
            "[click](http://evil.example) ![x](http://evil.example/y.png) http://evil.example www.evil.example",
            "<script>alert(1)</script> &lt;b&gt; <a href='x'>",
            "```` ``` ` | ~~x~~ **b** __u__ ||spoiler|| > quote\n# heading\n- list\n1. one",
            "\u202egnirts\u2066 \u200b\u200d\ufeff \x00\x07\x1b[31m \ud800 \u2028",
            "👩‍👩‍👧‍👦🇩🇪🇫🇷👍🏽é" * 30,
            "漢" * 700,
        ]
    ),
    st.text(max_size=400),
)
WORDS = st.lists(NASTY, min_size=1, max_size=4).map(" ".join)


@st.composite
def pages(draw: st.DrawFn) -> str:
    """A page as a report has it: our structure, a repo's words."""
    titles = ["What changed against x", "In this release", "Facts", "Not known", "Sources", "Other things"]
    parts = [f"# {inline(draw(WORDS))}", f"> {inline(draw(WORDS), 500)}"]
    for title in draw(st.lists(st.sampled_from(titles), max_size=5, unique=True)):
        parts += [f"## {title} {inline(draw(WORDS))}", *draw(st.lists(_block(), max_size=5))]
    return "\n\n".join(parts) + "\n"


@st.composite
def _block(draw: st.DrawFn) -> str:
    words = draw(WORDS)
    repeats = draw(st.sampled_from([1, 3, 60]))
    return str(
        draw(
            st.sampled_from(
                [
                    inline(words, 3000),
                    "\n".join(f"{i}. **breaking**: {inline(words)}" for i in range(1, repeats + 1)),
                    "\n".join(
                        ["| a | b | c |", "|---|---|---|", *[f"| {inline(words)} | {code(words)} | 1 |"] * repeats]
                    ),
                    "```json\n" + "\n".join(['{"a": "`b`"}'] * repeats) + "\n```",
                    f"[{inline(words)}](https://example.org/x)",
                ]
            )
        )
    )


def report_of(markdown: str, headline: str) -> Report:
    return Report(
        report_id="rep_1",
        release_id="rel_1",
        event=EventKind.RELEASED,
        organization="maker",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        headline=headline,
        significance="breaking",
        verdict="new",
        repos=(RepoRef(hub_id="1", name=f"maker/{headline[:90]}", sha="a" * 40),),
        path="maker/x/2026-01-02-released-aaaaaaa.md",
        markdown=markdown,
        record={"decoder_type": headline, "parameters": {"total": 7e9}, "model": {"license": headline}},
    )


MADE = {
    "slack": lambda report: [slack.message(report, LINKS)],
    "slack-bot": lambda report: [part for part in _both(slack_bot.message(report, LINKS, True)) if part],
    "discord": lambda report: [discord.message(report, LINKS, "sketch.png")],
    "teams": lambda report: [teams.message(report, LINKS)],
    "mattermost": lambda report: [mattermost.message(report, LINKS)],
    "telegram": lambda report: [
        telegram.message(report, LINKS, photo=photo) | {"chat_id": "1"} for photo in (True, False)
    ],
    "matrix": lambda report: [matrix.message(report, LINKS)],
    "ntfy": lambda report: [ntfy.message(report, LINKS) | {"topic": "t"}],
}


def _both(made: dict[str, Any]) -> list[Any]:
    return [made["message"], made["reply"]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pages(), WORDS)
def test_every_page_makes_a_legal_message_on_every_platform(page: str, headline: str) -> None:
    report = report_of(page, headline)
    for kind, make in MADE.items():
        for message in make(report):
            assert PROBLEMS[kind](message) is None, kind
            text = json.dumps(message, ensure_ascii=False)
            assert "\u202e" not in text, kind
            assert "\x00" not in text, kind
            text.encode()  # no lone surrogate


LIVE = {
    "slack": ["<!", "<@U1", "<http://evil"],
    "slack-bot": ["<!", "<@U1", "<http://evil"],
    "teams": [
        '"type": "TextBlock"',
        '"entities"',
        "<at>",
    ],  # a text run shows Markdown as it is, only an entity mentions
    "ntfy": ["http://evil", "://evil.example", '"markdown": true'],
    "discord": ["@everyone", "@here", "<@&", "](http://evil", " http://evil"],
    "mattermost": ["@everyone", "@all", "@channel", "<!channel", "~town", "](http://evil", "http://evil", ":tada:"],
    "telegram": ["@everyone", "http://evil", "#tag", "evil.example"],
    "matrix": ["<script", "<a href='x'", 'http://evil.example"'],
}


@pytest.mark.parametrize("kind", LIVE)
def test_hostile_words_neither_mention_nor_link_nor_format(kind: str) -> None:
    words = (
        "<!channel> <@U1> <http://evil.example|click> @everyone @here <@&1> @all @channel ~town-square #tag :tada: "
        "[click](http://evil.example) http://evil.example <script>alert(1)</script> <a href='x'>"
    )
    page = (
        f"# {inline(words)}\n\n> {inline(words)}\n\n## What changed\n\n1. **breaking**: {inline(words)} {code(words)}\n"
    )
    report = report_of(page, words)
    (message, *_) = MADE[kind](report)
    shown = message["formatted_body"] if kind == "matrix" else json.dumps(message, ensure_ascii=False)
    shown = re.sub(r"`[^`]+`", "", shown)  # nothing lives in a code span
    for live in LIVE[kind]:
        assert live not in shown, live


BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda text: Block("paragraph", (Run(text),)), WORDS),
        st.builds(lambda text, bold: Block("item", (Run("• "), Run(text, bold=bold))), WORDS, st.booleans()),
        st.builds(lambda text: Block("code", (Run(text, code=True),)), WORDS),
        st.builds(lambda text, n: Block("table", rows=(((Run(text),), (Run("b"),)),) * n), WORDS, st.integers(1, 30)),
    ),
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.builds(Section, st.sampled_from(["", "What changed", "Facts", "x"]), BLOCKS.map(tuple)), max_size=4),
    st.integers(0, 3000),
    st.integers(1, 1500),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from([SLACK, DISCORD, MATTERMOST, HTML]),
    st.sampled_from([len, utf8, utf16]),
)
def test_what_fits_keeps_to_every_limit(
    sections: list[Section], total: int, most: int, blocks: int, tables: bool, marks: Any, size: Any
) -> None:
    def measure(block: Block) -> int:
        return int(size(write(block, marks))) + 1

    fitted = fit(sections, Limits(total=total, block=most, blocks=blocks, tables=tables), measure)
    assert sum(map(measure, fitted)) <= total
    assert all(measure(block) <= most for block in fitted)
    assert len(fitted) <= blocks
    assert tables or all(block.kind != "table" for block in fitted)
    assert not fitted or fitted[-1].kind != "heading"


def test_the_least_significant_section_goes_first() -> None:
    sections = parse("# h\n\n> note\n\n## Sources\n\n- " + "s" * 100 + "\n\n## What changed\n\n1. a change\n")
    fitted = fit(sections, Limits(total=40, block=1000), lambda block: len(block.text) + 1)
    assert [block.text for block in fitted[-2:]] == ["What changed", "1. a change"]
    assert not any("sss" in block.text for block in fitted)


def test_a_list_that_is_cut_says_how_many_are_left_out() -> None:
    items = "\n".join(f"- item {number}" for number in range(50))
    fitted = fit(
        parse(f"# h\n\n## In this release\n\n{items}\n"), Limits(total=120, block=99), lambda b: len(b.text) + 1
    )
    shown = [block.text for block in fitted if block.text.startswith("• ")]
    assert fitted[-1].text == f"… and {50 - len(shown)} more"


def test_code_is_cut_at_lines_and_its_fence_stays_closed() -> None:
    block = Block("code", (Run("\n".join(f"line {number}" for number in range(100)), code=True),))
    fitted = shortened(block, 100, lambda item: len(write(item, MATTERMOST)))
    assert fitted is not None
    text = write(fitted, MATTERMOST)
    assert text.startswith("```\nline 0")
    assert text.endswith("…\n```")


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cf"]), max_size=60),
    st.integers(1, 40),
    st.sampled_from([len, utf8, utf16]),
)
def test_a_cut_never_splits_what_is_shown_as_one(text: str, limit: int, size: Any) -> None:
    regex = pytest.importorskip("regex")
    assert size(cut(text, limit, size)) <= limit
    shown = regex.findall(r"\X", text)
    places = {0}
    for cluster in shown:
        places.add(max(places) + len(cluster))
    assert set(boundaries(text)) <= places
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize("emoji", ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "각", "각", "क्षि", "☂️"])
def test_combined_characters_are_one(emoji: str) -> None:
    assert list(clusters(f"a{emoji}b")) == ["a", emoji, "b"]
    assert cut(emoji * 4, 2 * len(emoji) + 1).count(emoji) == 2


def test_the_command_line_offers_every_form() -> None:
    from watcher.commands.models import FORMATS

    assert set(FORMATS) == {*FORMS, *MESSAGES}


def test_a_caption_shows_the_changes_before_anything_else() -> None:
    changes = "\n".join(f"{n}. **breaking**: change {n} — {'because ' * 20}" for n in range(1, 8))
    page = f"# A model: new\n\n{'What it is like. ' * 60}\n\n## What changed against x\n\nNew.\n\n{changes}\n"
    caption = telegram.message(report_of(page, "A model: new"), LINKS, photo=True)["caption"]
    assert "7. 🔴 breaking: change 7" in caption
    assert "because" not in caption
    assert "because" in telegram.message(report_of(page, "A model: new"), LINKS, photo=False)["text"]


def test_an_alert_is_told_in_its_own_words() -> None:
    page = "# The watcher: silence\n\nNo look succeeded for 6 hours.\n"
    assert "for 6 hours" in json.dumps(slack.message(report_of(page, "The watcher: silence"), LINKS))
