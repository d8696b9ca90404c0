"""Which layers do the same: built of the same classes and sizes, with the same values wherever a forward looked.

A model of sixty layers has two or three that differ. What one does is found out by a pass through it, during which
every attribute that is looked at is noted; another layer that is built alike, is called alike and holds equal values
in those places would go the same way, and is not passed through again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.values import UNKNOWN, ConfigValue, Env, ModuleValue, Space, Tensor

Shape = tuple[Any, ...]
Looked = dict[tuple[int, str], tuple[ModuleValue, Any]]
"""(identity of a module, name of an attribute) → the module, and the value that was seen first."""

MOST_VALUES = 20_000
"""Values within values that are compared; more count as different."""

SOME_NUMBER: Any = object()
"""What was seen of a whole number that was only handed on."""


class Noted(int):
    """A whole number of a module, as a layer's index: noted when it is computed with, not when it is handed on."""

    note: Callable[[], object]


def _noting(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operation(self: Noted, *others: Any) -> Any:
        self.note()
        return plain(self, *others)

    return operation


COMPUTES = (
    "lt le eq ne gt ge hash bool add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow "
    "divmod rdivmod lshift rlshift rshift rrshift and rand or ror xor rxor neg pos abs invert float index str repr "
    "format round trunc floor ceil"
).split()
for _name in COMPUTES:
    setattr(Noted, f"__{_name}__", _noting(f"__{_name}__"))


def looked_at(looked: Looked, module: ModuleValue, name: str, value: Any) -> Any:
    """An attribute's value, as the pass gets it; that it was looked at is noted, of a number when it is used."""
    key = (id(module), name)
    looked.setdefault(key, (module, value if type(value) is not int else SOME_NUMBER))
    if type(value) is not int:
        return value
    made = Noted(value)
    made.note = lambda: looked.update({key: (module, value)})
    return made


def used(value: Any) -> Any:
    """A value for Python itself to use, which might not let a number know."""
    if isinstance(value, Noted):
        value.note()
        return int.__int__(value)
    if type(value) in (list, tuple) and any(isinstance(item, Noted) for item in value):
        return type(value)(used(item) for item in value)
    return value


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass went through."""

    shape: Shape
    arguments: Env
    looked: tuple[tuple[str, str, Any], ...]
    """(path of a module within the layer, name of an attribute, its value) of what the pass looked at."""


def shape_of(layer: ModuleValue) -> Shape:
    """What a layer is built of: its modules by path, each with its class, the sizes of its weights and its names."""
    return tuple(
        (
            path,
            module.kind,
            module.cls,
            module.copies,
            module.line,
            tuple(module.children),
            tuple((name, weight.shape) for name, weight in module.weights.items()),
            frozenset(module.attributes),
        )
        for path, module in layer.walk()
    )


def passed(layer: ModuleValue, shape: Shape, arguments: Env, looked: Looked) -> Passed:
    """What to compare other layers with."""
    paths = {id(module): path for path, module in layer.walk()}
    seen = [
        (paths[key], name, value)
        for (key, name), (_, value) in looked.items()
        if key in paths  # what lies outside is reached through an attribute of the layer, and compared there
    ]
    return Passed(shape, arguments, tuple(seen))


def goes_alike(machine: Machine, first: Passed, layer: ModuleValue, shape: Shape, arguments: Env) -> bool:
    """Whether a pass through this layer would do what the first did."""
    if first.shape != shape or not equal(machine, first.arguments, arguments):
        return False
    modules = dict(layer.walk())
    machine.spend(len(first.shape))
    return all(_seen(machine, value, modules[path].attributes.get(name, UNKNOWN)) for path, name, value in first.looked)


def _seen(machine: Machine, value: Any, other: Any) -> bool:
    return type(other) is int if value is SOME_NUMBER else equal(machine, value, other)


def equal(machine: Machine, one: Any, other: Any) -> bool:
    """Whether nothing that a pass does could tell two values apart; when in doubt, no. Costs a step a value."""
    met = itertools.count()
    same = _same(one, other, met)
    machine.spend(next(met))
    return same


def _same(one: Any, other: Any, met: Iterator[int]) -> bool:
    if one is other:
        return True
    if type(one) is not type(other) or next(met) >= MOST_VALUES:
        return False
    if isinstance(one, (bool, int, float, str)):
        return bool(one == other)
    if isinstance(one, Tensor):
        return (one.shape, one.made, one.marks, one.terms) == (other.shape, other.made, other.marks, other.terms)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(_same(a, b, met) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key], met) for key, value in one.items())
    if isinstance(one, ConfigValue):
        return one.cls is other.cls and _same(one.values, other.values, met)
    return isinstance(one, Space) and bool(one == other)
