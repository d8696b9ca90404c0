"""Whom to believe, what is in doubt, and what the reference adds: one record from several witnesses."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from watcher.architecture.belief import Beliefs, order_of
from watcher.architecture.explain import explain
from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.reference import Reference
from watcher.architecture.witness import Fact, Reading, RepoFiles
from watcher.baselines.catalog import load_catalog
from watcher.baselines.library import Library
from watcher.baselines.nearest import nearest
from watcher.compare.compare import compare
from watcher.compare.fingerprint import fingerprint
from watcher.demo.models import baseline_of
from watcher.report.layer_table import layer_lines


@cache
def shipped() -> Reference:
    return Reference.shipped()


def of(config: dict[str, Any], name: str = "maker/model", *, reference: bool = True) -> Architecture:
    files = RepoFiles(name=name, files={"config.json": json.dumps(config).encode()})
    return read(files, reference=shipped() if reference else None)


def real(name: str, **changes: Any) -> Architecture:
    return of({**baseline_of(name).config, **changes}, name)


def test_the_order_of_belief_is_by_fact() -> None:
    config = Reading(witness="config", facts={"vocab_size": Fact(10, "config.json: vocab_size")})
    weights = Reading(witness="weights", facts={"vocab_size": Fact(12, "a.safetensors: embed")})
    beliefs = Beliefs([weights, config])
    assert beliefs.get("vocab_size") == 10
    (found,) = beliefs.disagreements()
    assert found.values == {"config": 10, "weights": 12}
    assert found.where == {"config": "config.json: vocab_size", "weights": "a.safetensors: embed"}
    assert order_of("layers[3].sinks")[0] == "weights"
    assert order_of("norm.placement")[0] == "code"


def test_a_certain_witness_is_believed_before_an_uncertain_one() -> None:
    sure = Reading(witness="reference", facts={"norm.placement": Fact("pre", "transformers 1 modeling_x.py:1")})
    unsure = Reading(witness="code", facts={"norm.placement": Fact("mixed", "modeling_x.py:9", certain=False)})
    assert Beliefs([unsure, sure]).get("norm.placement") == "pre"


def test_prediction_layers_that_only_checkpoints_hold_are_not_denied() -> None:
    """Qwen3-Next's config has no key for them; its class skips `^mtp.*`, and the index names them."""
    config = json.dumps({"model_type": "qwen3_next", "num_hidden_layers": 4}).encode()

    def indexed(*more: str) -> Architecture:
        names = [f"model.layers.{layer}.mlp.gate.weight" for layer in range(4)]
        index = json.dumps({"weight_map": dict.fromkeys([*names, *more], "1.safetensors")}).encode()
        return read(
            RepoFiles(name="m/m", files={"config.json": config, "model.safetensors.index.json": index}),
            reference=shipped(),
        )

    alone = of({"model_type": "qwen3_next", "num_hidden_layers": 4})
    assert alone.mtp_layers is None
    assert alone.parameters.mtp is None
    assert "^mtp.*" in next(item.why for item in alone.unknown if item.fact == "mtp_layers")
    assert indexed().mtp_layers == 0
    assert indexed("mtp.layers.0.mlp.gate.weight").mtp_layers == 1
    assert of({"model_type": "qwen3", "num_hidden_layers": 4}).mtp_layers == 0


def test_a_model_type_without_a_class_of_its_own_is_no_error() -> None:
    record = of({"model_type": "mistral4", "architectures": ["Mistral4ForCausalLM"]})
    assert record.moe is not None


TYPES = ["mamba2", "falcon_h1", "jamba", "bloom", "kimi_linear", "deepseek_v32", "gemma3n_text", "longcat_flash"]


@pytest.mark.parametrize("kind", TYPES)
def test_every_model_type_of_the_reference_is_counted_from_its_name_alone(kind: str) -> None:
    record = of({"model_type": kind})
    assert record.parameters.text
    assert record.layers.count
    assert record.norm.placement
    assert record.kv_cache.state_bytes is not None
    assert record.evidence["parameters.text"].where == record.evidence["parameters.text"].where
    assert str(record.evidence["norm.placement"].where).startswith("transformers ")


def test_states_and_mixers_of_recurrent_families() -> None:
    assert of({"model_type": "mamba2"}).decoder_type == "recurrent"
    both = of({"model_type": "falcon_h1"})
    assert both.decoder_type == "dense-hybrid"
    assert both.kv_cache.bytes_per_token
    assert both.kv_cache.state_bytes
    assert of({"model_type": "bloom"}).position.kinds == ("alibi",)
    rwkv = of({"model_type": "rwkv"})
    assert rwkv.kv_cache.bytes_per_token == 0
    assert rwkv.kv_cache.state_bytes == 32 * (2 * 2 * 4096 + 4 * 3 * 4096), "two shifts in bf16, three sums in fp32"


NEW = {
    "architectures": ["BrandNewForCausalLM"],
    "model_type": "brandnew",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
}


def test_what_an_unknown_key_could_change_is_in_doubt() -> None:
    record = of(NEW | {"warp_attn_factor": 9})
    assert record.layers.pattern == "32×(gqa+dense)"
    assert record.evidence["layers.pattern"].doubt == "config.json: warp_attn_factor is not known"
    assert record.evidence["hidden_size"].doubt is None, "a size that a key states is what it says"
    assert "doubt" not in record.to_dict()["evidence"]["hidden_size"]
    known = of({**NEW, "model_type": "llama", "architectures": ["LlamaForCausalLM"], "warp_attn_factor": 9})
    assert known.evidence["layers.pattern"].doubt, "the reference may be older than the config"
    assert known.evidence["hidden_size"].doubt is None


def test_a_config_without_a_model_type_is_read_by_its_form() -> None:
    inference = {
        "vocab_size": 129280, "dim": 7168, "inter_dim": 18432, "moe_inter_dim": 2048, "n_layers": 61,
        "n_dense_layers": 3, "n_heads": 128, "n_routed_experts": 256, "n_activated_experts": 8, "n_shared_experts": 1,
        "n_expert_groups": 8, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "v_head_dim": 128, "score_func": "sigmoid",
    }  # fmt: skip
    record = of(inference)
    assert record.layers.pattern == "3×(mla+dense) 58×(mla+moe)"
    assert record.kv_cache.bytes_per_token == 70272
    assert record.moe is not None
    assert (record.moe.router, record.moe.groups) == ("sigmoid", 8)
    assert record.evidence["norm.placement"].doubt
    assert record.parameters.total == 671_026_404_352
    assert record.evidence["parameters.total"].doubt == record.evidence["norm.placement"].doubt
    assert str(record.evidence["norm.placement"].doubt).endswith(
        "names no model type; its keys are those of deepseek_v3"
    )


def test_mistrals_own_config_is_counted() -> None:
    own = {
        "dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 32768, "n_heads": 32, "n_kv_heads": 8,
        "rope_theta": 1e9, "norm_eps": 1e-5, "vocab_size": 131072,
    }  # fmt: skip
    files = {"params.json": json.dumps(own).encode()}
    record = read(RepoFiles(name="maker/model", files=files), reference=shipped())
    assert record.layers.pattern == "40×(gqa+dense)"
    assert record.parameters.total == 23_572_403_200
    assert record.evidence["layers.count"].where == "params.json: n_layers"


def test_an_adapter_names_the_model_that_has_the_architecture() -> None:
    adapter = {"peft_type": "LORA", "base_model_name_or_path": "maker/Base-7B", "r": 16}
    record = read(RepoFiles(name="maker/lora", files={"adapter_config.json": json.dumps(adapter).encode()}))
    reasons = {item.why for item in record.unknown}
    assert reasons == {"it only holds weights for maker/Base-7B (LORA adapter), which has the architecture"}
    hostile = {"base_model_name_or_path": "<script>" * 99, "peft_type": ["x"]}
    record = read(RepoFiles(name="maker/lora", files={"adapter_config.json": json.dumps(hostile).encode()}))
    assert record.unknown[0].why == "it only holds weights for another model (adapter), which has the architecture"


def test_copies_are_their_originals_architecture() -> None:
    original = baseline_of("deepseek-ai/DeepSeek-V3").config
    packed = {**original, "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}
    assert fingerprint(of(dict(original))) == fingerprint(of(packed))


def test_losing_group_limited_routing_is_structural_and_other_sizes_are_not() -> None:
    changes = compare(real("deepseek-ai/DeepSeek-V3"), real("moonshotai/Kimi-K2-Instruct")).changes
    found = {change.fact: change.significance.value for change in changes}
    assert found["moe.groups"] == "structural"
    assert found["moe.num_experts"] == "scale"


def test_the_nearest_is_found_by_structure() -> None:
    library = Library()
    moment = library.seen("zai-org/GLM-5")
    assert moment is not None
    earlier = [item for item in load_catalog().baselines if item.date and item.date < "2026-02"]
    match = nearest(real("zai-org/GLM-5"), earlier)
    assert match is not None
    assert match.baseline.name == "deepseek-ai/DeepSeek-V3.2-Exp"
    verdict = compare(real("Qwen/Qwen3-235B-A22B"), real("Qwen/Qwen3-Next-80B-A3B-Instruct")).verdict
    assert verdict.value == "new"


def test_an_explanation_has_the_formula_with_numbers_and_the_line() -> None:
    record = real("deepseek-ai/DeepSeek-V3")
    lines = "\n".join(explain(record, "parameters.active", RepoFiles(name="x")))
    assert "= 671,026,404,352 − 926,679,040 − 633,474,121,728" in lines
    assert "modeling_deepseek_v3.py:" in lines
    assert "3·1,152 (A) + 58·1,152 (B)" in "\n".join(explain(record, "kv_cache.bytes_per_token", RepoFiles(name="x")))


def test_the_table_of_layers_has_the_parameters_and_the_cache_of_each() -> None:
    lines = layer_lines(real("deepseek-ai/DeepSeek-V3"))
    assert lines[1].split()[:4] == ["0-2", "A", "mla", "dense"]
    assert "583,483,392" in lines[1]
    assert "1,152" in lines[1]
    assert lines[2].startswith("3-60")
    assert layer_lines(of({"model_type": "nothing"}))[0].startswith("layers: unknown")
