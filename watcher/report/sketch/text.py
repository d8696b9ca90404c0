"""Text that fits: cleaned of what may not be drawn, measured with the bundled font, shortened and wrapped."""

from __future__ import annotations

import functools
import json
import unicodedata
from importlib import resources

ELLIPSIS = "…"
REPLACEMENT = "?"
LONGEST = 400
"""Characters looked at of any text that is drawn."""


@functools.cache
def _advances(bold: bool) -> dict[str, float]:
    """Advance widths in em by character."""
    source = resources.files("watcher.report").joinpath("fonts", "metrics.json").read_text(encoding="utf-8")
    return {character: units / 1000 for character, units in json.loads(source)["600" if bold else "400"].items()}


def valid(text: str, limit: int = 4_000) -> str:
    """The text without what XML 1.0 forbids and without control, format and bidirectional characters; one line."""
    kept = (c if c.isprintable() else " " for c in text[:limit] if c.isspace() or c.isprintable())
    return " ".join("".join(kept).split())


def clean(text: str) -> str:
    """Text that the bundled font can draw: `valid`, composed, with a question mark for any other character."""
    line = text[:LONGEST]
    if line.isascii() and line.isprintable():
        return " ".join(line.split())
    table = _advances(False)
    return "".join(c if c in table else REPLACEMENT for c in unicodedata.normalize("NFKC", valid(line)) if _drawn(c))


def _drawn(character: str) -> bool:
    return not unicodedata.combining(character)


def width(text: str, size: float, bold: bool = False) -> float:
    """Width in px of a text at `size` px."""
    return _ems(text, bold) * size


@functools.lru_cache(4_096)  # the same few hundred words stand in every drawing
def _ems(text: str, bold: bool) -> float:
    table = _advances(bold)
    return sum([table.get(character, 1.0) for character in text])


def shorten(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than `room` px."""
    if width(text, size, bold) <= room:
        return text
    table, left = _advances(bold), room / size - _advances(bold)[ELLIPSIS]
    for index, character in enumerate(text):
        left -= table.get(character, 1.0)
        if left < 0:
            return text[:index].rstrip() + ELLIPSIS
    return text


def wrap(text: str, room: float, size: float, bold: bool = False, lines: int = 2) -> list[str]:
    """At most `lines` lines, broken at spaces, else behind hyphens, none wider than `room` px."""
    words, done = [word + " " for word in text.split()], list[str]()
    if any(width(word, size, bold) > room for word in words):
        words = [piece for word in words for piece in _pieces(word)]
    while words and len(done) < lines - 1:
        line = words.pop(0)
        while words and width((line + words[0]).rstrip(), size, bold) <= room:
            line += words.pop(0)
        done.append(shorten(line.rstrip(), room, size, bold))
    return [*done, shorten("".join(words).rstrip(), room, size, bold)] if words else done


def _pieces(word: str) -> list[str]:
    head, hyphen, tail = word.partition("-")
    return [head + hyphen, *_pieces(tail)] if hyphen and tail.strip() else [word]
