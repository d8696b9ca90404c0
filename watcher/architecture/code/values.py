"""What the symbolic interpreter computes with: tensors and weights by shape, modules as a tree, classes, functions."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from watcher.architecture.code.stops import Undecided

Env = dict[str, Any]
"""Local names of one call, and `__module__`, `__class__`, `__self__` of where it stands."""


class _UnknownValue:
    """A value that cannot be known; asking for its truth is an error of the reader."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise Undecided("an unknown value decides")


MAX_PATH = 1000
"""Characters of a module's dotted path."""

UNKNOWN: Any = _UnknownValue()
_numbers = itertools.count(1)


def next_number() -> int:
    """The number of what is made next: later things have larger ones."""
    return next(_numbers)


PLAIN: frozenset[str] = frozenset()


class Tensor:
    """A tensor: perhaps its shape, where it comes from, and what was done to it."""

    __slots__ = ("made", "marks", "number", "shape", "terms")

    def __init__(
        self,
        shape: tuple[Any, ...] | None = None,
        made: str = "",
        marks: frozenset[str] = PLAIN,
        terms: tuple[str, ...] = (),
    ) -> None:
        self.number = next(_numbers)
        """Identity."""
        self.shape = shape
        self.made = made
        """Path of the module that returned it, `+` for a sum, `in` for the input of a layer."""
        self.marks = marks
        """angles (cos, sin), rotated, normed, l2, scores, sigmoid."""
        self.terms = terms
        """What was added, by origin, when it is a sum."""


class Weight(Tensor):
    """A parameter: trained, and counted."""

    __slots__ = ()

    def count(self) -> int:
        """Elements. Raises Undecided when a length is not known."""
        total = 1
        for length in (UNKNOWN,) if self.shape is None else self.shape:
            if isinstance(length, bool) or not isinstance(length, int) or length < 0:
                raise Undecided("a weight of unknown size")
            total *= length
        return total


@dataclass(frozen=True, slots=True)
class Space:
    """A dotted name outside of what is read: `torch.nn.functional.silu`, `hf.DynamicCache`."""

    path: str

    @property
    def last(self) -> str:
        """Its last word."""
        return self.path.rpartition(".")[2]


class SourceModule:
    """One Python file: what it defines, and what it imports or assigns, evaluated when it is first asked for."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: Env = {}
        self.lazy: dict[str, ast.AST | tuple[int, str, str]] = {}
        self.stars: list[tuple[int, str]] = []
        """Modules that everything is imported from."""
        self.problem: str | None = None
        """Why it could not be parsed."""


@dataclass(slots=True, eq=False)
class Function:
    """A function, method or lambda of the code."""

    node: ast.FunctionDef | ast.Lambda
    module: SourceModule
    closure: Env | None = None
    cls: ClassValue | None = None
    """The class it stands in."""

    @property
    def name(self) -> str:
        """As it was defined."""
        return self.node.name if isinstance(self.node, ast.FunctionDef) else "<lambda>"

    def decorated(self, *names: str) -> bool:
        """Whether a decorator of one of these names stands above it."""
        found = getattr(self.node, "decorator_list", ())
        return any(getattr(item, "id", getattr(item, "attr", "")) in names for item in found)


@dataclass(slots=True, eq=False)
class Method:
    """A function bound to what it is called on; `call` for one of the interpreter's own."""

    owner: Any
    function: Function | None = None
    cls: ClassValue | None = None
    call: Callable[..., Any] | None = None


class ClassValue:
    """A class of the code."""

    def __init__(self, node: ast.ClassDef, module: SourceModule) -> None:
        self.node = node
        self.module = module
        self.name = node.name
        self.methods: dict[str, Function] | None = None
        self.attributes: dict[str, ast.expr] = {}
        self.setters: dict[str, Function] = {}
        self.order: list[Any] | None = None
        """Method resolution order, once computed."""
        self.is_module: bool | None = None


class ModuleValue:
    """An `nn.Module`: its children, its weights, and what else was set on it."""

    __slots__ = ("attributes", "children", "cls", "copies", "kind", "line", "number", "path", "plain", "weights")

    def __init__(self, kind: str, cls: ClassValue | None = None, line: str = "") -> None:
        self.number = next(_numbers)
        """Later ones have larger numbers."""
        self.kind = kind
        self.cls = cls
        self.children: dict[str, ModuleValue] = {}
        self.weights: dict[str, Weight] = {}
        self.attributes: Env = {}
        self.path = ""
        self.copies = 1
        """How many alike its only child stands for: a list of equal experts is built once."""
        self.plain = False
        """An object that is no `nn.Module`: it holds no weights of its owner."""
        self.line = line
        """`file.py:line` of where it is made."""

    def __len__(self) -> int:
        return self.copies if self.copies > 1 else len(self.children)

    def __bool__(self) -> bool:
        return True

    def items(self) -> list[Any]:
        """What walking through it gives: the children of a list, each of equal ones."""
        found = list(self.children.values())
        return found * self.copies if self.copies > 1 else found

    def walk(self) -> Iterator[tuple[str, ModuleValue]]:
        """(dotted path, module) of this module and everything in it, each once. Raises Undecided."""
        waiting: list[tuple[str, ModuleValue]] = [("", self)]
        seen: set[int] = set()
        while waiting:
            path, module = waiting.pop()
            if id(module) in seen:
                continue
            if len(path) > MAX_PATH:
                raise Undecided("modules nested too deeply")
            seen.add(id(module))
            yield path, module
            prefix = f"{path}." if path else ""
            waiting += [(prefix + name, child) for name, child in reversed(module.children.items())]

    def count(self, seen: set[int] | None = None) -> int:
        """Elements of all weights, shared ones once. Raises Undecided."""
        seen = set() if seen is None else seen
        if id(self) in seen:
            return 0
        seen.add(id(self))
        total = 0
        for weight in self.weights.values():
            if id(weight) not in seen:
                seen.add(id(weight))
                total += weight.count()
        return total + self.copies * sum(child.count(seen) for child in self.children.values())


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """A list of modules that are all made alike: one stands for `times`."""

    item: ModuleValue
    times: int


class Walk:
    """An iterator: `iter(…)`, or `itertools.cycle(…)`, which comes round again."""

    def __init__(self, items: list[Any], *, endless: bool = False) -> None:
        self._items, self._endless, self._turn = items, endless, 0

    def next(self, default: Any = UNKNOWN) -> Any:
        """The item whose turn it is."""
        self._turn += 1
        if not self._items or (self._turn > len(self._items) and not self._endless):
            return default
        return self._items[(self._turn - 1) % len(self._items)]

    def rest(self) -> list[Any] | None:
        """What is left; None for one that never ends."""
        return None if self._endless else self._items[self._turn :]


@dataclass(slots=True, eq=False)
class ConfigValue:
    """A config object: the class's fields under the given values."""

    values: Env
    cls: ClassValue | None = None
    given: frozenset[str] = PLAIN
    """Keys that were given, as the class spells them; the others are its defaults."""

    @property
    def aliases(self) -> dict[str, str]:
        """Other spellings of its keys."""
        found = self.values.get("$attribute_map")
        return found if isinstance(found, dict) else {}


@dataclass(slots=True, eq=False)
class SuperValue:
    """`super()` in a method of `cls`, on `owner`."""

    owner: Any
    cls: ClassValue | None


def opaque(value: Any) -> bool:
    """Whether Python itself must not compute with a value."""
    return value is UNKNOWN or isinstance(
        value, (Tensor, Space, ModuleValue, ConfigValue, ClassValue, Function, Method, Copies)
    )


def truth(value: Any) -> bool | None:
    """True, False, or None when it cannot be decided."""
    if value is None or value is True or value is False:
        return bool(value)
    if value is UNKNOWN or isinstance(value, (Tensor, Space)):
        return None
    if isinstance(value, ModuleValue):
        return len(value) > 0 if value.kind in ("nn.ModuleList", "nn.ModuleDict", "nn.Sequential") else True
    if isinstance(value, (ConfigValue, ClassValue, Function, Method, SuperValue, Copies)):
        return True
    return bool(value)
