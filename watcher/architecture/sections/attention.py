"""Attention over the whole stack: latent ranks, sparse indexers, biases."""

from __future__ import annotations

from watcher.architecture.implementation import BIAS_KEYS, BIAS_WITHOUT_KEY
from watcher.architecture.mixers import is_mla
from watcher.architecture.sections.notes import Notes
from watcher.architecture.stack import Stack

MLA = ("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
INDEXER = ("index_n_heads", "index_head_dim", "index_topk")

SPARSE_KEYS: tuple[tuple[str, str], ...] = (
    ("sparse_attention_config", "block"),
    ("sparse_config", "block"),
    ("moba_config", "moba"),
    ("moba_block_size", "moba"),
    ("nsa_config", "nsa"),
)
"""Key → the kind of block-sparse attention it configures."""


def mla(notes: Notes, stack: Stack | None) -> None:
    """The ranks of latent attention. A null rank means that there is no such projection."""
    if not is_mla(notes.config):
        return
    for name in MLA:
        if name == "q_lora_rank" and notes.config.model_type is None and notes.config.get(name) == 0:
            continue  # DeepSeek's inference configs write 0 for no such projection
        notes.size(f"attention.mla.{name}", name)


def sparse(notes: Notes, stack: Stack | None) -> None:
    """Attention that reads chosen tokens only."""
    layers = stack.layers if stack else []
    indexed = sum("indexer" in told for told in layers)
    compressed = sum(told["mixer"].value == "csa" for told in layers)
    config = notes.config
    if indexed or compressed:
        where = config.where("index_topk") or config.file
        notes.put("attention.sparse.kind", "csa" if compressed else "dsa", where)
        notes.put("attention.sparse.layers", indexed or compressed, ("layers.kinds",))
        for name in INDEXER:
            notes.size(f"attention.sparse.{name}", name)
        return
    for key, kind in SPARSE_KEYS:
        if config.has(key) and config.get(key):
            notes.put("attention.sparse.kind", kind, config.where(key))


def bias(notes: Notes, stack: Stack | None) -> None:
    """Whether any of q, k, v, o has a bias, where a key says so and the family heeds it."""
    config = notes.config
    key = next((key for key in BIAS_KEYS if config.find(key) is not None), None)
    if key is None or (config.family and config.family.attention_bias in BIAS_WITHOUT_KEY):
        return
    notes.put("attention.bias", config.told_flag(key), config.where(key))
