"""Subscripts: `value[index]` for everything the interpreter computes with."""

from __future__ import annotations

import ast
from typing import Any

from watcher.architecture.code.alike import used
from watcher.architecture.code.arithmetic import LONGEST, storable
from watcher.architecture.code.configs import PerLayer
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import Ordinal, asked
from watcher.architecture.code.tables import ActivationTable, AttentionTable, ConfigTable, RopeTable, frequencies
from watcher.architecture.code.values import UNKNOWN, Env, Method, ModuleValue, Tensor, opaque


def slice_of(machine: Machine, node: ast.Slice, env: Env) -> Any:
    """`a:b:c` of whole numbers."""
    bounds = (node.lower, node.upper, node.step)
    parts = [None if part is None else used(machine.evaluate(part, env)) for part in bounds]
    whole = all(part is None or isinstance(part, int) for part in parts)
    return slice(*parts) if whole else UNKNOWN


def subscript(machine: Machine, node: ast.Subscript, env: Env) -> Any:
    """`owner[index]`."""
    owner = machine.evaluate(node.value, env)
    index = machine.evaluate(node.slice, env)
    if isinstance(index, Ordinal) and not isinstance(owner, Tensor):
        return asked(index, lambda number: _at(machine, owner, number))
    return _at(machine, owner, used(index))


def _at(machine: Machine, owner: Any, index: Any) -> Any:
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
