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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from watcher.architecture.code import blocks, layerfacts
from watcher.architecture.code.arithmetic import measure
from watcher.architecture.code.build import EXPERTS, Built
from watcher.architecture.code.configs import number
from watcher.architecture.code.counts import counts
from watcher.architecture.code.evidence import Facts, Where, attribute_where
from watcher.architecture.code.layerfacts import LayerFacts, first_line, shared
from watcher.architecture.code.skipped import skipped_layers
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.trace import LayerTrace, Stack, find_stack, trace_layers
from watcher.architecture.code.values import ConfigValue, ModuleValue
from watcher.architecture.code.wholes import whole
from watcher.architecture.witness import Fact

HEAD_KEYS = ("head_dim", "attention_head_dim", "kv_channels", "hidden_size_per_head")


def read_facts(built: Built, where: Where) -> tuple[Facts, list[tuple[str, str]]]:
    """(facts, what could not be told and why)."""
    facts: Facts = {}
    unread: list[tuple[str, str]] = []
    doubts = dict(built.machine.doubts)
    _attempt(facts, unread, "parameters", where(built.model.line), lambda: counts(built, where, not doubts, unread))
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


# --- defaults --------------------------------------------------------------------------------------------------------


def _defaults(built: Built, where: Where) -> Facts:
    """Values of the text config's class that the config does not give."""
    config = built.text
    facts: Facts = {}
    for key, value in config.values.items():
        if key.startswith("$") or key in config.given or not _plain(value):
            continue
        facts[f"defaults.{key}"] = Fact(value, attribute_where(config, key, where))
    return facts


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


@dataclass(frozen=True, slots=True)
class _Told:
    """What one layer, and each that does the same, is told by."""

    trace: LayerTrace
    layer: LayerFacts
    facts: Facts
    """By name within the layer."""
    unread: list[tuple[str, str]]


def _stacked(built: Built, stack: Stack, where: Where, unread: list[tuple[str, str]]) -> Facts:
    """Facts of the layers, and of the whole as far as they follow from all layers."""
    head_dim = _head_dim(built.text)
    facts: Facts = {"layers.count": Fact(len(stack.layers), where(built.model.line))}
    read: list[LayerFacts] = []
    known: dict[int, _Told] = {}
    for trace in trace_layers(built, stack):
        if id(trace.steps) not in known:
            known[id(trace.steps)] = _tell(trace, head_dim, where)
        told, prefix = known[id(trace.steps)], f"layers[{trace.index}]"
        read.append(replace(told.layer, index=trace.index))
        facts |= {f"{prefix}.{name}": fact for name, fact in told.facts.items()}
        unread += [(f"{prefix}.{name}", why) for name, why in told.unread]
    facts |= whole(built, stack, read, where)
    return facts


def _tell(trace: LayerTrace, head_dim: int | None, where: Where) -> _Told:
    """The facts of one traced layer."""
    line, unread = where(trace.line), list[tuple[str, str]]()
    layer = layerfacts.read_layer(trace, head_dim)
    facts = _layer(trace.module, layer, where, trace.line, trace.followed)
    _attempt(facts, unread, "parameters", line, partial(_sized, trace.module, where))
    if not trace.followed:
        unread.append(("norm", f"{line}: forward was not followed to its end"))
    return _Told(trace, layer, facts, unread)


def _head_dim(config: ConfigValue) -> int | None:
    known = number(config, HEAD_KEYS)
    if known:
        return known
    width, heads = (
        number(config, ("hidden_size", "n_embd", "d_model")),
        number(config, ("num_attention_heads", "n_head")),
    )
    return width // heads if width and heads else None


def _sized(module: ModuleValue, where: Where) -> Facts:
    line = where(module.line)
    within = [(path, child) for path, child in module.walk() if EXPERTS.search(path)]
    experts = sum(child.count() for path, child in within if not EXPERTS.search(path.rpartition(".")[0]))
    return {
        "parameters": Fact(module.count(), line),
        "expert_parameters": Fact(experts, line),
    }


def _layer(module: ModuleValue, layer: LayerFacts, where: Where, line: str, followed: bool) -> Facts:
    placements = [item.placement for item in (*layer.mixers[:1], *layer.feed_forwards[:1])]
    mixer = layer.mixers[0] if layer.mixers else None
    feeds = [item for item in layer.feed_forwards if item.step.module.kind != "nn.Linear"] or list(layer.feed_forwards)
    facts: Facts = {
        "norm": Fact(shared(placements), where(first_line(layer, line)), followed),
        "qk_norm": Fact(layer.qk_norm, where(layer.qk_where or line), followed),
        "rope": Fact(layer.rope, where(layer.rope_where or line), followed),
        "attends": Fact(layer.attends, where(line), followed),
        "gate": Fact(_gate(layer), where(layer.gate_where or line), followed),
        "ff": Fact(blocks.feed_kind(feeds[0].step.module) if feeds else None, where(line), followed),
    }
    if mixer is not None:
        facts["mixer_class"] = Fact(mixer.step.module.kind, where(mixer.step.line), followed)
        sinks = blocks.sinks(mixer.step.module)
        facts["sinks"] = Fact(sinks is not None, where(sinks or mixer.step.module.line or line), followed)
    if feeds:
        facts["ff_class"] = Fact(feeds[0].step.module.kind, where(feeds[0].step.line), followed)
    return facts


def _gate(layer: LayerFacts) -> str | None:
    if layer.gate is None:
        return None
    mixer = layer.mixers[0].step.module if layer.mixers else None
    return "per-head" if mixer is not None and blocks.gated_per_head(mixer) else "sigmoid"
