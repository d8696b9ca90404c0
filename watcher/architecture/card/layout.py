"""A card's text → what it states line by line: labels with values from lists, paragraphs and tables, and sentences.

The Markdown is only cut into blocks; what is inside a block stays text. Code and HTML say nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 100_000
"""Characters of a card that are read: facts stand in its front."""
MOST_ROWS = 2_000
LONGEST_LABEL = 80
LONGEST_TEXT = 2_000
"""Characters of one heading, cell or paragraph that are read."""

FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Line:
    """A label with its value, or a sentence where the label is empty."""

    label: str
    value: str
    number: int
    """Line of the file, from 1."""
    above: tuple[str, ...] = ()
    """The headings and list items that it stands under, outermost first."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a table, its header first."""

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    """The line of each row."""
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a card holds."""

    front: dict[str, tuple[str, int]]
    """Plain values of its front matter, with their lines."""
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]


def lay_out(data: bytes) -> Layout:
    """Cut a card into its statements, whatever bytes it is made of."""
    text = data[: 4 * LONGEST].decode("utf-8", "replace")[:LONGEST]
    front = FRONT.match(text)
    skipped = text[: front.end()].count("\n") if front else 0
    body = text[front.end() :] if front else text
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.core.ruler.disable("inline")
    cutter = _Cutter(skipped)
    cutter.cut(markdown.parse(body))
    return Layout(_front(front[1] if front else ""), tuple(cutter.lines), tuple(cutter.tables))


def _front(text: str) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.splitlines(), start=2):
        key, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[a-z_]{1,40}", key) and value.strip():
            found.setdefault(key, (value.strip().strip("\"'")[:200], number))
    return found


_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_MARKS = re.compile(r"<[^>]{0,200}>|\*+|`+|__|~~")


def plain(text: str) -> str:
    """Text without links, tags and emphasis, as far as it is read."""
    return _MARKS.sub("", _LINK.sub(r"\1", text[: 2 * LONGEST_TEXT])).replace("\\", "").strip()[:LONGEST_TEXT]


class _Cutter:
    """Goes through the blocks in their order and knows what they stand under."""

    def __init__(self, skipped: int) -> None:
        self.lines: list[Line] = []
        self.tables: list[Table] = []
        self._skipped = skipped
        self._level = 0
        """Of the heading that is open."""
        self._headings: list[tuple[int, str]] = []
        self._items: list[str] = []
        self._cells: list[list[str]] | None = None
        self._numbers: list[int] = []

    def cut(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            self._step(token)

    def _step(self, token: Token) -> None:
        if token.type == "inline":
            self._text(token)
        elif token.type == "heading_open":
            self._level = int(token.tag[1:])
        elif token.type == "heading_close":
            self._level = 0
        elif token.type == "list_item_open":
            self._items.append("")
        elif token.type == "list_item_close":
            self._items.pop()
        elif token.type == "table_open":
            self._cells, self._numbers = [], []
        elif token.type == "tr_open" and self._cells is not None:
            self._cells.append([])
            self._numbers.append(self._line(token))
        elif token.type == "table_close" and self._cells is not None:
            rows = tuple(tuple(row) for row in self._cells[:MOST_ROWS])
            self.tables.append(Table(rows, tuple(self._numbers), self._above()))
            self._cells = None

    def _text(self, token: Token) -> None:
        if self._cells is not None:
            if self._cells:
                self._cells[-1].append(plain(token.content))
        elif self._level:
            while self._headings and self._headings[-1][0] >= self._level:
                self._headings.pop()
            self._headings.append((self._level, plain(token.content)))
        else:
            self._paragraph(token)

    def _paragraph(self, token: Token) -> None:
        above, first = self._above(), self._line(token)
        whole = plain(" ".join(token.content.splitlines()))
        if self._items and not self._items[-1]:
            self._items[-1] = whole[:LONGEST_LABEL]
        for offset, text in enumerate(token.content.splitlines()):
            label, value = _parted(plain(text))
            if label:
                self.lines.append(Line(label, value, first + offset, above))
        self.lines.append(Line("", whole, first, above))

    def _above(self) -> tuple[str, ...]:
        return (*(text for _, text in self._headings), *(item for item in self._items if item))

    def _line(self, token: Token) -> int:
        return self._skipped + (token.map[0] if token.map else 0) + 1


def _parted(text: str) -> tuple[str, str]:
    """(label, value) of `Label: value`."""
    label, colon, value = text.replace("：", ":").partition(":")
    label = label.strip(" -•")
    if not colon or not value.strip() or not 1 < len(label) <= LONGEST_LABEL or "://" in text[: len(label) + 4]:
        return "", ""
    return label, value.strip()
