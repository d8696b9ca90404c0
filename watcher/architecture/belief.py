"""Which witness is believed, fact by fact, and what the readings come to together.

`ORDER` is the one table of trust. Of several witnesses that tell a fact the first in its row is taken, a certain one
before an uncertain one; whoever says something else is listed as a disagreement, with its evidence.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from watcher.architecture.record import Disagreement, Evidence
from watcher.architecture.witness import Fact, Reading

STATED = ("config", "weights", "code", "reference", "hub", "card")
"""What a config states: sizes, patterns, positions. Its class's defaults are the reference's."""
BUILT = ("weights", "code", "reference", "config")
"""What is seen in the tensors, whoever says otherwise."""
WRITTEN = ("code", "reference", "weights", "config", "card")
"""What only the order of operations in an implementation tells."""
COUNTED = ("reference", "code", "config", "weights", "hub", "card")
"""Counts: what an implementation builds, then our formulas, then what is stored."""

ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("parameters.stored", ("hub", "weights")),
    ("parameters.mtp", ("weights", "code", "reference", "config")),
    ("parameters.*", COUNTED),
    ("layers*.parameters", COUNTED),
    ("layers*.mixer", ("weights", "code", "reference", "config")),
    ("layers*.ff", ("weights", "config", "code", "reference")),
    ("layers*.qk_norm", BUILT),
    ("layers*.sinks", ("weights", "config", "code", "reference")),
    ("layers*.gate", ("code", "reference", "weights", "config")),
    ("layers*.norm", WRITTEN),
    ("layers*.parallel", WRITTEN),
    ("layers*.rope", ("code", "config", "reference")),
    ("attention.qk_norm", BUILT),
    ("moe.router_bias", BUILT),
    ("attention.bias", BUILT),
    ("attention.sinks", BUILT),
    ("attention.gated", WRITTEN),
    ("norm.kind", ("code", "reference", "weights", "config")),
    ("norm.placement", WRITTEN),
    ("residual.*", WRITTEN),
    ("feed_forward.intermediate_size", BUILT),
    ("feed_forward.gated", ("code", "reference", "weights", "config")),
    ("towers.*.parameters", COUNTED),
    ("model.license", ("hub", "card")),
    ("*", STATED),
)
"""Fact pattern → witnesses in the order in which they are believed; the first pattern that fits counts."""

_LAYER = re.compile(r"layers\[(\d{1,4})\]\.(\w+)\Z")


@lru_cache(maxsize=4096)
def order_of(path: str) -> tuple[str, ...]:
    """The witnesses for one fact, most believed first."""
    return next(order for pattern, order in ORDER if fnmatch.fnmatchcase(path, pattern))


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that is believed."""

    value: Any
    witness: str
    evidence: Evidence
    others: Mapping[str, Fact] = field(default_factory=dict)
    """What other witnesses say instead, by witness."""
    note: str | None = None
    """What is to be said of the difference."""


Claims = list[tuple[str, Fact]]
"""What witnesses say about one fact."""


def judge(path: str, said: Claims) -> Told:
    """The believed one of what witnesses say about one fact."""
    if len(said) > 1:
        order = order_of(path)
        said = sorted(said, key=lambda item: (not item[1].certain, order.index(item[0]) if item[0] in order else 99))
    witness, fact = said[0]
    differing = ((name, other) for name, other in said[1:] if name != witness and _differs(other.value, fact.value))
    others = {name: other for name, other in differing if other.certain or not fact.certain or name == "weights"}
    return Told(fact.value, witness, evidence(witness, fact), others)


ABSURD = 10**15
"""A thousand times the largest model: no count, size or length is as large, whatever a config multiplies to."""

DOUBT = "something that was not read could change it"


def evidence(witness: str, fact: Fact) -> Evidence:
    """A fact's evidence; what stands in a class is told by the class, whoever read it."""
    where, doubt = fact.where, None if fact.certain else DOUBT
    if isinstance(where, tuple):
        return Evidence(witness="derived", where=where, doubt=doubt)
    return Evidence(witness="reference" if where.startswith("transformers ") else witness, where=where, doubt=doubt)


def _first(where: str | tuple[str, ...]) -> str:
    return where if isinstance(where, str) else where[0] if where else "?"


def _differs(a: Any, b: Any) -> bool:
    """Whether two values are a disagreement; a tuple and a list of the same are not, nor are 1 and 1.0."""
    a, b = (list(item) if isinstance(item, tuple) else item for item in (a, b))
    return bool(a != b)


class Beliefs:
    """All facts with their evidence, what is unknown and why, and the disagreements: what a record is built from."""

    def __init__(self, readings: Iterable[Reading], default_why: str = "no witness tells it") -> None:
        self.default_why = default_why
        """Why a fact is unknown that only an implementation could tell."""
        self.told: dict[str, Told] = {}
        self.layers: dict[int, dict[str, Told]] = {}
        """What is told of each layer, by attribute."""
        self.unknown: dict[str, str] = {}
        self.unread: list[tuple[str, str]] = []
        self._said: dict[str, Claims] = {}
        for reading in readings:
            self.unread += reading.unread
            for path, fact in reading.facts.items():
                if isinstance(fact.value, int) and fact.value >= ABSURD:
                    self.unread.append((path, f"{_first(fact.where)}: what it comes to is no size of a model"))
                    continue
                self._said.setdefault(path, []).append((reading.witness, fact))
        for path, claims in self._said.items():
            self._place(path, judge(path, claims))

    def _place(self, path: str, told: Told) -> None:
        layer = _LAYER.match(path) if path.startswith("layers[") else None
        if layer:
            self.layers.setdefault(int(layer[1]), {})[layer[2]] = told
        else:
            self.told[path] = told

    def claim(
        self, path: str, value: Any, where: str | tuple[str, ...], witness: str = "config", *, certain: bool = True
    ) -> None:
        """One more claim about a fact, judged together with what witnesses said before."""
        claims = self._said.setdefault(path, [])
        claims.append((witness, Fact(value, where, certain)))
        self._place(path, judge(path, claims))

    def settle(self, path: str, value: Any, where: str | tuple[str, ...], witness: str = "config") -> None:
        """A fact that follows from all that is believed, whatever a witness said of it."""
        self.told[path] = Told(value, witness, evidence(witness, Fact(value, where)))

    def contradict(self, path: str, witness: str, value: Any, where: str, note: str | None = None) -> None:
        """A witness that is only listened to says something else than what is believed."""
        told = self.told[path]
        self.told[path] = replace(told, others={**told.others, witness: Fact(value, where)}, note=note)

    def lack(self, path: str, why: str) -> None:
        """A fact that cannot be told, unless it is."""
        if path not in self.told:
            self.unknown.setdefault(path, why)

    def get(self, path: str, default: Any = None) -> Any:
        """The believed value."""
        told = self.told.get(path)
        return default if told is None else told.value

    def why(self, path: str, otherwise: str) -> str:
        """Why a fact is not known: what a witness that tried says, else the given reason."""
        fits = (why for fact, why in self.unread if path == fact or path.startswith(fact + "."))
        return next(fits, otherwise)

    def disagreements(self) -> tuple[Disagreement, ...]:
        """What witnesses say differently, one entry a fact."""
        differing = [(path, told) for path, told in sorted(self.told.items()) if told.others]
        return tuple(_disagreement(path, told) for path, told in differing if not path.startswith("defaults."))


def _disagreement(path: str, told: Told) -> Disagreement:
    said = {told.witness: (told.value, told.evidence.where)}
    said |= {name: (fact.value, fact.where) for name, fact in told.others.items()}
    return Disagreement(
        fact=path,
        values={name: _listed(value) for name, (value, _) in said.items()},
        taken=told.witness,
        where={name: _listed(where) for name, (_, where) in said.items()},
        note=told.note,
    )


def _listed(value: Any) -> Any:
    """A tuple as the list that it is in JSON."""
    return list(value) if isinstance(value, tuple) else value
