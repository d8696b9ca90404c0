"""The structure of a model as data: its layers and what is in them. Parts of the record (`record.py`)."""

from __future__ import annotations

from dataclasses import dataclass


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
    """softmax, sigmoid, sqrtsoftplus."""
    router_bias: bool | None = None
    """Whether a bias on the scores, in the choice alone, balances the experts (DeepSeek-V3 §2.1.2)."""
    groups: int | None = None
    """Expert groups when routing is limited to some of them; None or 1 means no groups."""
    zero_experts: int | None = 0
    """Identity experts: they count in routing and hold no weights."""
    hash_layers: int | None = 0
    """Layers whose experts follow from the token's id by a hash, not from a learned gate."""
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
