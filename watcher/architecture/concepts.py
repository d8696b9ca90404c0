"""One thing, many spellings: concept → the config keys that tell it, in look-up order. A new spelling is a word."""

from __future__ import annotations

TEXT_PARTS = (
    "text_config",
    "llm_config",
    "language_config",
    "language_model_config",
    "text_model_config",
    "decoder_config",
    "thinker_config",
    "llm",
)
"""Where a multimodal config keeps its language model, in look-up order."""

KINDS_OF_PARTS = ("moe", "attn_config", "ffn_config")
"""Nested objects whose keys belong to the stack itself (Mistral's params.json, MPT, DBRX)."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ALIASES: dict[str, tuple[str, ...]] = {
    "layers": _words("num_hidden_layers n_layer num_layers n_layers num_blocks decoder_layers num_transformer_layers"),
    "hidden_size": _words("hidden_size n_embd d_model dim embedding_dim emb_dim model_dim"),
    "intermediate_size": _words(
        "intermediate_size ffn_hidden_size n_inner ffn_dim hidden_dim inter_dim d_ff d_ffn ff_intermediate_size "
        "inner_hidden_size"
    ),
    "heads": _words("num_attention_heads n_head n_heads num_heads decoder_attention_heads num_query_heads"),
    "kv_heads": _words(
        "num_key_value_heads_per_layer num_key_value_heads n_head_kv num_kv_heads n_kv_heads kv_n_heads "
        "multi_query_group_num num_query_groups num_attention_groups"
    ),
    "head_dim": _words("head_dim kv_channels attention_head_dim hidden_size_per_head d_head"),
    "v_head_dim": _words("v_head_dim value_head_dim"),
    "qk_rope_head_dim": _words("qk_rope_head_dim"),
    "experts": _words("num_experts num_local_experts n_routed_experts moe_num_experts num_routed_experts"),
    "top_k": _words(
        "num_experts_per_tok num_experts_per_token moe_topk moe_top_k top_k_experts moe_k moe_router_topk "
        "experts_per_token n_activated_experts num_activated_experts"
    ),
    "expert_size": _words(
        "moe_intermediate_size expert_ffn_hidden_size expert_intermediate_size moe_ffn_hidden_size moe_inter_dim "
        "expert_hidden_dim moe_hidden_size"
    ),
    "shared_experts": _words("n_shared_experts num_shared_experts moe_num_shared_experts num_shared_expert"),
    "shared_size": _words(
        "shared_expert_intermediate_size moe_shared_expert_intermediate_size share_expert_dim shared_intermediate_size "
    ),
    "zero_experts": _words("zero_expert_num"),
    "router_bias": _words("moe_router_enable_expert_bias use_expert_bias use_routing_bias"),
    "hash_layers": _words("num_hash_layers n_hash_layers"),
    "dense_beside": _words("enable_moe_block residual_moe"),
    "dense_prefix": _words("first_k_dense_replace num_dense_layers n_dense_layers moe_layer_start_index"),
    "context": _words(
        "max_position_embeddings n_positions max_seq_len seq_length max_sequence_length model_max_length "
        "max_context_length n_ctx max_seq_length"
    ),
    "eps": _words(
        "rms_norm_eps layer_norm_epsilon layernorm_epsilon norm_eps norm_epsilon layer_norm_eps norm_rms_eps"
    ),
    "activation": _words(
        "hidden_act hidden_activation activation_function mlp_hidden_act activation_func ffn_act activation_fn_name"
    ),
    "mtp": _words(
        "num_nextn_predict_layers mtp_num_hidden_layers num_mtp_modules num_mtp_layers n_mtp_layers mtp_num_layers"
    ),
    "mtp_pattern": _words("mtp_hybrid_override_pattern mtp_layers_block_type"),
    "groups": _words("n_group num_expert_group n_expert_groups num_expert_groups"),
    "limited_groups": _words("topk_group n_limited_groups num_limited_groups"),
    "latent": _words("moe_latent_size routed_expert_hidden_size"),
    "vocab": _words("vocab_size padded_vocab_size n_vocab"),
    "router": _words(
        "scoring_func score_func score_function moe_router_score_function router_score_func moe_router_activation_func"
    ),
    "window": _words("sliding_window sliding_window_size window_size local_attention_window attention_window_size"),
    "streams": _words("hc_mult num_residual_streams hyper_connection_rate num_streams"),
    "theta": _words("rope_theta rotary_emb_base rope_base rotary_base"),
    "tied": _words(
        "tie_word_embeddings tied_embeddings tie_embeddings share_input_output_embed share_input_output_layers"
    ),
}
