"""What a forward pass keeps, and what the parts of the interpreter may ask of the whole."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from watcher.architecture.code.values import PLAIN, ClassValue, Env, Function, ModuleValue, SourceModule

if TYPE_CHECKING:
    from watcher.architecture.code.repeats import Making


@dataclass(slots=True, eq=False)
class Step:
    """A module is called in a forward pass."""

    path: str
    module: ModuleValue
    number: int
    """Which tensor goes in."""
    source: str
    """What made that tensor."""
    terms: tuple[str, ...]
    line: str
    """Where it is called."""
    caller: str
    """Path of the module whose `forward` calls it."""
    marks: frozenset[str] = PLAIN
    """What was done to the tensor that goes in."""
    out: int = 0
    """Which tensor comes out."""


@dataclass(slots=True)
class Trace:
    """What a forward pass did, in order."""

    steps: list[Step] = field(default_factory=list)
    operations: list[tuple[str, str, str]] = field(default_factory=list)
    """(path of the module, sigmoid | softmax | silu …, line)."""
    rotated: list[tuple[str, str]] = field(default_factory=list)
    """(path of the module that applied rotary positions, line)."""
    products: list[tuple[str, frozenset[str], frozenset[str], str, bool]] = field(default_factory=list)
    """(path of the module, marks of the one, marks of the other, line, whether it is a whole attention) of every matrix
    product of two tensors."""


class Machine(Protocol):
    """What the parts of the interpreter may ask of the whole."""

    trace: Trace
    stack: list[str]
    doubts: dict[str, str]
    remembered: dict[tuple[str, ast.AST], bool]
    """What was found out about a node, by question."""
    at: str
    line: int
    waiting: dict[int, list[tuple[list[Any], Env]]]
    """Modules, by identity, whose calls are kept and not followed."""
    making: Making | None
    """What is being built, while its loop's number is watched."""
    looked: dict[tuple[int, str], tuple[ModuleValue, Any]] | None
    """Attributes of modules that were looked at, with what was seen first, while someone wants to know."""
    auto: Callable[[Any, str], Any] | None
    """Config and name of an `Auto…` class → class, for `AutoModel.from_config`."""

    def evaluate(self, node: ast.AST, env: Env) -> Any:
        """An expression's value."""
        ...

    def call(self, target: Any, args: list[Any], named: Env) -> Any:
        """What calling it gives."""
        ...

    def attribute(self, value: Any, name: str) -> Any:
        """`value.name`."""
        ...

    def lookup(self, module: SourceModule, name: str) -> Any:
        """A module-level name; UNKNOWN when there is none."""
        ...

    def execute(self, body: list[ast.stmt], env: Env) -> Any:
        """Statements; what ended them, or None."""
        ...

    def run(self, function: Function, args: list[Any], named: Env, cls: ClassValue | None = None) -> Any:
        """A function of the code."""
        ...

    def spend(self, steps: int = 1) -> None:
        """Use up steps. Raises Exhausted."""
        ...

    def made(self) -> None:
        """Another module is made. Raises Exhausted."""
        ...

    def doubt(self, what: str) -> None:
        """Note that something could not be followed, here."""
        ...

    def place(self) -> str:
        """`file.py:line` of what is being read."""
        ...

    def load(self, path: str) -> SourceModule:
        """A file as a module."""
        ...

    def config_class(self, model_type: str) -> ClassValue | None:
        """The config class of a model type that the reference has."""
        ...
