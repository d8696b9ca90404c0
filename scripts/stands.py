"""Real models told by their type and the sizes their makers publish, where no config of theirs is at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Stand:
    """A real model told by its type and the sizes in which it differs from the class's defaults."""

    kind: str
    """`model_type`."""
    name: str
    date: str
    """The month it came out."""
    billions: float
    """Its parameters, as its makers publish or its checkpoint stores them."""
    sizes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, class_name: str | None) -> bytes:
        """As config.json, with the class that has this type."""
        named = {"architectures": [class_name]} if class_name else {}
        return json.dumps({**named, "model_type": self.kind, **self.sizes}).encode()


def every(period: int, count: int, one: str, other: str, first: int) -> list[str]:
    """`one` at layers first, first + period …; `other` elsewhere."""
    return [one if index % period == first else other for index in range(count)]


# fmt: off
STANDS: tuple[Stand, ...] = (
    Stand("gptj", "EleutherAI/gpt-j-6b", "2021-06", 6.05),
    Stand("gpt_neox", "EleutherAI/gpt-neox-20b", "2022-04", 20.6),
    Stand("opt", "facebook/opt-125m", "2022-05", 0.125),
    Stand("bloom", "bigscience/bloom", "2022-07", 176.2, {
        "vocab_size": 250880, "hidden_size": 14336, "n_layer": 70, "n_head": 112,
    }),
    Stand("mpt", "mosaicml/mpt-7b", "2023-05", 6.65, {
        "d_model": 4096, "n_heads": 32, "n_layers": 32, "vocab_size": 50432,
    }),
    Stand("falcon", "tiiuae/falcon-7b", "2023-05", 6.92),
    Stand("falcon", "tiiuae/falcon-40b", "2023-05", 41.3, {
        "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8,
        "new_decoder_architecture": True,
    }),
    Stand("gpt_bigcode", "bigcode/starcoder", "2023-05", 15.5, {
        "n_embd": 6144, "n_layer": 40, "n_head": 48, "n_positions": 8192, "vocab_size": 49152, "n_inner": 24576,
    }),
    Stand("llama", "meta-llama/Llama-2-70b-hf", "2023-07", 69.0, {
        "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64,
        "num_key_value_heads": 8, "max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
    }),
    Stand("phi", "microsoft/phi-1_5", "2023-09", 1.42),
    Stand("mistral", "mistralai/Mistral-7B-v0.1", "2023-09", 7.24, {
        "max_position_embeddings": 32768, "rms_norm_eps": 1e-05,
    }),
    Stand("stablelm", "stabilityai/stablelm-3b-4e1t", "2023-09", 2.8),
    Stand("mamba", "state-spaces/mamba-2.8b-hf", "2023-12", 2.77, {
        "hidden_size": 2560, "num_hidden_layers": 64, "vocab_size": 50280, "tie_word_embeddings": True,
    }),
    Stand("gemma", "google/gemma-7b", "2024-02", 8.54),
    Stand("starcoder2", "bigcode/starcoder2-3b", "2024-02", 3.03),
    Stand("cohere", "CohereForAI/c4ai-command-r-v01", "2024-03", 35.0, {"rope_theta": 8000000.0}),
    Stand("jamba", "ai21labs/Jamba-v0.1", "2024-03", 51.6),
    Stand("qwen2_moe", "Qwen/Qwen1.5-MoE-A2.7B", "2024-03", 14.3, {
        "rope_theta": 1000000.0, "max_position_embeddings": 8192,
    }),
    Stand("recurrent_gemma", "google/recurrentgemma-2b", "2024-04", 2.68, {
        "intermediate_size": 15360, "num_key_value_heads": 1,
    }),
    Stand("phi3", "microsoft/Phi-3-mini-4k-instruct", "2024-04", 3.82),
    Stand("mixtral", "mistralai/Mixtral-8x22B-v0.1", "2024-04", 140.6, {
        "hidden_size": 6144, "intermediate_size": 16384, "num_hidden_layers": 56, "num_attention_heads": 48,
        "max_position_embeddings": 65536, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
    }),
    Stand("deepseek_v2", "deepseek-ai/DeepSeek-V2", "2024-05", 235.7, {
        "hidden_size": 5120, "intermediate_size": 12288, "moe_intermediate_size": 1536, "num_hidden_layers": 60,
        "num_attention_heads": 128, "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
        "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128, "n_routed_experts": 160,
        "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
        "topk_method": "group_limited_greedy", "n_group": 8, "topk_group": 3, "vocab_size": 102400,
        "max_position_embeddings": 163840, "rope_theta": 10000,
        "rope_scaling": {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0,
            "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096},
    }),
    Stand("qwen2_moe", "Qwen/Qwen2-57B-A14B", "2024-06", 57.4, {
        "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "moe_intermediate_size": 2560, "shared_expert_intermediate_size": 20480, "num_experts": 64,
        "num_experts_per_tok": 8, "vocab_size": 151936, "max_position_embeddings": 131072, "rope_theta": 1000000.0,
    }),
    Stand("gemma2", "google/gemma-2-2b", "2024-07", 2.61),
    Stand("gemma2", "google/gemma-2-9b", "2024-07", 9.24, {
        "hidden_size": 3584, "intermediate_size": 14336, "num_hidden_layers": 42, "num_attention_heads": 16,
        "num_key_value_heads": 8,
    }),
    Stand("mamba2", "mistralai/Mamba-Codestral-7B-v0.1", "2024-07", 7.29),
    Stand("mistral", "mistralai/Mistral-Large-Instruct-2407", "2024-07", 122.6, {
        "hidden_size": 12288, "intermediate_size": 28672, "num_hidden_layers": 88, "num_attention_heads": 96,
        "num_key_value_heads": 8, "vocab_size": 32768, "sliding_window": None, "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
    }),
    Stand("zamba2", "Zyphra/Zamba2-2.7B", "2024-07", 2.69),
    Stand("falcon_mamba", "tiiuae/falcon-mamba-7b", "2024-08", 7.27, {
        "hidden_size": 4096, "num_hidden_layers": 64, "intermediate_size": 8192, "vocab_size": 65024,
        "tie_word_embeddings": False,
    }),
    Stand("olmoe", "allenai/OLMoE-1B-7B-0924", "2024-09", 6.92, {"intermediate_size": 1024}),
    Stand("glm", "THUDM/glm-4-9b-chat-hf", "2024-11", 9.4),
    Stand("llama", "HuggingFaceTB/SmolLM2-1.7B", "2024-11", 1.71, {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24, "num_attention_heads": 32,
        "num_key_value_heads": 32, "vocab_size": 49152, "max_position_embeddings": 8192, "tie_word_embeddings": True,
        "rms_norm_eps": 1e-05, "rope_theta": 130000,
    }),
    Stand("bamba", "ibm-ai-platform/Bamba-9B", "2024-12", 9.78, {
        "attn_layer_indices": [9, 18, 27], "vocab_size": 128256,
    }),
    Stand("cohere2", "CohereForAI/c4ai-command-r7b-12-2024", "2024-12", 8.03, {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "max_position_embeddings": 132096, "rope_theta": 50000, "layer_switch": 4,
        "order_of_interleaved_layers": "local_attn_first", "position_embedding_type": "rope_gptj", "rotary_pct": 1.0,
        "use_embedding_sharing": True, "use_gated_activation": True, "use_parallel_block": True,
        "use_parallel_embedding": False,
    }),
    Stand("xlstm", "NX-AI/xLSTM-7b", "2024-12", 6.87),
    Stand("minimax", "MiniMaxAI/MiniMax-Text-01-hf", "2025-01", 456, {
        "hidden_size": 6144, "intermediate_size": 9216, "num_hidden_layers": 80, "num_attention_heads": 64,
        "num_key_value_heads": 8, "head_dim": 128, "num_local_experts": 32, "num_experts_per_tok": 2,
        "vocab_size": 200064, "rotary_dim": 64, "rope_theta": 10000000,
        "layer_types": every(8, 80, "full_attention", "linear_attention", 7), "max_position_embeddings": 10240000,
    }),
    Stand("mistral", "mistralai/Mistral-Small-24B-Base-2501", "2025-01", 23.6, {
        "hidden_size": 5120, "intermediate_size": 32768, "num_hidden_layers": 40, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 131072, "sliding_window": None,
        "max_position_embeddings": 32768, "rms_norm_eps": 1e-05, "rope_theta": 100000000.0,
    }),
    Stand("cohere2", "CohereForAI/c4ai-command-a-03-2025", "2025-03", 111, {
        "hidden_size": 12288, "intermediate_size": 36864, "num_hidden_layers": 64, "num_attention_heads": 96,
        "num_key_value_heads": 8, "max_position_embeddings": 131072, "rope_theta": 50000, "layer_switch": 4,
        "order_of_interleaved_layers": "local_attn_first", "position_embedding_type": "rope_gptj", "rotary_pct": 1.0,
        "use_embedding_sharing": True, "use_gated_activation": True, "use_parallel_block": True,
        "use_parallel_embedding": False,
    }),
    Stand("gemma3_text", "google/gemma-3-1b-it", "2025-03", 1.0, {
        "hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4,
        "num_key_value_heads": 1, "head_dim": 256, "sliding_window": 512, "vocab_size": 262144,
        "max_position_embeddings": 32768,
    }),
    Stand("olmo2", "allenai/OLMo-2-0325-32B", "2025-03", 32.2, {
        "hidden_size": 5120, "intermediate_size": 27648, "num_hidden_layers": 64, "num_attention_heads": 40,
        "num_key_value_heads": 8, "vocab_size": 100352, "max_position_embeddings": 4096, "rope_theta": 500000,
        "rms_norm_eps": 1e-06,
    }),
    Stand("nemotron_h", "nvidia/Nemotron-H-8B-Base-8K", "2025-04", 8.1, {
        "hidden_size": 4096, "intermediate_size": 21504, "num_hidden_layers": 52, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "mamba_num_heads": 128, "mamba_head_dim": 64, "n_groups": 8,
        "ssm_state_size": 128, "vocab_size": 131072, "max_position_embeddings": 8192,
        "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
    }),
    Stand("glm4", "THUDM/GLM-4-9B-0414", "2025-04", 9.4),
    Stand("glm4", "THUDM/GLM-4-32B-0414", "2025-04", 32.6, {
        "hidden_size": 6144, "intermediate_size": 23040, "num_hidden_layers": 61, "num_attention_heads": 48,
        "num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 32768,
    }),
    Stand("qwen3", "Qwen/Qwen3-8B", "2025-04", 8.19, {
        "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
    }),
    Stand("qwen3_moe", "Qwen/Qwen3-30B-A3B", "2025-04", 30.5, {
        "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
        "head_dim": 128, "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8,
        "norm_topk_prob": True, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
    }),
    Stand("falcon_h1", "tiiuae/Falcon-H1-7B-Base", "2025-05", 7.59, {
        "hidden_size": 3072, "intermediate_size": 12288, "num_hidden_layers": 44, "num_attention_heads": 12,
        "num_key_value_heads": 2, "head_dim": 128, "mamba_d_ssm": 3072, "mamba_n_heads": 24, "mamba_d_head": 128,
        "mamba_d_state": 256, "mamba_n_groups": 1, "vocab_size": 130049, "tie_word_embeddings": False,
        "max_position_embeddings": 262144, "rope_theta": 100000000000.0,
    }),
    Stand("dots1", "rednote-hilab/dots.llm1.base", "2025-06", 142.8, {
        "hidden_size": 4096, "intermediate_size": 10944, "moe_intermediate_size": 1408, "num_hidden_layers": 62,
        "num_attention_heads": 32, "num_key_value_heads": 32, "n_routed_experts": 128, "n_shared_experts": 2,
        "num_experts_per_tok": 6, "first_k_dense_replace": 1, "vocab_size": 152064, "max_position_embeddings": 32768,
        "rope_theta": 10000000, "rms_norm_eps": 1e-05,
    }),
    Stand("ernie4_5_moe", "baidu/ERNIE-4.5-21B-A3B-PT", "2025-06", 21.8),
    Stand("ernie4_5_moe", "baidu/ERNIE-4.5-300B-A47B-PT", "2025-06", 299.9, {
        "hidden_size": 8192, "intermediate_size": 28672, "moe_intermediate_size": 3584, "num_hidden_layers": 54,
        "num_attention_heads": 64, "num_key_value_heads": 8, "moe_num_experts": 64, "moe_k": 8,
        "moe_layer_start_index": 3, "moe_num_shared_experts": 0, "tie_word_embeddings": False,
        "max_position_embeddings": 131072,
    }),
    Stand("gemma3n_text", "google/gemma-3n-E4B", "2025-06", 6.87),
    Stand("hunyuan_v1_moe", "tencent/Hunyuan-A13B-Instruct", "2025-06", 80.4, {
        "hidden_size": 4096, "intermediate_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "num_experts": 64, "moe_topk": 8, "num_shared_expert": 1,
        "vocab_size": 128167, "use_qk_norm": True, "tie_word_embeddings": True, "max_position_embeddings": 32768,
    }),
    Stand("exaone4", "LGAI-EXAONE/EXAONE-4.0-32B", "2025-07", 32.0, {
        "hidden_size": 5120, "intermediate_size": 27392, "num_hidden_layers": 64, "num_attention_heads": 40,
        "num_key_value_heads": 8, "vocab_size": 102400, "sliding_window": 4096, "sliding_window_pattern": "LLLG",
        "max_position_embeddings": 131072, "rope_theta": 1000000,
        "rope_scaling": {"rope_type": "llama3", "factor": 16.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192},
    }),
    Stand("flex_olmo", "allenai/FlexOlmo-7x7B-1T", "2025-07", 33.3),
    Stand("gpt_oss", "openai/gpt-oss-20b", "2025-08", 20.9, {
        "num_hidden_layers": 24, "num_local_experts": 32,
        "layer_types": every(2, 24, "sliding_attention", "full_attention", 0),
    }),
    Stand("longcat_flash", "meituan-longcat/LongCat-Flash-Chat", "2025-08", 560),
    Stand("nemotron_h", "nvidia/NVIDIA-Nemotron-Nano-9B-v2", "2025-08", 8.89, {
        "hidden_size": 4480, "intermediate_size": 15680, "num_hidden_layers": 56, "num_attention_heads": 40,
        "num_key_value_heads": 8, "head_dim": 128, "mamba_num_heads": 128, "mamba_head_dim": 80, "n_groups": 8,
        "ssm_state_size": 128, "max_position_embeddings": 131072,
        "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-",
    }),
    Stand("apertus", "swiss-ai/Apertus-8B-2509", "2025-09", 8.05, {
        "num_key_value_heads": 8, "intermediate_size": 21504, "max_position_embeddings": 65536,
    }),
    Stand("deepseek_v32", "deepseek-ai/DeepSeek-V3.2-Exp", "2025-09", 671),
    Stand("granitemoehybrid", "ibm-granite/granite-4.0-h-small", "2025-10", 32.2, {
        "hidden_size": 4096, "intermediate_size": 768, "shared_intermediate_size": 1536, "num_hidden_layers": 40,
        "num_attention_heads": 32, "num_key_value_heads": 8, "num_local_experts": 72, "num_experts_per_tok": 10,
        "mamba_n_heads": 128, "mamba_d_head": 64, "mamba_d_state": 128, "mamba_n_groups": 1, "vocab_size": 100352,
        "tie_word_embeddings": True, "position_embedding_type": "nope", "max_position_embeddings": 131072,
        "layer_types": every(10, 40, "attention", "mamba", 5),
    }),
    Stand("kimi_linear", "moonshotai/Kimi-Linear-48B-A3B-Instruct", "2025-10", 49.1),
    Stand("lfm2_moe", "LiquidAI/LFM2-8B-A1B", "2025-10", 8.34, {
        "hidden_size": 2048, "intermediate_size": 7168, "moe_intermediate_size": 1792, "num_hidden_layers": 24,
        "num_attention_heads": 32, "num_key_value_heads": 8, "num_experts": 32, "num_experts_per_tok": 4,
        "num_dense_layers": 2, "vocab_size": 65536, "max_position_embeddings": 128000,
        "layer_types": ["full_attention" if index in (2, 6, 10, 14, 18, 21) else "conv" for index in range(24)],
    }),
    Stand("olmo3", "allenai/Olmo-3-1025-7B", "2025-11", 7.3, {
        "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 32, "vocab_size": 100278, "sliding_window": 4096, "max_position_embeddings": 65536,
        "rms_norm_eps": 1e-06, "rope_theta": 500000,
        "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0,
            "attention_factor": 1.2079441541679836, "original_max_position_embeddings": 8192},
    }),
    Stand("afmoe", "arcee-ai/Trinity-Mini", "2025-12", 26.1, {
        "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 1024, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128,
        "num_experts_per_tok": 8, "num_dense_layers": 2, "sliding_window": 2048, "vocab_size": 200192,
        "max_position_embeddings": 131072,
    }),
    Stand("mimo_v2_flash", "XiaomiMiMo/MiMo-V2-Flash", "2025-12", 309),
    Stand("solar_open", "upstage/Solar-Open-100B", "2025-12", 102.6),
    Stand("bailing_hybrid", "inclusionAI/Ling-2.5-1T", "2026-02", 1000, {
        "hidden_size": 8192, "intermediate_size": 18432, "moe_intermediate_size": 2048, "num_hidden_layers": 80,
        "num_attention_heads": 64, "num_key_value_heads": 64, "num_local_experts": 256, "first_k_dense_replace": 4,
        "layer_group_size": 8, "num_nextn_predict_layers": 0,
    }),
    Stand("hy_v3", "tencent/Hy3-preview", "2026-04", 295),
)
# fmt: on
