"""Files of a real model for the stand-in, out of the catalog: its config, a card, and weights that exist by size."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

from watcher.baselines.catalog import load_catalog
from watcher.baselines.model import Baseline
from watcher.hub.standin.repo import Content, Weights

SHARD = 5 * 10**9
"""Bytes of one weight file, as makers usually cut them."""

MAX_SHARDS = 40


@cache
def _by_name() -> Mapping[str, Baseline]:
    return {name.lower(): item for item in load_catalog().baselines for name in item.names}


def baseline_of(name: str) -> Baseline:
    """The catalog's entry for a model. Raises LookupError."""
    try:
        return _by_name()[name.lower()]
    except KeyError:
        raise LookupError(f"the catalog has no {name}") from None


def model_files(name: str, *, changed: Mapping[str, Any] | None = None, **card: str) -> dict[str, Content]:
    """Everything a repo of this catalogued model holds; `changed` replaces config keys, `card` adds card fields."""
    baseline = baseline_of(name)
    config = dict(baseline.config) | dict(changed or {})
    return {
        "README.md": card_text(name, **card),
        "config.json": config_text(config),
        "tokenizer.json": json.dumps({"version": "1.0", "model": {"type": "BPE"}, "of": name}).encode(),
        **weight_files(baseline),
    }


def config_text(config: Mapping[str, Any]) -> bytes:
    """A config.json."""
    return (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()


def card_text(name: str, *, library_name: str = "transformers", task: str = "text-generation", **fields: str) -> bytes:
    """A model card with front matter."""
    lines = [f"library_name: {library_name}", f"pipeline_tag: {task}", *(f"{k}: {v}" for k, v in fields.items())]
    return ("---\n" + "\n".join(lines) + f"\n---\n\n# {name.rpartition('/')[2]}\n").encode()


def weight_files(baseline: Baseline, *, bytes_per_weight: float = 2.0) -> dict[str, Content]:
    """Shards and their index; the shapes are one tensor a shard, the sum of elements is the model's."""
    parameters = baseline.record.parameters
    elements = parameters.total or parameters.text or 10**9
    count = max(1, min(MAX_SHARDS, round(elements * bytes_per_weight / SHARD)))
    names = [f"model-{i + 1:05d}-of-{count:05d}.safetensors" for i in range(count)]
    files: dict[str, Content] = {}
    index: dict[str, str] = {}
    for position, name in enumerate(names):
        share = elements // count + (elements % count if position == 0 else 0)
        tensor = f"model.part.{position}.weight"
        index[tensor] = name
        files[name] = Weights(round(share * bytes_per_weight) + 4096, safetensors_head({tensor: ("BF16", [share])}))
    total = round(elements * bytes_per_weight)
    files["model.safetensors.index.json"] = json.dumps(
        {"metadata": {"total_size": total}, "weight_map": index}
    ).encode()
    return files


def safetensors_head(tensors: Mapping[str, tuple[str, list[int]]]) -> bytes:
    """The beginning of a safetensors file: length and JSON header."""
    header = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]} for name, (dtype, shape) in tensors.items()
    }
    data = json.dumps(header).encode()
    return struct.pack("<Q", len(data)) + data


def quantised_files(name: str, copy: str, method: str, bits: int) -> dict[str, Content]:
    """A quantised copy of a catalogued model: the same config with a `quantization_config`, smaller weights."""
    baseline = baseline_of(name)
    config = dict(baseline.config) | {"quantization_config": {"quant_method": method, "bits": bits}}
    return {
        "README.md": card_text(copy, base_model=name, base_model_relation="quantized"),
        "config.json": config_text(config),
        **weight_files(baseline, bytes_per_weight=bits / 8),
    }


def gguf_files(name: str, copy: str) -> dict[str, Content]:
    """A GGUF copy: one file and a card."""
    baseline = baseline_of(name)
    elements = baseline.record.parameters.total or baseline.record.parameters.text or 10**9
    return {
        "README.md": card_text(copy, library_name="gguf", base_model=name, base_model_relation="quantized"),
        f"{copy.rpartition('/')[2]}-Q4_K_M.gguf": Weights(elements * 9 // 16, b"GGUF\x03\x00\x00\x00"),
    }
