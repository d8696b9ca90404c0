"""A record as comparable facts: one cause in one place, numbers without noise, layer kinds by what they are.

`comparable` gives a nested dict. What identifies a model or follows from other facts in every detail (`model.id`,
`revision`, `evidence`, `memory`, `kv_cache.at`, the letters of layer kinds) is not in it. None stands for "has
none" however the record says it (null, 0, false, []); a fact that is listed as unknown has the value UNKNOWN. A tuple
of words is a dict of them. Under `layers`:

    words     {mixer word: True}, what the stack mixes
    mixers    {mixer: its facts}; two kinds of one mixer that differ are told apart by what differs (`gqa, no RoPE`)
    mix, ff   {mixer: layers}, {feed-forward: layers}
    order, ff_order   the arrangement, free of depth
    runs      the exact order
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from watcher.architecture.irrelevant import irrelevant
from watcher.architecture.record import Architecture, LayerKind, Tower
from watcher.compare import stack
from watcher.compare.differences import bounded

UNKNOWN: Final = "\0unknown"
"""Stands where a fact is not known; no value of a record begins with a NUL."""

DIGITS = 3
"""Significant digits at which parameter counts are compared: as people quote them."""

NEUTRAL: Final = {
    "moe.groups": 1,
    "residual.streams": 1,
    "residual.multiplier": 1,
    "position.partial_rotary_factor": 1,
}
"""Values that mean the same as none."""

Facts = dict[str, Any]

_MIXER_FACTS = (
    "num_attention_heads", "num_key_value_heads", "qk_dim", "v_dim", "window", "rope", "qk_norm", "gate", "sinks",
    "norm", "state_bytes",
)  # fmt: skip


def comparable(record: Architecture) -> Facts:
    """The facts of a record that a comparison looks at."""
    read = _Reader(record)
    facts: Facts = {
        "decoder_type": read("decoder_type"),
        "parameters": {name: rounded(read(f"parameters.{name}")) for name in ("total", "text", "active")},
        "layers": _layers(read),
        "attention": _attention(read),
        "moe": _part(read, "moe"),
        "towers": _towers(read),
        "quantization": _part(read, "quantization"),
        "model": _model(read),
        "kv_cache": _part(read, "kv_cache", leave=("at", "dtype")),
        "novel": _novel(record),
    }
    for name in ("context_length", "vocab_size", "hidden_size", "tied_embeddings", "mtp_layers"):
        facts[name] = read(name)
    for name in ("position", "norm", "residual", "feed_forward"):
        facts[name] = _part(read, name)
    safe: Facts = bounded(facts)
    return safe


def mixer_labels(record: Architecture) -> dict[str, str]:
    """The name that `comparable` gives each layer kind's mixer, by the kind's letter."""
    read = _Reader(record)
    return _labels([(kind, _mixer(read, kind)) for kind in record.layers.kinds])


def mixer_order(record: Architecture) -> stack.Order | None:
    """The arrangement of the mixers; None where the sequence of layers is not known."""
    labels = mixer_labels(record)
    ids = stack.expand(record.layers.sequence or "")
    return stack.order([labels[item] for item in ids]) if ids and all(item in labels for item in ids) else None


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """A count at so many significant digits; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not value:
        return value
    exponent = digits - 1 - math.floor(math.log10(abs(value)))
    return round(value, exponent) if exponent < 0 else plain(round(value, exponent))


def plain(value: Any) -> Any:
    """A value without numeric noise: 1.0 as 1."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def at(facts: Mapping[str, Any], path: Iterable[str]) -> Any:
    """The value at a path; UNKNOWN below an unknown part, None where there is none."""
    value: Any = facts
    for name in path:
        if value == UNKNOWN:
            return UNKNOWN
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


class _Reader:
    """Reads facts of a record by path."""

    def __init__(self, record: Architecture) -> None:
        self.record = record
        self._unknown = frozenset(item.fact for item in record.unknown)

    def __call__(self, path: str) -> Any:
        value: Any = self.record
        for name in path.split("."):
            value = getattr(value, name + "_" if name == "class" else name, None)
        return self.known(value, path)

    def known(self, value: Any, path: str) -> Any:
        """The value without noise: None for all that means "has none", words as a dict, UNKNOWN when listed so."""
        if value is None or value == ():
            names = path.split(".")
            parts = (".".join(names[:count]) for count in range(1, len(names) + 1))
            if "*" in self._unknown or any(part in self._unknown for part in parts):
                return UNKNOWN
        if isinstance(value, tuple):
            return dict.fromkeys(sorted(word for item in value if (word := str(item).strip())), True) or None
        return None if not value or value == NEUTRAL.get(path) else plain(value)


def _part(read: _Reader, name: str, leave: tuple[str, ...] = ()) -> Any:
    part = getattr(read.record, name)
    if part is None:
        return read(name)
    fields = [field.name.rstrip("_") for field in dataclasses.fields(part)]
    return {field: read(f"{name}.{field}") for field in fields if field not in leave}


def _model(read: _Reader) -> Facts:
    """The model's own words. Video beside images is no part of its own: the same tower reads its frames."""
    facts: Facts = _part(read, "model", leave=("id", "revision"))
    told = facts["modalities"]
    if isinstance(told, dict) and "image" in told:
        facts["modalities"] = {word: True for word in told if word != "video"}
    return facts


def _attention(read: _Reader) -> Facts:
    """The stack's attention. With MLA the head size and key-value heads follow from its ranks and are left out."""
    facts: Facts = _part(read, "attention", leave=("kinds",))
    for name in ("sparse", "mla"):
        if (part := getattr(read.record.attention, name)) is not None:
            facts[name] = {item.name: read(f"attention.{name}.{item.name}") for item in dataclasses.fields(part)}
    if facts["mla"] is not None:
        facts["head_dim"] = UNKNOWN if facts["mla"] == UNKNOWN else None
    facts["num_key_value_heads"] = _grouped(facts["num_key_value_heads"], facts["num_attention_heads"])
    return facts


def _grouped(kv_heads: Any, heads: Any) -> Any:
    """Key-value heads where they are fewer than the heads; None where each head has its own."""
    if UNKNOWN in (kv_heads, heads):
        return UNKNOWN
    return None if kv_heads == heads else kv_heads


def _layers(read: _Reader) -> Facts:
    kinds, count = read.record.layers.kinds, read("layers.count")
    if not kinds or any(read.known(kind.mixer, f"layers.kinds.{kind.id}.mixer") == UNKNOWN for kind in kinds):
        whole = UNKNOWN if kinds or _unknown_stack(read) else None
        return {"count": count} | dict.fromkeys(("words", "mixers", "mix", "ff", "order", "ff_order", "runs"), whole)
    described = [(kind, _mixer(read, kind)) for kind in kinds]
    labels = _labels(described)
    feeds = {kind.id: read.known(kind.ff, f"layers.kinds.{kind.id}.ff") or "none" for kind in kinds}
    counted = read("layers.mix") != UNKNOWN
    return {
        "count": count,
        "words": {kind.mixer or "none": True for kind in kinds},
        "mixers": {labels[kind.id]: facts for kind, facts in described},
        "mix": _counted((labels[kind.id], kind.count) for kind in kinds) if counted else UNKNOWN,
        "ff": UNKNOWN
        if not counted or UNKNOWN in feeds.values()
        else _counted((feeds[kind.id], kind.count) for kind in kinds),
        **_orders(read, labels, feeds),
    }


def _unknown_stack(read: _Reader) -> bool:
    return UNKNOWN in [read.known((), f"layers.{name}") for name in ("kinds", "mix", "count", "sequence")]


def _orders(read: _Reader, labels: dict[str, str], feeds: dict[str, str]) -> Facts:
    sequence = read("layers.sequence")
    ids = stack.expand(sequence) if isinstance(sequence, str) and sequence != UNKNOWN else None
    if ids is None or any(item not in labels for item in ids):
        return dict.fromkeys(("order", "ff_order", "runs"), sequence)
    mixed = UNKNOWN in feeds.values()
    return {
        "order": str(stack.order([labels[item] for item in ids])),
        "ff_order": UNKNOWN if mixed else str(stack.order([feeds[item] for item in ids])),
        "runs": stack.written([labels[item] if mixed else f"{labels[item]}+{feeds[item]}" for item in ids]),
    }


def _counted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in pairs:
        counts[name] = counts.get(name, 0) + count
    return counts


def _mixer(read: _Reader, kind: LayerKind) -> Facts:
    facts = {name: read.known(getattr(kind, name), f"layers.kinds.{kind.id}.{name}") for name in _MIXER_FACTS}
    facts["shared_kv"] = None if kind.shared_kv_from is None else True
    facts["num_key_value_heads"] = _grouped(facts["num_key_value_heads"], facts["num_attention_heads"])
    if kind.mixer == "mla" and read.record.attention.mla is not None:
        facts["qk_dim"] = facts["v_dim"] = None
    return facts


_TELLING = ("rope", "window", "shared_kv", "num_attention_heads", "num_key_value_heads", "qk_dim")


def _labels(described: list[tuple[LayerKind, Facts]]) -> dict[str, str]:
    """A name for each kind's mixer: its word, and what sets it apart from another of the same word."""
    variants: dict[str, list[Facts]] = {}
    for kind, facts in described:
        known = variants.setdefault(kind.mixer or "none", [])
        if facts not in known:
            known.append(facts)
    return {kind.id: _label(kind.mixer or "none", facts, variants[kind.mixer or "none"]) for kind, facts in described}


def _label(mixer: str, facts: Facts, variants: list[Facts]) -> str:
    if len(variants) == 1:
        return mixer
    differing = [name for name in _TELLING if any(facts[name] != other[name] for other in variants)]
    marks = [mark for name in differing if (mark := _mark(name, facts[name]))]
    alike = [other for other in variants if all(other[name] == facts[name] for name in _TELLING)]
    number = f" #{alike.index(facts) + 1}" if len(alike) > 1 else ""
    return ", ".join([mixer, *marks]) + number


def _mark(name: str, value: Any) -> str:
    """A word for one telling fact; the usual case (RoPE, no window, caches of its own) has none."""
    if value == UNKNOWN:
        return f"{name} unknown"
    if name in ("rope", "shared_kv"):
        return {("rope", None): "no RoPE", ("shared_kv", True): "shared KV"}.get((name, value), "")
    return "" if value is None else f"{name} {value}"


def _towers(read: _Reader) -> Any:
    """Towers by modality; their parameters are told by the totals."""
    towers = read.record.towers
    if not towers:
        return read("towers")
    facts: Facts = {}
    for tower in towers:
        facts[_tower_name(tower, facts)] = _tower(tower)
    return facts


def _tower_name(tower: Tower, taken: Facts) -> str:
    count = sum(name.split(" #")[0] == tower.modality for name in taken)
    return tower.modality if not count else f"{tower.modality} #{count + 1}"


def _family(name: str | None) -> str | None:
    """`siglip_vision_model` and `siglip` are one encoder: configs of one model spell it either way."""
    return re.sub(r"(_(vision|visual|audio|encoder|tower|model))+$", "", name or "") or None


def _tower(tower: Tower) -> Facts:
    """A size that a tower does not state is simply not known."""
    sizes = {"layers": tower.layers, "hidden_size": tower.hidden_size, "class": _family(tower.class_)}
    return {name: UNKNOWN if value is None else value for name, value in sizes.items()}


def _novel(record: Architecture) -> Facts:
    """What no reference knows, by name; keys that cannot bear on the architecture are no novelty."""
    named = {
        "config_keys": [key for key in record.novel.config_keys if not irrelevant(key)],
        "tensor_names": record.novel.tensor_names,
        "classes": record.novel.classes,
    }
    return {group: dict.fromkeys(sorted(names), True) for group, names in named.items()}
