"""Measures the reader against the research folder: exact counts, traced facts, an expert's table. `make accuracy`.

Prints every disagreement as `fact  model  ours  expert or exact  why`, then one line a measure: right/asked, where
"unknown" is counted apart (it is no answer, but no wrong one either) and "explained" are answers that differ for a
reason that `REASONS` gives. With `-v` every single answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from corpus import shared_folder

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles

TYPES = {"sparse_moe": "sparse-moe", "hybrid_moe": "sparse-hybrid", "hybrid_dense": "dense-hybrid"}
PLACES = {"pre": "pre", "sandwich": "sandwich", "post_inside": "post-inside", "post_ln": "post", "none": "none"}
FULL = frozenset({"mha", "gqa", "mqa", "gated-attention"})

REASONS: tuple[tuple[str, str, str], ...] = (
    ("", "Xiaomi MiMo-V2.5", "the table counts 4 KV heads of 192 everywhere; the config has 8, and values of 128"),
    ("layers.count", "Llama-3.2-11B-Vision", "the trace did not run the 8 cross-attention layers"),
    ("layers.count", "VibeVoice", "the class does not read this config's keys and builds its default text model"),
    ("", "VibeVoice", "the class does not read this config's keys and builds its default text model"),
    ("layer mix", "LongCat", "the copy of the config is second-hand: num_layers 14, where the table has 28"),
    ("KV cache", "LongCat", "the copy of the config is second-hand: num_layers 14, where the table has 28"),
    ("context", "LongCat", "the table has the card's 256K; max_position_embeddings is 327,680"),
    ("context", "Mistral Large 3", "the table has the card's 256K; the config allows 294,912"),
    ("context", "", "the table has the card's number, not the config's"),
    ("total", "DeepSeek V3.2", "the table has V3's name; the indexer adds 0.85 B"),
    ("total", "Gemma", "the table is not consistent about towers"),
    ("total", "", "the vendor's name, rounded or cut"),
    ("attention kinds", "Gemma 4 (E2B)", "the table says MQA for layers of one KV head beside layers with a window"),
)
"""(beginning of the measure, part of the model's name, why ours differs); the first that fits counts."""


@dataclass
class Score:
    """One measure."""

    right: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, title: str, name: str, found: Any, wanted: Any) -> None:
        """Count one answer."""
        line = f"{title:22} {name:44} {found!s:24} {wanted!s:24}"
        self.lines.append(line)
        why = reason(title, name)
        if found == wanted:
            self.right += 1
        elif found is None and not why:
            self.unknown += 1
        elif why:
            self.explained.append(f"{line} {why}")
        else:
            self.wrong.append(line)

    def line(self, title: str) -> str:
        """`title  right/asked  unknown n  explained n  wrong n`."""
        asked = self.right + self.unknown + len(self.wrong) + len(self.explained)
        counts = f"unknown {self.unknown:<3} explained {len(self.explained):<3} wrong {len(self.wrong)}"
        return f"{title:24} {self.right:4}/{asked:<4} {counts}"


def reason(title: str, name: str) -> str | None:
    """Why an answer differs, where it is known."""
    fits = (why for start, part, why in REASONS if title.startswith(start) and part in name and (start or part))
    return next(fits, None)


@cache
def _reference() -> Reference:
    return Reference.shipped()


@cache
def record_of(path: Path) -> Architecture:
    """One config of the folder, read as the product reads it, with the reference that ships with it."""
    name = "params.json" if path.name == "params.json" else "config.json"
    files = RepoFiles(name="/".join(path.parts[-3:-1]), files={name: path.read_bytes()})
    return read(files, reference=_reference())


def measure(shared: Path) -> dict[str, Score]:
    """Every measure by its title."""
    scores: dict[str, Score] = {}
    for title, name, found, wanted in (*_counts(shared), *_traced(shared), *_table(shared)):
        scores.setdefault(title, Score()).add(title, name, found, wanted)
    return scores


Answer = tuple[str, str, Any, Any]


# --- exact counts ----------------------------------------------------------------------------------------------------


def _counts(shared: Path) -> Iterator[Answer]:
    """Parameters, counted by `transformers` on the meta device."""
    for name, exact in json.loads((shared / "arch/meta_counts.json").read_text()).items():
        path = shared / f"corpus/configs/{name}/config.json"
        if "text" not in exact or not path.is_file():
            continue
        found = record_of(path).parameters
        yield "parameters.text", name, found.text, exact["text"]
        yield "parameters.total", name, found.total, exact["total"]
        yield "parameters.active", name, found.active, exact.get("active_wo_embed_in")
        yield "active, with embedding", name, found.active_with_embedding, exact.get("active")
        yield "parameters.embedding", name, found.embedding, exact.get("embed_in")


# --- traced facts ----------------------------------------------------------------------------------------------------


def _traced(shared: Path) -> Iterator[Answer]:
    """Per layer, from a traced forward pass of the implementation."""
    for name, trace in json.loads((shared / "arch/introspect_real.json").read_text()).items():
        path = shared / f"corpus/configs/{name}/config.json"
        if not path.is_file() or not trace.get("kinds"):
            continue
        record = record_of(path)
        layers = expanded(record)
        if len(layers) != trace["n_layers_run"]:
            yield "layers.count", name, len(layers) or None, trace["n_layers_run"]
            continue
        yield "norm placement", name, _norm(layers, trace), True
        yield "QK-norm", name, _qk(layers, trace), True
        yield "RoPE per layer", name, *_rope(layers, trace)
        yield "gate", name, _gate(layers, trace), True
        yield "parallel", name, record.residual.parallel, any(kind["parallel"] for kind in trace["kinds"])


def expanded(record: Architecture) -> list[Any]:
    """The kind of every layer, in order."""
    from watcher.compare.stack import expand

    kinds = {kind.id: kind for kind in record.layers.kinds}
    return [kinds[item] for item in expand(record.layers.sequence or "") or []]


def _attends(operation: str) -> bool:
    """A softmax of the mixer, not of a router."""
    module, _, name = operation.partition(":")
    return "softmax" in name and not module.startswith(("mlp", "feed_forward", "ffn", "block_sparse_moe"))


def _rope(layers: list[Any], trace: dict[str, Any]) -> tuple[list[bool] | None, list[bool]]:
    roped = set(trace.get("rope_layers") or [])
    softmax = {i for kind in trace["kinds"] for i in kind["layers"] if any(_attends(op) for op in kind["ops"])}
    flags = [layer.rope for i, layer in enumerate(layers) if i in softmax]
    return None if None in flags else flags, [i in roped for i in range(len(layers)) if i in softmax]


def _norm(layers: list[Any], trace: dict[str, Any]) -> bool | None:
    found = {
        i: PLACES.get(kind["mixer_norm"] or kind["ff_norm"] or "none")
        for kind in trace["kinds"]
        for i in kind["layers"]
    }
    if any(layer.norm is None for layer in layers):
        return None
    return all(layers[i].norm == place for i, place in found.items())


def _qk(layers: list[Any], trace: dict[str, Any]) -> bool | None:
    found = {i: kind["qk_norm"] for kind in trace["kinds"] for i in kind["layers"]}
    if any(layer.norm is None for layer in layers):
        return None
    return all(bool(layers[i].qk_norm) == bool(normed) for i, normed in found.items())


def _gate(layers: list[Any], trace: dict[str, Any]) -> bool | None:
    """Whether every sigmoid that the trace saw on the way out of a mixer is a gate of ours."""
    if any(layer.norm is None for layer in layers):
        return None
    gated = {i for kind in trace["kinds"] for i in kind["layers"] if any(_gates(item) for item in kind["sigmoid"])}
    return all(layers[i].gate for i in gated)


def _gates(item: str) -> bool:
    return item.startswith(("self_attn:", "attention:", "linear_attn", "attn:"))


# --- an expert's table -----------------------------------------------------------------------------------------------


def _table(shared: Path) -> Iterator[Answer]:
    """An expert's published table, for models whose config is at hand."""
    for row in json.loads((shared / "gallery/facts.json").read_text()):
        if not row["config"]:
            continue
        record, name = record_of(shared / "corpus" / row["config"]), row["title"]
        own = row["config_is"] in ("exact", "sibling", "repr", "partial")
        yield "decoder type", name, record.decoder_type, TYPES.get(row["decoder_type"], row["decoder_type"])
        if own and row["kv_cache_kib_per_token"] is not None:
            nominal = record.kv_cache.nominal_bytes_per_token
            kib = None if nominal is None else round(nominal / 1024, 1)
            yield "KV cache per token", name, kib, row["kv_cache_kib_per_token"]
        if own and row["layer_mix"]:
            yield "layer mix", name, _mix(record, row["layer_mix"]), dict(row["layer_mix"])
        yield "attention kinds", name, _kinds(record) >= set(row["attention_kinds"]) - {"full", "gqa", "mla"}, True
        if row["context"] and row["config_is"] in ("exact", "repr", "partial"):
            yield "context", name, *_context(record.context_length, row["context"])
        if row["config_is"] == "exact" and row["total_params"]:
            yield "total, as people say it", name, *_said(record, row["total_params"])
        if row["attention_features"].get("qk_norm"):
            yield "QK-norm in the table", name, record.attention.qk_norm, True


def _mix(record: Architecture, wanted: list[list[Any]]) -> dict[str, int]:
    """Our mix in the table's words."""
    words = {word for word, _ in wanted}
    found: dict[str, int] = {}
    for entry in record.layers.mix:
        word = entry.kind.replace("-", "_")
        if entry.kind in FULL and "full" in words:
            word = "full"
        word = "moe_block" if word == "moe" else "csa_hca" if "csa_hca" in words else word
        found[word] = found.get(word, 0) + entry.count
    if "logical_layers" in words:
        found = {"logical_layers": record.layers.count or 0, "mla": 2 * (record.layers.count or 0)}
    return found


def _kinds(record: Architecture) -> set[str]:
    kinds = {entry.kind.replace("-", "_") for entry in record.layers.mix}
    kinds |= {"csa_hca"} if {"csa", "hca"} & kinds else set()
    sparse = record.attention.sparse
    kinds |= {sparse.kind} if sparse else set()
    kinds |= {"gated_attention"} if record.attention.gated else set()
    one = record.attention.num_key_value_heads == 1
    return kinds | ({"mqa"} if one else set())


def _context(ours: int | None, wanted: int) -> tuple[int | None, int]:
    """The same when both are the same number of K, of 1000 or of 1024."""
    if ours is not None and ours // 1024 == wanted // 1000:
        return wanted, wanted
    return ours, wanted


def _said(record: Architecture, wanted: int) -> tuple[int | None, int]:
    """The same when ours, at the number of digits that is said, is what is said."""
    ours = [count for count in (record.parameters.total, record.parameters.text) if count]
    if not ours:
        return None, wanted
    digits = len(str(wanted).rstrip("0"))
    near = [count for count in ours if abs(count - wanted) < 10 ** (len(str(wanted)) - digits)]
    return (wanted if near else ours[0]), wanted


def main() -> int:
    """Print the measures."""
    shared = shared_folder()
    if not shared.is_dir():
        sys.stderr.write(f"{shared}: no research folder; set WATCHER_SHARED\n")
        return 1
    scores = measure(shared)
    sys.stdout.write(f"{'fact':22} {'model':44} {'ours':24} {'expert or exact':24} why\n")
    for score in scores.values():
        for line in score.lines if "-v" in sys.argv else [*score.explained, *score.wrong]:
            sys.stdout.write(f"{line}\n")
    sys.stdout.write("\n")
    for title, score in scores.items():
        sys.stdout.write(score.line(title) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
