"""How platforms that take marked-up text write a block: one table of marks each, one function for all."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from watcher.publish.document import Block, Run
from watcher.publish.text import WORD_JOINER


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How one platform writes."""

    escape: Callable[[str], str]
    """Text made literal."""
    bold: tuple[str, str]
    code: Callable[[str], str]
    """A code span from raw text."""
    link: Callable[[str, str], str]
    """(escaped label, address) → a link."""
    fence: Callable[[str], str]
    """A block of code from raw text."""
    quote: tuple[str, str] = ("> ", "")


def write(block: Block, marks: Marks) -> str:
    """One block as text, without a line break at its end."""
    if block.kind == "code":
        return marks.fence(block.text)
    if block.kind == "table":
        return _table(block, marks)
    line = "".join(write_run(run, marks) for run in block.runs)
    return f"{marks.quote[0]}{line}{marks.quote[1]}" if block.kind == "quote" else line


def write_run(run: Run, marks: Marks) -> str:
    """Text of one style; only http addresses become links."""
    if not run.text.strip():
        return run.text
    text = marks.code(run.text) if run.code else marks.escape(run.text)
    if run.url and run.url.startswith(("http://", "https://")):
        return marks.link(text, run.url)
    bold = run.bold and not run.code
    return f"{marks.bold[0]}{text}{marks.bold[1]}" if bold else text


def _table(block: Block, marks: Marks) -> str:
    width = len(block.rows[0]) if block.rows else 0
    rows = [[("".join(write_run(run, marks) for run in cell)) or " " for cell in row] for row in block.rows]
    lines = [f"| {' | '.join((row + [' '] * width)[:width])} |" for row in rows]
    return "\n".join([*lines[:1], "|" + "---|" * width, *lines[1:]])


def safe_address(url: str) -> str:
    """An address in which nothing can end a link: brackets, quotes, blanks and bars percent-encoded."""
    return quote(url, safe=":/?#@!$&*+,;=%~._-'")[:2000]


def _backslashed(text: str, letters: str) -> str:
    return "".join(f"\\{letter}" if letter in letters else letter for letter in text)


def _unmentioned(text: str, letters: str) -> str:
    """A word joiner after each of the letters: no mention, no channel, no tag begins with it."""
    return "".join(f"{letter}{WORD_JOINER}" if letter in letters else letter for letter in text)


def _no_emoji(text: str) -> str:
    return re.sub(r":(?=[\w+-]+:)", f":{WORD_JOINER}", text)


def _fenced(text: str) -> str:
    """Three backticks end the fence: a word joiner keeps those inside apart."""
    apart = text.replace("```", f"`{WORD_JOINER}`{WORD_JOINER}`")
    return f"```\n{apart}\n```"


# --- Slack ------------------------------------------------------------------------------------------------------------


def slack_escape(text: str) -> str:
    """Slack's three entities, and a word joiner before what mrkdwn would format (it has no escape for those)."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{WORD_JOINER}{letter}" if letter in "*_~`" else letter for letter in _no_emoji(plain))


def _slack_code(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "ˋ")
    return f"`{plain}`"


def slack_address(url: str) -> str:
    """An address inside `<…>`: what would end it is percent-encoded."""
    return url.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")


SLACK = Marks(
    escape=slack_escape,
    bold=("*", "*"),
    code=_slack_code,
    link=lambda label, url: f"<{slack_address(url)}|{label.replace('|', '¦')}>",
    fence=lambda text: _fenced(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")),
)

# --- Discord ----------------------------------------------------------------------------------------------------------


def discord_escape(text: str) -> str:
    """Discord's Markdown made literal; mentions and bare addresses broken by a word joiner."""
    marked = _unmentioned(_backslashed(text, "\\*_~`|>[]()#"), "@<").replace("://", f":{WORD_JOINER}//")
    return f"\\{marked}" if marked.startswith(("-", "+")) else marked


DISCORD = Marks(
    escape=discord_escape,
    bold=("**", "**"),
    code=lambda text: f"`{_unmentioned(text.replace('`', 'ˋ'), '@<')}`",
    link=lambda label, url: f"[{label}]({safe_address(url)})",
    fence=lambda text: _fenced(_unmentioned(text, "@<")),
)

# --- Mattermost -------------------------------------------------------------------------------------------------------


def mattermost_escape(text: str) -> str:
    """Its Markdown made literal; no mention, channel, tag or emoji."""
    marked = _unmentioned(_backslashed(_no_emoji(text), "\\*_~`|>[]()#!$"), "@<#~").replace("://", f":{WORD_JOINER}//")
    marked = re.sub(r"(?i)\bwww\.", f"www{WORD_JOINER}.", marked)
    return f"\\{marked}" if marked.startswith(("-", "+")) else marked


MATTERMOST = Marks(
    escape=mattermost_escape,
    bold=("**", "**"),
    code=lambda text: f"`{_unmentioned(text.replace('`', 'ˋ').replace('|', '¦'), '@<')}`",
    link=lambda label, url: f"[{label}]({safe_address(url)})",
    fence=lambda text: _fenced(_unmentioned(text, "@<")),
)

# --- HTML (Matrix, e-mail) --------------------------------------------------------------------------------------------

HTML = Marks(
    escape=lambda text: html.escape(text),
    bold=("<strong>", "</strong>"),
    code=lambda text: f"<code>{html.escape(text)}</code>",
    link=lambda label, url: f'<a href="{html.escape(safe_address(url))}">{label}</a>',
    fence=lambda text: f"<pre><code>{html.escape(text)}</code></pre>",
    quote=("<blockquote>", "</blockquote>"),
)
