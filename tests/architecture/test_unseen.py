"""Models that no baseline has, as their makers publish them: what an expert says of each, and what nobody can say."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles


@cache
def shipped() -> Reference:
    return Reference.shipped()


def of(architecture: str = "", **config: Any) -> Architecture:
    data = {"architectures": [architecture], **config} if architecture else config
    return read(RepoFiles(name="maker/model", files={"config.json": json.dumps(data).encode()}), reference=shipped())


def unknown(record: Architecture) -> set[str]:
    return {item.fact for item in record.unknown}


def test_gpt_j_rotates_a_part_of_heads_whose_size_follows_and_is_four_times_as_wide_inside() -> None:
    record = of(
        "GPTJForCausalLM", model_type="gptj", n_embd=4096, n_head=16, n_inner=None, n_layer=28, n_positions=2048,
        rotary_dim=64, vocab_size=50400, tie_word_embeddings=False,
    )  # fmt: skip
    assert record.position.kinds == ("partial-rope",)
    assert record.position.partial_rotary_factor == 0.25
    assert record.feed_forward.intermediate_size == 16384
    assert record.parameters.total == 6_050_882_784


def test_gpt_neo_alternates_windows_by_groups() -> None:
    record = of(
        "GPTNeoForCausalLM", model_type="gpt_neo", attention_types=[[["global", "local"], 12]], hidden_size=2048,
        num_heads=16, num_layers=24, window_size=256, vocab_size=50257, max_position_embeddings=2048,
    )  # fmt: skip
    assert record.layers.pattern == "12×[1×(mha+dense) 1×(sliding+dense)]"
    assert record.attention.sliding_window == 256


HUNYUAN = {
    "model_type": "hunyuan_v1_moe", "hidden_size": 4096, "intermediate_size": 3072, "num_attention_heads": 32,
    "num_key_value_heads": 8, "num_hidden_layers": 32, "head_dim": 128, "num_experts": 64, "moe_topk": [8] * 32,
    "moe_intermediate_size": [3072] * 32, "num_shared_expert": [1] * 32, "vocab_size": 128167, "use_qk_norm": True,
    "tie_word_embeddings": True,
}  # fmt: skip


def test_lists_that_say_the_same_of_every_layer_are_one_number() -> None:
    record = of("HunYuanMoEV1ForCausalLM", **HUNYUAN)
    assert record.moe is not None
    assert (record.moe.num_experts_per_tok, record.moe.moe_intermediate_size, record.moe.num_shared_experts) == (
        8, 3072, 1,
    )  # fmt: skip
    differing = of("HunYuanMoEV1ForCausalLM", **{**HUNYUAN, "moe_topk": [8, 4] * 16})
    assert "moe.num_experts_per_tok" in unknown(differing)


SEARCHED = {
    "model_type": "nemotron-nas", "hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 3,
    "num_key_value_heads": None, "intermediate_size": None, "vocab_size": 128256,
    "block_configs": [
        {"attention": {"n_heads_in_group": 8, "no_op": False}, "ffn": {"ffn_mult": 5.25, "no_op": False}},
        {"attention": {"n_heads_in_group": None, "no_op": True}, "ffn": {"ffn_mult": 1.3125, "no_op": False}},
        {"attention": {"n_heads_in_group": 16, "no_op": False}, "ffn": {"ffn_mult": None, "no_op": True}},
    ],
}  # fmt: skip


def test_blocks_that_a_search_left_out_keep_nothing() -> None:
    record = of("DeciLMForCausalLM", **SEARCHED)
    assert record.layers.pattern == "1×(gqa+dense) 1×(none+dense) 1×(gqa)"
    assert [kind.num_key_value_heads for kind in record.layers.kinds] == [8, None, 4]
    assert record.kv_cache.bytes_per_token == 2 * 2 * 128 * (8 + 4)
    assert record.decoder_type == "dense"


def test_mixers_without_a_pattern_are_unknown_and_not_attention() -> None:
    samba = {"hidden_size": 2560, "num_attention_heads": 40, "num_key_value_heads": 20, "num_hidden_layers": 32,
             "mamba_d_state": 16, "mamba_expand": 2, "mb_per_layer": 2, "vocab_size": 200064}  # fmt: skip
    record = of("Phi4FlashForCausalLM", model_type="phi4flash", **samba)
    assert record.decoder_type is None
    assert record.kv_cache.bytes_per_token is None
    assert {"layers", "decoder_type", "kv_cache.bytes_per_token"} <= unknown(record)


def test_a_word_that_nobody_knows_stays_and_what_it_keeps_is_unknown() -> None:
    types = ["jet", "attn", "swa", "jet"]
    record = of(
        "JetForCausalLM", model_type="jet", layer_types=types, hidden_size=1536, num_hidden_layers=4,
        num_attention_heads=12, num_key_value_heads=2, sliding_window=1152, vocab_size=1000,
    )  # fmt: skip
    assert record.layers.pattern == "1×(jet+dense) 1×(gqa+dense) 1×(sliding+dense) 1×(jet+dense)"
    assert {"decoder_type", "kv_cache.bytes_per_token", "kv_cache.state_bytes"} <= unknown(record)


def test_a_stack_without_heads_is_unknown() -> None:
    record = of("Rwkv5ForCausalLM", model_type="rwkv5", hidden_size=4096, num_hidden_layers=32, vocab_size=65536)
    assert record.layers.pattern is None
    assert "layers" in unknown(record)


GROK = {
    "model_type": "git", "hidden_size": 8192, "intermediate_size": 32768, "num_attention_heads": 64,
    "num_key_value_heads": 8, "num_hidden_layers": 64, "head_dim": 128, "num_local_experts": 8,
    "num_experts_per_tok": 2, "moe_intermediate_size": 16384, "vocab_size": 131072, "residual_moe": True,
}  # fmt: skip


def test_a_class_that_is_none_of_its_model_type_is_not_read_as_that_type() -> None:
    record = of("Grok1ForCausalLM", **GROK)
    assert record.parameters.total is None
    assert record.novel.classes == ("Grok1ForCausalLM",)
    assert record.norm.placement is None
    assert record.evidence["layers.pattern"].doubt
    assert record.moe is not None
    assert record.moe.num_shared_experts == 1, "what every token passes, beside the experts"


def test_a_bias_on_the_choice_of_experts_is_seen_in_code_keys_and_tensors() -> None:
    def bias(**config: Any) -> tuple[bool | None, str]:
        record = of(**config)
        assert record.moe is not None
        where = record.evidence.get("moe.router_bias")
        return record.moe.router_bias, where.witness if where else ""

    assert bias(model_type="deepseek_v3") == (True, "reference")
    assert bias(model_type="qwen3_moe") == (False, "reference")
    assert bias(**{**GROK, "model_type": "x"}) == (None, "")
    assert bias(**{**GROK, "model_type": "x", "use_routing_bias": True}) == (True, "config")


def test_layers_that_route_by_a_hash_are_told() -> None:
    record = of("DeepseekV4ForCausalLM", model_type="deepseek_v4", num_hash_layers=3)
    assert record.moe is not None
    assert record.moe.hash_layers == 3
    assert record.evidence["moe.hash_layers"].where == "config.json: num_hash_layers"


def test_a_class_that_does_not_read_how_deep_the_model_is_tells_no_counts() -> None:
    record = of(
        "LlavaLlamaForCausalLM", model_type="llava", hidden_size=5120, intermediate_size=13824, num_attention_heads=40,
        num_hidden_layers=40, num_key_value_heads=40, vocab_size=32000, mm_vision_tower="openai/clip",
    )  # fmt: skip
    assert record.layers.count == 40
    assert record.parameters.text is None
    assert record.feed_forward.intermediate_size == 13824


def test_the_language_model_inside_of_an_unknown_one_is_counted() -> None:
    inner = {
        "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "hidden_size": 2560,
        "intermediate_size": 12288, "kv_lora_rank": 512, "q_lora_rank": None, "moe_intermediate_size": 1536,
        "n_routed_experts": 72, "n_shared_experts": 2, "num_attention_heads": 32, "num_key_value_heads": 32,
        "num_experts_per_tok": 6, "num_hidden_layers": 30, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
        "v_head_dim": 128, "vocab_size": 129280, "first_k_dense_replace": 1, "scoring_func": "sigmoid",
    }  # fmt: skip
    vision = {"layers": 27, "width": 1152, "model_type": "vision"}
    record = of("DeepseekVLV2ForCausalLM", model_type="deepseek_vl_v2", language_config=inner, vision_config=vision)
    assert record.parameters.text is not None
    assert round(record.parameters.text / 1e9, 1) == 27.0
    assert record.parameters.total is None
    assert record.evidence["parameters.text"].doubt, "the code around it was not read"


def test_a_window_that_is_not_narrower_than_the_context_is_none() -> None:
    phi = {"model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_attention_heads": 24,
           "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 200064}  # fmt: skip
    whole = of("Phi3ForCausalLM", **phi, max_position_embeddings=131072, sliding_window=262144)
    assert whole.attention.kinds == ("gqa",)
    cut = of("Phi3ForCausalLM", **phi, max_position_embeddings=4096, sliding_window=2047)
    assert cut.attention.kinds == ("sliding",)


def test_a_dense_model_has_no_router() -> None:
    record = of("NemotronHForCausalLM", model_type="nemotron_h", hybrid_override_pattern="M-M*-", num_hidden_layers=5)
    assert record.moe is None
    assert record.decoder_type == "dense-hybrid"


MIXED = {
    "model_type": "gemma3", "vision_config": {"model_type": "siglip_vision_model"},
    "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 12, "vocab_size": 1000},
}  # fmt: skip


def test_new_keys_around_the_language_part_are_named_too() -> None:
    record = of("Gemma3ForConditionalGeneration", **MIXED, use_ring_attention=True)
    assert record.novel.config_keys == ("use_ring_attention",)
    assert record.evidence["layers.pattern"].doubt == "config.json: use_ring_attention is not known"
    plain = of("Gemma3ForConditionalGeneration", **MIXED)
    assert not plain.novel.config_keys
    assert plain.evidence["layers.pattern"].doubt is None


def unreadable() -> Architecture:
    return read(RepoFiles(name="maker/model", files={"config.json": b"[1]"}), reference=shipped())


def test_a_config_that_cannot_be_read_tells_no_number() -> None:
    record = unreadable()
    assert record.attention.shared_kv_layers is None
    assert record.kv_cache.state_bytes is None
    assert record.residual.streams is None


HYBRID = {
    "model_type": "nemotron_h", "hybrid_override_pattern": "M-M*-", "num_hidden_layers": 5, "hidden_size": 2688,
    "mamba_num_heads": 64, "mamba_head_dim": 64, "ssm_state_size": 128, "num_attention_heads": 32,
    "num_key_value_heads": 2, "head_dim": 128, "vocab_size": 131072,
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "change", "facts"),
    [
        (HYBRID, {"mamba_head_dim": "64"}, ["kv_cache.state_bytes"]),
        (HYBRID, {"num_key_value_heads": 7}, ["attention.num_key_value_heads", "kv_cache.bytes_per_token"]),
        (SEARCHED, {"block_configs": [{"attention": {"no_op": 7}}] * 3}, ["layers"]),
        (SEARCHED, {"block_configs": SEARCHED["block_configs"][:2]}, ["layers"]),
        (MIXED["text_config"], {"layer_types": [""] * 12}, ["layers", "attention.head_dim"]),
        (MIXED["text_config"], {"layer_types": ["full_attention"] * 40}, ["layers"]),
        (MIXED["text_config"], {"rope_parameters": {"full_attention": -1}}, ["position.kinds"]),
        (MIXED["text_config"], {"rope_scaling": {"rope_type": 0}}, ["position.scaling", "position.kinds"]),
        ({"model_type": "kimi_linear"}, {"linear_attn_config": {"full_attn_layers": [""] * 27}}, ["layers"]),
        (GROK, {"model_type": "x", "num_shared_experts": "2"}, ["moe.num_shared_experts"]),
    ],
)  # fmt: skip
def test_what_makes_no_sense_makes_what_follows_unknown(
    config: dict[str, Any], change: dict[str, Any], facts: list[str]
) -> None:
    assert set(facts) <= unknown(of("", **{**config, **change}))


@pytest.mark.parametrize("key", ["hidden_size", "vocab_size", "intermediate_size", "num_key_value_heads"])
def test_a_senseless_size_makes_no_count(key: str) -> None:
    """What code multiplies out of it is no number of parameters."""
    record = of("Qwen2ForCausalLM", **{"model_type": "qwen2", "num_hidden_layers": 2, key: 10**18})
    assert record.parameters.total is None, key
    assert record.memory.weights_bytes["bf16"] is None
    assert all((kind.parameters or 0) < 10**15 for kind in record.layers.kinds)
