"""Which runtimes know an architecture: lists of a date, so that "not in the list" never means "unsupported"."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from watcher.architecture.families import family

ALIASES: Mapping[str, str] = {
    "deepseekv2": "deepseek2",
    "deepseekv3": "deepseek2",
    "kimik2": "deepseek2",
    "glmmoedsa": "glmdsa",
    "mistral": "llama",
    "mixtral": "llama",
    "qwen2vl": "qwen2vl",
    "qwen25vl": "qwen2vl",
    "gptbigcode": "starcoder",
    "granitemoehybrid": "granitehybrid",
    "mimov2": "mimo2",
    "mimov2flash": "mimo2",
    "step3p5": "step35",
    "cohere": "commandr",
    "olmo3": "olmo2",
    "rwkv6": "rwkv6",
}
"""`model_type`, letters and digits only → llama.cpp's name of the architecture that converts it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one runtime's list says about one model."""

    runtime: str
    """vLLM 0.33.0."""
    date: str
    """When the list was made."""
    known: bool
    name: str
    """What was looked up: a class, or the runtime's own name of the architecture."""

    @property
    def sentence(self) -> str:
        """`knows GlmMoeDsaForCausalLM`, or `not in the list of 2026-11-24`."""
        return f"knows {self.name}" if self.known else f"{self.name or 'it'} is not in the list of {self.date}"


@dataclass(frozen=True, slots=True)
class RuntimeList:
    """The architectures that one version of a runtime names."""

    name: str
    version: str
    date: str
    by: str
    """`class` (the config's `architectures`) or `architecture` (a name of its own)."""
    names: frozenset[str]

    def about(self, class_: str | None, model_type: str | None) -> Known:
        """Whether this list has a model."""
        wanted = class_ if self.by == "class" else _own_name(model_type, self.names)
        found = bool(wanted) and (wanted in self.names)
        return Known(f"{self.name} {self.version}", self.date, found, wanted or class_ or model_type or "")


def runtimes(class_: str | None, model_type: str | None, lists: tuple[RuntimeList, ...] | None = None) -> list[Known]:
    """What each runtime's list says: `transformers` from the reference facts, the others from their lists."""
    said = [_transformers(model_type)] if model_type else []
    said += [item.about(class_, model_type) for item in (shipped_lists() if lists is None else lists)]
    return [item for item in said if item is not None]


def _transformers(model_type: str) -> Known | None:
    known = family("llama")
    version = known.source.rpartition(" ")[0] if known else "transformers"
    return Known(version, "that version", family(model_type) is not None, model_type)


def _own_name(model_type: str | None, names: frozenset[str]) -> str:
    plain = _plain(re.sub(r"_text$", "", model_type or ""))
    wanted = ALIASES.get(plain, plain)
    return next((name for name in sorted(names) if _plain(name) == wanted), "")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@cache
def shipped_lists() -> tuple[RuntimeList, ...]:
    """The lists that ship with the package."""
    return parse_lists(json.loads(files("watcher.report").joinpath("data/runtimes.json").read_text("utf-8")))


def lists_at(folder: Path) -> tuple[RuntimeList, ...]:
    """The refreshed lists below a cache folder, each in place of the shipped one; a broken file is passed over."""
    try:
        own = parse_lists(json.loads((folder / "runtimes.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return shipped_lists()
    fresh = {item.name: item for item in own}
    return tuple(fresh.get(item.name, item) for item in shipped_lists())


def parse_lists(data: Mapping[str, Any]) -> tuple[RuntimeList, ...]:
    """Lists as they are kept: `{name: {version, date, by, names}}`."""
    return tuple(
        RuntimeList(name, str(item["version"]), str(item["date"]), str(item["by"]), frozenset(item["names"]))
        for name, item in data.items()
    )
