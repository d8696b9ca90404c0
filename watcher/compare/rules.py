"""From differing facts to changes: what a rule is and how a table of them is applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from watcher.architecture.record import Architecture
from watcher.compare import facts as comparable_facts
from watcher.compare.facts import UNKNOWN, Facts, at
from watcher.compare.model import Change, Significance
from watcher.compare.stack import Order

Path = tuple[str, ...]
ANY = "*"
NOVEL_KEY = ("novel", "config_keys")


@dataclass(frozen=True)
class Side:
    """One of the two models of a comparison."""

    record: Architecture
    config: Mapping[str, Any] | None = None
    """The raw config, where it is at hand."""

    @cached_property
    def facts(self) -> Facts:
        """The comparable facts."""
        return comparable_facts.comparable(self.record)

    @cached_property
    def order(self) -> Order | None:
        """The arrangement of the mixers."""
        return comparable_facts.mixer_order(self.record)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The record as JSON data, without its evidence."""
        return dataclasses.replace(self.record, evidence={}).to_dict()

    @cached_property
    def kind_ids(self) -> dict[str, str]:
        """The first kind's letter by the name `facts` gives its mixer."""
        labels = comparable_facts.mixer_labels(self.record)
        return {label: letter for letter, label in reversed(labels.items())}

    def raw(self, path: Iterable[str]) -> Any:
        """A value as the record has it; kinds by their letter."""
        value: Any = self.data
        for name in path:
            if isinstance(value, list):
                value = next((item for item in value if item.get("id") == name), None)
            else:
                value = value.get(name) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, slots=True)
class Told:
    """What a wording may look at."""

    name: str
    """What `*` stood for in the rule's fact, else its last part."""
    before: Any
    after: Any
    """Comparable facts: None for none; a dict for a group, UNKNOWN inside it for what is not known."""
    a: Side
    b: Side


Say = Callable[[Told], str]


class When(NamedTuple):
    """A condition on the two values of a fact, in words and as a test."""

    words: str
    test: Callable[[Any, Any], bool]


CHANGED = When("changed", lambda before, after: True)
GAINED = When("gained", lambda before, after: before is None)
LOST = When("lost", lambda before, after: after is None)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: when this fact changes in this way it matters so much and is told like this."""

    fact: str
    """Path of a comparable fact or of a group of them; `*` stands for one name."""
    when: When
    significance: Significance
    say: Say
    covers: tuple[str, ...] = ()
    """Differences that follow from this one and are not told again."""
    reports: str = ""
    """Path in the record, where it is not `fact`."""

    @property
    def path(self) -> Path:
        """`fact` in parts."""
        return tuple(self.fact.split("."))


def apply(table: Sequence[Rule], fallback: Rule, a: Side, b: Side, differing: Iterable[Path]) -> list[Change]:
    """The changes that tell all differing facts, ranked: most significant first, then by the table's order."""
    left = {path: None for path in differing if not unknown(path, a, b)}
    ranked: list[tuple[int, int, Change]] = []
    for position, rule in enumerate(table):
        for path in _matches(rule.path, left):
            before, after = at(a.facts, path), at(b.facts, path)
            if not rule.when.test(before, after):
                continue
            ranked.append((-rule.significance.rank, position, _change(rule, path, a, b)))
            for pattern in (rule.path, *(tuple(item.split(".")) for item in rule.covers)):
                left = {item: None for item in left if not _under(item, path if pattern is rule.path else pattern)}
    ranked.extend((-fallback.significance.rank, len(table), _change(fallback, path, a, b)) for path in left)
    return [change for _, _, change in sorted(ranked, key=lambda item: item[:2])]


def unknown(path: Path, a: Side, b: Side) -> bool:
    """Whether one side does not know this fact, so that no difference may be asserted."""
    return UNKNOWN in (at(a.facts, path), at(b.facts, path))


def _matches(pattern: Path, paths: Iterable[Path]) -> list[Path]:
    """The distinct facts of this pattern that differ, or under which something differs."""
    return [*dict.fromkeys(path[: len(pattern)] for path in paths if _under(path, pattern))]


def _under(path: Path, pattern: Path) -> bool:
    return len(path) >= len(pattern) and all(want in (ANY, part) for want, part in zip(pattern, path, strict=False))


def _change(rule: Rule, path: Path, a: Side, b: Side) -> Change:
    name = next((part for want, part in zip(rule.path, path, strict=False) if want == ANY), path[-1])
    told = Told(name, at(a.facts, path), at(b.facts, path), a, b)
    return Change(
        fact=_record_path(rule, path, b) or _record_path(rule, path, a) or ".".join(path),
        before=_value(rule, path, a),
        after=_value(rule, path, b),
        significance=rule.significance,
        sentence=rule.say(told),
    )


def _record_path(rule: Rule, path: Path, side: Side) -> str | None:
    """Where the record keeps what was told; None where this side has no such layers."""
    if rule.reports:
        return rule.reports
    if path[:2] == NOVEL_KEY and len(path) > 2:
        return f"config.{path[2]}"
    if path[:2] != ("layers", "mixers") or len(path) < 3:
        return ".".join(path)
    letter = side.kind_ids.get(path[2])
    return None if letter is None else ".".join(("layers", "kinds", letter, *path[3:]))


def _value(rule: Rule, path: Path, side: Side) -> Any:
    """The value as the record has it, so that a reader finds it there."""
    if path[:2] == NOVEL_KEY and len(path) > 2:
        return configured(side.config, path[2])
    where = _record_path(rule, path, side)
    return None if where is None else side.raw(where.split("."))


def configured(config: Mapping[str, Any] | None, key: str) -> Any:
    """The value of a dotted key of a raw config, also when the key itself has a dot; None where it is not there."""
    value: Any = config
    for name in [key] if config and key in config else key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
