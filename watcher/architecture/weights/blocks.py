"""What the tensors of one block show of that layer: its mixer, norms, gates, sinks, experts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from watcher.architecture.weights.names import Block, Sorted
from watcher.architecture.weights.tensors import Tensors
from watcher.architecture.witness import Fact

Told = Iterator[tuple[str, Fact]]

RECURRENT_SIGNS = (("gated-deltanet", "gated-deltanet"), ("kda", "kda"), ("short-conv", "short-conv"))
"""Sign → mixer. A kind of softmax attention is not told by names alone."""


def tell_blocks(found: Sorted, tensors: Tensors) -> Told:
    """Facts of every block, as `layers[i].…`."""
    for index, block in found.blocks.items():
        for name, fact in _block(block, tensors):
            yield f"layers[{index}].{name}", fact


def _block(block: Block, tensors: Tensors) -> Told:
    def seen(sign: str) -> str:
        return f"{block.tensors[0].file}: {block.signs[sign]}"

    signs = block.signs
    attends = "projection" in signs
    if "qk_norm" in signs and (attends or "q_norm" in signs["qk_norm"]):
        yield "qk_norm", Fact(_norm_width(block, signs["qk_norm"]), seen("qk_norm"), certain=tensors.shaped)
    for sign in ("sinks", "gate"):
        if sign in signs and attends:
            yield sign, Fact(True if sign == "sinks" else "sigmoid", seen(sign), certain=sign == "sinks")
    if attends and tensors.complete and "sinks" not in signs:
        yield "sinks", Fact(False, seen("projection"), certain=False)
    if "indexer" in signs:
        yield "indexer", Fact(True, seen("indexer"))
    yield from _mixer(block, seen, attends)
    if "experts" in signs:
        yield "ff", Fact("moe", seen("experts"))


def _mixer(block: Block, seen: Callable[[str], str], attends: bool) -> Told:
    for sign, mixer in RECURRENT_SIGNS:
        if sign in block.signs and not attends:
            yield "mixer", Fact(mixer, seen(sign))
            return
    if "ssm" in block.signs and not attends:
        tensor = next(item for item in block.tensors if item.name == block.signs["ssm"])
        two = tensor.shape is not None and len(tensor.shape) == 2 and min(tensor.shape) > 1
        yield "mixer", Fact("mamba" if two else "mamba2", seen("ssm"), certain=tensor.shape is not None)
    elif "mla" in block.signs:
        yield "mixer", Fact("mla", seen("mla"))


def _norm_width(block: Block, name: str) -> str:
    """per-head when the norm is as wide as a head, full when it is as wide as all of them together."""
    norm = next(item for item in block.tensors if item.name == name)
    projections = (item for item in block.tensors if re.search(r"(q_proj|attn_q|wq|query)\.weight$", item.name))
    wide = next((item.shape[0] for item in projections if item.shape), None)
    return "full" if norm.shape and wide and norm.size == wide else "per-head"
