"""Tensor names that are common to known families: the last two words of a name, and what may stand in them."""

from __future__ import annotations

import re
from functools import lru_cache

from watcher.architecture.weights.packing import BUFFERS, HELPERS

WORDS = frozenset(
    """self_attn attn attention self_attention mlp feed_forward ffn ff mixer linear_attn mamba conv experts
    shared_experts
    shared_expert shared_expert_gate gate block_sparse_moe moe router indexer layers model transformer encoder decoder
    h blocks blk language_model block layer N weight bias qweight weight_packed weight_scale scales qzeros
    q_proj k_proj v_proj o_proj qkv_proj out_proj c_attn c_proj c_fc query_key_value dense dense_h_to_4h dense_4h_to_h
    query key value qkv att_proj attn_out W_pack wq wk wv wo w1 w2 w3 fc1 fc2 fc_in fc_out
    gate_proj up_proj down_proj gate_up_proj gate_up_proj_bias down_proj_bias gate_up_proj_blocks down_proj_blocks
    input_layernorm post_attention_layernorm pre_feedforward_layernorm post_feedforward_layernorm
    post_self_attn_layernorm post_mlp_layernorm pre_mlp_layernorm ln_1 ln_2 ln_attn ln_mlp attention_norm ffn_norm
    attn_norm ff_norm norm norm1 norm2 norm_f layer_norm layernorm input_norm post_norm operator_norm
    q_norm k_norm q_layernorm k_layernorm query_layernorm key_layernorm
    q_a_proj q_b_proj kv_a_proj_with_mqa kv_b_proj q_a_layernorm kv_a_layernorm kv_a_proj wq_a wq_b wkv_a wkv_b
    wq_b wk weights_proj e_score_correction_bias expert_bias sinks
    in_proj in_proj_qkvz in_proj_ba in_proj_qkv in_proj_z in_proj_a in_proj_b conv1d dt_proj x_proj dt_bias A_log D
    q_conv1d k_conv1d v_conv1d f_a_proj f_b_proj g_a_proj g_b_proj b_proj g_proj o_norm output_gate
    rotary_emb inv_freq per_layer_input_gate per_layer_projection post_per_layer_input_norm layer_scalar
    gate_norm local_experts ff_proj ff_out""".split()
)
"""Words of names in the checkpoints of known families."""

GGUF = re.compile(r"blk\.N\.(attn|ffn|ssm|nextn|post|layer|indexer|shortconv|exp|inp|proj|per_layer)\w*(\.\w+)?$")


@lru_cache(maxsize=65_536)
def is_known(pattern: str) -> bool:
    """Whether every word of a name (numbers as N) is one that known families use."""
    if GGUF.match(pattern) or HELPERS.search(pattern) or BUFFERS.search(pattern):
        return True
    return all(word in WORDS for word in pattern.split(".")[-3:])
