"""What a model card links to: the technical report. Reads only; nothing of the card is passed on as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watcher.report.model import Source

MAX = 200_000
_LINK = re.compile(r"\[([^\[\]\n]{1,120})\]\((https?://[^\s()<>\"']{1,500})\)")
_ARXIV = re.compile(r"arxiv:(\d{4}\.\d{4,5})")
_WORDS = re.compile(r"(?i)\b(technical report|tech report|paper|arxiv|report)\b")


def card_sources(card: bytes | None, tags: Iterable[str]) -> list[Source]:
    """Technical report and papers: links of the card that are called so, and the Hub's `arxiv:` tags."""
    found: dict[str, Source] = {}
    text = (card or b"")[:MAX].decode("utf-8", "replace")
    for label, url in _LINK.findall(text):
        if _WORDS.search(label) and len(found) < 4:
            found.setdefault(url, Source(label=f"technical report (from the card): {label}", url=url))
    for tag in tags:
        match = _ARXIV.fullmatch(tag)
        if match and not any(match[1] in url for url in found) and len(found) < 6:
            found[tag] = Source(label=f"arXiv {match[1]}", url=f"https://arxiv.org/abs/{match[1]}")
    return list(found.values())
