"""Which file is a repo's config, and what stands in for it where there is none."""

from __future__ import annotations

import re
from typing import Any

from watcher.architecture.config import Config
from watcher.architecture.jsonsafe import Unreadable, load_object
from watcher.architecture.weights.tensors import Tensors
from watcher.architecture.weights.translate import as_config
from watcher.architecture.witness import RepoFiles

CONFIGS = ("config.json", "params.json")


def raw_config(files: RepoFiles) -> tuple[dict[str, Any] | None, str | None, str | None]:
    """(config, its file name, problem): config.json, else params.json; None and a clause when it cannot be read."""
    for name in CONFIGS:
        if name in files.files:
            try:
                return load_object(files.files[name]), name, None
            except Unreadable as error:
                return None, name, f"{name} {error}"
    return None, None, _adapter(files) or "there is no config.json"


ADAPTER = "adapter_config.json"
_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def _adapter(files: RepoFiles) -> str | None:
    """That a repo only holds an adapter, and of what, as a clause."""
    if ADAPTER not in files.files:
        return None
    try:
        found = load_object(files.files[ADAPTER])
    except Unreadable as error:
        return f"{ADAPTER} {error}"
    base, kind = found.get("base_model_name_or_path"), found.get("peft_type")
    of = base if isinstance(base, str) and _REPO.fullmatch(base) else "another model"
    what = f"{kind} adapter" if isinstance(kind, str) and re.fullmatch(r"\w{1,20}", kind) else "adapter"
    return f"it only holds weights for {of} ({what}), which has the architecture"


def find_config(files: RepoFiles, tensors: Tensors) -> tuple[Config | None, str | None]:
    """(config, problem): of a file, else of GGUF metadata, else an empty one where there are tensors to read."""
    raw, name, problem = raw_config(files)
    if raw is not None and name is not None:
        return Config(raw, name), None
    told = as_config(tensors)
    if told is not None:
        return Config(told[0], tensors.file, told[1]), None
    return (Config({}, name or "config.json") if tensors.items else None), problem
