"""Makers of sentences, for the rows of the table: each takes the words and gives what says them of two facts."""

from __future__ import annotations

from typing import Any

from watcher.compare import words
from watcher.compare.facts import UNKNOWN
from watcher.compare.rules import Say, Told


def instead(noun: str, plural: str = "") -> Say:
    """`256 experts instead of 160`."""
    return lambda told: f"{words.counted(told.after, noun, plural)} instead of {words.number(told.before or 0)}"


def arrow(label: str, unit: str = "", plural: str = "") -> Say:
    """`hidden size 7,168 → 6,144`, `61 → 78 layers`."""

    def say(told: Told) -> str:
        if told.before is None or told.after is None:
            return _one_side(told, label or plural or unit + "s")
        before, after = words.number(told.before), words.number(told.after)
        noun = "" if not unit else " " + (unit if told.after == 1 else plural or unit + "s")
        return f"{label} {before} → {after}{noun}".strip()

    return say


def _one_side(told: Told, label: str) -> str:
    """`window 1,024, none before`, `no window (1,024 before)`."""
    if told.before is None:
        return f"{label} {words.number(told.after)}, none before"
    return f"no {label} ({words.number(told.before)} before)"


def adds(what: str) -> Say:
    """`adds QK-norm`."""
    return lambda told: f"adds {what}"


def drops(what: str) -> Say:
    """`drops QK-norm`."""
    return lambda told: f"drops {what}"


def adds_some(noun: str, plural: str = "") -> Say:
    """`adds 1 shared expert`."""
    return lambda told: f"adds {words.counted(told.after, noun, plural)}"


def hashed(told: Told) -> str:
    """`hash routing in 3 layers`."""
    return f"hash routing in {words.counted(told.after, 'layer')}"


def drops_some(noun: str, plural: str = "") -> Say:
    """`drops the shared expert`, `drops the 2 shared experts`."""

    def say(told: Told) -> str:
        return f"drops the {noun if told.before == 1 else words.counted(told.before, noun, plural)}"

    return say


def other(names: dict[str, str], template: str = "{after} instead of {before}", none: str = "none") -> Say:
    """`sandwich norms instead of pre-norm`, by a table of names."""

    def say(told: Told) -> str:
        before, after = (none if value is None else words.named(value, names) for value in (told.before, told.after))
        if before == after:  # two words for nearly one thing
            before, after = (f"“{words.clean(value)}”" for value in (told.before, told.after))
        return template.format(before=before, after=after)

    return say


def in_layers(say: Say) -> Say:
    """The same, said of the layers of one kind: `sliding layers: 8 key-value heads instead of 4`; of all without it."""

    def of_kind(told: Told) -> str:
        alone = len({kind.mixer for kind in told.b.record.layers.kinds}) == 1 and "," not in told.name
        return say(told) if alone else f"{words.clean(told.name)} layers: {say(told)}"

    return of_kind


def fields(label: str) -> Say:
    """The differing members of a group: `MLA: q_lora_rank 1,536 → 2,048, v_head_dim 128 → 256`."""

    def say(told: Told) -> str:
        before, after = told.before or {}, told.after or {}
        parts = [
            f"{words.clean(name)} {_shown(before.get(name))} → {_shown(value)}"
            for name, value in after.items()
            if value != before.get(name) and UNKNOWN not in (value, before.get(name)) and name != "layers"
        ]
        layers = [words.counted(group.get("layers"), "layer") for group in (after, before)]
        return f"{label}: {', '.join(parts) or f'in {layers[0]} instead of {layers[1]}'}"

    return say


def _shown(value: Any) -> str:
    return words.number(value)
