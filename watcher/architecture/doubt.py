"""What an unknown key could change: facts of a config whose implementation nobody has read are marked, not asserted."""

from __future__ import annotations

import re
from dataclasses import replace

from watcher.architecture.belief import DOUBT, Beliefs, Told
from watcher.architecture.config import Config

TOPICS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), facts)
    for pattern, facts in (
        (r"attn|attention|memory|cache|recur|state|head", ("layers", "decoder_type", "attention", "kv_cache")),
        (r"rope|rotary|position|alibi|yarn", ("position", "layers.kinds.*.rope")),
        (r"expert|moe|router|top_?k|shared", ("moe", "parameters", "layers.kinds.*.ff")),
        (r"norm", ("norm", "layers.kinds.*.norm", "layers.kinds.*.qk_norm", "attention.qk_norm")),
        (r"mlp|ffn|feed|activ|intermediate", ("feed_forward", "parameters")),
        (r"vocab|embed|token", ("vocab_size", "tied_embeddings", "parameters")),
        (r"vision|visual|image|audio|speech|mm_|video", ("towers", "model.modalities", "parameters.total")),
        (r"residual|stream|hyper|connect", ("residual",)),
        (r"window|sliding|chunk", ("layers", "attention", "kv_cache")),
    )
)
"""A sign in a key's name → the facts that it could change."""

STRUCTURE = ("layers", "decoder_type", "attention", "kv_cache", "parameters", "moe.dense_layers", "residual")
"""What any other key could change, and what a class that nobody has read could."""


AROUND = ("towers", "model.modalities")
"""What a key beside the language part could change, when its name says nothing else."""

STATED = re.compile(r"(\.count|num_\w+|qk_dim|v_dim|head_dim|dtype|vision|audio|mtp|window)$|\.mla\.")
"""Sizes that a key states outright: whatever else is new, that is what it says."""


def mark(beliefs: Beliefs, config: Config, keys: tuple[str, ...], classes: tuple[str, ...], read: bool) -> None:
    """Mark the facts that new keys or a new class could change.

    `read` says that the repo's own implementation was read: it knows its own keys. The reference may be older than
    the config.
    """
    if config.doubt is not None:
        _say_whose(beliefs, config.doubt)
    if read or config.model_type is None:
        return
    reasons = {
        fact: f"{config.file}: {_path(config, key)} is not known" for key in keys for fact in _facts(config, key)
    }
    if classes:
        reasons |= {
            fact: f"the implementation of {classes[0]} was not read" for fact in STRUCTURE if fact not in reasons
        }
    for path, told in list(beliefs.told.items()):
        why = next((why for fact, why in reasons.items() if _covers(fact, path)), None)
        if why is not None and told.witness in TOLD_BY and told.evidence.doubt is None and not STATED.search(path):
            beliefs.told[path] = _doubted(told, why)


TOLD_BY = ("config", "reference")


def _path(config: Config, key: str) -> str:
    return config.path + config.inner.get(key, key) if key in config.text else key


def _facts(config: Config, key: str) -> tuple[str, ...]:
    anything = STRUCTURE if key in config.text else AROUND
    return next((facts for pattern, facts in TOPICS if pattern.search(key)), anything)


def _covers(fact: str, path: str) -> bool:
    if "*" in fact:
        return re.fullmatch(fact.replace(".", r"\.").replace("*", r"\w+"), path) is not None
    return path == fact or path.startswith(f"{fact}.")


def _doubted(told: Told, why: str) -> Told:
    return replace(told, evidence=replace(told.evidence, doubt=why))


def _say_whose(beliefs: Beliefs, why: str) -> None:
    """What a family says that was only recognized is in doubt for that reason."""
    for path, told in list(beliefs.told.items()):
        if told.evidence.doubt == DOUBT and told.evidence.witness in ("reference", "derived"):
            beliefs.told[path] = _doubted(told, why)
