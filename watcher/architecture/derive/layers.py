"""Told facts of each layer → layers, their kinds, the mix, and the row in short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from watcher.architecture.belief import Beliefs, Told
from watcher.architecture.mixers import HALVES, NO_MIXER, RECURRENT
from watcher.architecture.record import LayerKind, MixEntry
from watcher.architecture.sequence import shorten
from watcher.architecture.stack import Layer

NAMES = {"heads": "num_attention_heads", "kv_heads": "num_key_value_heads"}
"""A layer's attribute → its name in the record, where they differ."""

OF_ANY = ("norm",)
OF_MIXING = ("norm", "gate")
OF_ATTENTION = ("rope", "qk_norm", "gate", "sinks", "norm")
SIZES = ("heads", "kv_heads", "qk_dim", "v_dim")
"""What must be told of a layer, by what it is; the rest may be absent because there is none."""

OF_A_STATE = frozenset({"rope", "qk_norm", "sinks", "window", "heads", "kv_heads", "qk_dim", "v_dim", "indexer"})
"""What is no fact of a recurrent layer, whatever an implementation's words are."""
OF_A_HALF = OF_A_STATE | {"ff", "gate"}

WINDOWED = frozenset({"sliding", "chunked"})
_ATTRIBUTES = frozenset(item.name for item in fields(Layer))
_BY_RECORD = {name: attribute for attribute, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Kind:
    """Layers that are alike in every fact."""

    id: str
    layer: Layer
    unknown: frozenset[str]
    indices: tuple[int, ...]


def layers_of(beliefs: Beliefs) -> list[Layer]:
    """Every layer, from what all witnesses tell of it; empty when the stack is not told."""
    found = []
    halves = any(told["mixer"].value in HALVES for told in beliefs.layers.values() if "mixer" in told)
    for index in range(_count(beliefs)):
        told = beliefs.layers[index]
        values = {_BY_RECORD.get(name, name): item.value for name, item in told.items()}
        mixer = values.get("mixer")
        none = _meaningless(mixer)
        none |= {"ff"} if halves else set()
        found.append(Layer(**{name: values[name] for name in values.keys() & _ATTRIBUTES - none}))
    return found


def _meaningless(mixer: str | None) -> frozenset[str]:
    """What is no fact of a layer with this mixer."""
    if mixer in HALVES:
        return OF_A_HALF
    if mixer == NO_MIXER:
        return OF_A_STATE | {"gate"}
    return OF_A_STATE if mixer in RECURRENT else frozenset()


def _count(beliefs: Beliefs) -> int:
    """Layers from 0 on whose mixer is told; 0 where that is only a part of a stack that the config cannot tell."""
    count = 0
    while "mixer" in beliefs.layers.get(count, {}):
        count += 1
    partly = any(index >= count for index in beliefs.layers)
    return 0 if partly and beliefs.why("layers", "") else count


def missing(layer: Layer, told: dict[str, Told]) -> frozenset[str]:
    """Attributes of a layer that should be told and are not."""
    if layer.mixer in HALVES or layer.mixer == NO_MIXER:
        wanted: tuple[str, ...] = OF_ANY
    elif layer.mixer in RECURRENT:
        wanted = OF_MIXING
    else:
        wanted = (*OF_ATTENTION, *SIZES, *(("window",) if layer.mixer in WINDOWED else ()))
    names = {_BY_RECORD.get(name, name) for name in told}
    return frozenset(name for name in wanted if name not in names)


def kinds_of(beliefs: Beliefs, layers: list[Layer]) -> list[Kind]:
    """The kinds in first-seen order."""
    groups: dict[tuple[Layer, frozenset[str]], list[int]] = {}
    for index, layer in enumerate(layers):
        groups.setdefault((layer, missing(layer, beliefs.layers[index])), []).append(index)
    return [
        Kind(letter(position), layer, unknown, tuple(indices))
        for position, ((layer, unknown), indices) in enumerate(groups.items())
    ]


def letter(position: int) -> str:
    """A … Z, AA, AB, …"""
    first, last = divmod(position, 26)
    return (chr(64 + first) if first else "") + chr(65 + last)


Extra = dict[str, dict[str, int | None]]
"""By kind: what was computed of it (state_bytes, cache_bytes_per_token)."""


def tell_layers(beliefs: Beliefs, kinds: list[Kind], extra: Extra) -> None:
    """The stack's facts: count, mix, row; and of each kind what is told and what is not."""
    source = beliefs.told.pop("layers.pattern", None) or beliefs.layers[0]["mixer"]
    ids = {index: kind.id for kind in kinds for index in kind.indices}
    row = [ids[index] for index in sorted(ids)]
    words = {kind.id: _word(kind.layer) for kind in kinds}
    if "layers.count" not in beliefs.told:
        beliefs.claim("layers.count", len(row), source.evidence.where, source.witness)
    for name, value in (
        ("mix", tuple(_mix(kinds, row))),
        ("sequence", shorten(row, lambda kind, n: kind if n == 1 else f"{kind}{n}", lambda group, n: f"({group}){n}")),
        ("pattern", shorten([words[item] for item in row], lambda w, n: f"{n}×{w}", lambda group, n: f"{n}×[{group}]")),
        ("kinds", tuple(_record_of(kind, extra.get(kind.id, {})) for kind in kinds)),
    ):
        beliefs.told[f"layers.{name}"] = Told(value, source.witness, source.evidence)
    for kind in kinds:
        _tell_kind(beliefs, kind, source)


def _word(layer: Layer) -> str:
    return f"({layer.mixer}+{layer.ff})" if layer.ff else f"({layer.mixer})"


def _mix(kinds: list[Kind], row: list[str]) -> Iterator[MixEntry]:
    mixers = {kind.id: kind.layer.mixer or "unknown" for kind in kinds}
    found = [mixers[item] for item in row]
    for mixer in dict.fromkeys(found):
        yield MixEntry(kind=mixer, count=found.count(mixer))


RECORDED = (
    "mixer", "ff", "heads", "kv_heads", "qk_dim", "v_dim", "window", "rope", "qk_norm", "gate", "sinks", "norm",
    "shared_kv_from", "parameters",
)  # fmt: skip


def _record_of(kind: Kind, extra: dict[str, int | None]) -> LayerKind:
    values: dict[str, Any] = {NAMES.get(name, name): getattr(kind.layer, name) for name in RECORDED} | extra
    if kind.layer.sinks is None and "sinks" not in kind.unknown:
        values["sinks"] = False
    return LayerKind(id=kind.id, count=len(kind.indices), **values)


def _tell_kind(beliefs: Beliefs, kind: Kind, source: Told) -> None:
    """A kind's facts with the evidence of its first layer, and what is missing."""
    path, told = f"layers.kinds.{kind.id}", beliefs.layers[kind.indices[0]]
    for name, item in told.items():
        attribute = _BY_RECORD.get(name, name)
        if attribute in RECORDED and (item.value is not None or item.others):
            beliefs.told[f"{path}.{NAMES.get(attribute, attribute)}"] = item
    if kind.layer.sinks is None and "sinks" not in kind.unknown:
        beliefs.settle(f"{path}.sinks", False, (f"{path}.mixer",))
    beliefs.told[f"{path}.count"] = Told(len(kind.indices), source.witness, source.evidence)
    for name in sorted(kind.unknown):
        fact = f"{path}.{NAMES.get(name, name)}"
        beliefs.lack(fact, beliefs.why(f"layers[{kind.indices[0]}].{name}", beliefs.why(fact, beliefs.default_why)))
