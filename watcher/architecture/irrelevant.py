"""Config keys that cannot bear on the architecture, as data."""

from __future__ import annotations

import fnmatch
import re

IRRELEVANT = (
    # identity, versions, bookkeeping
    "_name_or_path", "name_or_path", "model_type", "architectures", "auto_map", "transformers_version", "*_version",
    "transformers.js_config*", "_commit_hash", "_attn_implementation*", "attn_implementation", "use_flash_attn",
    "flash_attn*", "return_dict",
    "inference_runner", "max_batch_size", "pad_key_length", "for_llm_compressor", "scale_fmt", "use_grouped_mm",
    "pre_allocate_kv_cache", "validate_runner_input", "mscale", "*_rope_parameters",
    "output_*", "problem_type", "id2label*", "label2id*", "finetuning_task", "task_specific_params*", "is_decoder",
    "is_encoder_decoder", "add_cross_attention", "cross_attention_hidden_size", "tokenizer_class", "prefix",
    "chunk_size_feed_forward", "gradient_checkpointing", "unsloth_*", "license*", "_*",
    # types and quantisation of the files
    "torch_dtype", "dtype", "*_dtype", "quantization*", "compression_config*", "quant_method", "*_in_fp32", "fp32_*",
    # tokens and generation
    "*_token_id", "*_token_ids", "*_token_index", "*token_id", "bos_token", "eos_token", "pad_token", "tie_*_ids",
    "temperature", "top_p", "top_k", "do_sample", "num_beams*", "max_length", "min_length", "max_new_tokens",
    "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "bad_words_ids", "suppress_tokens",
    "begin_suppress_tokens", "early_stopping", "diversity_penalty", "num_return_sequences", "encoder_no_*", "typical_p",
    "return_dict_in_generate", "remove_invalid_values", "forced_*", "exponential_decay_length_penalty",
    "sep_token_id*", "use_cache", "use_bfloat16", "tf_legacy_loss", "torchscript", "pruned_heads*",
    # training only
    "initializer_*", "init_*", "*_init", "*_init_std", "*dropout*", "*_drop", "*aux_loss*", "*z_loss*", "seq_aux",
    "router_jitter_noise", "label_smoothing", "use_return_dict", "ep_size", "pretraining_tp", "*loss_coef*",
    "*loss_weight*", "train_*", "training_*",
)  # fmt: skip
"""Patterns over the last part of a key's path, and over the whole path."""

_PATTERN = re.compile("|".join(fnmatch.translate(pattern) for pattern in IRRELEVANT))


def irrelevant(key: str) -> bool:
    """Whether a config key (dotted, any nesting) is known to have no influence on the architecture."""
    parts = key.split(".")
    return any(_PATTERN.match(part) for part in parts) or _PATTERN.match(key) is not None
