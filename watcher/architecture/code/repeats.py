"""`[Layer(config, i) for i in range(60)]`: layers that come out alike are built once and copied.

While the first is built, its number is watched: what was asked of it (`i % 4 == 3`, `config.layer_types[i]`) is kept
with the answer. A later number that gives the same answers would build the same layer, but for attributes that hold
the number itself; these are set anew in the copy. Where the building changed anything outside of what it made, or the
number went where it cannot be watched, nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.code.alike import Noted, equal
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.stops import FAILURES
from watcher.architecture.code.values import Function, Method, ModuleValue, Tensor, Weight, next_number

MOST_PLANS = 8
"""Layers that a later one may be a copy of."""

MOST_ASKED = 2000
"""Questions about one item; where there are more, nothing is copied."""

MOST_STEPS = 8
"""Computations that lead from the item to a watched number."""

Ask = Callable[[Any], Any]
"""Item of the loop → an answer."""


@dataclass(slots=True)
class Making:
    """One element while it is built."""

    since: int = field(default_factory=next_number)
    """What has a smaller number was there before."""
    asks: list[tuple[Ask, Any]] = field(default_factory=list)
    """What was asked of the item, and the answer."""
    own: dict[int, Any] = field(default_factory=dict)
    """Lists and dicts that were made since, by identity."""
    apart: bool = False
    """Whether it changed what was there before, or cannot be watched: nothing is a copy of it."""

    def keep(self, ask: Ask, answer: Any) -> None:
        """Another question and its answer."""
        if len(self.asks) < MOST_ASKED:
            self.asks.append((ask, answer))
        else:
            self.apart = True


class Ordinal(Noted):
    """A whole number that follows from the item of the loop."""

    making: Making
    how: Ask
    steps: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A built element, and what another item must answer to be built alike."""

    module: ModuleValue
    making: Making
    numbers: dict[tuple[int, str], Ask]
    """(identity of a module, name of an attribute) → what it holds for an item."""


def ordinal(making: Making, value: int, how: Ask, steps: int = 0) -> Ordinal:
    """A watched number."""
    made = Ordinal(value)
    made.making, made.how, made.steps = making, how, steps
    made.note = lambda: making.keep(how, value)
    return made


def asked(number: Ordinal, ask: Callable[[int], Any]) -> Any:
    """The answer to a question about a number, which is kept."""
    answer = ask(int.__int__(number))
    number.making.keep(lambda item: ask(number.how(item)), answer)
    return answer


def computed(number: Ordinal, compute: Callable[[int], Any]) -> Any:
    """What is computed from a number: again a watched number, or an answer that is kept."""
    value = compute(int.__int__(number))
    if type(value) is not int or number.steps >= MOST_STEPS:
        return asked(number, compute)
    return ordinal(number.making, value, lambda item: compute(number.how(item)), number.steps + 1)


def watched(making: Making, item: Any) -> Any:
    """The item of a loop, its numbers watched; the rest of it is an answer."""
    if type(item) is int:
        return ordinal(making, item, lambda other: other)
    if isinstance(item, tuple):
        return tuple(_part(making, part, at) for at, part in enumerate(item))
    making.keep(lambda other: other, item)
    return item


def _part(making: Making, part: Any, at: int) -> Any:
    if type(part) is int:
        return ordinal(making, part, lambda other: other[at])
    making.keep(lambda other: other[at], part)
    return part


def plan_of(module: ModuleValue, making: Making) -> Plan | None:
    """How to build others alike; None where that cannot be told. Numbers in the module become plain."""
    numbers: dict[tuple[int, str], Ask] = {}
    waiting, seen = [module], {id(module)}
    while waiting:
        one = waiting.pop()
        for name, value in one.attributes.items():
            if isinstance(value, Ordinal):
                numbers[(id(one), name)] = value.how
                one.attributes[name] = int.__int__(value)
            elif not _simple(value, making):
                making.apart = True
        inner = [item for item in one.attributes.values() if isinstance(item, ModuleValue)]
        for child in (*one.children.values(), *inner):
            if id(child) not in seen and child.number >= making.since:
                seen.add(id(child))
                waiting.append(child)
    making.own.clear()
    return None if making.apart else Plan(module, making, numbers)


def _simple(value: Any, making: Making) -> bool:
    """Whether a copy may hold it as it is, or as a copy of it: no number and no module of this making is within."""
    if isinstance(value, Function):
        return value.closure is None
    if isinstance(value, Method):
        return value.call is None and isinstance(value.owner, ModuleValue)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        within = (ModuleValue, Noted, Method, Function, list, tuple, dict)
        return len(value) < 1000 and not any(isinstance(item, within) for item in value)
    return True


def build_alike(machine: Machine, plans: list[Plan], item: Any) -> ModuleValue | None:
    """A copy for this item of an element that would be built alike; None where there is none."""
    for plan in plans:
        if _answers(machine, plan, item):
            return _copy(machine, plan, plan.module, item, {})
    return None


def _answers(machine: Machine, plan: Plan, item: Any) -> bool:
    machine.spend(len(plan.making.asks) * MOST_STEPS)
    try:
        return all(equal(machine, ask(item), answer) for ask, answer in plan.making.asks)
    except (*FAILURES, TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return False


def _copy(machine: Machine, plan: Plan, module: ModuleValue, item: Any, done: dict[int, Any]) -> ModuleValue:
    if module.number < plan.making.since:
        return module
    if id(module) in done:
        return done[id(module)]  # type: ignore[no-any-return]
    machine.made()
    made = done[id(module)] = ModuleValue(module.kind, module.cls, module.line)
    made.copies, made.plain = module.copies, module.plain
    made.weights = {name: _weight(plan, weight, done) for name, weight in module.weights.items()}
    made.children = {name: _copy(machine, plan, child, item, done) for name, child in module.children.items()}
    for name, value in module.attributes.items():
        how = plan.numbers.get((id(module), name))
        if how is not None:
            made.attributes[name] = how(item)
        elif isinstance(value, ModuleValue):
            made.attributes[name] = _copy(machine, plan, value, item, done)
        elif isinstance(value, Method):
            owner = _copy(machine, plan, value.owner, item, done)
            made.attributes[name] = Method(owner, value.function, value.cls)
        else:
            made.attributes[name] = value
    return made


def _weight(plan: Plan, weight: Weight, done: dict[int, Any]) -> Weight:
    if weight.number < plan.making.since:
        return weight
    return done.setdefault(id(weight), Weight(weight.shape))  # type: ignore[no-any-return]


def touches(machine: Machine, owner: Any) -> None:
    """Something is changed: by whatever is being built, if it was there before."""
    making = machine.making
    if making is None or id(owner) in making.own:
        return
    if not isinstance(owner, (ModuleValue, Tensor)) or owner.number < making.since:
        making.apart = True


def owned(machine: Machine, value: Any) -> Any:
    """A new list or dict: it may be changed by what made it."""
    if machine.making is not None:
        machine.making.own[id(value)] = value
    return value
