"""Plain text: for terminals, logs and the fallback of every platform; and cutting without breaking characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from watcher.publish.document import Section, rows_as_items

JOINER = "\u200d"


def plain_text(sections: Iterable[Section]) -> str:
    """The page without any markup."""
    lines: list[str] = []
    for section in sections:
        lines += ["", section.title] if section.title else []
        for block in section.blocks:
            parts = rows_as_items(block) if block.kind == "table" else (block,)
            lines += [part.text for part in parts]
    return "\n".join(lines).strip() + "\n"


def cut(text: str, limit: int) -> str:
    """At most `limit` code points, at the end of a word where one is near; combined characters and emoji stay whole."""
    if len(text) <= limit:
        return text
    end = max(limit - 1, 0)
    while end > 0 and _joined(text, end):
        end -= 1
    space = text.rfind(" ", max(0, end - 40), end)
    return text[: space if space > 0 else end].rstrip() + "…"


def _joined(text: str, position: int) -> bool:
    """Whether cutting here would split what is shown as one character."""
    after = text[position] if position < len(text) else ""
    before = text[position - 1]
    joins = after == JOINER or before == JOINER or unicodedata.combining(after or "a") != 0
    return joins or 0xFE00 <= ord(after or "a") <= 0xFE0F or 0x1F3FB <= ord(after or "a") <= 0x1F3FF
