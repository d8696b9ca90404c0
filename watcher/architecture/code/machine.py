"""The symbolic interpreter: walks a syntax tree with stand-ins for PyTorch; nothing is imported, compiled or executed.

Only the node kinds in `expressions` and `statements`, the builtins in `arithmetic` and the names in `outside` mean
something; everything else is UNKNOWN. Every node, and every item of a list that is made, costs a step; when the steps
are used up, reading ends with Exhausted. What could not be followed is kept in `doubts` with its line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from watcher.architecture.code import attributes, classes, configs, outside, source, tables
from watcher.architecture.code.alike import Looked, used
from watcher.architecture.code.arithmetic import call_builtin
from watcher.architecture.code.expressions import EXPRESSIONS
from watcher.architecture.code.forward import ROTARY, forward
from watcher.architecture.code.library import Library
from watcher.architecture.code.protocol import Trace
from watcher.architecture.code.repeats import Making
from watcher.architecture.code.statements import STATEMENTS, Returned
from watcher.architecture.code.stops import FAILURES, Exhausted, Stopped, Undecided
from watcher.architecture.code.values import (
    UNKNOWN,
    ClassValue,
    Env,
    Function,
    Method,
    ModuleValue,
    SourceModule,
    Space,
    Tensor,
)

STEPS = 2_000_000
"""Nodes that reading one model may visit: two or three seconds at most; a usual model takes fifty thousand."""

MAX_MODULES = 60_000
DEPTH = 48
"""Calls within calls."""

MAX_DOUBTS = 200
ROTATES = re.compile(r"apply\w*(rotary|rope)|rotary\w*apply|rotate_queries|apply_mrope", re.IGNORECASE)
"""Names of functions that apply rotary positions."""


class Interpreter:
    """One reading: the files it may look into, the steps left, what was traced and what could not be followed."""

    def __init__(self, sources: source.Sources, steps: int = STEPS) -> None:
        self.sources = sources
        self.steps = steps
        self.modules: dict[str, SourceModule] = {}
        self.trace = Trace()
        self.stack: list[str] = []
        self.doubts: dict[str, str] = {}
        """`file.py:line` → what could not be followed there."""
        self.at = ""
        self.remembered: dict[tuple[str, ast.AST], bool] = {}
        self.waiting: dict[int, list[tuple[list[Any], Env]]] = {}
        self.looked: Looked | None = None
        self.making: Making | None = None
        self.auto: Callable[[Any, str], Any] | None = None
        self.line = 0
        self.count = 0
        self.library: Library | None = None
        self._depth = 0

    # --- what the parts ask of the whole -----------------------------------------------------------------------------

    def evaluate(self, node: ast.AST, env: Env) -> Any:
        """An expression's value; UNKNOWN for a kind of node that is not in the table."""
        self.steps -= 1
        if self.steps < 0:
            raise Exhausted("too many steps")
        handler = EXPRESSIONS.get(type(node))
        return handler(self, node, env) if handler is not None else UNKNOWN

    def execute(self, body: list[ast.stmt], env: Env) -> Any:
        """Statements in order; what ended them early (a return, break or continue), or None."""
        for node in body:
            self.spend()
            self.line = node.lineno
            handler = STATEMENTS.get(type(node))
            if handler is not None:
                ended = handler(self, node, env)
                if ended is not None:
                    return ended
        return None

    def spend(self, steps: int = 1) -> None:
        """Use up steps. Raises Exhausted."""
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted("too many steps")

    def made(self) -> None:
        """Another module is made. Raises Exhausted when there are more than any model has."""
        self.count += 1
        self.spend(10)
        if self.count > MAX_MODULES:
            raise Exhausted(f"more than {MAX_MODULES} modules")

    def place(self) -> str:
        """`file.py:line` of what is being read."""
        return f"{self.at.rpartition('/')[2]}:{self.line}" if self.at else "config.json"

    def doubt(self, what: str) -> None:
        """Note that something could not be followed, here."""
        if len(self.doubts) < MAX_DOUBTS:
            self.doubts.setdefault(self.place(), what)

    def attribute(self, value: Any, name: str) -> Any:
        """`value.name`."""
        return attributes.attribute(self, value, name)

    def config_class(self, model_type: str) -> ClassValue | None:
        """The config class of a model type that the reference has."""
        return self.library.config_class(self, model_type) if self.library is not None else None

    # --- names -------------------------------------------------------------------------------------------------------

    def load(self, path: str) -> SourceModule:
        """A file as a module, parsed once."""
        if path not in self.modules:
            self.modules[path] = source.load(path, self.sources)
        return self.modules[path]

    def lookup(self, module: SourceModule, name: str) -> Any:
        """A module-level name, evaluated when it is first asked for; None when there is none."""
        if name in module.names:
            return module.names[name]
        found = module.lazy.get(name)
        if found is None:
            return self._starred(module, name)
        module.names[name] = UNKNOWN  # a name that needs itself stays unknown
        module.names[name] = value = self._resolve(module, found)
        return value

    def _starred(self, module: SourceModule, name: str) -> Any:
        """A name from `from … import *`."""
        stars, module.stars = module.stars, []  # files that import all of each other end here
        try:
            for level, path in stars:
                for file in source.candidates(module, level, path):
                    target = self.load(file) if source.worth(file) else None
                    value = self.lookup(target, name) if target is not None else None
                    if value is not None:
                        return value
            return None
        finally:
            module.stars = stars

    def _resolve(self, module: SourceModule, found: ast.AST | tuple[int, str, str]) -> Any:
        if isinstance(found, ast.AST):
            try:
                return self.evaluate(found, {"__module__": module})
            except FAILURES:
                return UNKNOWN
        level, path, name = found
        if level < 0:
            return Space(path)
        for file in source.candidates(module, level, path):
            target = self.load(file) if source.worth(file) else None
            value = self.lookup(target, name) if target is not None else None
            if value is not None:
                return value
        inside = level > 0 or path.partition(".")[0] == source.REFERENCE
        return tables.named(f"hf.{name}" if inside else f"{path}.{name}")

    # --- calls -------------------------------------------------------------------------------------------------------

    def call(self, target: Any, args: list[Any], named: Env) -> Any:
        """What calling it gives; a fresh tensor or UNKNOWN where that is not known."""
        self.spend()
        if isinstance(target, ModuleValue):
            return forward(self, target, args, named)
        if isinstance(target, Function):
            return self._function(target, args, named)
        if isinstance(target, Method):
            if target.function is not None:
                return self.run(target.function, [target.owner, *args], named, target.cls)
            return self._own(target, [used(item) for item in args], named)
        if isinstance(target, ClassValue):
            return self._construct(target, args, named)
        if self.looked is not None or self.making is not None:
            args, named = [used(item) for item in args], {name: used(item) for name, item in named.items()}
        if isinstance(target, Space):
            return outside.call(self, target.path, args, named)
        if callable(target) and target is not UNKNOWN:
            return call_builtin(self, target, args, named)
        return outside.fresh(args, named)

    def _own(self, target: Method, args: list[Any], named: Env) -> Any:
        if target.call is None:
            return UNKNOWN
        try:
            return target.call(*args, **named)
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError):
            return UNKNOWN

    def _function(self, target: Function, args: list[Any], named: Env) -> Any:
        if ROTATES.search(target.name) and self.stack:
            tensors = [item for item in (*args, *named.values()) if isinstance(item, Tensor)]
            if tensors:
                self.trace.rotated.append((self.stack[-1], self.place()))
                return outside.rotate(target.name, tensors)
        return self.run(target, args, named)

    def _construct(self, cls: ClassValue, args: list[Any], named: Env) -> Any:
        if classes.has_metaclass(self, cls):
            raise Undecided(f"{cls.name} has a metaclass of its own")
        if classes.is_module(self, cls):
            module = ModuleValue(cls.name, cls, self.place())
            self.made()
            self.initialise(module, cls, None, args, named)
            return module
        if classes.is_config(self, cls):
            return configs.make_config(self, cls, dict(named), args)
        return classes.other(self, cls, args, named)

    def initialise(
        self, module: ModuleValue, cls: ClassValue, after: ClassValue | None, args: list[Any], named: Env
    ) -> None:
        """`__init__` of the first class in line that has one (after `after`, for `super()`), or PyTorch's own."""
        made, where = classes.find(self, cls, "__init__", after=after)
        if isinstance(made, Function):
            doubts = dict(self.doubts)
            self.run(made, [module, *args], named, where)
            if ROTARY.search(cls.name) and not module.weights.keys() - {"?"}:  # computed angles are no weights
                self.doubts = doubts
                module.weights.clear()
        else:
            outside.initialise(self, module, classes.outside(self, cls), args, named)

    def run(self, function: Function, args: list[Any], named: Env, cls: ClassValue | None = None) -> Any:
        """A function of the code, on these arguments."""
        if self._depth >= DEPTH:
            self.doubt(f"{function.name} is nested too deeply")
            return outside.fresh(args, named)
        at, line = self.at, self.line
        self._depth += 1
        try:
            env = self._bind(function, args, named)
            self.at = function.module.path
            if cls is not None or function.cls is not None:
                env["__class__"] = cls or function.cls
            if args:
                env["__self__"] = args[0]
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body, env)
            if self._yields(function):
                raise Undecided("a generator")
            ended = self.execute(function.node.body, env)
            return ended.value if isinstance(ended, Returned) else None
        except RecursionError:
            raise Undecided("nested too deeply") from None
        except Stopped as error:
            error.where = error.where or self.place()
            raise
        finally:
            self._depth -= 1
            self.at, self.line = at, line

    def _bind(self, function: Function, args: list[Any], named: Env) -> Env:
        parameters = function.node.args
        module = function.module
        env: Env = {**function.closure, "__module__": module} if function.closure else {"__module__": module}
        names = [item.arg for item in (*parameters.posonlyargs, *parameters.args)]
        self.spend(len(names) + len(parameters.kwonlyargs) + len(env) // 8)
        first = len(names) - len(parameters.defaults)
        for position, name in enumerate(names):
            if position < len(args):
                env[name] = args[position]
            elif name in named:
                env[name] = named[name]
            else:
                env[name] = (
                    self._default(parameters.defaults[position - first], module) if position >= first else UNKNOWN
                )
        for item, node in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            env[item.arg] = named[item.arg] if item.arg in named else self._default(node, module)
        if parameters.vararg:
            env[parameters.vararg.arg] = tuple(args[len(names) :])
        if parameters.kwarg:
            taken = {*names, *(item.arg for item in parameters.kwonlyargs)}
            env[parameters.kwarg.arg] = {key: value for key, value in named.items() if key not in taken}
        return env

    def _default(self, node: ast.expr | None, module: SourceModule) -> Any:
        if node is None:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            return node.value
        try:
            return self.evaluate(node, {"__module__": module})
        except FAILURES:
            return UNKNOWN

    def _yields(self, function: Function) -> bool:
        """Whether it is a generator; a look at its top statements is enough for the code of models."""
        key = ("yields", function.node)
        if key not in self.remembered:
            body = function.node.body if isinstance(function.node, ast.FunctionDef) else []
            values = [node.value for node in body if isinstance(node, ast.Expr)]
            self.remembered[key] = any(isinstance(value, (ast.Yield, ast.YieldFrom)) for value in values)
        return self.remembered[key]
