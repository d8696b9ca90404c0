"""Numbers as a card writes them: `1,170,340,608`, `0.8B`, `1 trillion`, `128K`, with what each may stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNITS = {
    "t": 10**12,
    "trillion": 10**12,
    "b": 10**9,
    "billion": 10**9,
    "m": 10**6,
    "million": 10**6,
    "k": 10**3,
    "thousand": 10**3,
    "": 1,
}
BINARY = {10**3: (1024,), 10**6: (1024 * 1024, 1024 * 1000)}
"""What K and M also stand for where tokens are counted."""

_DIGITS = r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d{1,15}(?:\.\d{1,4})?)"
NUMBER = _DIGITS + r"(?:[\s-]?(trillion|billion|million|thousand|[TtBbMmKk])(?![A-Za-z]))?"
_NUMBER = re.compile(NUMBER + r"(?!\.?\d|[A-Za-z]|\s?[x×]\s?\d)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a card."""

    text: str
    """As it stands there."""
    value: int
    """What it says: a round number of K or M tokens is taken for powers of two."""
    readings: tuple[int, ...]
    """Everything it may stand for."""
    step: int
    """One unit of its last digit; 0 for a number that is written out."""
    end: int = 0
    """Where the text goes on."""

    def near(self, actual: int, *, slack: float, rounded: bool) -> bool:
        """Whether it may stand for `actual`: within `slack` of it, or within its own rounding or truncation."""
        room = max(slack * actual, self.step if rounded else 0)
        return any(abs(reading - actual) <= room for reading in self.readings)


def quantities(text: str, *, tokens: bool = False) -> Iterator[Quantity]:
    """The numbers of a text, in their order; sizes like `8x7B` are none. Of `tokens`, K may be 1024."""
    for match in _NUMBER.finditer(text):
        digits, unit = match[1].replace(",", ""), UNITS[(match[2] or "").lower()]
        whole, _, decimals = digits.partition(".")
        face = round(float(digits) * unit) if decimals else int(whole) * unit
        others = tuple(round(float(digits) * size) for size in (BINARY.get(unit, ()) if tokens else ()))
        step = unit // 10 ** len(decimals) if unit > 1 else 0
        even = bool(others) and not decimals and int(whole) % 8 == 0
        yield Quantity(match[0], others[0] if even else face, (face, *others), step, match.end())
