"""Packed weights are unpacked in the count, whatever packs them; what nobody knows is not counted."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from checkpoints import CONFIG, HEADS, KV, SAMPLES, TOTAL, WIDE, D, H, Stored, V, checkpoint, gptq, header, whole_file

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.weights.packing import PACKINGS, Quantized
from watcher.architecture.weights.tensors import Tensor
from watcher.architecture.weights.unpack import Unpacker
from watcher.architecture.witness import RepoFiles


def of(stored: Stored, config: dict[str, Any]) -> Architecture:
    return read(
        RepoFiles(
            name="maker/model",
            files={"config.json": json.dumps(config).encode()},
            headers={"model.safetensors": header(stored)},
            sizes={"model.safetensors": 1, "config.json": 1},
        )
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_every_packing_comes_to_the_true_count(name: str) -> None:
    sample = SAMPLES[name]
    record = of(sample.stored(), sample.full_config())
    assert record.parameters.total == TOTAL, record.unknown
    assert record.evidence["parameters.total"].witness == "weights"
    assert record.layers.count == 2


def test_every_row_of_the_table_has_a_sample() -> None:
    used = set()
    for sample in SAMPLES.values():
        tensors = [Tensor(name, "f", shape, dtype) for name, (dtype, shape) in sample.stored().items()]
        unpacker = Unpacker(tensors, Quantized(method=str(sample.quantization.get("quant_method", ""))))
        used |= {row.name for row in PACKINGS for tensor in tensors if unpacker.row(tensor) is row}
    assert used | {"FP-Quant"} == {row.name for row in PACKINGS}


def test_a_header_is_what_its_file_begins_with() -> None:
    data = whole_file(checkpoint(gptq(4)))
    (length,) = struct.unpack("<Q", data[:8])
    assert data[8 : 8 + length] == header(checkpoint(gptq(4)))
    assert (
        len(data)
        == 8
        + length
        + json.loads(data[8 : 8 + length])["model.layers.1.post_attention_layernorm.weight"]["data_offsets"][1]
    )


def unpacked(stored: Stored, name: str, quantized: Quantized | None = None) -> int:
    tensors = {item: Tensor(item, "a.safetensors", shape, dtype) for item, (dtype, shape) in stored.items()}
    return Unpacker(tensors.values(), quantized or Quantized()).count(tensors[name])


def test_a_scale_without_what_it_scales_is_a_parameter() -> None:
    router: Stored = {"layers.0.router.scale": ("BF16", (H,)), "layers.0.router.proj.weight": ("BF16", (8, H))}
    assert unpacked(router, "layers.0.router.scale") == H
    beside: Stored = {"layers.0.up.scale": ("F32", (1, 1)), "layers.0.up.weight": ("F8_E4M3", (H, H))}
    assert unpacked(beside, "layers.0.up.scale") == 0
    assert unpacked({"norm.scale": ("BF16", (H,))}, "norm.scale") == H


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ({"layers.0.up.weight": ("X3_NEW", (H, H))}, "stored as X3_NEW, a type that is not known"),
        ({"layers.0.up.Qidxs": ("I32", (H, H))}, "packed in a way that is not known"),
        ({"layers.0.up.qweight": ("I32", (H, H))}, "nothing tells how"),
    ],
)
def test_what_nobody_knows_how_to_unpack_is_not_counted(stored: Stored, why: str) -> None:
    config = CONFIG | {"quantization_config": {"quant_method": "mystery"}}
    record = of(checkpoint(lambda stem, rows, columns: {f"{stem}.weight": ("BF16", (rows, columns))}) | {
        f"model.{name}": value for name, value in stored.items()
    }, config)  # fmt: skip
    assert record.parameters.total is None
    assert any(why in item.why for item in record.unknown if item.fact == "parameters.total")


MISTRAL = {
    "dim": H,
    "n_layers": 2,
    "head_dim": D,
    "hidden_dim": WIDE,
    "n_heads": HEADS,
    "n_kv_heads": KV,
    "vocab_size": V,
}
PARTS = {
    "attention.wq": (HEADS * D, H),
    "attention.wk": (KV * D, H),
    "attention.wv": (KV * D, H),
    "attention.wo": (H, HEADS * D),
    "feed_forward.w1": (WIDE, H),
    "feed_forward.w2": (H, WIDE),
    "feed_forward.w3": (WIDE, H),
}


def test_mistrals_own_checkpoint_is_counted() -> None:
    stored: Stored = {"tok_embeddings.weight": ("BF16", (V, H)), "output.weight": ("BF16", (V, H))}
    stored["norm.weight"] = ("BF16", (H,))
    for index in range(2):
        for name, shape in PARTS.items():
            stored[f"layers.{index}.{name}.weight"] = ("F8_E4M3", shape)
            stored[f"layers.{index}.{name}.qscale_weight"] = ("F32", ())
        stored |= {f"layers.{index}.{name}_norm.weight": ("BF16", (H,)) for name in ("attention", "ffn")}
    files = {"params.json": json.dumps(MISTRAL).encode()}
    heads = {"consolidated.safetensors": header(stored)}
    record = read(RepoFiles(name="maker/model", files=files, headers=heads, sizes={"consolidated.safetensors": 1}))
    assert record.parameters.total == TOTAL
    assert record.tied_embeddings is False
    assert record.evidence["parameters.total"].witness == "weights"
    assert record.evidence["parameters.total"].doubt is None
