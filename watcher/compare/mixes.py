"""How a stack of two kinds of mixer is mixed, and which of its layers go without positions, in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare import stack, words

SUBLAYERS = frozenset({"moe", "ffn"})
"""Mixer words of stacks whose entries are single sublayers."""
FULL = frozenset({"mha", "gqa", "mqa", "mla", "gated-attention"})
WINDOWED = frozenset({"sliding", "chunked"})
REGULAR = 0.8
"""Share of the runs of one kind that must be equally long for that length to be the ratio."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Layers of the more frequent kind for so many of the other, in lowest terms."""

    most: str
    """Mixer word of the more frequent kind; of the windowed one where they are equally frequent."""
    least: str
    many: int
    few: int
    alternating: bool = False
    """Whether single layers of both kinds take turns."""

    @property
    def numbers(self) -> str:
        """`5:1`."""
        return f"{self.many}:{self.few}"

    @property
    def kinds(self) -> str:
        """`sliding-window/global attention`, `Gated DeltaNet/gated attention`, `lightning attention/MLA`."""
        if {self.most, self.least} & WINDOWED:
            return "/".join(WINDOWS.get(kind, words.short(kind)) for kind in (self.most, self.least)) + " attention"
        return f"{words.short(self.most)}/{words.short(self.least)}"

    def __str__(self) -> str:
        return f"{self.numbers} {self.kinds}"


WINDOWS = {"sliding": "sliding-window", "chunked": "chunked"} | dict.fromkeys(FULL, "global")
"""What the two kinds are called beside each other where one has a window."""


@dataclass(frozen=True)
class Mix:
    """The layers of one record in order, as far as they are known."""

    record: Architecture

    @cached_property
    def layers(self) -> list[LayerKind]:
        """One kind a layer, sublayers without a mixer left out; empty where the order is not known."""
        kinds = {kind.id: kind for kind in self.record.layers.kinds}
        ids = stack.expand(self.record.layers.sequence or "") or []
        found = [kinds[letter] for letter in ids if letter in kinds]
        return [kind for kind in found if kind.mixer not in SUBLAYERS] if len(found) == len(ids) else []

    @property
    def has_sublayers(self) -> bool:
        """Whether feed-forward parts stand between the mixers as layers of their own."""
        return any(item.kind in SUBLAYERS for item in self.record.layers.mix)

    @cached_property
    def ratio(self) -> Ratio | None:
        """How two kinds are mixed; None for a stack of one kind, of more than two, of sublayers, or without regularity.

        Counts that divide evenly are the ratio; else the usual lengths of the runs, which a partial repetition at
        either end does not disturb.
        """
        mixers = [kind.mixer or "" for kind in self.layers]
        counts = Counter(mixers)
        if len(counts) != 2 or self.has_sublayers:
            return None
        most, least = sorted(counts, key=lambda word: (-counts[word], word in FULL, word))
        if counts[most] % counts[least] == 0:
            many, few = counts[most] // counts[least], 1
        else:
            many, few = (_usual([size for word, size in stack.runs(mixers) if word == kind]) for kind in (most, least))
        if not many or not few:
            return None
        divisor = math.gcd(many, few)
        alternating = many == few and all(size == 1 for _, size in stack.runs(mixers))
        return Ratio(most, least, many // divisor, few // divisor, alternating)

    @property
    def experts(self) -> str | None:
        """`every 2nd layer`, where just these have experts."""
        places = [place for place, kind in enumerate(self.layers, 1) if kind.ff == "moe"]
        return _every(places, len(self.layers)) if places else None

    @property
    def nope(self) -> str | None:
        """`every 4th layer`, `the global layers`, `7 layers`: which attention layers have no positional encoding."""
        attending = [kind for kind in self.layers if kind.num_attention_heads and not kind.state_bytes]
        without = [place for place, kind in enumerate(attending, 1) if kind.rope is False]
        if not without or len(without) == len(attending):
            return None
        if periodic := _every(without, len(attending)):
            return periodic
        kinds = {attending[place - 1].mixer for place in without}
        rest = {kind.mixer for kind in attending if kind.rope is not False}
        if kinds <= FULL and not kinds & rest:
            return "the global layers"
        return words.counted(len(without), "layer")


def _every(places: list[int], of: int) -> str | None:
    """`every 4th layer`, where these places (from 1) are that, to the end."""
    step = places[0]
    periodic = step > 1 and places == [*range(step, of + 1, step)]
    return f"every {words.ordinal(step)} layer" if periodic else None


def _usual(lengths: list[int]) -> int:
    """The commonest of them, both ends aside, where it is common enough; else 0."""
    inner = lengths[1:-1] or lengths
    length, times = Counter(inner).most_common(1)[0]
    return length if times >= REGULAR * len(inner) else 0


def ratio(record: Architecture) -> Ratio | None:
    """`5:1 sliding-window/global attention`; see `Mix.ratio`."""
    return Mix(record).ratio


def nope(record: Architecture) -> str | None:
    """`every 4th layer`; see `Mix.nope`."""
    return Mix(record).nope


def experts(record: Architecture) -> str | None:
    """`every 2nd layer`; see `Mix.experts`."""
    return Mix(record).experts


def in_brackets(record: Architecture, named: Collection[str] = ()) -> str:
    """` (5:1)`, ` (1:1, alternating)` after the more frequent of the kinds, ` (4:1 sliding-window/global attention)`.

    Nothing where there is no such ratio. `named` are the kinds that were told before it; none for all.
    """
    found = ratio(record)
    if found is None:
        return ""
    said = found.numbers if not named or found.most in named else str(found)
    return f" ({said}{', alternating' if found.alternating else ''})"
