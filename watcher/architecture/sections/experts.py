"""The mixture of experts: how many, how wide, how they are chosen."""

from __future__ import annotations

from watcher.architecture.config import Absent
from watcher.architecture.sections.notes import Notes
from watcher.architecture.stack import Stack

ROUTERS = {"noaux_tc": "sigmoid", "greedy": "softmax"}
"""DeepSeek's `topk_method`, for configs that do not name the scoring or write it in its place (dots.llm1)."""


def experts(notes: Notes, stack: Stack | None) -> None:
    """Facts of the experts, when any layer has them."""
    layers = stack.layers if stack else []
    sparse = [told for told in layers if told["mixer"].value == "moe" or ("ff" in told and told["ff"].value == "moe")]
    if not sparse:
        return
    config = notes.config
    notes.size("moe.num_experts", "experts")
    notes.size("moe.num_experts_per_tok", "top_k")
    if notes.size("moe.moe_intermediate_size", "expert_size") is None and config.get("expert_size") is None:
        notes.size("moe.moe_intermediate_size", "intermediate_size")
    halves = any(told["mixer"].value == "moe" for told in layers)
    notes.put("moe.dense_layers", 0 if halves else len(layers) - len(sparse), ("layers.kinds",))
    notes.size("moe.zero_experts", "zero_experts", low=0)
    notes.size("moe.hash_layers", "hash_layers", low=0)
    notes.size("moe.latent_size", "latent")
    _routing(notes)
    _shared(notes)
    _balancing(notes)


def _shared(notes: Notes) -> None:
    config = notes.config
    number = notes.size("moe.num_shared_experts", "shared_experts", low=0)
    if number is None and config.get("shared_experts") is None:
        width = _positive(notes, "shared_size", "moe.num_shared_experts")
        if width:
            notes.put("moe.num_shared_experts", 1, config.where("shared_size"))
        elif config.told_flag("dense_beside"):  # a feed-forward that every token passes, added to what the experts give
            notes.put("moe.num_shared_experts", 1, config.where("dense_beside"))


def _positive(notes: Notes, concept: str, fact: str) -> int | None:
    try:
        return notes.config.size(concept, low=0)
    except Absent as error:
        notes.lack(fact, str(error))
        return None


def _balancing(notes: Notes) -> None:
    """The bias on the scores: by its own key, or by DeepSeek's method that has it."""
    biased = notes.config.told_flag("router_bias")
    if biased is not None or notes.config.word("topk_method") == "noaux_tc":
        notes.put("moe.router_bias", biased is not False, notes.config.where("router_bias", "topk_method"))


def _routing(notes: Notes) -> None:
    config = notes.config
    groups = _positive(notes, "groups", "moe.groups")
    if groups and groups > 1:
        notes.put("moe.groups", groups, config.where("groups"))
    scoring = config.word("router")
    if scoring is not None:
        notes.put("moe.router", ROUTERS.get(scoring, scoring.lower()), config.where("router"))
    elif config.word("topk_method") in ROUTERS and config.model_type is None:
        notes.put("moe.router", ROUTERS[config.word("topk_method") or ""], config.where("topk_method"), certain=False)
