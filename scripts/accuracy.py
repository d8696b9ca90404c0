"""Measures the reader against the research folder: exact counts, traced facts, an expert's table. `make accuracy`.

Prints one line a measure, right/asked, where "unknown" is counted apart: it is no answer, but no wrong one either.
With `-v` every wrong answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus import shared_folder

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles

TYPES = {"sparse_moe": "sparse-moe", "hybrid_moe": "sparse-hybrid", "hybrid_dense": "dense-hybrid"}
PLACES = {"pre": "pre", "sandwich": "sandwich", "post_inside": "post-inside", "post_ln": "post", "none": "none"}


@dataclass
class Score:
    """One measure."""

    right: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, found: Any, wanted: Any) -> None:
        """Count one answer."""
        if found == wanted:
            self.right += 1
        elif found is None:
            self.unknown += 1
        else:
            self.wrong.append(f"{name}: {found} instead of {wanted}")

    def line(self, title: str) -> str:
        """`title  right/asked  unknown n  wrong n`."""
        asked = self.right + self.unknown + len(self.wrong)
        return f"{title:34} {self.right:4}/{asked:<4} unknown {self.unknown:<3} wrong {len(self.wrong)}"


def record_of(path: Path) -> Architecture:
    """One config of the folder, read as the product reads it."""
    name = "params.json" if path.name == "params.json" else "config.json"
    return read(RepoFiles(name="/".join(path.parts[-3:-1]), files={name: path.read_bytes()}))


def measure(shared: Path) -> dict[str, Score]:
    """Every measure by its title."""
    scores: dict[str, Score] = {}
    for title, name, found, wanted in (*_counts(shared), *_traced(shared), *_table(shared)):
        scores.setdefault(title, Score()).add(name, found, wanted)
    return scores


Answer = tuple[str, str, Any, Any]


def _counts(shared: Path) -> Iterator[Answer]:
    for name, exact in json.loads((shared / "arch/meta_counts.json").read_text()).items():
        path = shared / f"corpus/configs/{name}/config.json"
        if "text" not in exact or not path.is_file():
            continue
        record = record_of(path)
        yield "parameters.text", name, record.parameters.text, exact["text"]
        yield "parameters.total", name, record.parameters.total, exact["total"]
        yield "parameters.active", name, record.parameters.active, exact.get("active_wo_embed_in")


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
        roped = set(trace.get("rope_layers") or [])
        for title, ask in (("norm", _norm), ("qk_norm", _qk)):
            yield title, name, ask(layers, trace), True
        softmax = {i for kind in trace["kinds"] for i in kind["layers"] if any(_attends(op) for op in kind["ops"])}
        flags = [layer.rope for i, layer in enumerate(layers) if i in softmax]
        wanted = [i in roped for i in range(len(layers)) if i in softmax]
        yield "rope per layer", name, None if None in flags else flags, wanted
        parallel = any(kind["parallel"] for kind in trace["kinds"])
        yield "parallel", name, record.residual.parallel, parallel


def _attends(operation: str) -> bool:
    """A softmax of the mixer, not of a router."""
    module, _, name = operation.partition(":")
    return "softmax" in name and not module.startswith(("mlp", "feed_forward", "ffn", "block_sparse_moe"))


def expanded(record: Architecture) -> list[Any]:
    """The kind of every layer, in order."""
    from watcher.compare.stack import expand

    kinds = {kind.id: kind for kind in record.layers.kinds}
    return [kinds[item] for item in expand(record.layers.sequence or "") or []]


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


def _table(shared: Path) -> Iterator[Answer]:
    """An expert's published table, for models whose config is at hand."""
    for row in json.loads((shared / "gallery/facts.json").read_text()):
        if not row["config"] or row["config_is"] not in ("exact", "sibling", "repr"):
            continue
        record = record_of(shared / "corpus" / row["config"])
        yield "decoder type", row["title"], record.decoder_type, TYPES.get(row["decoder_type"], row["decoder_type"])
        nominal = record.kv_cache.nominal_bytes_per_token
        kib = None if nominal is None else round(nominal / 1024, 1)
        yield "KV cache per token", row["title"], kib, row["kv_cache_kib_per_token"]


def main() -> int:
    """Print the measures."""
    shared = shared_folder()
    if not shared.is_dir():
        sys.stderr.write(f"{shared}: no research folder; set WATCHER_SHARED\n")
        return 1
    for title, score in measure(shared).items():
        sys.stdout.write(score.line(title) + "\n")
        for line in score.wrong if "-v" in sys.argv else ():
            sys.stdout.write(f"    {line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
