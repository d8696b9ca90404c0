"""The architecture record: the one object every fact about a model lands in, is diffed from and is drawn from.

Numbers are plain integers, bytes are bytes, keys are always present. A `None` whose path is listed in `unknown` means
unknown; any other `None` means that the model has none. Paths are dotted (`attention.qk_norm`); items of
`layers.kinds` are addressed by id (`layers.kinds.A.qk_norm`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.parts import (
    Attention,
    FeedForward,
    LayerKind,
    Layers,
    MixEntry,
    Mla,
    Moe,
    Norm,
    Position,
    Residual,
    SparseAttention,
    Tower,
)
from watcher.architecture.plain import ABSENT_WHEN_NONE, from_plain, to_plain

__all__ = [
    "Architecture",
    "Attention",
    "Disagreement",
    "Evidence",
    "FeedForward",
    "KvCache",
    "LayerKind",
    "Layers",
    "Memory",
    "MixEntry",
    "Mla",
    "Model",
    "Moe",
    "Norm",
    "Novel",
    "Parameters",
    "Position",
    "Quantization",
    "Residual",
    "SCHEMA",
    "SparseAttention",
    "Tower",
    "Unknown",
]

SCHEMA = 1
"""Version of the record's shape; raised when a key changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Which model this is."""

    id: str | None = None
    """Hub name (`org/name`), or the folder's name for local files."""
    revision: str | None = None
    """Commit sha the files were read at."""
    family: str | None = None
    """The config's `model_type` (the outermost one)."""
    class_: str | None = None
    """First entry of `architectures`; the key is `class` in JSON."""
    modalities: tuple[str, ...] = ("text",)
    """Any of text, image, video, audio."""
    license: str | None = None
    remote_code: bool = False
    """True when the repo brings its own modeling code (`auto_map`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Parameter counts."""

    total: int | None = None
    """Everything the implementation builds, towers included, MTP excluded."""
    text: int | None = None
    """The language part, embeddings included."""
    active: int | None = None
    """What one text token multiplies with, without the input embedding table (rule B)."""
    active_with_embedding: int | None = None
    """The same with the input embedding table (rule A)."""
    embedding: int | None = None
    """The input embedding table."""
    vision: int | None = 0
    audio: int | None = 0
    mtp: int | None = None
    """The extra multi-token-prediction layers."""
    stored: int | None = None
    """What the safetensors metadata says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How the published weights are quantised."""

    method: str
    bits: int | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KvCache:
    """Memory per sequence, in bytes."""

    bytes_per_token: int | float | None = None
    """What a cache really grows by at the first tokens, at bf16."""
    nominal_bytes_per_token: int | float | None = None
    """The convention of published tables (every window in full, no indexer keys, shared layers counted)."""
    dtype: str = "bf16"
    state_bytes: int | None = 0
    at: dict[str, int | None] = field(default_factory=dict)
    """Bytes at a context length: `{"8192": …, "32768": …, "131072": …}`, `state_bytes` included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes the weights take."""

    weights_bytes: dict[str, int | None] = field(default_factory=dict)
    """By precision: bf16, fp8, int4, and `published` = the files as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a fact was read."""

    witness: str
    """config, weights, code, reference, card, hub, or derived."""
    where: str | tuple[str, ...]
    """Key, tensor, source line or class default; for a derived fact the fact paths it came from."""
    doubt: str | None = field(default=None, metadata=ABSENT_WHEN_NONE)
    """Why the fact is not certain; the key is only there when it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two witnesses that say different things about one fact."""

    fact: str
    values: dict[str, Any]
    """By witness."""
    taken: str
    """The witness that was believed."""
    where: dict[str, Any] = field(default_factory=dict)
    """By witness: where it was read."""
    note: str | None = None
    """What is to be said of the difference, a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that cannot be told."""

    fact: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Novel:
    """What neither a baseline nor a reference knows."""

    config_keys: tuple[str, ...] = ()
    tensor_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Everything known about one model at one revision."""

    schema: int = SCHEMA
    model: Model = field(default_factory=Model)
    decoder_type: str | None = None
    """dense, sparse-moe, dense-hybrid, sparse-hybrid, recurrent."""
    parameters: Parameters = field(default_factory=Parameters)
    context_length: int | None = None
    vocab_size: int | None = None
    hidden_size: int | None = None
    tied_embeddings: bool | None = None
    layers: Layers = field(default_factory=Layers)
    attention: Attention = field(default_factory=Attention)
    position: Position = field(default_factory=Position)
    norm: Norm = field(default_factory=Norm)
    residual: Residual = field(default_factory=Residual)
    feed_forward: FeedForward = field(default_factory=FeedForward)
    moe: Moe | None = None
    mtp_layers: int | None = 0
    towers: tuple[Tower, ...] = ()
    quantization: Quantization | None = None
    kv_cache: KvCache = field(default_factory=KvCache)
    memory: Memory = field(default_factory=Memory)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """By dotted fact path."""
    disagreements: tuple[Disagreement, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    novel: Novel = field(default_factory=Novel)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-safe data, keys in their stated order, lists for tuples."""
        return dict(to_plain(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Architecture:
        """The record back from `to_dict`'s form; unknown keys are ignored, absent ones take their default."""
        return from_plain(cls, data)

    def is_unknown(self, fact: str) -> bool:
        """Whether this fact, or a part it belongs to, is listed as unknown."""
        return any(fact == item.fact or fact.startswith(item.fact + ".") for item in self.unknown)
