"""Baseline against model: the one door of this room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare import differences, rules, words
from watcher.compare.aliases import known_keys
from watcher.compare.configs import config_changes
from watcher.compare.facts import UNKNOWN, at
from watcher.compare.model import Change, Comparison, Significance, Verdict
from watcher.compare.rules import Side
from watcher.compare.significance import COSMETIC_FACTS, FALLBACK, RULES
from watcher.compare.similarity import feature_similarity, features_of

_VERDICTS = {
    Significance.COSMETIC: Verdict.SAME,
    Significance.SCALE: Verdict.SCALED,
    Significance.STRUCTURAL: Verdict.VARIANT,
    Significance.BREAKING: Verdict.NEW,
}


def compare(
    a: Architecture,
    b: Architecture,
    *,
    config_a: Mapping[str, Any] | None = None,
    config_b: Mapping[str, Any] | None = None,
) -> Comparison:
    """What is different in `b` (the model) from `a` (the baseline), ranked and explained.

    With both raw configs also their diff, and a cosmetic change for each key that differs and that no fact covers.
    """
    before, after = Side(a, config_a), Side(b, config_b)
    changes = _record_changes(before, after) + config_changes(before, after, known_keys())
    both = config_a is not None and config_b is not None
    return Comparison(
        a=a,
        b=b,
        verdict=verdict_of(changes),
        similarity=feature_similarity(features_of(before.facts), features_of(after.facts)),
        changes=tuple(sorted(changes, key=lambda change: -change.significance.rank)),
        config_diff=differences.json_view(config_a, config_b) if both else {},
    )


def verdict_of(changes: Iterable[Change]) -> Verdict:
    """The verdict that the most significant change asks for."""
    ranks = [change.significance for change in changes]
    return _VERDICTS[max(ranks, key=lambda significance: significance.rank, default=Significance.COSMETIC)]


def same_architecture(a: Architecture, b: Architecture) -> bool:
    """Whether nothing above cosmetic is known to lie between two models, however well each is known."""
    return verdict_of(_record_changes(Side(a), Side(b))) is Verdict.SAME


def _record_changes(a: Side, b: Side) -> list[Change]:
    differing = differences.differing(a.facts, b.facts)
    return rules.apply(RULES, FALLBACK, a, b, differing) + _not_known(a, b, differing)


def _not_known(a: Side, b: Side, differing: Iterable[rules.Path]) -> list[Change]:
    """A note on what only one side knows: no difference is asserted about it.

    Where that is the layers themselves, the note is structural: "nothing new" cannot be said of what is not known.
    """
    cosmetic = [*map(_parts, COSMETIC_FACTS)]
    paths = [
        path
        for path in differing
        if rules.unknown(path, a, b) and path not in cosmetic and not path[-1].endswith(_FOLLOWING)
    ]
    notes = []
    for side in (a, b):
        missing = [".".join(path) for path in paths if at(side.facts, path) == UNKNOWN]
        if missing:
            notes.append(_note(side, missing))
    return notes


_FOLLOWING = ("order", "runs", "words", "mix", "_bytes", "bytes_per_token")
"""Facts that are unknown because others are; naming those is enough."""


def _parts(path: str) -> rules.Path:
    return tuple(path.split("."))


def _note(side: Side, missing: list[str]) -> Change:
    name = words.clean(side.record.model.id or "one of the two")
    layers = at(side.facts, ("layers", "words")) == UNKNOWN
    return Change(
        fact="unknown",
        before=None,
        after=missing,
        significance=Significance.STRUCTURAL if layers else Significance.COSMETIC,
        sentence=f"not known for {name}, so not compared: {words.listed(missing, most=12)}",
    )
