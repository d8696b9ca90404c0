"""GGUF metadata → the config it stands for, with what evidence calls each key.

The keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's gguf-py/gguf/constants.py.
"""

from __future__ import annotations

from typing import Any

from watcher.architecture.weights.gguf import Gguf
from watcher.architecture.weights.tensors import Tensors

ARCHITECTURES = {
    "deepseek2": "deepseek_v3",
    "gemma3": "gemma3_text",
    "gemma4": "gemma4_text",
    "gpt-oss": "gpt_oss",
    "qwen2moe": "qwen2_moe",
    "qwen3moe": "qwen3_moe",
    "qwen3next": "qwen3_next",
    "qwen35": "qwen3_5_text",
    "qwen35moe": "qwen3_5_moe_text",
    "glm4moe": "glm4_moe",
    "glm-dsa": "glm_moe_dsa",
    "minimax-m2": "minimax_m2",
    "nemotron_h_moe": "nemotron_h",
    "hunyuan-moe": "hunyuan_v1_moe",
    "hunyuan-dense": "hunyuan_v1_dense",
    "granitehybrid": "granitemoehybrid",
    "falcon-h1": "falcon_h1",
    "command-r": "cohere",
    "llama4": "llama4_text",
    "mistral3": "ministral3",
    "mistral4": "mistral4",
    "smollm3": "smollm3",
    "seed_oss": "seed_oss",
    "kimi-linear": "kimi_linear",
    "gptneox": "gpt_neox",
    "phi2": "phi",
    "exaone4": "exaone4",
}
"""`general.architecture` → model type, where the names differ; others are spelled alike."""

KEYS = {
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "context_length": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.value_length": "v_head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.layer_norm_epsilon": "layer_norm_eps",
    "attention.sliding_window": "sliding_window",
    "attention.q_lora_rank": "q_lora_rank",
    "attention.kv_lora_rank": "kv_lora_rank",
    "attention.indexer.head_count": "index_n_heads",
    "attention.indexer.key_length": "index_head_dim",
    "attention.indexer.top_k": "index_topk",
    "attention.shared_kv_layers": "num_kv_shared_layers",
    "embedding_length_per_layer_input": "hidden_size_per_layer_input",
    "rope.freq_base": "rope_theta",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
    "expert_feed_forward_length": "moe_intermediate_size",
    "expert_shared_count": "n_shared_experts",
    "expert_shared_feed_forward_length": "shared_expert_intermediate_size",
    "expert_group_count": "n_group",
    "leading_dense_block_count": "first_k_dense_replace",
    "nextn_predict_layers": "num_nextn_predict_layers",
    "full_attention_interval": "full_attention_interval",
    "ssm.conv_kernel": "conv_kernel",
    "ssm.state_size": "ssm_state_size",
    "ssm.group_count": "n_groups",
    "ssm.time_step_rank": "mamba_num_heads",
    "shortconv.l_cache": "conv_L_cache",
}
"""Metadata key without its architecture → config key."""

EMBEDDING, HEAD = "token_embd.weight", "output.weight"

GATING = {1: "softmax", 2: "sigmoid", 3: "softmax"}
TOKENS = "tokenizer.ggml.tokens"


def as_config(tensors: Tensors) -> tuple[dict[str, Any], dict[str, str]] | None:
    """(config, evidence names by key); None when the metadata names no architecture."""
    found = tensors.gguf
    name = found.metadata.get("general.architecture") if found is not None else None
    if found is None or not isinstance(name, str) or not name:
        return None
    raw: dict[str, Any] = {"model_type": ARCHITECTURES.get(name, name.replace("-", "_"))}
    names = {"model_type": "general.architecture"}
    for key, config_key in KEYS.items():
        value = found.metadata.get(f"{name}.{key}")
        if value is not None:
            raw[config_key], names[config_key] = value, f"{name}.{key}"
    _vocabulary(found, raw, names)
    _special(found, name, raw, names)
    _tied(tensors, raw, names)
    return raw, names


def _tied(tensors: Tensors, raw: dict[str, Any], names: dict[str, str]) -> None:
    """An output matrix is only there when it is not the embedding; no metadata says so."""
    there = {tensor.name for tensor in tensors.items}
    if tensors.complete and EMBEDDING in there:
        raw["tie_word_embeddings"] = HEAD not in there
        names["tie_word_embeddings"] = HEAD if HEAD in there else EMBEDDING


def _vocabulary(found: Gguf, raw: dict[str, Any], names: dict[str, str]) -> None:
    """The rows of the embedding count; without them the tokenizer's words."""
    rows = next((shape[0] for tensor, shape, _ in found.tensors if tensor == EMBEDDING and shape), None)
    if rows:
        raw["vocab_size"], names["vocab_size"] = rows, EMBEDDING
    elif TOKENS in found.lengths and "vocab_size" not in raw:
        raw["vocab_size"], names["vocab_size"] = found.lengths[TOKENS], TOKENS


def _special(found: Gguf, name: str, raw: dict[str, Any], names: dict[str, str]) -> None:
    extra, count = raw.get("num_nextn_predict_layers"), raw.get("num_hidden_layers")
    if isinstance(extra, int) and isinstance(count, int) and 0 < extra < count:
        raw["num_hidden_layers"] = count - extra  # llama.cpp counts the prediction layers as blocks
    gating = GATING.get(found.metadata.get(f"{name}.expert_gating_func", 0))
    if gating:
        raw["scoring_func"], names["scoring_func"] = gating, f"{name}.expert_gating_func"
    scaling = found.metadata.get(f"{name}.rope.scaling.type")
    if isinstance(scaling, str) and scaling != "none":
        raw["rope_scaling"], names["rope_scaling"] = {"rope_type": scaling}, f"{name}.rope.scaling"
    width = found.metadata.get(f"{name}.rope.dimension_count")
    if raw.get("kv_lora_rank") and isinstance(width, int):
        _latent(found, name, raw, names, width)
    elif isinstance(width, int) and isinstance(raw.get("head_dim"), int) and width < raw["head_dim"]:
        raw["rotary_dim"], names["rotary_dim"] = width, f"{name}.rope.dimension_count"


def _latent(found: Gguf, name: str, raw: dict[str, Any], names: dict[str, str], rope: int) -> None:
    """Latent attention: `key_length_mla` is a whole query head; older files have it as `key_length`."""
    for key, value in (("key_length", "value_length"), ("key_length_mla", "value_length_mla")):
        whole, values = (found.metadata.get(f"{name}.attention.{item}") for item in (key, value))
        if isinstance(whole, int) and isinstance(values, int) and whole > rope:
            raw |= {"qk_rope_head_dim": rope, "qk_nope_head_dim": whole - rope, "v_head_dim": values}
            names |= {"qk_nope_head_dim": f"{name}.attention.{key}", "v_head_dim": f"{name}.attention.{value}"}
    names["qk_rope_head_dim"] = f"{name}.rope.dimension_count"
    raw.pop("head_dim", None)
    heads = raw.get("num_attention_heads")
    if heads is not None:
        raw["num_key_value_heads"] = heads
