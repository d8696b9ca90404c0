"""The nearest known architecture: cheaply first, over features, then compared in depth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.architecture.record import Architecture
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.compare.similarity import feature_similarity, features

FINALISTS = 6
DISTANCE = 0.05
"""What one structural change takes from the similarity: a part less is nearer than another kind of feed-forward."""


@dataclass(frozen=True, slots=True)
class Match:
    """A neighbour."""

    baseline: Baseline
    similarity: float


def nearest(record: Architecture, candidates: Iterable[Baseline]) -> Match | None:
    """The baseline with the least between it and this record.

    A prefilter over features leaves a few; of those the one with the fewest breaking changes is taken, and among equals
    the one that is most similar, each structural change counting as DISTANCE less. None when there is nothing, or the
    record is not known well enough to be placed. A baseline of which only the structure is known is near to anything.
    """
    if record.layers.count is None:
        return None
    mine = features(record)
    known = (item for item in candidates if item.record.layers.count is not None)
    scored = sorted(
        ((feature_similarity(item.features, mine), item) for item in known),
        key=lambda pair: (-pair[0], pair[1].date, pair[1].name),
    )
    best: tuple[tuple[float, ...], Match] | None = None
    for score, item in scored[:FINALISTS]:
        if best is not None and best[0] <= (0.0, -score):  # not even without a change between would this one be nearer
            break
        comparison = compare(item.record, record)
        breaking, structural = (sum(c.significance.rank == rank for c in comparison.changes) for rank in (3, 2))
        key = (float(breaking), DISTANCE * structural - score)
        if best is None or key < best[0]:
            best = (key, Match(item, comparison.similarity))
    return best[1] if best else None
