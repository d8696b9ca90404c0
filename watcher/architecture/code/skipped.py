"""What a model class skips in its checkpoints: extra prediction layers that are stored and never built.

`transformers` names such tensors in `_keys_to_ignore_on_load_unexpected`: `^mtp.*` (Qwen3-Next), or the layer after the
last one, `model\\.layers\\.61.*` (DeepSeek-V3). Where a config has no key for them, that class is the only sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from watcher.architecture.code import classes
from watcher.architecture.code.build import Built
from watcher.architecture.code.values import ClassValue

MAY_BE_STORED = "may be stored"
"""How the reason of an unknown says that checkpoints hold such layers."""
ATTRIBUTE = "_keys_to_ignore_on_load_unexpected"
NAMED = re.compile(r"(^|[^a-z])(mtp|nextn)([^a-z]|$)")
NUMBERED = re.compile(r"layers\\?\.(\d{1,4})(\\|\.|$)")


def skipped_layers(built: Built, where: Callable[[str], str]) -> list[tuple[str, str]]:
    """`mtp_layers` and why it is not known, when checkpoints hold what this class does not build; else nothing."""
    cls = built.model.cls
    patterns = classes.value_of(built.machine, cls, ATTRIBUTE) if cls is not None else None
    if cls is None or not isinstance(patterns, (list, tuple, set, frozenset)):
        return []
    depth = built.text.values.get("num_hidden_layers")
    told = sorted(item for item in patterns if isinstance(item, str) and _extra(item, depth))
    if not told:
        return []
    line = _line(built, cls, where)
    return [("mtp_layers", f"{line}: extra prediction layers ({told[0][:80]}) {MAY_BE_STORED}; it builds none")]


def _extra(pattern: str, depth: object) -> bool:
    """Whether a pattern stands for extra prediction layers of a stack this deep."""
    numbered = NUMBERED.search(pattern)
    return bool(NAMED.search(pattern)) or (numbered is not None and int(numbered[1]) == depth)


def _line(built: Built, cls: ClassValue, where: Callable[[str], str]) -> str:
    """Where the attribute stands."""
    found, owner = classes.find(built.machine, cls, ATTRIBUTE)
    line = getattr(found, "lineno", cls.node.lineno)
    return where(f"{(owner or cls).module.path.rpartition('/')[2]}:{line}")
