"""Expressions: kind of syntax node → its value. A kind that is not in the table is UNKNOWN."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from watcher.architecture.code.alike import used
from watcher.architecture.code.arithmetic import (
    BUILTINS,
    COMPARE,
    LONGEST,
    MOST_MODULES,
    UNARY,
    binary_of,
    iterable,
    measure,
    storable,
)
from watcher.architecture.code.configs import PerLayer
from watcher.architecture.code.outside import ActivationTable, AttentionTable, ConfigTable, RopeTable, frequencies
from watcher.architecture.code.special import SPECIAL
from watcher.architecture.code.statements import assign
from watcher.architecture.code.values import (
    UNKNOWN,
    ConfigValue,
    Copies,
    Env,
    Function,
    Machine,
    Method,
    ModuleValue,
    NoAttribute,
    Space,
    Tensor,
    Undecided,
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
    return binary_of(machine, node.op, machine.evaluate(node.left, env), machine.evaluate(node.right, env))


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
        found = _compared(machine, kind, left, right)
        if found is not True:
            return found
        left = right
    return True


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
    return _sequence(machine, node.elts, env)


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
    return found


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


def _slice(machine: Machine, node: ast.Slice, env: Env) -> Any:
    bounds = (node.lower, node.upper, node.step)
    parts = [None if part is None else used(machine.evaluate(part, env)) for part in bounds]
    whole = all(part is None or isinstance(part, int) for part in parts)
    return slice(*parts) if whole else UNKNOWN


def _subscript(machine: Machine, node: ast.Subscript, env: Env) -> Any:
    owner = machine.evaluate(node.value, env)
    index = used(machine.evaluate(node.slice, env))
    if isinstance(owner, Tensor):
        return _cut(owner, index)
    if isinstance(owner, ActivationTable):
        return owner.at(index)
    if isinstance(owner, ConfigTable):
        return machine.config_class(index) or UNKNOWN if isinstance(index, str) else UNKNOWN
    if isinstance(owner, AttentionTable):
        return UNKNOWN
    if isinstance(owner, RopeTable):
        return Method(owner, call=frequencies)
    if isinstance(owner, PerLayer):
        return owner.at(index)
    if isinstance(owner, ModuleValue):
        return _child(owner, index)
    if opaque(owner) or opaque(index):
        return UNKNOWN
    return _item(machine, owner, index)


def _item(machine: Machine, owner: Any, index: Any) -> Any:
    if isinstance(owner, (dict, set)) and not storable(owner, index):
        return UNKNOWN
    try:
        found = owner[index]
    except (TypeError, LookupError, ValueError):
        return UNKNOWN
    if isinstance(index, slice):
        machine.spend(len(found))
    return found


def _cut(owner: Tensor, index: Any) -> Tensor:
    shape = None
    parts = index if isinstance(index, tuple) else (index,)
    if owner.shape is not None and all(part is None or isinstance(part, slice) for part in parts):
        rest, sizes = list(owner.shape), []
        for part in parts:
            size = rest.pop(0) if part is not None and rest else UNKNOWN
            sizes.append(1 if part is None else size if part == slice(None) else UNKNOWN)
        shape = (*sizes, *rest)
    return Tensor(shape, owner.made, owner.marks, owner.terms)


def _child(owner: ModuleValue, index: Any) -> Any:
    items = list(owner.children.values())
    if isinstance(index, slice):
        made = ModuleValue(owner.kind)
        chosen = owner.items()[index] if len(owner) <= LONGEST else []
        made.children = {str(position): item for position, item in enumerate(chosen)}
        return made
    if isinstance(index, str):
        return owner.children.get(index, owner.attributes.get(index, UNKNOWN))
    if not isinstance(index, int):
        return items[0] if owner.copies > 1 and items else UNKNOWN
    if owner.copies > 1:
        return items[0] if items and -owner.copies <= index < owner.copies else UNKNOWN
    return items[index] if -len(items) <= index < len(items) else UNKNOWN


def _comprehend(machine: Machine, generators: list[ast.comprehension], env: Env, found: Callable[[Env], None]) -> None:
    if not generators:
        found(env)
        return
    first, rest = generators[0], generators[1:]
    items = iterable(machine.evaluate(first.iter, env))
    if items is None:
        raise Undecided("a comprehension over something that is not known")
    for item in items:
        machine.spend(1 + len(env) // 8)
        inner = dict(env)
        assign(machine, first.target, item, inner)
        decided = [truth(machine.evaluate(test, inner)) for test in first.ifs]
        if None in decided:
            raise Undecided("a comprehension's condition that cannot be decided")
        if all(decided):
            _comprehend(machine, rest, inner, found)


def _list_comprehension(machine: Machine, node: ast.ListComp | ast.GeneratorExp, env: Env) -> Any:
    alike = _alike(machine, node, env)
    if alike is not None:
        return alike
    items: list[Any] = []

    def add(inner: Env) -> None:
        items.append(machine.evaluate(node.elt, inner))
        if len(items) > MOST_MODULES and isinstance(items[-1], ModuleValue):
            raise Undecided(f"a list of more than {MOST_MODULES} modules")

    try:
        _comprehend(machine, node.generators, env, add)
    except Undecided as error:
        machine.doubt(str(error))
        return UNKNOWN
    return items


def _alike(machine: Machine, node: ast.ListComp | ast.GeneratorExp, env: Env) -> Copies | list[Any] | None:
    """`[Expert(config) for _ in range(256)]`: built once, when the element does not use the number it is made for."""
    key = ("alike", node)
    if key not in machine.remembered:
        machine.remembered[key] = _repeats(node)
    if not machine.remembered[key]:
        return None
    items = machine.evaluate(node.generators[0].iter, env)
    if not isinstance(items, range) or len(items) < 2:
        return None
    first = machine.evaluate(node.elt, dict(env))
    if not isinstance(first, ModuleValue) or first.plain:
        return [first, *(machine.evaluate(node.elt, dict(env)) for _ in items[1:])]
    return Copies(first, len(items))


def _repeats(node: ast.ListComp | ast.GeneratorExp) -> bool:
    """Whether a comprehension makes the same call again and again."""
    only = node.generators[0]
    if len(node.generators) != 1 or only.ifs or not isinstance(node.elt, ast.Call):
        return False
    if not isinstance(only.target, ast.Name) or getattr(getattr(only.iter, "func", None), "id", "") != "range":
        return False
    name = only.target.id
    return not any(
        isinstance(part, ast.NamedExpr)
        or (isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load))
        for part in ast.walk(node.elt)
    )


def _set_comprehension(machine: Machine, node: ast.SetComp, env: Env) -> Any:
    items: list[Any] = []
    try:
        _comprehend(machine, node.generators, env, lambda inner: items.append(machine.evaluate(node.elt, inner)))
    except Undecided as error:
        machine.doubt(str(error))
        return UNKNOWN
    return set(items) if all(storable({}, item) and not opaque(item) for item in items) else UNKNOWN


def _dict_comprehension(machine: Machine, node: ast.DictComp, env: Env) -> Any:
    found: dict[Any, Any] = {}

    def add(inner: Env) -> None:
        key = machine.evaluate(node.key, inner)
        if not storable(found, key) or opaque(key):
            raise Undecided("a key that is not known")
        found[key] = machine.evaluate(node.value, inner)

    try:
        _comprehend(machine, node.generators, env, add)
    except Undecided as error:
        machine.doubt(str(error))
        return UNKNOWN
    return found


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
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.ListComp: _list_comprehension,
    ast.GeneratorExp: _list_comprehension,
    ast.SetComp: _set_comprehension,
    ast.DictComp: _dict_comprehension,
}
"""Kind of node → its handler."""
