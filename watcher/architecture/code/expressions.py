"""Expressions: kind of syntax node → its value. A kind that is not in the table is UNKNOWN."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from watcher.architecture.code.alike import Noted, used
from watcher.architecture.code.arithmetic import BUILTINS, COMPARE, UNARY, binary_of, iterable, measure, storable
from watcher.architecture.code.comprehensions import dict_of, list_of, set_of
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import Ordinal, asked, computed, owned
from watcher.architecture.code.special import SPECIAL
from watcher.architecture.code.stops import NoAttribute, Undecided
from watcher.architecture.code.subscripts import slice_of, subscript
from watcher.architecture.code.values import (
    UNKNOWN,
    ConfigValue,
    Env,
    Function,
    ModuleValue,
    Space,
    Tensor,
    opaque,
    truth,
)

MAX_TEXT = 10_000


def _constant(machine: Machine, node: ast.Constant, env: Env) -> Any:
    value = node.value
    return value if value is None or isinstance(value, (bool, int, float, str)) else UNKNOWN


def _name(machine: Machine, node: ast.Name, env: Env) -> Any:
    name = node.id
    if name in env:
        return env[name]
    module = env["__module__"]
    if name in module.names or name in module.lazy:
        return machine.lookup(module, name)
    if module.stars and name not in BUILTINS and name not in SPECIAL:
        found = machine.lookup(module, name)
        return UNKNOWN if found is None else found
    if name in SPECIAL:
        return Space(f"builtins.{name}")
    return BUILTINS.get(name, UNKNOWN)


def _attribute(machine: Machine, node: ast.Attribute, env: Env) -> Any:
    return machine.attribute(machine.evaluate(node.value, env), node.attr)


def _call(machine: Machine, node: ast.Call, env: Env) -> Any:
    target = machine.evaluate(node.func, env)
    args = _sequence(machine, node.args, env)
    named: Env = {}
    for item in node.keywords:
        value = machine.evaluate(item.value, env)
        if item.arg is not None:
            named[item.arg] = value
        elif isinstance(value, dict):
            named |= {key: part for key, part in value.items() if isinstance(key, str)}
        elif isinstance(value, ConfigValue):
            named |= {key: part for key, part in value.values.items() if not key.startswith("$")}
    if isinstance(target, Space) and target.path.startswith("builtins."):
        return SPECIAL[target.last](machine, args, named, env)
    if target is UNKNOWN and isinstance(node.func, ast.Name) and not machine.stack:
        machine.doubt(f"{node.func.id[:60]} is not known")
    return machine.call(target, args, named)


def _sequence(machine: Machine, nodes: list[ast.expr], env: Env) -> list[Any]:
    items: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found = iterable(machine.evaluate(node.value, env))
            if found is None:
                items.append(UNKNOWN)
            else:
                machine.spend(len(found))
                items.extend(found)
        else:
            items.append(machine.evaluate(node, env))
    return items


def _binary(machine: Machine, node: ast.BinOp, env: Env) -> Any:
    left, right = machine.evaluate(node.left, env), machine.evaluate(node.right, env)
    if isinstance(left, Ordinal) and not isinstance(right, Noted):
        return computed(left, lambda number: binary_of(machine, node.op, number, right))
    if isinstance(right, Ordinal) and not isinstance(left, Noted):
        return computed(right, lambda number: binary_of(machine, node.op, left, number))
    found = binary_of(machine, node.op, left, right)
    return owned(machine, found) if type(found) is list else found


def _unary(machine: Machine, node: ast.UnaryOp, env: Env) -> Any:
    value = machine.evaluate(node.operand, env)
    if isinstance(node.op, ast.Not):
        decided = truth(value)
        return UNKNOWN if decided is None else not decided
    if isinstance(value, Tensor):
        return Tensor(value.shape, value.made, value.marks, value.terms)
    if opaque(value):
        return UNKNOWN
    try:
        return UNARY[type(node.op)](value)
    except (TypeError, KeyError):
        return UNKNOWN


def _boolean(machine: Machine, node: ast.BoolOp, env: Env) -> Any:
    wanted = isinstance(node.op, ast.Or)
    doubtful = False
    value: Any = UNKNOWN
    for part in node.values:
        try:
            value = machine.evaluate(part, env)
            decided = truth(value)
        except NoAttribute:
            decided = None
        if decided is wanted:
            return value
        doubtful = doubtful or decided is None
    return UNKNOWN if doubtful else value


def _compare(machine: Machine, node: ast.Compare, env: Env) -> Any:
    left = machine.evaluate(node.left, env)
    for kind, part in zip(node.ops, node.comparators, strict=True):
        right = machine.evaluate(part, env)
        if isinstance(left, Ordinal) and not isinstance(right, Noted):
            found = asked(left, partial(_compared_with, machine, kind, right))
        else:
            found = _compared(machine, kind, left, right)
        if found is not True:
            return found
        left = right
    return True


def _compared_with(machine: Machine, kind: ast.cmpop, right: Any, number: int) -> Any:
    return _compared(machine, kind, number, right)


def _compared(machine: Machine, kind: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(kind, (ast.Is, ast.IsNot)):
        found = _identical(left, right)
        return found if found is UNKNOWN or isinstance(kind, ast.Is) else not found
    if isinstance(kind, (ast.In, ast.NotIn)) and isinstance(right, (ModuleValue, ConfigValue)):
        inside = right.children if isinstance(right, ModuleValue) else right.values
        return (isinstance(left, str) and left in inside) is isinstance(kind, ast.In)
    if opaque(left) or opaque(right):
        same = left is right and left is not UNKNOWN and not isinstance(left, Tensor)
        different = left is not UNKNOWN and right is not UNKNOWN and isinstance(kind, (ast.Eq, ast.NotEq))
        if same or (different and (left is None or right is None)):
            return same is isinstance(kind, ast.Eq)
        if different and isinstance(left, Space) and isinstance(right, Space):
            return (left.path == right.path) is isinstance(kind, ast.Eq)
        return UNKNOWN
    if not isinstance(left, str) or not isinstance(right, str):
        machine.spend(measure(left) + measure(right))
    if isinstance(right, (dict, set, frozenset)) and not storable(right, left):
        return UNKNOWN
    if isinstance(right, (list, tuple)) and any(item is UNKNOWN for item in right):
        return UNKNOWN
    try:
        return bool(COMPARE[type(kind)](left, right))
    except (TypeError, KeyError, Undecided):
        return UNKNOWN


def _identical(left: Any, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if left is None or right is None:
        return left is right
    return used(left) is used(right) or (isinstance(left, Space) and left == right)


def _conditional(machine: Machine, node: ast.IfExp, env: Env) -> Any:
    try:
        decided = truth(machine.evaluate(node.test, env))
    except (NoAttribute, Undecided):
        decided = None
    if decided is None:
        machine.doubt("a condition that cannot be decided")
        decided = True
    return machine.evaluate(node.body if decided else node.orelse, env)


def _list(machine: Machine, node: ast.List, env: Env) -> list[Any]:
    return owned(machine, _sequence(machine, node.elts, env))  # type: ignore[no-any-return]


def _tuple(machine: Machine, node: ast.Tuple, env: Env) -> tuple[Any, ...]:
    return tuple(_sequence(machine, node.elts, env))


def _set(machine: Machine, node: ast.Set, env: Env) -> Any:
    items = _sequence(machine, node.elts, env)
    return set(items) if all(storable({}, item) and not opaque(item) for item in items) else UNKNOWN


def _dict(machine: Machine, node: ast.Dict, env: Env) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            part = machine.evaluate(value, env)
            if isinstance(part, dict):
                machine.spend(len(part))
                found |= part
            continue
        name = machine.evaluate(key, env)
        if storable(found, name):
            found[name] = machine.evaluate(value, env)
    return owned(machine, found)  # type: ignore[no-any-return]


def _joined(machine: Machine, node: ast.JoinedStr, env: Env) -> Any:
    text = ""
    for part in node.values:
        value = machine.evaluate(part.value if isinstance(part, ast.FormattedValue) else part, env)
        if value is UNKNOWN or not isinstance(value, (str, int, float, type(None))) or len(text) > MAX_TEXT:
            return UNKNOWN
        text += str(value)
    machine.spend(len(text) // 16)
    return text


def _lambda(machine: Machine, node: ast.Lambda, env: Env) -> Function:
    return Function(node, env["__module__"], env)


def _walrus(machine: Machine, node: ast.NamedExpr, env: Env) -> Any:
    env[node.target.id] = value = machine.evaluate(node.value, env)
    return value


def _starred(machine: Machine, node: ast.Starred, env: Env) -> Any:
    return machine.evaluate(node.value, env)


EXPRESSIONS: dict[type[ast.AST], Callable[[Any, Any, Env], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.Starred: _starred,
    ast.Slice: slice_of,
    ast.Subscript: subscript,
    ast.ListComp: list_of,
    ast.GeneratorExp: list_of,
    ast.SetComp: set_of,
    ast.DictComp: dict_of,
}
"""Kind of node → its handler."""
