"""Tensor names, shapes and types → facts: exact counts whatever the packing, and what no config says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checkpoints import CONFIG, HEADS, KV, METADATA, TENSORS, TOTAL, WIDE, D, H, V, gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.reference import Reference
from watcher.architecture.weights.gguf import read_gguf
from watcher.architecture.witness import RepoFiles

BLOCK = {
    "self_attn.q_proj.weight": [HEADS * D, H],
    "self_attn.k_proj.weight": [KV * D, H],
    "self_attn.v_proj.weight": [KV * D, H],
    "self_attn.o_proj.weight": [H, HEADS * D],
    "mlp.gate_proj.weight": [WIDE, H],
    "mlp.up_proj.weight": [WIDE, H],
    "mlp.down_proj.weight": [H, WIDE],
    "input_layernorm.weight": [H],
    "post_attention_layernorm.weight": [H],
}
LAYER = 2 * H * HEADS * D + 2 * H * KV * D + 3 * H * WIDE + 2 * H

Shapes = dict[str, list[int]]


def model(block: Shapes = BLOCK, layers: int = 2, **more: list[int]) -> Shapes:
    named = {f"model.layers.{index}.{name}": shape for index in range(layers) for name, shape in block.items()}
    ends = {"model.embed_tokens.weight": [V, H], "model.norm.weight": [H], "lm_head.weight": [V, H]}
    return named | ends | more


def header(shapes: Shapes, kinds: dict[str, str] | None = None) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, shape in shapes.items():
        kind = next((kind for end, kind in (kinds or {}).items() if name.endswith(end)), "BF16")
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [0, 0]}
    return json.dumps(entries).encode()


def of(shapes: Shapes, kinds: dict[str, str] | None = None, **config: Any) -> Architecture:
    return read(
        RepoFiles(
            name="maker/model",
            files={"config.json": json.dumps(CONFIG | config).encode()},
            headers={"model.safetensors": header(shapes, kinds)},
            sizes={"model.safetensors": 1, "config.json": 1},
        )
    )


def test_shapes_count_a_model_whose_code_nobody_has_read() -> None:
    record = of(model())
    assert record.parameters.total == record.parameters.text == record.parameters.stored == TOTAL
    assert record.parameters.active == TOTAL - V * H
    assert record.layers.kinds[0].parameters == LAYER
    assert record.evidence["parameters.total"].witness == "weights"
    assert record.evidence["parameters.total"].where == "model.safetensors"


def test_a_head_that_is_stored_although_it_is_tied_counts_once() -> None:
    record = of(model(), tie_word_embeddings=True)
    assert record.parameters.total == TOTAL - V * H
    assert record.parameters.stored == TOTAL
    assert "tied_embeddings" in [item.fact for item in record.disagreements]


def test_no_head_is_stored_when_it_is_tied() -> None:
    shapes = {name: shape for name, shape in model().items() if name != "lm_head.weight"}
    config = {key: value for key, value in CONFIG.items() if key != "tie_word_embeddings"}
    files = RepoFiles(
        name="m/m",
        files={"config.json": json.dumps(config).encode()},
        headers={"model.safetensors": header(shapes)},
        sizes={"model.safetensors": 1},
    )
    record = read(files)
    assert record.tied_embeddings is True
    assert record.evidence["tied_embeddings"].witness == "weights"


@pytest.mark.parametrize(
    ("more", "fact", "value"),
    [
        ({"self_attn.q_norm.weight": [D], "self_attn.k_norm.weight": [D]}, "qk_norm", "per-head"),
        ({"self_attn.q_norm.weight": [HEADS * D], "self_attn.k_norm.weight": [KV * D]}, "qk_norm", "full"),
        ({"self_attn.sinks": [HEADS]}, "sinks", True),
        ({"self_attn.g_proj.weight": [HEADS * D, H]}, "gate", "sigmoid"),
    ],
)
def test_names_show_what_no_key_says(more: Shapes, fact: str, value: object) -> None:
    record = of(model(BLOCK | more))
    assert getattr(record.layers.kinds[0], fact) == value
    assert str(record.evidence[f"layers.kinds.A.{fact}"].where).startswith("model.safetensors: model.layers.0.")


def test_biases_experts_and_prediction_layers() -> None:
    dense = {name: shape for name, shape in BLOCK.items() if not name.startswith("mlp")}
    sparse = dense | {
        f"mlp.experts.{i}.{part}_proj.weight": [8, H] for i in range(6) for part in ("up", "gate", "down")
    }
    sparse |= {"mlp.gate.weight": [6, H], "self_attn.q_proj.bias": [HEADS * D]}
    shapes = model(sparse, layers=3)
    record = of(shapes, num_experts_per_tok=2, num_experts=6, moe_intermediate_size=8)
    assert record.attention.bias is True
    assert record.moe is not None
    assert record.moe.num_experts == 6
    assert record.mtp_layers == 1, "the third block is behind the two that the config tells"
    assert record.parameters.mtp is not None
    assert record.parameters.stored is not None
    assert record.parameters.total == record.parameters.stored - record.parameters.mtp
    experts = 2 * 6 * 3 * 8 * H
    assert record.parameters.active_with_embedding == record.parameters.text - experts + experts * 2 // 6  # type: ignore[operator]


def test_a_pruned_copy_disagrees_with_its_config() -> None:
    dense = {name: shape for name, shape in BLOCK.items() if not name.startswith("mlp")}
    pruned = dense | {f"mlp.experts.{index}.up_proj.weight": [8, H] for index in range(4)}
    record = of(model(pruned), num_experts=6, num_experts_per_tok=2)
    found = next(item for item in record.disagreements if item.fact == "moe.num_experts")
    assert found.values == {"config": 6, "weights": 4}
    assert found.where["weights"].endswith("experts.3.up_proj.weight")


def test_an_index_names_tensors_and_states_a_count() -> None:
    index = {"metadata": {"total_parameters": TOTAL}, "weight_map": dict.fromkeys(model(), "a.safetensors")}
    files = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors.index.json": json.dumps(index).encode()}
    record = read(RepoFiles(name="m/m", files=files))
    assert record.parameters.stored == TOTAL
    assert record.attention.bias is False
    assert record.tied_embeddings is False


def test_new_tensor_names_are_novel() -> None:
    assert of(model(BLOCK | {"self_attn.warp_drive.weight": [H]})).novel.tensor_names == (
        "model.layers.N.self_attn.warp_drive.weight",
    )


def test_tensors_alone_say_what_they_can() -> None:
    record = read(RepoFiles(name="m/m", headers={"model.safetensors": header(model())}, sizes={"model.safetensors": 1}))
    assert (record.layers.count, record.vocab_size, record.hidden_size) == (2, V, H)
    assert record.parameters.total == TOTAL
    assert record.is_unknown("norm.placement")


# --- GGUF ------------------------------------------------------------------------------------------------------------


def test_a_gguf_file_is_read_like_a_config() -> None:
    files = RepoFiles(name="m/m-GGUF", headers={"m.gguf": gguf(METADATA, TENSORS)}, sizes={"m.gguf": 9})
    record = read(files)
    assert record.model.family == "qwen3"
    assert record.layers.pattern == "2×(gqa+dense)"
    assert record.layers.kinds[0].qk_norm == "per-head"
    assert record.vocab_size == V
    assert record.evidence["context_length"].where == "m.gguf: qwen3.context_length"
    assert record.parameters.total == 2 * (LAYER + 2 * D) + V * H + H
    assert record.tied_embeddings is True
    assert record.quantization is not None
    assert (record.quantization.method, record.quantization.bits) == ("gguf", 4)
    both = read(files, reference=Reference.shipped())
    assert both.parameters.total == record.parameters.total
    assert both.disagreements == ()


def test_a_split_gguf_file_is_read_from_all_of_its_parts() -> None:
    parts = [dict(list(TENSORS.items())[:9]), dict(list(TENSORS.items())[9:])]
    names = [f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    heads = {
        names[0]: gguf(METADATA | {"split.count": 2}, parts[0]),
        names[1]: gguf({"split.count": 2}, parts[1]),
    }
    record = read(RepoFiles(name="m/m-GGUF", headers=heads, sizes=dict.fromkeys(names, 9)))
    assert record.parameters.total == 2 * (LAYER + 2 * D) + V * H + H
    only = read(RepoFiles(name="m/m-GGUF", headers={names[0]: heads[names[0]]}, sizes=dict.fromkeys(names, 9)))
    assert only.layers.pattern == "2×(gqa+dense)"
    assert only.parameters.total != record.parameters.total


def test_a_cut_off_gguf_file_tells_what_it_has() -> None:
    whole = gguf(METADATA, TENSORS)
    found = read_gguf(whole[: len(whole) // 2])
    assert found.problem == "ends before its header does"
    assert found.metadata["qwen3.block_count"] == 2


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2000))
def test_whatever_bytes_a_header_has_a_record_comes_out(data: bytes, cut: int) -> None:
    whole = gguf(METADATA, TENSORS)
    for name, head in (("m.gguf", whole[:cut] + data), ("model.safetensors", data), ("model.safetensors", b"{" + data)):
        record = read(RepoFiles(name="m/m", headers={name: head}, sizes={name: 1}))
        json.dumps(record.to_dict(), allow_nan=False)


HOSTILE: list[Any] = [-1, 2**70, "64", None, [], 1.5, True, 10**18]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_senseless_shapes_are_refused(value: Any) -> None:
    data = json.dumps({"model.norm.weight": {"dtype": "BF16", "shape": [value, 3], "data_offsets": [0, 1]}}).encode()
    files = {"config.json": json.dumps(CONFIG).encode()}
    record = read(RepoFiles(name="m/m", files=files, headers={"model.safetensors": data}))
    assert record.parameters.total is None
    assert record.parameters.stored is None
