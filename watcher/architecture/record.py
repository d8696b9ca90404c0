"""The architecture record: the one object every fact about a model lands in, is diffed from and is drawn from.

Numbers are plain integers, bytes are bytes, keys are always present. A `None` whose path is listed in `unknown` means
unknown; any other `None` means that the model has none. Paths are dotted (`attention.qk_norm`); items of
`layers.kinds` are addressed by id (`layers.kinds.A.qk_norm`).
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from dataclasses import dataclass, field
from typing import Any

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
class MixEntry:
    """How many layers of one mixer kind."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKind:
    """One distinct kind of layer in the stack."""

    id: str
    """A, B, … in first-seen order."""
    mixer: str | None = None
    """mha gqa mqa mla sliding chunked gated-attention gated-deltanet kda mamba2 … or the config's own word."""
    ff: str | None = None
    """dense, moe, or None where the layer has no feed-forward part."""
    count: int = 0
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    qk_dim: int | None = None
    """Size of one query/key head."""
    v_dim: int | None = None
    """Size of one value head."""
    window: int | None = None
    """Sliding window or chunk, in tokens."""
    rope: bool | None = None
    """Whether rotary positions are applied in this kind."""
    qk_norm: str | None = None
    """per-head, full, l2 or None."""
    gate: str | None = None
    """Output gate of the mixer: sigmoid (elementwise), per-head …, or None."""
    sinks: bool | None = False
    norm: str | None = None
    """Placement of norms around the sublayers: pre, post-inside, sandwich, post, none, mixed."""
    state_bytes: int | None = 0
    """Constant recurrent + convolution state of one such layer, per sequence."""
    cache_bytes_per_token: int | None = None
    """What one such layer's cache grows by per token at bf16 while inside its window."""
    parameters: int | None = None
    """Parameters of one such layer."""
    shared_kv_from: int | None = None
    """Index of the layer whose keys and values this kind reuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The stack."""

    count: int | None = None
    mix: tuple[MixEntry, ...] = ()
    kinds: tuple[LayerKind, ...] = ()
    sequence: str | None = None
    """Runs and repeats of kind ids: `A3 B58`, `(A3 B)12`."""
    pattern: str | None = None
    """The same in words: `3×(mla+dense) 58×(mla+moe)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mla:
    """Multi-head latent attention ranks."""

    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    qk_rope_head_dim: int | None = None
    qk_nope_head_dim: int | None = None
    v_head_dim: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseAttention:
    """Attention that reads only selected tokens: which method, and its indexer."""

    kind: str
    """dsa (DeepSeek Sparse Attention), csa, block … or the config's own word."""
    index_n_heads: int | None = None
    index_head_dim: int | None = None
    index_topk: int | None = None
    layers: int | None = None
    """How many layers use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Attention over the whole stack; per-layer differences are in `layers.kinds`."""

    kinds: tuple[str, ...] = ()
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    """Size of a query/key head of the full-attention layers."""
    qk_norm: bool | None = None
    bias: bool | None = None
    """Whether any of q, k, v, o has a bias."""
    sinks: bool | None = None
    gated: bool | None = None
    sliding_window: int | None = None
    sparse: SparseAttention | None = None
    mla: Mla | None = None
    shared_kv_layers: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How order gets in."""

    kinds: tuple[str, ...] = ()
    """rope, partial-rope, p-rope, nope, learned, alibi, mrope …"""
    rope_theta: float | int | None = None
    partial_rotary_factor: float | None = None
    scaling: str | None = None
    """yarn, linear, dynamic, llama3, longrope, proportional or None."""
    nope_layers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Normalisation around the sublayers."""

    kind: str | None = None
    """rmsnorm, layernorm."""
    placement: str | None = None
    """pre, post-inside, sandwich, post, none, mixed."""
    eps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """The residual stream."""

    kind: str | None = None
    """plain, hyper-connections."""
    streams: int | None = 1
    parallel: bool | None = None
    """True when attention and feed-forward read the same input."""
    multiplier: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """The dense feed-forward part."""

    activation: str | None = None
    gated: bool | None = None
    intermediate_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moe:
    """The mixture of experts."""

    num_experts: int | None = None
    num_experts_per_tok: int | None = None
    num_shared_experts: int | None = None
    moe_intermediate_size: int | None = None
    dense_layers: int | None = None
    """Layers with a dense feed-forward instead of experts."""
    router: str | None = None
    """softmax, sigmoid, sqrtsoftplus, hash."""
    groups: int | None = None
    """Expert groups when routing is limited to some of them; None or 1 means no groups."""
    zero_experts: int | None = 0
    """Identity experts: they count in routing and hold no weights."""
    latent_size: int | None = None
    """Width the experts work at when it is not the hidden size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """A part for another modality."""

    modality: str
    class_: str | None = None
    layers: int | None = None
    hidden_size: int | None = None
    parameters: int | None = None


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
    doubt: str | None = None
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
        return typing.cast(dict[str, Any], _plain(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Architecture:
        """The record back from `to_dict`'s form; unknown keys are ignored, absent ones take their default."""
        return typing.cast(Architecture, _build(cls, data))

    def is_unknown(self, fact: str) -> bool:
        """Whether this fact, or a part it belongs to, is listed as unknown."""
        return any(fact == item.fact or fact.startswith(item.fact + ".") for item in self.unknown)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    names = _names(typing.cast(type, type(value)))
    if names:
        plain = {key: _plain(getattr(value, name)) for name, key in names}
        if isinstance(value, Evidence) and value.doubt is None:
            del plain["doubt"]
        return plain
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


@functools.cache
def _names(kind: type) -> tuple[tuple[str, str], ...]:
    """(attribute, key in JSON) of one of the record's classes, worked out once; empty for any other type."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple((item.name, item.name.rstrip("_")) for item in dataclasses.fields(kind))


def _build(kind: Any, data: Any) -> Any:
    """Make a value of the annotated type `kind` from plain data."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if data is None:
            return None
        wanted = next((item for item in arguments if _accepts(item, data)), None)
        return data if wanted is None else _build(wanted, data)
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in data)
    if origin is dict:
        return {key: _build(arguments[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        given = {item.name: item.name.rstrip("_") for item in dataclasses.fields(kind)}
        return kind(**{name: _build(hints[name], data[key]) for name, key in given.items() if key in data})  # type: ignore[operator]
    return data


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The annotations of a class, worked out once: they are strings in the source."""
    return typing.get_type_hints(kind)


def _accepts(kind: Any, data: Any) -> bool:
    if dataclasses.is_dataclass(kind):
        return isinstance(data, dict)
    return typing.get_origin(kind) is tuple and isinstance(data, list)
