"""A built and traced model → facts by path of the record, each with the line that tells it.

Facts given (`i` counts layers from 0):

- `parameters.total`, `.text`, `.vision`, `.audio`, `.mtp`, `.embedding`, `.lm_head`, `.experts`, `.active` (rule B) and
  `.active_with_embedding` (rule A), `layers.count`, `layers[i].parameters`, `layers[i].expert_parameters`
- `norm.kind`, `norm.placement`, `layers[i].norm`, `residual.kind`, `residual.parallel`
- `attention.qk_norm`, `.bias`, `.sinks`, `.gated`; `layers[i].qk_norm`, `.gate`, `.sinks`, `.rope`, `.attends`
- `layers[i].mixer_class`, `layers[i].ff_class`, `layers[i].ff` (dense, moe or None)
- `feed_forward.gated`, `feed_forward.activation`, `moe.router`, `position.kinds`, `position.nope_layers`
- `tied_embeddings`, `defaults.KEY` (a class default, or what the class computes, for a key that the config omits)
- `lineage[Class]`: what a class extends of another model, and `lineage.models`: those models, the most extended first
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from watcher.architecture.code import blocks, layerfacts
from watcher.architecture.code.arithmetic import measure
from watcher.architecture.code.build import AUDIO, EXPERTS, EXTRA, TOWER, Built, Placed
from watcher.architecture.code.layerfacts import LayerFacts
from watcher.architecture.code.skipped import skipped_layers
from watcher.architecture.code.trace import Stack, find_stack, trace_layers
from watcher.architecture.code.values import ClassValue, ConfigValue, ModuleValue, Undecided, Weight
from watcher.architecture.witness import Fact

Facts = dict[str, Fact]
Where = Callable[[str], str]
"""A line as evidence names it."""

HEAD = re.compile(r"(^|\.)(lm_head|embed_out|output_layer)\.weight$")
PERHAPS_HEAD = re.compile(r"(^|\.)(head|output|lm_head\.decoder|predictions\.decoder)\.weight$")
"""Output matrices where they have a row a word."""

HEAD_KEYS = ("head_dim", "attention_head_dim", "kv_channels", "hidden_size_per_head")
EXPERT_KEYS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", "num_routed_experts")
CHOSEN_KEYS = (
    "num_experts_per_tok num_experts_per_token moe_topk moe_top_k top_k_experts moe_k num_selected_experts "
    "experts_per_token moe_router_topk router_topk"
).split()


def read_facts(built: Built, where: Where) -> tuple[Facts, list[tuple[str, str]]]:
    """(facts, what could not be told and why)."""
    facts: Facts = {}
    unread: list[tuple[str, str]] = []
    doubts = dict(built.machine.doubts)
    _attempt(facts, unread, "parameters", where(built.model.line), lambda: _counts(built, where, not doubts, unread))
    facts |= _defaults(built, where)
    unread += skipped_layers(built, where)
    try:
        stack = find_stack(built)
    except Undecided as error:
        unread.append(("layers", f"{where(built.model.line)}: {error}"))
    else:
        facts |= _stacked(built, stack, where, unread)
    doubted = [("*", f"{where(line)}: {what}") for line, what in list(built.machine.doubts.items())[:20]]
    return facts, unread[:50] + doubted


def _attempt(
    facts: Facts, unread: list[tuple[str, str]], fact: str, line: str, read: Callable[[], Mapping[str, Fact]]
) -> None:
    try:
        facts |= read()
    except Undecided as error:
        unread.append((fact, f"{line}: {error}"))


# --- counts ----------------------------------------------------------------------------------------------------------


def _counts(built: Built, where: Where, certain: bool, unread: list[tuple[str, str]]) -> Facts:
    """Parameter counts by part; a part with a weight of unknown size, and what it enters, is not told."""
    if not built.weights:
        raise Undecided("it holds no weights")
    line = where(built.model.line)
    sums: dict[str, int | None] = dict.fromkeys(("text", "vision", "audio", "mtp", "experts"), 0)
    stacked = {path for path, module in built.model.walk() if STACKED.search(module.kind)}
    for path, placed in built.weights.items():
        for part in _parts(path, path.rpartition(".")[0] in stacked):
            before = sums[part]
            sums[part] = _plus(before, placed)
            if before is not None and sums[part] is None:
                unread.append((f"parameters.{part}", f"{line}: {path[:200]} has an unknown size"))
    embedding, head = _tables(built)
    sums["embedding"] = _plus(0, embedding)
    sums["lm_head"] = _plus(0, head)
    parts = [sums[part] for part in ("text", "vision", "audio")]
    sums["total"] = sum(part for part in parts if part is not None) if None not in parts else None
    sums |= _active(built, sums, head, line, unread)
    facts = {f"parameters.{name}": Fact(value, line, certain) for name, value in sums.items() if value is not None}
    tied = head is None and embedding is not None
    facts["tied_embeddings"] = Fact(tied, _key_where(built, "tie_word_embeddings", where))
    return facts


def _plus(count: int | None, placed: Placed | None) -> int | None:
    if count is None or placed is None:
        return count
    try:
        return count + placed.count
    except Undecided:
        return None


STACKED = re.compile(r"Experts$")
"""Classes that hold all experts, whatever their attribute is called."""


def _parts(path: str, stacked: bool) -> tuple[str, ...]:
    part = _part(path)
    return (part, "experts") if part == "text" and (stacked or EXPERTS.search(path)) else (part,)


def _part(path: str) -> str:
    if EXTRA.search(path):
        return "mtp"
    if TOWER.search(path):
        return "audio" if AUDIO.search(path) else "vision"
    return "text"


def _tables(built: Built) -> tuple[Placed | None, Placed | None]:
    """(input embedding table, output matrix where it is one of its own)."""
    tables = [
        (path, module)
        for path, module in built.model.walk()
        if module.kind == "nn.Embedding" or _extends(module, "Embedding")
        if not TOWER.search(path) and not re.search(r"pos|per_layer|type|ngram|wpe", path.rpartition(".")[2])
    ]
    vocab = built.text.values.get("vocab_size")
    largest = max(tables, key=lambda item: _rows(item[1]) or 0, default=None)
    found = next((item for item in tables if (_rows(item[1]) or 0) == vocab), largest)
    table = built.weights.get(f"{found[0]}.weight") if found else None
    heads = [placed for path, placed in built.weights.items() if HEAD.search(path)]
    rows = [length for length in (vocab, _rows(found[1]) if found else None) if length is not None]
    heads += [item for path, item in built.weights.items() if PERHAPS_HEAD.search(path) and _first(item.weight) in rows]
    return table, heads[0] if heads else None


def _extends(module: ModuleValue, name: str) -> bool:
    return module.kind.endswith(name) and "weight" in module.weights


def _rows(module: ModuleValue) -> int | None:
    weight = module.weights.get("weight")
    return _first(weight) if weight is not None else None


def _first(weight: Weight) -> int | None:
    length = weight.shape[0] if weight.shape else None
    return length if isinstance(length, int) else None


def _active(
    built: Built, sums: Mapping[str, int | None], head: Placed | None, line: str, unread: list[tuple[str, str]]
) -> dict[str, int]:
    """What one text token multiplies with: with both embedding tables, and (`active`) without the input's."""
    text, experts, embedding = sums["text"], sums["experts"], sums["embedding"]
    if text is None or experts is None or embedding is None:
        return {}
    if experts:
        all_, chosen = _number(built.text, EXPERT_KEYS), _number(built.text, CHOSEN_KEYS)
        if not all_ or not chosen:
            unread += [(f"parameters.{name}", f"{line}: {NOT_TOLD}") for name in ("active", "active_with_embedding")]
            return {}
        text += experts * chosen // all_ - experts
    return {"active_with_embedding": text, "active": text - (embedding if head is not None else 0)}


NOT_TOLD = "no key says how many experts a token goes through"


def _number(config: ConfigValue, keys: Iterable[str]) -> int | None:
    """The value of the first of these keys, in the config or in a part of it."""
    parts = [part for part in config.values.values() if isinstance(part, ConfigValue)]
    for part in (config, *parts):
        for key in keys:
            value = part.values.get(part.aliases.get(key, key))
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


# --- defaults --------------------------------------------------------------------------------------------------------


def _defaults(built: Built, where: Where) -> Facts:
    """Values of the text config's class that the config does not give."""
    config = built.text
    facts: Facts = {}
    for key, value in config.values.items():
        if key.startswith("$") or key in config.given or not _plain(value):
            continue
        facts[f"defaults.{key}"] = Fact(value, _attribute_where(config, key, where))
    return facts


def _attribute_where(config: ConfigValue, key: str, where: Where) -> str:
    if config.cls is None:
        return where(key)
    file = config.cls.module.path.rpartition("/")[2]
    return f"{where(file)}: {config.cls.name}.{key}"


def _key_where(built: Built, key: str, where: Where) -> str:
    for config in (built.config, built.text):
        if key in config.given:
            return f"config.json: {key}"
    return _attribute_where(built.text, key, where)


def _plain(value: Any) -> bool:
    """Whether a value is one that JSON can tell, and not a large one."""
    try:
        return measure(value, 5000) >= 0 and _speaks(value)
    except Undecided:
        return False


def _speaks(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _speaks(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(_speaks(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


# --- layers ----------------------------------------------------------------------------------------------------------


def _stacked(built: Built, stack: Stack, where: Where, unread: list[tuple[str, str]]) -> Facts:
    """Facts of the layers, and of the whole as far as they follow from all layers."""
    head_dim = _head_dim(built.text)
    facts: Facts = {"layers.count": Fact(len(stack.layers), where(built.model.line))}
    read: list[LayerFacts] = []
    for trace in trace_layers(built, stack):
        layer = layerfacts.read_layer(trace, head_dim)
        read.append(layer)
        prefix = f"layers[{trace.index}]"
        facts |= _layer(prefix, trace.module, layer, where, trace.line, trace.followed)
        _attempt(facts, unread, f"{prefix}.parameters", where(trace.line), partial(_sized, prefix, trace.module, where))
        if not trace.followed:
            unread.append((f"{prefix}.norm", f"{where(trace.line)}: forward was not followed to its end"))
    facts |= _whole(built, stack, read, where)
    return facts


def _head_dim(config: ConfigValue) -> int | None:
    known = _number(config, HEAD_KEYS)
    if known:
        return known
    width, heads = (
        _number(config, ("hidden_size", "n_embd", "d_model")),
        _number(config, ("num_attention_heads", "n_head")),
    )
    return width // heads if width and heads else None


def _sized(prefix: str, module: ModuleValue, where: Where) -> Facts:
    line = where(module.line)
    within = [(path, child) for path, child in module.walk() if EXPERTS.search(path)]
    experts = sum(child.count() for path, child in within if not EXPERTS.search(path.rpartition(".")[0]))
    return {
        f"{prefix}.parameters": Fact(module.count(), line),
        f"{prefix}.expert_parameters": Fact(experts, line),
    }


def _layer(prefix: str, module: ModuleValue, layer: LayerFacts, where: Where, line: str, followed: bool) -> Facts:
    placements = [item.placement for item in (*layer.mixers[:1], *layer.feed_forwards[:1])]
    mixer = layer.mixers[0] if layer.mixers else None
    feeds = [item for item in layer.feed_forwards if item.step.module.kind != "nn.Linear"] or list(layer.feed_forwards)
    facts: Facts = {
        "norm": Fact(_one(placements), where(_first_line(layer, line)), followed),
        "qk_norm": Fact(layer.qk_norm, where(layer.qk_where or line), followed),
        "rope": Fact(layer.rope, where(layer.rope_where or line), followed),
        "attends": Fact(layer.attends, where(line), followed),
        "gate": Fact(_gate(layer), where(layer.gate_where or line), followed),
        "ff": Fact(_kind(feeds[0].step.module) if feeds else None, where(line), followed),
    }
    if mixer is not None:
        facts["mixer_class"] = Fact(mixer.step.module.kind, where(mixer.step.line), followed)
        sinks = blocks.sinks(mixer.step.module)
        facts["sinks"] = Fact(sinks is not None, where(sinks or mixer.step.module.line or line), followed)
    if feeds:
        facts["ff_class"] = Fact(feeds[0].step.module.kind, where(feeds[0].step.line), followed)
    return {f"{prefix}.{name}": fact for name, fact in facts.items()}


def _first_line(layer: LayerFacts, line: str) -> str:
    for item in layer.mixers:
        step = item.pre or item.post
        if step is not None:
            return step.line
    return line


def _gate(layer: LayerFacts) -> str | None:
    if layer.gate is None:
        return None
    mixer = layer.mixers[0].step.module if layer.mixers else None
    return "per-head" if mixer is not None and blocks.gated_per_head(mixer) else "sigmoid"


def _kind(module: ModuleValue) -> str:
    return "moe" if any(EXPERTS.search(path) or blocks.is_experts(child) for path, child in module.walk()) else "dense"


def _one(values: Iterable[Any]) -> Any:
    """The value that all share; `mixed` for several, None for none."""
    found = list(dict.fromkeys(values))
    return found[0] if len(found) == 1 else "mixed" if found else None


def _whole(built: Built, stack: Stack, read: list[LayerFacts], where: Where) -> Facts:
    if not read:
        return {}
    line = where(stack.layers[0].line)
    subs = [item for layer in read for item in (*layer.mixers[:1], *layer.feed_forwards[:1])]
    attending = [layer for layer in read if layer.attends] or read
    facts: Facts = {}
    if subs:
        facts["norm.placement"] = Fact(_one(item.placement for item in subs), where(_first_line(read[0], "") or line))
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
    kinds = [[_kind(item.step.module) for item in layer.feed_forwards] for layer in read]
    fully = [layer for layer, found in zip(read, kinds, strict=True) if set(found) == {"dense"}]
    dense = [layer.feed_forwards[0].step.module for layer in fully]
    hidden = _number(built.text, ("hidden_size", "n_embd", "d_model"))
    widths = [blocks.width(feed, hidden) for feed in dense]
    if (first := next(iter(widths), None)) is not None and all(item and item[0] == first[0] for item in widths):
        yield "feed_forward.intermediate_size", Fact(first[0], where(first[1]))
    act = next((found for found in map(blocks.activation, feeds) if found), None)
    if act:
        yield "feed_forward.activation", Fact(act[0], where(act[1]))
    router = next((layer.router for layer in read if layer.router), None)
    if router:
        yield "moe.router", Fact(router[0], where(router[1]))


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


def class_names(built: Built) -> list[str]:
    """Names of the classes of the code that the model is made of."""
    return sorted({module.cls.name for _, module in built.model.walk() if isinstance(module.cls, ClassValue)})
