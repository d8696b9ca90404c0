"""Plain text: for terminals, logs and the fallback of every platform; and cutting without breaking characters."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from watcher.publish.document import Section, rows_as_items

JOINER = "\u200d"
WORD_JOINER = "\u2060"
"""Invisible, no break: between two letters it stops a platform from seeing a mention, a link or a mark."""

_MARKS = f"{JOINER}\u200c\u0e33\u0eb3\uff9e\uff9f"
"""Letters and signs that belong to the one before them though their category does not say so."""

Size = Callable[[str], int]
"""How a platform counts text."""

_VIRAMA = 9
"""The combining class of the sign that ties two consonants of an Indic script."""


def utf8(text: str) -> int:
    """Bytes, as ntfy, Teams and Matrix count."""
    return len(text.encode("utf-8", "surrogatepass"))


def utf16(text: str) -> int:
    """UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain_text(sections: Iterable[Section]) -> str:
    """The page without any markup."""
    lines: list[str] = []
    for section in sections:
        lines += ["", section.title] if section.title else []
        for block in section.blocks:
            parts = rows_as_items(block) if block.kind == "table" else (block,)
            lines += [part.text for part in parts]
    return "\n".join(lines).strip() + "\n"


def visible(text: str) -> str:
    """Without control characters, lone surrogates and what hides or reorders letters; line breaks become spaces."""
    spaced = re.sub(r"[\s\u2028\u2029]+", " ", text)
    kept = (c for c in spaced if c in (JOINER, WORD_JOINER) or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept)


def unlinked(text: str) -> str:
    """No bare address becomes a link."""
    return re.sub(r"(?i)\bwww\.", f"www{WORD_JOINER}.", text.replace("://", f":{WORD_JOINER}//"))


def unhosted(text: str) -> str:
    """Not even a host name becomes a link, for platforms that recognise one by its ending."""
    return re.sub(r"(?<=\w)\.(?=[^\W\d])", f".{WORD_JOINER}", unlinked(text))


def cut(text: str, limit: int, size: Size = len) -> str:
    """At most `limit`, counted by `size`, at the end of a word where one is near; what is shown as one stays whole."""
    if size(text) <= limit:
        return text
    ends = boundaries(text)
    low, high = 0, len(ends) - 1
    while low < high:  # the longest prefix that fits with its ellipsis
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[: ends[middle]] + "…") <= limit else (low, middle - 1)
    end = ends[low]
    space = text.rfind(" ", max(0, end - 40), end)
    shorter = text[: space if space > 0 else end].rstrip() + "…"
    return shorter if size(shorter) <= limit else ""


def boundaries(text: str) -> list[int]:
    """Where text may be cut: 0, its end, and between any two characters that a reader sees as two."""
    return [0, *(i for i in range(1, len(text)) if not _joined(text, i)), *([len(text)] if text else [])]


def clusters(text: str) -> Iterator[str]:
    """The characters a reader sees: emoji of several code points, letters with their accents, flags, syllables."""
    ends = boundaries(text)
    for start, end in itertools.pairwise(ends):
        yield text[start:end]


def _joined(text: str, position: int) -> bool:
    """Whether a cut here splits what is shown as one character (Unicode annex 29, joining rather more than less)."""
    before, after = text[position - 1], text[position]
    if before == "\r" and after == "\n":
        return True
    if unicodedata.category(before) in ("Cc", "Zl", "Zp") or unicodedata.category(after) in ("Cc", "Zl", "Zp"):
        return False
    return (
        _extends(after)
        or before == JOINER
        or unicodedata.combining(before) == _VIRAMA
        or (_is_flag(after) and _flags_before(text, position) % 2 == 1)
        or _one_syllable(before, after)
    )


def _extends(letter: str) -> bool:
    point = ord(letter)
    marks = unicodedata.category(letter) in ("Mn", "Me", "Mc") or letter in _MARKS
    return marks or 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F


def _is_flag(letter: str) -> bool:
    return 0x1F1E6 <= ord(letter) <= 0x1F1FF


def _flags_before(text: str, position: int) -> int:
    start = position
    while start > 0 and _is_flag(text[start - 1]):
        start -= 1
    return position - start


def _one_syllable(before: str, after: str) -> bool:
    """Hangul jamo written apart."""
    return 0x1100 <= ord(before) <= 0xD7FB and 0x1160 <= ord(after) <= 0x11FF
