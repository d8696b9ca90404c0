"""Modular files: a model written as what differs from others; and the lineage that its classes state.

`class GlmMoeDsaAttention(DeepseekV32Attention)` is the makers' own word for what a part comes from. Where only the
modular file is there, the classes it defines take the place of those they extend, which is what its converter does.
"""

from __future__ import annotations

import ast
import re

from watcher.architecture.code import classes
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.source import parse
from watcher.architecture.code.values import ClassValue, SourceModule

SOURCE = re.compile(r"(?:^|\.)models\.(\w+)\.|^(?:\.\.)?(\w+)\.(?:modeling|configuration|modular)_\w+$")


def apply(machine: Machine, module: SourceModule) -> None:
    """Let the classes of a modular file stand for those they extend, in the files these come from."""
    own = [value for value in module.names.values() if isinstance(value, ClassValue)]
    bases = [(cls, classes.order(machine, cls)[1:2]) for cls in own]
    for cls, found in bases:
        base = found[0] if found else None
        if isinstance(base, ClassValue) and base.module is not module and base.name != cls.name:
            base.module.names[base.name] = cls


def lineage(data: bytes) -> dict[str, tuple[str, str, int]]:
    """Class → (class it extends, model that one belongs to, line), for classes that extend another model's.

    Raises ValueError for a file that cannot be parsed.
    """
    tree = parse(data)
    sources: dict[str, str] = {}
    found: dict[str, tuple[str, str, int]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            match = SOURCE.search(node.module)
            for alias in node.names if match else ():
                sources[alias.asname or alias.name] = match[1] or match[2] if match else ""
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                name = base.id if isinstance(base, ast.Name) else ""
                if name in sources and sources[name] != "auto":
                    found[node.name] = (name, sources[name], node.lineno)
                    break
    return found
