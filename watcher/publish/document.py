"""A report's Markdown → a small neutral tree that every platform renders, through markdown-it's token stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from watcher.report.formats import strip_front_matter


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style."""

    text: str
    bold: bool = False
    code: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One block: `kind` is heading, paragraph, item, quote, code or table."""

    kind: str
    runs: tuple[Run, ...] = ()
    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()
    """Of a table: rows of cells, the head first."""

    @property
    def text(self) -> str:
        """The block's words alone."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what follows it."""

    title: str
    blocks: tuple[Block, ...] = field(default=())


def parse(markdown: str) -> list[Section]:
    """The page's sections; the first one has the page's own heading. What is folded away stays out of chat."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    root = SyntaxTreeNode(_unfolded(parser.parse(strip_front_matter(markdown))))
    sections: list[Section] = []
    title, blocks = "", list[Block]()
    for node in root.children:
        if node.type == "heading":
            if title or blocks:
                sections.append(Section(title, tuple(blocks)))
            title, blocks = "".join(run.text for run in _inline(node)), []
        else:
            blocks.extend(_blocks(node))
    return [*sections, Section(title, tuple(blocks))]


def _unfolded(tokens: Sequence[Token]) -> list[Token]:
    """Tokens outside `<details>`."""
    kept, depth = list[Token](), 0
    for token in tokens:
        if token.type == "html_block":
            depth += token.content.count("<details") - token.content.count("</details")
        elif depth <= 0:
            kept.append(token)
    return kept


def _blocks(node: SyntaxTreeNode) -> Iterator[Block]:
    if node.type == "paragraph":
        runs = tuple(_inline(node))
        if any(run.text.strip() for run in runs):
            yield Block("paragraph", runs)
    elif node.type in ("bullet_list", "ordered_list"):
        for number, item in enumerate(node.children, 1):
            mark = f"{number}. " if node.type == "ordered_list" else "• "
            for child in item.children:
                yield Block("item", (Run(mark), *_inline(child)))
                mark = "  "
    elif node.type == "blockquote":
        for child in node.children:
            yield Block("quote", tuple(_inline(child)))
    elif node.type in ("fence", "code_block"):
        yield Block("code", (Run(node.content.rstrip("\n"), code=True),))
    elif node.type == "table":
        rows = [row for part in node.children for row in part.children]
        yield Block("table", rows=tuple(tuple(tuple(_inline(cell)) for cell in row.children) for row in rows))


def _inline(node: SyntaxTreeNode, bold: bool = False, url: str | None = None) -> Iterator[Run]:
    for child in node.children:
        if child.type in ("inline", "em", "s"):
            yield from _inline(child, bold, url)
        elif child.type == "strong":
            yield from _inline(child, True, url)
        elif child.type == "link":
            yield from _inline(child, bold, str(child.attrs.get("href", "")) or None)
        elif child.type == "code_inline":
            yield Run(child.content, bold, True, url)
        elif child.type in ("softbreak", "hardbreak"):
            yield Run(" ", bold, False, url)
        elif child.type == "text" and child.content:
            yield Run(child.content, bold, False, url)


def rows_as_items(table: Block) -> Iterator[Block]:
    """A table as a list, for platforms that have none: `key: value (its: other)`."""
    names = [" ".join("".join(run.text for run in cell).split()) for cell in table.rows[0]] if table.rows else []
    if len(names) > 2 and not names[0]:  # a comparison: say once what is compared
        yield Block("item", (Run("• "), Run(" · ".join(names[1:]), bold=True)))
    for row in table.rows[1:]:
        cells = ["".join(run.text for run in cell) for cell in row]
        yield Block("item", (Run("• "), Run(cells[0], bold=True), Run(": " + " · ".join(cells[1:]))))
