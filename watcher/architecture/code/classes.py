"""Classes of the code: bases, method resolution order, and where a name is found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.stops import FAILURES
from watcher.architecture.code.values import UNKNOWN, ClassValue, Env, Function, ModuleValue, Space

MODULE_BASES = frozenset({"GradientCheckpointingLayer", "PreTrainedModel", "Module", "MoeMixin", "PretrainedModel"})
"""Last words of outside names whose subclasses are `nn.Module`s."""

PRETRAINED = re.compile(r"Pre[Tt]rained(?!Tokenizer|\w*Config$)")
"""Names of the bases of whole models: `PreTrainedModel`, `PreTrainedAudioTokenizerBase`."""

MAX_BASES = 64


def order(machine: Machine, cls: ClassValue) -> list[Any]:
    """The class, then its bases, nearest first; outside bases are Spaces."""
    if cls.order is None:
        cls.order = [cls]  # a class that is its own base ends here
        found: list[Any] = [cls]
        for base in _bases(machine, cls):
            for item in order(machine, base) if isinstance(base, ClassValue) else [base]:
                if item in found:
                    found.remove(item)
                found.append(item)
        cls.order = found[:MAX_BASES]
    return cls.order


def _bases(machine: Machine, cls: ClassValue) -> Iterator[Any]:
    for node in cls.node.bases:
        plain = node.value if isinstance(node, ast.Subscript) else node
        try:
            yield machine.evaluate(plain, {"__module__": cls.module})
        except FAILURES:
            yield Space(f"?.{ast.unparse(plain)[:80]}")


def _body(cls: ClassValue) -> dict[str, Function]:
    """Methods of the class's own body; attributes beside them."""
    if cls.methods is None:
        cls.methods = {}
        for node in cls.node.body:
            if isinstance(node, ast.FunctionDef):
                kinds = {item.attr for item in node.decorator_list if isinstance(item, ast.Attribute)}
                if "setter" in kinds:
                    cls.setters[node.name] = Function(node, cls.module, None, cls)
                elif "deleter" not in kinds:
                    cls.methods[node.name] = Function(node, cls.module, None, cls)
            elif isinstance(node, ast.Assign):
                cls.attributes |= {x.id: node.value for x in node.targets if isinstance(x, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                cls.attributes[node.target.id] = node.value
    return cls.methods


def find(
    machine: Machine, cls: ClassValue, name: str, after: ClassValue | None = None
) -> tuple[Function | ast.expr | None, ClassValue | None]:
    """(method or attribute expression, the class it stands in), looked for after `after` for `super()`."""
    chain = order(machine, cls)
    if after is not None and after in chain:
        chain = chain[chain.index(after) + 1 :]
    for item in chain:
        if isinstance(item, ClassValue):
            methods = _body(item)
            if name in methods:
                return methods[name], item
            if name in item.attributes:
                return item.attributes[name], item
    return None, None


def value_of(machine: Machine, cls: ClassValue, name: str) -> Any:
    """A class attribute, evaluated; None when there is none or it cannot be."""
    found, where = find(machine, cls, name)
    if found is None or isinstance(found, Function) or where is None:
        return None
    try:
        return machine.evaluate(found, {"__module__": where.module, "__class__": where})
    except FAILURES:
        return None


def outside(machine: Machine, cls: ClassValue, after: ClassValue | None = None) -> list[str]:
    """Dotted names of its bases that are not read (of those after `after`)."""
    chain = order(machine, cls)
    if after is not None and after in chain:
        chain = chain[chain.index(after) + 1 :]
    return [item.path for item in chain if isinstance(item, Space)]


def setter(machine: Machine, cls: ClassValue, name: str) -> Function | None:
    """The setter of a property of this name."""
    for item in order(machine, cls):
        if isinstance(item, ClassValue):
            _body(item)
            if name in item.setters:
                return item.setters[name]
    return None


def is_module(machine: Machine, cls: ClassValue) -> bool:
    """Whether it is an `nn.Module`."""
    if cls.is_module is None:
        paths = outside(machine, cls)
        cls.is_module = any(path.startswith("torch.nn") or _makes_modules(path.rpartition(".")[2]) for path in paths)
    return cls.is_module


def _makes_modules(name: str) -> bool:
    return name in MODULE_BASES or bool(PRETRAINED.match(name))


def has_metaclass(machine: Machine, cls: ClassValue) -> bool:
    """Whether making an object of it is up to a metaclass that the code brings."""
    found = [item for item in order(machine, cls) if isinstance(item, ClassValue)]
    words = [word for item in found for word in item.node.keywords if word.arg == "metaclass"]
    return any(getattr(word.value, "id", getattr(word.value, "attr", "")) != "ABCMeta" for word in words)


def is_config(machine: Machine, cls: ClassValue) -> bool:
    """Whether it is a configuration class."""
    named = any("Config" in path for path in [*outside(machine, cls), cls.name])
    return named or any("dataclass" in ast.unparse(item)[:60] for item in cls.node.decorator_list)


def other(machine: Machine, cls: ClassValue, args: list[Any], named: Env) -> Any:
    """An object of a class that is neither a module nor a config; a member of an enumeration is its value."""
    if any("Enum" in path for path in outside(machine, cls)):
        return args[0] if args else UNKNOWN
    made = ModuleValue(cls.name, cls)
    made.plain = True
    function, where = find(machine, cls, "__init__")
    if isinstance(function, Function):
        machine.run(function, [made, *args], named, where)
    return made


def named(machine: Machine, cls: ClassValue, name: str) -> bool:
    """Whether it, or a class it extends, has this name."""
    return any(isinstance(item, ClassValue) and item.name == name for item in order(machine, cls))
