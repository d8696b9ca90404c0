"""The builtins that look at objects: `super`, `getattr`, `isinstance` and the like, on the interpreter's own values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watcher.architecture.code import classes
from watcher.architecture.code.arithmetic import BUILTINS, iterable
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import touches
from watcher.architecture.code.stops import NoAttribute, Raised
from watcher.architecture.code.values import (
    UNKNOWN,
    ClassValue,
    ConfigValue,
    Env,
    Function,
    Method,
    ModuleValue,
    Space,
    SuperValue,
    Tensor,
    Walk,
    opaque,
)

PYTHON_TYPES: dict[int, tuple[type, ...]] = {
    id(BUILTINS["int"]): (int,),
    id(BUILTINS["float"]): (float,),
    id(BUILTINS["str"]): (str,),
    id(BUILTINS["bool"]): (bool,),
    id(BUILTINS["list"]): (list,),
    id(BUILTINS["tuple"]): (tuple,),
    id(BUILTINS["dict"]): (dict,),
    id(BUILTINS["set"]): (set,),
}
CONFIG_BASES = frozenset({"PreTrainedConfig", "PretrainedConfig"})
MODULE_BASES = frozenset({"Module", "PreTrainedModel"})


def _super(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    owner = args[1] if len(args) > 1 else env.get("__self__")
    cls = args[0] if args and isinstance(args[0], ClassValue) else env.get("__class__")
    return SuperValue(owner, cls)


def _getattr(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    if len(args) < 2 or not isinstance(args[1], str):
        return UNKNOWN
    owner, name = args[0], args[1]
    try:
        value = machine.attribute(owner, name)
    except (NoAttribute, Raised):
        if len(args) > 2:
            return args[2]
        raise
    missing = value is UNKNOWN and isinstance(owner, (ModuleValue, ClassValue)) and len(args) > 2
    return args[2] if missing else value


def _hasattr(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    if len(args) != 2 or not isinstance(args[1], str):
        return UNKNOWN
    owner, name = args
    if isinstance(owner, ConfigValue):
        try:
            machine.attribute(owner, name)
        except (NoAttribute, Raised):
            return False
        return True
    if isinstance(owner, ModuleValue):
        own = name in owner.children or name in owner.attributes or name in owner.weights
        return own or (owner.cls is not None and classes.find(machine, owner.cls, name)[0] is not None)
    if isinstance(owner, Space) and owner.path.startswith("torch."):  # code asks for what newer versions have
        return True
    return UNKNOWN


def _names(kind: Any) -> set[str]:
    """Last names of the classes in a class or a tuple of classes."""
    items = kind if isinstance(kind, (tuple, list)) else (kind,)
    return {
        item.name if isinstance(item, ClassValue) else item.last
        for item in items
        if isinstance(item, (ClassValue, Space))
    }


def _isinstance(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    if len(args) != 2 or args[0] is UNKNOWN or args[1] is UNKNOWN or isinstance(args[0], Space):
        return UNKNOWN
    value, kind = args
    names = _names(kind)
    if isinstance(value, (ModuleValue, ConfigValue)) and value.cls is not None:
        own = {item.name if isinstance(item, ClassValue) else item.last for item in classes.order(machine, value.cls)}
        base = CONFIG_BASES if isinstance(value, ConfigValue) else MODULE_BASES
        return bool(names & (own | base))
    if isinstance(value, ModuleValue):
        return value.kind.removeprefix("nn.") in names or "Module" in names
    if isinstance(value, ConfigValue):
        return bool(names & CONFIG_BASES)
    if isinstance(value, Tensor):
        return "Tensor" in names
    kinds = kind if isinstance(kind, (tuple, list)) else (kind,)
    found = tuple(part for item in kinds for part in PYTHON_TYPES.get(id(item), ()))
    return isinstance(value, found) if found else False


def _setattr(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    from watcher.architecture.code.attributes import set_attribute

    if len(args) == 3 and isinstance(args[1], str):
        set_attribute(machine, args[0], args[1], args[2])
    return None


def _type(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    owner = args[0] if len(args) == 1 else None
    return owner.cls if isinstance(owner, (ModuleValue, ConfigValue)) and owner.cls is not None else UNKNOWN


def _map(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    items = iterable(args[1]) if len(args) == 2 else None
    if items is None:
        return UNKNOWN
    machine.spend(len(items))
    return [machine.call(args[0], [item], {}) for item in items]


def _next(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    if args and isinstance(args[0], Walk):
        touches(machine, args[0])
        return args[0].next(*args[1:2])
    items = iterable(args[0]) if args else None
    if items is None:
        return UNKNOWN
    return items[0] if items else args[1] if len(args) > 1 else UNKNOWN


def _iter(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    items = iterable(args[0]) if len(args) == 1 else None
    if items is None:
        return UNKNOWN
    machine.spend(len(items) // 8)
    return Walk(items)


def _callable(machine: Machine, args: list[Any], named: Env, env: Env) -> Any:
    if len(args) != 1 or args[0] is UNKNOWN:
        return UNKNOWN
    return isinstance(args[0], (Function, Method, ClassValue, ModuleValue)) if opaque(args[0]) else False


def _nothing(machine: Machine, args: list[Any], named: Env, env: Env) -> None:
    return None


SPECIAL: dict[str, Callable[[Machine, list[Any], Env, Env], Any]] = {
    "super": _super,
    "getattr": _getattr,
    "hasattr": _hasattr,
    "isinstance": _isinstance,
    "setattr": _setattr,
    "type": _type,
    "map": _map,
    "next": _next,
    "iter": _iter,
    "callable": _callable,
    "print": _nothing,
}
"""Name → what it does, given the local names."""
