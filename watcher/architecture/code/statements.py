"""Statements: kind of syntax node → what it does to the local names. A kind that is not in the table does nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watcher.architecture.code.alike import used
from watcher.architecture.code.arithmetic import binary_of, iterable, storable
from watcher.architecture.code.attributes import set_attribute
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import touches
from watcher.architecture.code.stops import NoAttribute, Raised, Undecided
from watcher.architecture.code.values import UNKNOWN, Env, Function, ModuleValue, Tensor, Weight, opaque, truth

MAX_ROUNDS = 10_000
"""Rounds of one loop."""


@dataclass(slots=True)
class Returned:
    """A function's end."""

    value: Any


class _Signal:
    """Why a loop's body ended early."""


BREAK, CONTINUE = _Signal(), _Signal()


def _expression(machine: Machine, node: ast.Expr, env: Env) -> None:
    if isinstance(node.value, ast.Constant):
        return
    try:
        machine.evaluate(node.value, env)
    except NoAttribute as error:
        machine.doubt(f"no attribute {error}")
        _incomplete(machine, node, env)


def _assign(machine: Machine, node: ast.Assign, env: Env) -> None:
    try:
        value = machine.evaluate(node.value, env)
    except (NoAttribute, Undecided) as error:
        machine.doubt(f"no attribute {error}" if isinstance(error, NoAttribute) else str(error))
        value = UNKNOWN
        if not machine.stack and isinstance(node.value, ast.Call):
            _unknown_weights(env)
    for target in node.targets:
        assign(machine, target, value, env)


def _annotated(machine: Machine, node: ast.AnnAssign, env: Env) -> None:
    if node.value is not None:
        assign(machine, node.target, machine.evaluate(node.value, env), env)


def _augmented(machine: Machine, node: ast.AugAssign, env: Env) -> None:
    before = machine.evaluate(_loaded(node.target), env)
    value = machine.evaluate(node.value, env)
    if isinstance(before, list) and isinstance(node.op, ast.Add) and isinstance(value, (list, tuple)):
        value = [*before, *value]
        machine.spend(len(value))
    else:
        value = binary_of(machine, node.op, before, value)
    assign(machine, node.target, value, env)


def _loaded(target: ast.expr) -> ast.expr:
    """The expression that reads what a target writes."""
    return target  # the interpreter looks at the kind of node only, never at its context


def assign(machine: Machine, target: ast.expr, value: Any, env: Env) -> None:
    """`target = value`."""
    if isinstance(target, ast.Name):
        env[target.id] = value
    elif isinstance(target, ast.Attribute):
        owner = machine.evaluate(target.value, env)
        set_attribute(machine, owner, target.attr, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for item, part in zip(target.elts, _unpacked(target.elts, value), strict=True):
            assign(machine, item.value if isinstance(item, ast.Starred) else item, part, env)
    elif isinstance(target, ast.Subscript):
        owner = machine.evaluate(target.value, env)
        touches(machine, owner)
        _store(owner, used(machine.evaluate(target.slice, env)), value)


def _unpacked(targets: list[ast.expr], value: Any) -> list[Any]:
    """One value a target; a tensor that is unpacked stands for itself and fresh ones."""
    count = len(targets)
    if isinstance(value, Tensor):
        return [value, *(Tensor(None, value.made, value.marks) for _ in range(count - 1))]
    items = list(value) if isinstance(value, (list, tuple)) else iterable(value)
    if items is None:
        return [UNKNOWN] * count
    starred = next((i for i, item in enumerate(targets) if isinstance(item, ast.Starred)), None)
    if starred is not None and len(items) >= count - 1:
        after = count - 1 - starred
        return [*items[:starred], items[starred : len(items) - after], *items[len(items) - after :]]
    return items[:count] if len(items) >= count else [UNKNOWN] * count


def _store(owner: Any, index: Any, value: Any) -> None:
    if isinstance(owner, ModuleValue):
        if isinstance(value, ModuleValue) and isinstance(index, (int, str)):
            names = list(owner.children)
            negative = isinstance(index, int) and -len(names) <= index < 0
            owner.children[names[index] if negative and isinstance(index, int) else str(index)] = value
        return
    if opaque(index) or not storable(owner, index):
        return
    try:
        owner[index] = value
    except (TypeError, ValueError, LookupError):
        return


def _return(machine: Machine, node: ast.Return, env: Env) -> Returned:
    return Returned(machine.evaluate(node.value, env) if node.value is not None else None)


def _raise(machine: Machine, node: ast.Raise, env: Env) -> None:
    raise Raised("the code raises")


def _assert(machine: Machine, node: ast.Assert, env: Env) -> None:
    return None


def _if(machine: Machine, node: ast.If, env: Env) -> Any:
    if machine.stack and isinstance(node.body[-1], ast.Raise):  # in a forward pass: a check of what is given
        return machine.execute(node.orelse, env)
    try:
        decided = truth(machine.evaluate(node.test, env))
    except (NoAttribute, Undecided):
        decided = None
    if decided is None:
        machine.line = node.lineno
        machine.doubt("a condition that cannot be decided")
        return _undecided(machine, node, env)
    return machine.execute(node.body if decided else node.orelse, env)


def _undecided(machine: Machine, node: ast.If, env: Env) -> Any:
    """The usual way on: past an early exit, else into the branch."""
    if any(isinstance(item, (ast.Return, ast.Raise, ast.Continue, ast.Break)) for item in node.body):
        if _raises(node.orelse) and not _raises(node.body):
            return machine.execute(node.body, env)
        return machine.execute(node.orelse, env)
    try:
        return machine.execute(node.body, env)
    except Raised:
        return None


def _raises(body: list[ast.stmt]) -> bool:
    """Whether statements, or the last of a chain of `elif`, end in an error."""
    last = body[-1] if body else None
    return isinstance(last, ast.Raise) or (isinstance(last, ast.If) and len(body) == 1 and _raises(last.orelse))


def _for(machine: Machine, node: ast.For, env: Env) -> Any:
    items = iterable(machine.evaluate(node.iter, env))
    if items is None:
        machine.doubt("a loop over something that is not known")
        _incomplete(machine, node, env)
        return None
    machine.spend(len(items) // 8)
    for item in items[:MAX_ROUNDS]:
        assign(machine, node.target, item, env)
        ended = machine.execute(node.body, env)
        if ended is BREAK:
            return None
        if isinstance(ended, Returned):
            return ended
    return machine.execute(node.orelse, env)


def _incomplete(machine: Machine, node: ast.stmt, env: Env) -> None:
    """A module that a statement which is not followed adds to holds weights that are not known."""
    adds = any(
        isinstance(part, ast.Call) and getattr(part.func, "attr", getattr(part.func, "id", "")) in ADDS
        for part in ast.walk(node)
    )
    if adds and not machine.stack:
        _unknown_weights(env)


def _unknown_weights(env: Env) -> None:
    owner = env.get("__self__")
    if isinstance(owner, ModuleValue):
        owner.weights["?"] = Weight(None)


ADDS = frozenset({"append", "extend", "setattr", "add_module", "register_parameter", "update"})


def _while(machine: Machine, node: ast.While, env: Env) -> Any:
    for _ in range(MAX_ROUNDS):
        decided = truth(machine.evaluate(node.test, env))
        if decided is None:
            machine.doubt("a loop whose end cannot be decided")
            return None
        if not decided:
            return machine.execute(node.orelse, env)
        ended = machine.execute(node.body, env)
        if ended is BREAK:
            return None
        if isinstance(ended, Returned):
            return ended
    raise Undecided("a loop without an end")


def _with(machine: Machine, node: ast.With, env: Env) -> Any:
    for item in node.items:
        if item.optional_vars is not None:
            assign(machine, item.optional_vars, UNKNOWN, env)
    return machine.execute(node.body, env)


def _try(machine: Machine, node: ast.Try, env: Env) -> Any:
    try:
        ended = machine.execute(node.body, env)
    except (Raised, NoAttribute):
        ended = machine.execute(node.handlers[0].body, env) if node.handlers else None
    final = machine.execute(node.finalbody, env)
    return ended if final is None else final


def _define(machine: Machine, node: ast.FunctionDef, env: Env) -> None:
    env[node.name] = Function(node, env["__module__"], env)


def _import(machine: Machine, node: ast.ImportFrom, env: Env) -> None:
    module = env["__module__"]
    for alias in node.names:
        name = alias.asname or alias.name
        if name not in module.names:
            module.lazy.setdefault(name, (node.level, node.module or "", alias.name))


def _delete(machine: Machine, node: ast.Delete, env: Env) -> None:
    for target in node.targets:
        if isinstance(target, ast.Attribute):
            owner = machine.evaluate(target.value, env)
            touches(machine, owner)
            if isinstance(owner, ModuleValue):
                for group in (owner.children, owner.weights, owner.attributes):
                    group.pop(target.attr, None)
        elif isinstance(target, ast.Name):
            env.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            owner = machine.evaluate(target.value, env)
            touches(machine, owner)
            _remove(owner, used(machine.evaluate(target.slice, env)))


def _remove(owner: Any, index: Any) -> None:
    if isinstance(owner, ModuleValue):
        owner.children.pop(str(index), None)
    elif isinstance(owner, (dict, list)) and not opaque(index) and storable(owner, index):
        try:
            del owner[index]
        except (TypeError, LookupError):
            return


STATEMENTS: dict[type[ast.AST], Callable[[Any, Any, Env], Any]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.Break: lambda machine, node, env: BREAK,
    ast.Continue: lambda machine, node, env: CONTINUE,
    ast.With: _with,
    ast.Try: _try,
    ast.FunctionDef: _define,
    ast.ImportFrom: _import,
    ast.Delete: _delete,
}
"""Kind of node → its handler; what it gives, if anything, ends the statements around it."""
