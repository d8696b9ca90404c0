"""Comprehensions: lists, sets and dicts built in a loop, equal modules once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from watcher.architecture.code.alike import used
from watcher.architecture.code.arithmetic import MOST_MODULES, iterable, storable
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import MOST_PLANS, Making, Plan, build_alike, owned, plan_of, watched
from watcher.architecture.code.statements import assign
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.values import UNKNOWN, Copies, Env, ModuleValue, opaque, truth


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


def list_of(machine: Machine, node: ast.ListComp | ast.GeneratorExp, env: Env) -> Any:
    """A list, or what a generator gives; equal modules as copies."""
    alike = _alike(machine, node, env)
    if alike is not None:
        return alike
    items: list[Any] = []
    if _numbered(machine, node):
        return _elements(machine, node, env)

    def add(inner: Env) -> None:
        items.append(machine.evaluate(node.elt, inner))
        if len(items) > MOST_MODULES and isinstance(items[-1], ModuleValue):
            raise Undecided(f"a list of more than {MOST_MODULES} modules")

    return owned(machine, items) if _went(machine, node.generators, env, add) else UNKNOWN


def _numbered(machine: Machine, node: ast.ListComp | ast.GeneratorExp) -> bool:
    """Whether it may make layers one after the other: watched one at a time, and never within another."""
    single = len(node.generators) == 1 and not node.generators[0].ifs
    return single and isinstance(node.elt, (ast.Call, ast.IfExp)) and not machine.stack and machine.making is None


def _elements(machine: Machine, node: ast.ListComp | ast.GeneratorExp, env: Env) -> Any:
    """The elements; such as come out like an earlier one are copies of it."""
    found = iterable(machine.evaluate(node.generators[0].iter, env))
    if found is None:
        machine.doubt("a comprehension over something that is not known")
        return UNKNOWN
    items: list[Any] = []
    plans: list[Plan] = []
    watching = len(found) > 1
    for item in found:
        machine.spend(1 + len(env) // 8)
        copy = build_alike(machine, plans, item)
        if copy is None:
            copy = _element(machine, node, env, item, plans if watching else None)
            watching = watching and isinstance(copy, ModuleValue)
        items.append(copy)
        if len(items) > MOST_MODULES and isinstance(copy, ModuleValue):
            machine.doubt(f"a list of more than {MOST_MODULES} modules")
            return UNKNOWN
    return items


def _element(machine: Machine, node: Any, env: Env, item: Any, plans: list[Plan] | None) -> Any:
    """One element, built; how to build others like it is added to the plans."""
    inner = dict(env)
    if plans is None:
        assign(machine, node.generators[0].target, item, inner)
        return machine.evaluate(node.elt, inner)
    machine.making = making = Making()
    try:
        assign(machine, node.generators[0].target, watched(making, item), inner)
        made = machine.evaluate(node.elt, inner)
    finally:
        machine.making = None
    plan = plan_of(made, making) if isinstance(made, ModuleValue) else None
    if plan is not None and made.number >= making.since:
        plans.append(plan)
        del plans[:-MOST_PLANS]
    return used(made)


def _went(machine: Machine, generators: list[ast.comprehension], env: Env, found: Callable[[Env], None]) -> bool:
    """Whether it could be followed."""
    try:
        _comprehend(machine, generators, env, found)
    except Undecided as error:
        machine.doubt(str(error))
        return False
    return True


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


def set_of(machine: Machine, node: ast.SetComp, env: Env) -> Any:
    """A set."""
    items: list[Any] = []
    went = _went(machine, node.generators, env, lambda inner: items.append(machine.evaluate(node.elt, inner)))
    plain = went and all(storable({}, item) and not opaque(item) for item in items)
    return set(items) if plain else UNKNOWN


def dict_of(machine: Machine, node: ast.DictComp, env: Env) -> Any:
    """A dict."""
    found: dict[Any, Any] = {}

    def add(inner: Env) -> None:
        key = machine.evaluate(node.key, inner)
        if not storable(found, key) or opaque(key):
            raise Undecided("a key that is not known")
        found[key] = machine.evaluate(node.value, inner)

    return found if _went(machine, node.generators, env, add) else UNKNOWN
