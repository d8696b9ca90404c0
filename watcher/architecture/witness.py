"""What goes into reading (one repo's small files) and what each witness says (facts with their evidence)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFiles:
    """The files of one repo at one revision, as far as a reader needs them. Every byte is hostile."""

    name: str
    """`org/name`, or the folder's name."""
    revision: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Small files by path: config.json, params.json, *.py, README.md, model.safetensors.index.json …"""
    headers: Mapping[str, bytes] = field(default_factory=dict)
    """The JSON header (without its length prefix) of safetensors files by path; the leading bytes of GGUF files."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Size in bytes of every file of the repo, by path."""
    hub: Mapping[str, Any] = field(default_factory=dict)
    """What the API said, as far as it bears on facts: license, gated, tags, pipeline_tag,
    stored_parameters, created_at (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing one witness says."""

    value: Any
    where: str | tuple[str, ...]
    """Key, tensor name, `file.py:line`, class default; see DESIGN: `config.json: num_hidden_layers`."""
    certain: bool = True
    """False when an unknown key or an unread branch could change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one witness says about one repo."""

    witness: str
    """config, weights, code, reference, card, hub."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By dotted path of the record (`norm.placement`); per-layer facts as `layers[i].qk_norm` with i from 0."""
    unread: tuple[tuple[str, str], ...] = ()
    """(fact path or `*`, why): what this witness tried to tell and could not, with the line where it stopped."""
    novel: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """config_keys, tensor_names, classes that this witness met and does not know."""
