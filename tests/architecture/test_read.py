"""config.json → record: encodings of the field, evidence for every fact, and odd values that are unknown, not wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watcher.architecture.config_file import raw_config
from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.witness import RepoFiles
from watcher.baselines.catalog import load_catalog
from watcher.demo.models import baseline_of

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "rope_theta": 500000.0,
}


def of(config: dict[str, Any] | bytes, name: str = "config.json", **more: Any) -> Architecture:
    data = config if isinstance(config, bytes) else json.dumps(config).encode()
    return read(RepoFiles(name="maker/model", files={name: data}, **more))


def real(name: str, **changes: Any) -> Architecture:
    return of(dict(baseline_of(name).config) | changes)


def test_a_plain_dense_decoder_to_the_last_weight() -> None:
    record = of(LLAMA)
    assert record.parameters.total == 8030261248, "Llama 3 8B"
    assert record.parameters.active == 8030261248 - 128256 * 4096
    assert record.decoder_type == "dense"
    assert record.layers.pattern == "32×(gqa+dense)"
    assert record.kv_cache.bytes_per_token == 32 * 2 * 2 * 8 * 128
    assert record.memory.weights_bytes["bf16"] == 2 * 8030261248
    assert record.position.rope_theta == 500000


@pytest.mark.parametrize(("heads", "kv", "kind"), [(32, 32, "mha"), (32, 8, "gqa"), (32, 1, "mqa"), (32, None, "mha")])
def test_attention_by_its_key_value_heads(heads: int, kv: int | None, kind: str) -> None:
    config = LLAMA | {"num_attention_heads": heads, "num_key_value_heads": kv}
    assert of(config).attention.kinds == (kind,)


SPELLINGS = [
    {"n_layer": 12, "n_embd": 768, "n_head": 12, "n_positions": 1024, "vocab_size": 50257, "model_type": "gpt2"},
    {
        "dim": 4096,
        "n_layers": 32,
        "n_heads": 32,
        "n_kv_heads": 8,
        "head_dim": 128,
        "hidden_dim": 14336,
        "vocab_size": 9,
    },
]


@pytest.mark.parametrize("config", SPELLINGS)
def test_other_spellings_of_the_same_things(config: dict[str, Any]) -> None:
    record = of(config, "params.json" if "dim" in config else "config.json")
    assert record.layers.count in (12, 32)
    assert record.hidden_size in (768, 4096)
    assert record.attention.num_attention_heads in (12, 32)


def test_mla_and_moe() -> None:
    record = real("deepseek-ai/DeepSeek-V3")
    assert record.layers.pattern == "3×(mla+dense) 58×(mla+moe)"
    assert record.attention.mla is not None
    assert record.attention.mla.kv_lora_rank == 512
    assert record.parameters.total == 671026404352
    assert record.kv_cache.bytes_per_token == 61 * 576 * 2


def test_sliding_and_full_layers_keep_their_order_and_window() -> None:
    record = real("openai/gpt-oss-120b")
    assert record.layers.sequence == "(A B)18"
    assert [kind.window for kind in record.layers.kinds] == [128, None]
    held = record.kv_cache.at["131072"]
    assert held is not None
    assert record.kv_cache.bytes_per_token is not None
    assert held < record.kv_cache.bytes_per_token * 131072


def test_a_hybrid_has_a_constant_state() -> None:
    record = real("Qwen/Qwen3-Next-80B-A3B-Instruct")
    assert record.decoder_type == "sparse-hybrid"
    assert record.layers.sequence == "(A3 B)12"
    assert record.kv_cache.state_bytes
    assert record.kv_cache.bytes_per_token == 12 * 2 * 2 * 2 * 256


def test_a_nested_text_part_and_a_tower() -> None:
    config = {"model_type": "gemma3", "text_config": dict(baseline_of("google/gemma-3-27b-it").config["text_config"])}
    config["vision_config"] = {"hidden_size": 1152, "num_hidden_layers": 27, "model_type": "siglip_vision_model"}
    record = of(config)
    assert record.model.modalities == ("text", "image")
    assert record.towers[0].layers == 27
    assert record.parameters.total is None
    assert record.is_unknown("parameters.total")
    assert record.parameters.text
    assert record.evidence["hidden_size"].where == "config.json: text_config.hidden_size"


def test_quantisation_is_read_and_changes_no_count() -> None:
    plain = of(LLAMA)
    packed = of(LLAMA | {"quantization_config": {"quant_method": "awq", "bits": 4}})
    assert packed.quantization is not None
    assert (packed.quantization.method, packed.quantization.bits) == ("awq", 4)
    assert packed.parameters.total == plain.parameters.total


def test_a_family_nobody_has_read_is_not_taken_for_its_nearest() -> None:
    record = of(LLAMA | {"model_type": "brandnew", "architectures": ["BrandNewForCausalLM"], "warp_factor": 9})
    assert record.novel.config_keys == ("warp_factor",)
    assert record.novel.classes == ("BrandNewForCausalLM",)
    assert record.parameters.total is None
    assert record.norm.placement is None
    assert record.is_unknown("norm.placement")
    assert record.layers.count == 32, "what the config says is still told"


ODD = ["61", None, -3, 0, 61.5, True, [61], {"a": 1}, 10**30, float("inf")]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("key", ["num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size"])
def test_a_senseless_value_is_unknown_with_its_key(key: str, value: Any) -> None:
    record = of(json.dumps(LLAMA | {key: value}).encode())
    facts = {"num_hidden_layers": "layers", "num_attention_heads": "layers"}
    if value == 61.5 or value is None or not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        fact = facts.get(key, key)
        assert record.is_unknown(fact) or record.is_unknown(f"{fact}.count") or record.parameters.total is None
    json.dumps(record.to_dict(), allow_nan=False)


BROKEN = {
    "a list": b"[1, 2]",
    "a string": b'"x"',
    "nothing": b"",
    "half": b'{"num_hidden',
    "deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not text": b"\xff\xfe\x00",
    "html": b"<!DOCTYPE html>",
    "long number": b'{"a": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_a_record_of_unknowns_with_one_reason(data: bytes) -> None:
    record = of(data)
    assert record.layers.count is None
    reasons = {item.why for item in record.unknown if item.fact in ("layers", "decoder_type")}
    assert len(reasons) == 1
    assert "config.json" in reasons.pop()


def test_byte_order_marks_comments_of_nobody_and_nan() -> None:
    assert of(b"\xef\xbb\xbf" + json.dumps(LLAMA).encode()).layers.count == 32
    assert of(b'{"num_hidden_layers": NaN, "model_type": "llama"}').is_unknown("layers")


def test_every_fact_has_evidence_or_a_reason() -> None:
    for baseline in load_catalog().baselines:
        record = baseline.record
        for fact in ("layers.count", "hidden_size", "vocab_size", "decoder_type", "norm.placement", "parameters.text"):
            value: Any = record
            for part in fact.split("."):
                value = getattr(value, part)
            assert (value is not None) == (fact in record.evidence), (baseline.name, fact)
            assert value is not None or record.is_unknown(fact), (baseline.name, fact)


def test_the_unread_have_a_record_too() -> None:
    record = read(RepoFiles(name="maker/gated", hub={"gated": "manual", "stored_parameters": 7}))
    assert {item.why for item in record.unknown} == {"gated"}
    assert record.parameters.stored == 7
    assert raw_config(RepoFiles(name="x")) == (None, None, "there is no config.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["llama", "gqa"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=10,
)
KEYS = st.sampled_from(sorted({key for item in load_catalog().baselines for key in item.config} | set(LLAMA)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(load_catalog().baselines) - 1), st.dictionaries(KEYS, VALUES, max_size=6))
def test_whatever_stands_in_a_config_a_record_comes_out(which: int, changes: dict[str, Any]) -> None:
    config = dict(load_catalog().baselines[which].config) | changes
    record = of(json.dumps(config).encode())
    data = json.loads(json.dumps(record.to_dict(), allow_nan=False))
    assert Architecture.from_dict(data) == record


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_bytes_come_a_record_comes_out(data: bytes) -> None:
    json.dumps(of(data).to_dict(), allow_nan=False)
