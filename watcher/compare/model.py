"""What comparing two architectures brings: ranked, explained changes and a verdict."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.record import Architecture


class Significance(enum.StrEnum):
    """How much a change matters to someone who must implement or run the model; ordered."""

    COSMETIC = "cosmetic"
    SCALE = "scale"
    """Same structure, other sizes."""
    STRUCTURAL = "structural"
    """Another structure out of known parts."""
    BREAKING = "breaking"
    """An engine needs new code."""

    @property
    def rank(self) -> int:
        """0 for cosmetic … 3 for breaking."""
        return list(Significance).index(self)

    def at_least(self, other: Significance) -> bool:
        """Whether this matters as much as `other` or more."""
        return self.rank >= other.rank


class Verdict(enum.StrEnum):
    """What a comparison comes to."""

    SAME = "same-architecture"
    """Only cosmetic changes."""
    SCALED = "scaled"
    """Nothing above scale."""
    VARIANT = "variant"
    """Some structural, none breaking."""
    NEW = "new"
    """Something breaking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One explained difference."""

    fact: str
    """Dotted path of the record, or `config.<key>` for a config key that no fact covers."""
    before: Any
    after: Any
    significance: Significance
    sentence: str
    """Plain text, one line, made of facts only."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form with the keys `from` and `to`."""
        return {
            "fact": self.fact,
            "from": self.before,
            "to": self.after,
            "significance": self.significance.value,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A (the baseline) against B (the model)."""

    a: Architecture
    b: Architecture
    verdict: Verdict
    similarity: float
    """0 … 1."""
    changes: tuple[Change, ...] = ()
    """Most significant first."""
    config_diff: dict[str, Any] = field(default_factory=dict)
    """deepdiff's JSON view of the two raw configs; empty when one of them is not at hand."""

    def to_dict(self, b: dict[str, Any] | None = None) -> dict[str, Any]:
        """What `watcher compare A B --json` prints; `b` is B's data where it is at hand already."""
        return {
            "a": self.a.to_dict(),
            "b": self.b.to_dict() if b is None else b,
            "verdict": self.verdict.value,
            "similarity": self.similarity,
            "changes": [change.to_dict() for change in self.changes],
            "config_diff": self.config_diff,
        }
