"""The config keys the reader knows under several names: a renamed key is not a difference."""

from __future__ import annotations

from functools import cache

_COMMON = frozenset(
    (
        "n_layer", "n_layers", "num_layers", "num_hidden_layers", "n_embd", "d_model", "dim", "hidden_size", "n_head",
        "n_heads", "num_heads", "num_attention_heads", "n_head_kv", "num_kv_heads", "n_kv_heads",
        "num_key_value_heads", "multi_query_group_num", "head_dim", "kv_channels", "n_inner", "ffn_dim",
        "ffn_hidden_size", "intermediate_size", "num_experts", "num_local_experts", "n_routed_experts",
        "moe_num_experts", "num_experts_per_tok", "num_experts_per_token", "moe_topk", "n_shared_experts",
        "num_shared_experts", "moe_intermediate_size", "expert_ffn_hidden_size", "n_positions", "max_seq_len",
        "seq_length", "max_position_embeddings", "layer_norm_epsilon", "layernorm_epsilon", "rms_norm_eps", "norm_eps",
        "hidden_act", "hidden_activation", "activation_function", "tie_word_embeddings", "rope_theta", "rope_scaling",
        "rope_parameters",
    )
)  # fmt: skip


@cache
def known_keys() -> frozenset[str]:
    """Every key of the reader's alias table."""
    return _COMMON
