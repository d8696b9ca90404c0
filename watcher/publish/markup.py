"""Blocks as HTML for platforms that show it: paragraphs, lists, tables; every word escaped."""

from __future__ import annotations

from collections.abc import Iterable

from watcher.publish.document import Block, Run
from watcher.publish.marks import HTML, write_run
from watcher.publish.text import utf8

_TAGS = {"heading": "h3", "paragraph": "p", "quote": "blockquote"}


def to_html(blocks: Iterable[Block]) -> str:
    """The blocks as HTML, items of a list together."""
    parts: list[str] = []
    before = ""
    for block in blocks:
        tag = _list_tag(block)
        if before and tag != before:
            parts.append(f"</{before}>")
        if tag and tag != before:
            parts.append(f"<{tag}>")
        parts.append(_one(block))
        before = tag
    return "".join([*parts, f"</{before}>" if before else ""])


def cost(block: Block) -> int:
    """Bytes of a block, with the tags that may stand around it."""
    return utf8(_one(block)) + 9


def _list_tag(block: Block) -> str:
    if block.kind != "item":
        return ""
    return "ol" if block.runs and block.runs[0].text[:1].isdigit() else "ul"


def _one(block: Block) -> str:
    if block.kind == "table":
        return _table(block)
    if block.kind == "code":
        return HTML.fence(block.text)
    runs = _unnumbered(block.runs) if block.kind == "item" else block.runs
    line = "".join(write_run(run, HTML) for run in runs)
    tag = _TAGS.get(block.kind, "li")
    return f"<{tag}>{line}</{tag}>"


def _unnumbered(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Without the bullet or the number: the list shows its own."""
    if not runs:
        return runs
    first = runs[0].text.removeprefix("• ")
    digits = first.partition(". ")
    text = digits[2] if digits[0].isdigit() else first
    return (Run(text, runs[0].bold, runs[0].code, runs[0].url), *runs[1:])


def _table(block: Block) -> str:
    rows = []
    for number, row in enumerate(block.rows):
        tag = "td" if number else "th"
        cells = ("".join(write_run(run, HTML) for run in cell) for cell in row)
        rows.append("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>")
    return f"<table>{''.join(rows)}</table>"
