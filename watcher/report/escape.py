"""Text from a repo is hostile: made harmless for the place in Markdown it lands in."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any
from urllib.parse import quote, urlsplit

LIMIT = 300
_ESCAPED = re.compile(r"([\\`*_\[\]<>|~#&!])")
_ADDRESS, _WWW = re.compile(r"(?i)(https?:)(//)"), re.compile(r"(?i)\bwww\.")
_NUMBERED, _MARKED = re.compile(r"^(\d+)([.)])(?=\s|$)"), re.compile(r"^([-+=])")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: object, limit: int = LIMIT) -> str:
    """One line of visible characters: no control characters, no direction overrides, no line breaks, bounded."""
    line = str(text)[: 4 * limit]
    if not (line.isascii() and line.isprintable()):
        line = _visible(line)
    kept = " ".join(line.split())
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def _visible(text: str) -> str:
    line = "".join(" " if letter in "\r\n\t\v\f\u2028\u2029" else letter for letter in text)
    # U+200D joins emoji; every other format character hides or reorders text.
    return "".join(c for c in line if c == "\u200d" or unicodedata.category(c) not in _HIDDEN)


def short(name: str) -> str:
    """A model's name without its organization."""
    return clean(name.rpartition("/")[2], 80)


def inline(text: object, limit: int = LIMIT) -> str:
    """As plain words inside a paragraph, a heading or a table cell."""
    escaped = _ESCAPED.sub(r"\\\1", clean(text, limit))
    if "://" in escaped or "." in escaped:  # no bare address becomes a link
        escaped = _WWW.sub("www\u2060.", _ADDRESS.sub("\\1\u2060\\2", escaped))
    return _NUMBERED.sub(r"\1\\\2", _MARKED.sub(r"\\\1", escaped))


def code(text: object, limit: int = LIMIT) -> str:
    """As a code span, whatever backticks it holds; safe in a table cell."""
    line = clean(text, limit).replace("|", "¦")
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def link(label: object, url: str) -> str:
    """A link, or the label alone when the address is no http address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return inline(label)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return inline(label)
    return f"[{inline(label)}]({quote(url, safe=':/?#[]@!$&*+,;=%~._-')[:2000]})"


def fenced(data: Any, limit: int = 60_000) -> str:
    """JSON in a fence longer than any inside it."""
    text = json.dumps(data, indent=2, ensure_ascii=True, sort_keys=True, default=str)
    if len(text) > limit:
        text = text[:limit] + "\n… shortened"
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}json\n{text}\n{fence}"
