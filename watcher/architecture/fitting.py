"""Whether an implementation is that of a config: what another class, or only a part, tells is no certain fact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from watcher.architecture.concepts import ALIASES
from watcher.architecture.config import Absent, Config
from watcher.architecture.families import known_keys
from watcher.architecture.irrelevant import irrelevant
from watcher.architecture.patterns import count_layers
from watcher.architecture.witness import Fact, Reading

if TYPE_CHECKING:
    from watcher.architecture.reference import Reference

LONGEST = 100
"""Letters of a name that is shown."""

INDEX = re.compile(r"\[\d+\]")


def followed(reading: Reading) -> bool:
    """Whether an implementation tells what its layers do, as that of this very model."""
    fact = reading.facts.get("layers[0].norm")
    return fact is not None and fact.certain


def new_keys(config: Config) -> list[str]:
    """Keys of the language part that no class, no catalogued model and no concept has, and that matter."""
    return [key for key in _strange(config, config.text) if len(key) <= LONGEST]


def new_keys_around(config: Config) -> list[str]:
    """The same of what stands around the language part, without the other parts themselves."""
    if not config.path:
        return []
    beside = {key: value for key, value in config.raw.items() if not (isinstance(value, dict) and PARTS.search(key))}
    return [key for key in _strange(config, beside) if len(key) <= LONGEST]


PARTS = re.compile(r"text|llm|lang|vis|image|audio|video|speech|project|talk|think|wav|encoder|decoder|quant|processor")


def _strange(config: Config, part: Mapping[str, Any]) -> list[str]:
    known = known_keys() | SPELLED | config.asked
    return sorted(key for key in part if key not in known and not irrelevant(key))


SPELLED = frozenset(key for words in ALIASES.values() for key in words)
"""Every spelling of a concept."""


def referred(config: Config, reference: Reference) -> Reading | None:
    """What the reference says of the model; where it has only the language model inside, of that."""
    if config.stranger:
        return Reading(witness="reference", unread=(("*", config.doubt or ""),))
    told = reference.read(config.raw)
    if told is None and config.path:
        told = reference.read(config.part_of_text())
        leave = (*OUTSIDE, *COUNTS) if new_keys(config) else OUTSIDE
        return None if told is None else _weakened(told, leave, f"the code around {config.model_type} was not read")
    if told is None:
        return None
    why = _misfit(config, told)
    return told if why is None else _weakened(told, COUNTS, why)


def _misfit(config: Config, told: Reading) -> str | None:
    """Why an implementation is not that of this config: it does not read the keys that say how deep the model is."""
    built = told.facts.get("layers.count")
    try:
        stated = count_layers(config) if config.has_any("layers") else None
    except Absent:
        return None
    if built is None or stated is None or built.value == stated:
        return None
    return f"{built.where} builds {built.value} layers, and {config.where('layers')} is {stated}"


COUNTS = ("parameters.", "towers.", "model.", "layers[*].parameters", "layers[*].expert_parameters", "defaults.")
"""What another class's implementation does not tell."""

OUTSIDE = (
    "parameters.total",
    "parameters.vision",
    "parameters.audio",
    "towers.",
    "model.",
    "tied_embeddings",
    "defaults.",
)
"""What a part does not tell of the whole."""


def _weakened(reading: Reading, leave: tuple[str, ...], why: str) -> Reading:
    """A reading of something near: no certain facts, and none of those to leave."""
    kept = {path: fact for path, fact in reading.facts.items() if not INDEX.sub("[*]", path).startswith(leave)}
    facts = {path: Fact(fact.value, fact.where, certain=False) for path, fact in kept.items()}
    return replace(reading, facts=facts, unread=(*reading.unread, ("*", why)))
