"""Sentences of a card that name its own model and no other one: parameters and context length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watcher.architecture.card.labels import EXTENSION, Said
from watcher.architecture.card.layout import Line
from watcher.architecture.card.quantity import NUMBER, Quantity, quantities
from watcher.architecture.card.whose import Whose

_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z*\"(])|;\s|,?\s(?:while|whereas|compared (?:to|with)|unlike|based on|built on)\s"
)

_ACTIVE = r"(?:activ(?:e|ated|ating|ates)|per token)"
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (fact, re.compile(pattern, re.IGNORECASE))
    for fact, pattern in (
        ("parameters.active", rf"{NUMBER}[\s-]+(?:parameters\s+)?(?:are\s+)?activ(?:e|ated)\b"),
        ("parameters.active", rf"\bactivat(?:es|ing)\s+(?:only\s+|about\s+|around\s+)*{NUMBER}"),
        ("parameters.total", rf"{NUMBER}[\s-]+(?:total[\s-]+)?param(?:eter)?s?\b(?!\s+(?:are\s+)?{_ACTIVE})"),
        ("parameters.total", rf"\btotal of {NUMBER}[\s-]+param(?:eter)?s?\b(?!\s+(?:are\s+)?{_ACTIVE})"),
        ("context_length", rf"\bcontext (?:length|window|size)s? (?:of |is )(?:up to )?{NUMBER}"),
        ("context_length", rf"{NUMBER}(?:[\s-]tokens?)?[\s-]context(?:[\s-](?:length|window))?\b"),
    )
)
"""What a clause says of which fact."""


EXTENDED = re.compile(
    rf"\bnative(?:ly)?\b[^.;:]{{0,40}}?{NUMBER}[^.;:]{{0,60}}?\b(?:expand|exten[ds]|extrapol|scal)\w*[^.;:]{{0,40}}?{NUMBER}",
    re.IGNORECASE,
)
"""`Native 256K context, expandable to 1M`: said of nothing but the card's own model."""


def read_sentences(line: Line, whose: Whose) -> Iterator[Said]:
    """What the clauses of a paragraph say that name this model alone, or no model and a context that is extended."""
    for clause in _SENTENCE.split(line.value):
        found = list(whose.mentions(clause))
        rest = "".join(_without(clause, found))
        extended = EXTENDED.search(rest) if "ontext" in rest else None
        if (found or extended) and not whose.foreign(rest):
            yield from _of_clause(rest, clause, line.number) if found else ()
            yield from _of_extension(extended[0], clause, line.number) if extended else ()


def _of_extension(text: str, clause: str, line: int) -> Iterator[Said]:
    lengths = [item for item in quantities(text, tokens=True) if item.value >= 512]
    if len(lengths) == 2 and lengths[0].value < lengths[1].value:
        yield Said("context_length", (lengths[0],), line, clause.strip()[:120], text.lower()[:200], lengths[1])


def _without(clause: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    at = 0
    for start, end in spans:
        yield clause[at:start]
        at = end
    yield clause[at:]


def _of_clause(rest: str, clause: str, line: int) -> Iterator[Said]:
    """At most one number for a fact: of several it is not clear whose they are."""
    told: dict[str, list[Quantity]] = {}
    for fact, pattern in PATTERNS:
        for match in pattern.finditer(rest):
            told.setdefault(fact, []).extend(quantities(match[0], tokens=fact == "context_length"))
    for fact, amounts in told.items():
        sensible = [item for item in amounts if item.value >= (10**6 if fact.startswith("parameters") else 512)]
        if len({item.value for item in sensible}) == 1 and not (fact == "context_length" and EXTENSION.search(rest)):
            yield Said(fact, (sensible[0],), line, clause.strip()[:120])
