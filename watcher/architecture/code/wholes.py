"""Facts of the whole that follow from those of all its layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watcher.architecture.code import blocks
from watcher.architecture.code.build import TOWER, Built
from watcher.architecture.code.configs import number
from watcher.architecture.code.evidence import Facts, Where
from watcher.architecture.code.layerfacts import LayerFacts, first_line, shared
from watcher.architecture.code.trace import Stack
from watcher.architecture.witness import Fact


def whole(built: Built, stack: Stack, read: list[LayerFacts], where: Where) -> Facts:
    """Facts of the whole: placement, parallel branches, QK-norms, gates, blocks and positions."""
    if not read:
        return {}
    line = where(stack.layers[0].line)
    subs = [item for layer in read for item in (*layer.mixers[:1], *layer.feed_forwards[:1])]
    attending = [layer for layer in read if layer.attends] or read
    facts: Facts = {}
    if subs:
        facts["norm.placement"] = Fact(shared(item.placement for item in subs), where(first_line(read[0], "") or line))
        facts["residual.parallel"] = Fact(any(layer.parallel for layer in read), where(subs[0].step.line))
    normed = next((layer for layer in attending if layer.qk_norm), None)
    facts["attention.qk_norm"] = Fact(normed is not None, where(normed.qk_where) if normed else line)
    gated = next((layer for layer in attending if layer.gate), None)
    facts["attention.gated"] = Fact(gated is not None, where(gated.gate_where) if gated else line)
    facts |= dict(_blocks(built, stack, read, attending, where))
    facts |= _positions(built, stack, read, attending, where)
    return facts


def _blocks(
    built: Built, stack: Stack, read: list[LayerFacts], attending: list[LayerFacts], where: Where
) -> Iterator[tuple[str, Fact]]:
    """What the modules within the layers tell."""
    norm = blocks.norm_kind(built.machine, stack.layers)
    if norm:
        yield "norm.kind", Fact(norm[0], where(norm[1]))
    streams = blocks.hyper_connections(stack.layers)
    yield "residual.kind", Fact("hyper-connections" if streams else "plain", where(streams or stack.layers[0].line))
    mixers = [layer.mixers[0].step.module for layer in attending if layer.mixers]
    if mixers:
        biased = next((found for found in map(blocks.biased, mixers) if found), None)
        yield "attention.bias", Fact(biased is not None, where(biased or mixers[0].line))
        sunk = next((found for found in map(blocks.sinks, mixers) if found), None)
        yield "attention.sinks", Fact(sunk is not None, where(sunk or mixers[0].line))
    feeds = [item.step.module for layer in read for item in layer.feed_forwards]
    gated = next((found for found in map(blocks.gated, feeds) if found is not None), None)
    if gated is not None:
        yield "feed_forward.gated", Fact(gated[0], where(gated[1]))
    kinds = [[blocks.feed_kind(item.step.module) for item in layer.feed_forwards] for layer in read]
    fully = [layer for layer, found in zip(read, kinds, strict=True) if set(found) == {"dense"}]
    dense = [layer.feed_forwards[0].step.module for layer in fully]
    hidden = number(built.text, ("hidden_size", "n_embd", "d_model"))
    widths = [blocks.width(feed, hidden) for feed in dense]
    if (first := next(iter(widths), None)) is not None and all(item and item[0] == first[0] for item in widths):
        yield "feed_forward.intermediate_size", Fact(first[0], where(first[1]))
    act = next((found for found in map(blocks.activation, feeds) if found), None)
    if act:
        yield "feed_forward.activation", Fact(act[0], where(act[1]))
    router = next((layer.router for layer in read if layer.router), None)
    if router:
        yield "moe.router", Fact(router[0], where(router[1]))
        biased_choice = next((found for found in map(blocks.router_bias, feeds) if found), None)
        yield "moe.router_bias", Fact(biased_choice is not None, where(biased_choice or router[1]))


def _positions(built: Built, stack: Stack, read: list[LayerFacts], attending: list[LayerFacts], where: Where) -> Facts:
    kinds: dict[str, str] = {}
    roped = next((layer for layer in read if layer.rope), None)
    if roped:
        kinds["rope"] = roped.rope_where
    for path, module in built.model.walk():
        last = path.rpartition(".")[2]
        embeds = module.kind.endswith("Embedding") and module.weights and not TOWER.search(path)
        if embeds and re.search(r"^wpe$|embed_positions|position_embeddings?$|pos_emb", last):
            kinds["learned"] = module.line
    if built.text.values.get("alibi") is True or built.text.values.get("position_embedding_type") == "alibi":
        kinds["alibi"] = built.model.line
    without = [layer for layer in attending if layer.attends and not layer.rope] if roped else []
    if without:
        kinds["nope"] = stack.layers[without[0].index].line
    lines = tuple(where(line) for line in kinds.values()) or where(stack.layers[0].line)
    return {
        "position.kinds": Fact(tuple(kinds), lines),
        "position.nope_layers": Fact(len(without), where(stack.layers[0].line)),
    }
