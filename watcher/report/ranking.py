"""What is new, ranked: changes that belong together as one, echoes left out, the weightiest first."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from watcher.compare.model import Change, Comparison, Significance
from watcher.compare.wording import unheard_of

MOST = 7
"""Changes that are told; what is smaller stays in the record."""


def ranked(comparison: Comparison) -> tuple[list[Change], list[Change]]:
    """At most seven changes, the weightiest first, cosmetic ones only where there is nothing else; and the rest."""
    changes = sorted(grouped(comparison.changes), key=_weight)
    weighty = [change for change in changes if change.significance.rank > 0]
    told = (weighty or [change for change in changes if change.fact != "unknown"])[:MOST]
    return told, [change for change in changes if change not in told]


def told_facts(comparison: Comparison, told: Iterable[Change]) -> set[str]:
    """The facts that these changes tell, those of changes that were put together too."""
    sentences = [change.sentence for change in told]
    return {change.fact for change in comparison.changes if any(change.sentence in text for text in sentences)}


def _weight(change: Change) -> tuple[float, float]:
    """By significance; of equal ones names after structure, and sizes by importance and by how far they moved."""
    names = float(is_naming(change) or change.fact.startswith(NAMES))
    return (-change.significance.rank, -_moved(change) if change.significance is Significance.SCALE else names)


NAMES = ("novel.", "config.")
"""New names of classes, keys and tensors: they say that something is new, structure says what."""


def is_naming(change: Change) -> bool:
    """Whether this is no more than another name for an encoder."""
    return change.fact == "towers" and " instead of " in change.sentence


def _moved(change: Change) -> float:
    """Importance × how far, in doublings; a count of parameters that moved by less than `NOTED` has no importance."""
    if isinstance(change.before, Mapping) and isinstance(change.after, Mapping):
        apart = max((_apart(change.before.get(name), value) for name, value in change.after.items()), default=1.0)
    else:
        apart = _apart(change.before, change.after)
    weight = SIZES.get(change.fact, USUAL)
    return (USUAL if weight == FIRST and apart < NOTED else weight) * min(max(apart, LEAST), FARTHEST)


def _apart(before: object, after: object) -> float:
    """Doublings between two numbers; 1 where one of them is none."""
    old, new = _number(before), _number(after)
    return abs(math.log2(new / old)) if old and new else float(before != after)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 < value < LARGEST else 0.0


LEAST, FARTHEST, LARGEST = 0.01, 3.0, 1e30
"""Doublings that count at least and at most; from `LARGEST` on a number is no size of anything."""
USUAL, FIRST, NOTED = 1.0, 10_000.0, 0.03
SIZES = {
    "parameters": FIRST,
    "moe.num_experts": 6.0,
    "kv_cache.nominal_bytes_per_token": 5.0,
    "context_length": 4.0,
    "layers.count": 4.0,
    "kv_cache.state_bytes": 3.0,
    "moe.num_shared_experts": 3.0,
    "attention.num_attention_heads": 3.0,
    "attention.num_key_value_heads": 3.0,
    "attention.sliding_window": 3.0,
    "hidden_size": 3.0,
    "vocab_size": 3.0,
    "mtp_layers": 3.0,
    "kv_cache.bytes_per_token": 2.0,
    "moe.moe_intermediate_size": 2.0,
    "feed_forward.intermediate_size": 2.0,
    "attention.mla": 2.0,
    "position.rope_theta": 0.2,
    "towers.*": 0.2,
}
"""How much a reader asks for a fact about size; others weigh `USUAL`."""


def grouped(changes: Iterable[Change]) -> list[Change]:
    """The changes without echoes of others, those that belong together as one."""
    found = list(changes)
    found = [change for change in found if not _echoes(change, found)]
    for facts, tell in TOGETHER:
        for significance in Significance:
            found = _merged(found, facts, significance, tell)
    return found


def _echoes(change: Change, all_: list[Change]) -> bool:
    """Whether another change tells the same, so that this one would only repeat it."""
    return any(
        fnmatchcase(change.fact, fact) and start in change.sentence
        and any(other is not change and fnmatchcase(other.fact, by) and word in other.sentence for other in all_)
        for fact, start, by, word in ECHOES
    )  # fmt: skip


NOPE, NOVEL = "(NoPE)", "which no reference knows"
ECHOES: tuple[tuple[str, str, str, str], ...] = (
    ("layers.pattern", NOPE, "position.kinds", NOPE),
    ("layers.kinds.*", "layers of the kind", "layers.mix", ""),
    ("layers.kinds.*", "layers of the kind", "layers.pattern", ""),
    ("layers.kinds.*", "layers of the kind", "attention.shared_kv_layers", ""),
    ("layers.kinds.*", ": QK-norm", "attention.shared_kv_layers", ""),
    ("layers.mix", "adds separate mixture-of-experts layers", "moe", "mixture of experts"),
    ("attention.sparse*", "compressed sparse attention", "layers.mix", "compressed sparse attention"),
)
"""(fact, part of its sentence) that echoes (a fact, a part of its sentence)."""


def _merged(
    found: list[Change], facts: tuple[str, ...], significance: Significance, tell: Callable[[list[Change]], str]
) -> list[Change]:
    """The changes of these facts as one, in the place and with the reason of the one that moved farthest."""
    alike = [change for change in found if change.significance is significance]
    parts = [change for change in alike if any(fnmatchcase(change.fact, fact) for fact in facts)]
    parts = [change for change in parts if tell is not _keys or NOVEL in change.sentence]
    if len(parts) < 2:
        return found
    first = max(parts, key=_moved)
    whole = dataclasses.replace(first, sentence=tell(parts))
    return [whole if change is first else change for change in found if change is first or change not in parts]


def _listed(parts: list[Change]) -> str:
    return ", ".join(part.sentence for part in parts)


def _keys(parts: list[Change]) -> str:
    return unheard_of([part.fact.removeprefix("config.") for part in parts], "config key", "config keys")


TOGETHER: tuple[tuple[tuple[str, ...], Callable[[list[Change]], str]], ...] = (
    (("config.*",), _keys),
    (("moe.num_experts", "moe.num_experts_per_tok", "moe.num_shared_experts", "moe.moe_intermediate_size"), _listed),
    (("attention.num_attention_heads", "attention.num_key_value_heads", "attention.head_dim"), _listed),
    (("hidden_size", "feed_forward.intermediate_size"), _listed),
    (("position.rope_theta", "position.scaling", "position.partial_rotary_factor"), _listed),
)
"""Facts of one part of the model and of one significance are one change; and how they are told together."""
