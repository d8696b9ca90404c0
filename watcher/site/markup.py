"""A report's Markdown → HTML for the site: of raw HTML only details and summary pass, pictures and scripts never."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from watcher.report.formats import strip_front_matter

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_MARKDOWN = 400_000
"""Characters of one report that are shown."""
_FOLD = re.compile(r"(?:<details>|</details>|<summary>[^<>]*</summary>|\s)*")
_EVIDENCE = re.compile(r"^<details><summary>Evidence[^<>]*</summary>\n(?:(?!</details>).*\n)*</details>$", re.MULTILINE)
"""The largest part of a report; the page has it from the record."""
_TAG = re.compile(r"<details>|</details>|<summary>[^<>]*</summary>")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def to_safe_html(markdown: str) -> str:
    """The report without its title and pictures, headings two levels down; balanced, whatever it holds."""
    parser = _parser()
    tokens = parser.parse(_EVIDENCE.sub("", strip_front_matter(markdown)[:MAX_MARKDOWN]))
    kept = [token for token in _without_title(tokens) if _keep(token)]
    return _balanced(str(parser.renderer.render(kept, parser.options, {})))


def _without_title(tokens: Sequence[Token]) -> Sequence[Token]:
    titled = len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1"
    return tokens[3:] if titled else tokens


def _keep(token: Token) -> bool:
    """Make one token harmless; False for what is left out."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    if token.type == "html_block" and not _FOLD.fullmatch(token.content):
        token.content = escape(token.content)
    token.attrs.pop("style", None)  # the page's policy allows no inline style
    for child in token.children or ():
        _inline(child)
    return True


def _inline(token: Token) -> None:
    if token.type == "html_inline" and not _FOLD.fullmatch(token.content):
        token.content = escape(token.content)
    elif token.type == "image":
        token.type, token.content, token.children = "text", "", []
    elif token.type == "link_open":
        address = str(token.attrs.get("href", ""))
        token.attrs = _link(address)


def _link(address: str) -> dict[str, Any]:
    outside = address.startswith(("https://", "http://"))
    return {"href": address, "rel": "noopener noreferrer"} if outside else {}


def _balanced(html: str) -> str:
    """As many `</details>` as `<details>`: one too many would end the page's own frame."""
    depth = 0

    def each(found: re.Match[str]) -> str:
        nonlocal depth
        if found[0] == "</details>":
            depth -= 1
            if depth < 0:
                depth = 0
                return ""
        elif found[0] == "<details>":
            depth += 1
        return found[0]

    return _TAG.sub(each, html) + "</details>" * depth
