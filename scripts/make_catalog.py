"""Makes watcher/baselines/data/catalog.json.gz from a folder of real configs, with our own reader.

One entry per fingerprint: the record, and the config's architecture keys (no token ids, names or versions). The dates
are the months the models came out (DATES); an original stands before its copies.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus import maker_configs, shared_folder

from watcher.architecture.irrelevant import irrelevant
from watcher.architecture.read import read
from watcher.architecture.record import Architecture, Moe, Unknown
from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles
from watcher.compare.fingerprint import fingerprint
from watcher.releases.names import take_apart

OUT = Path(__file__).parents[1] / "watcher/baselines/data/catalog.json.gz"
VERSION = "2026-11"
KEPT = {
    "model_type",
    "architectures",
    "text_config",
    "vision_config",
    "audio_config",
    "quantization_config",
    "tie_word_embeddings",
}

DATES = {
    "01-ai/": "2023-11",
    "ByteDance-Seed/Seed-OSS": "2025-08",
    "HuggingFaceTB/SmolLM3": "2025-07",
    "IEITYuan/Yuan2-2B": "2023-11",
    "LGAI-EXAONE/EXAONE-4.0": "2025-07",
    "LiquidAI/LFM2-": "2025-07",
    "MiniMaxAI/MiniMax-M1": "2025-06",
    "Qwen/Qwen-7B": "2023-08",
    "Qwen/Qwen2-VL": "2024-08",
    "Qwen/Qwen2-Audio": "2024-07",
    "Qwen/Qwen2-": "2024-06",
    "Qwen/Qwen2.5-Omni": "2025-03",
    "Qwen/Qwen2.5-VL": "2025-01",
    "Qwen/Qwen2.5": "2024-09",
    "Qwen/Qwen3-4B-Instruct-2507": "2025-08",
    "Qwen/Qwen3-Coder-480B": "2025-07",
    "Qwen/Qwen3-Next": "2025-09",
    "Qwen/Qwen3-Omni": "2025-09",
    "Qwen/Qwen3-VL": "2025-10",
    "Qwen/Qwen3-": "2025-04",
    "Qwen/Qwen3.6": "2026-04",
    "XiaomiMiMo/MiMo-7B": "2025-04",
    "XiaomiMiMo/MiMo-V2.5": "2026-04",
    "allenai/Molmo": "2024-09",
    "allenai/Olmo-3.1": "2025-12",
    "baichuan-inc/Baichuan2": "2023-09",
    "deepseek-ai/DeepSeek-R1": "2025-01",
    "deepseek-ai/DeepSeek-V2-Lite": "2024-05",
    "deepseek-ai/DeepSeek-V3.1": "2025-08",
    "google/gemma-3": "2025-03",
    "google/medgemma": "2025-07",
    "google/gemma-4": "2026-04",
    "ibm-granite/granite-3.1": "2024-12",
    "ibm-granite/granite-3.3": "2025-04",
    "inclusionAI/Ling-": "2025-03",
    "inclusionAI/Ming-Lite": "2025-05",
    "meta-llama/Llama-2": "2023-07",
    "meta-llama/Meta-Llama-3-": "2024-04",
    "meta-llama/Llama-3.1": "2024-07",
    "meta-llama/Meta-Llama-3.1": "2024-07",
    "meta-llama/Llama-3.2": "2024-09",
    "meta-llama/Llama-4": "2025-04",
    "microsoft/Phi-mini-MoE": "2025-06",
    "mistralai/Devstral-Small-2507": "2025-07",
    "mistralai/Mistral-7B-Instruct-v0.2": "2023-12",
    "mistralai/Mistral-Nemo": "2024-07",
    "mistralai/Mixtral-8x7B": "2023-12",
    "moonshotai/Kimi-K2-Instruct": "2025-07",
    "moonshotai/Kimi-K2-Thinking": "2025-11",
    "openai/gpt-oss": "2025-08",
    "openbmb/MiniCPM-V-2_6": "2024-08",
    "openbmb/MiniCPM-V-2": "2024-04",
    "openbmb/MiniCPM-V-4_6": "",
    "openbmb/MiniCPM-V-4": "2025-08",
    "openbmb/MiniCPM3": "2024-09",
    "openbmb/MiniCPM4": "2025-06",
    "zai-org/GLM-4.7-Flash": "2026-01",
    "zai-org/GLM-4.7": "2025-12",
    "zai-org/GLM-5-": "2026-02",
    "THUDM/chatglm2": "2023-06",
    "THUDM/chatglm3": "2023-10",
    "THUDM/glm-4-9b": "2024-06",
}
"""Beginning of a name → month; the first match counts. A model without a date is dated by nobody here."""


ALTERED = ("01-ai/Yi-6B-Chat", "mistralai/Mistral-7B-Instruct-v0.2", "openbmb/MiniCPM-V-2_6", "Qwen/Qwen-7B-Chat")
"""Copies whose context a compiler's users cut to 512 tokens: no baseline may carry a number its makers never wrote."""


CLASSES: tuple[tuple[str, str, str], ...] = (
    ("bailing_hybrid", "inclusionAI/Ling-2.5-1T", "2026-02"),
    ("cohere", "CohereForAI/c4ai-command-r-v01", "2024-03"),
    ("deepseek_v32", "deepseek-ai/DeepSeek-V3.2-Exp", "2025-09"),
    ("ernie4_5_moe", "baidu/ERNIE-4.5-21B-A3B-PT", "2025-06"),
    ("falcon", "tiiuae/falcon-7b", "2023-05"),
    ("falcon_h1", "tiiuae/Falcon-H1-7B-Base", "2025-05"),
    ("falcon_mamba", "tiiuae/falcon-mamba-7b", "2024-08"),
    ("flex_olmo", "allenai/FlexOlmo-7x7B-1T", "2025-07"),
    ("gemma", "google/gemma-7b", "2024-02"),
    ("gemma2", "google/gemma-2-2b", "2024-07"),
    ("gemma3n_text", "google/gemma-3n-E4B", "2025-06"),
    ("glm", "THUDM/glm-4-9b-chat-hf", "2024-11"),
    ("glm4", "THUDM/GLM-4-9B-0414", "2025-04"),
    ("gpt_neox", "EleutherAI/gpt-neox-20b", "2022-04"),
    ("hy_v3", "tencent/Hy3-preview", "2026-04"),
    ("jamba", "ai21labs/Jamba-v0.1", "2024-03"),
    ("kimi_linear", "moonshotai/Kimi-Linear-48B-A3B-Instruct", "2025-10"),
    ("longcat_flash", "meituan-longcat/LongCat-Flash-Chat", "2025-08"),
    ("mamba2", "mistralai/Mamba-Codestral-7B-v0.1", "2024-07"),
    ("mimo_v2_flash", "XiaomiMiMo/MiMo-V2-Flash", "2025-12"),
    ("minimax", "MiniMaxAI/MiniMax-Text-01-hf", "2025-01"),
    ("mpt", "mosaicml/mpt-7b", "2023-05"),
    ("olmoe", "allenai/OLMoE-1B-7B-0924", "2024-09"),
    ("opt", "facebook/opt-125m", "2022-05"),
    ("phi", "microsoft/phi-1_5", "2023-09"),
    ("qwen2_moe", "Qwen/Qwen1.5-MoE-A2.7B", "2024-03"),
    ("recurrent_gemma", "google/recurrentgemma-2b", "2024-04"),
    ("solar_open", "upstage/Solar-Open-100B", "2025-12"),
    ("stablelm", "stabilityai/stablelm-3b-4e1t", "2023-09"),
    ("starcoder2", "bigcode/starcoder2-3b", "2024-02"),
    ("xlstm", "NX-AI/xLSTM-7b", "2024-12"),
    ("zamba2", "Zyphra/Zamba2-2.7B", "2024-07"),
)
"""Model types whose class defaults in the reference are a real model's structure: (type, the model, month)."""

SHAPES = frozenset({"bailing_hybrid", "falcon_h1", "falcon_mamba", "flex_olmo", "minimax", "mpt", "olmoe"})
"""Those whose class defaults are another model's sizes, or nobody's: a baseline from them has its structure only."""

SIZES = (
    "parameters", "context_length", "vocab_size", "hidden_size", "tied_embeddings", "layers.count", "layers.mix",
    "layers.sequence", "layers.pattern", "attention.num_attention_heads", "attention.num_key_value_heads",
    "attention.head_dim", "attention.sliding_window", "position.rope_theta", "position.scaling",
    "position.nope_layers", "position.partial_rotary_factor",
    "feed_forward.intermediate_size", "moe.num_experts", "moe.num_experts_per_tok",
    "moe.moe_intermediate_size", "moe.dense_layers", "moe.groups", "kv_cache", "memory",
)  # fmt: skip
"""Facts of a record that are sizes, or follow from them."""
OF_KINDS = (
    "count", "num_attention_heads", "num_key_value_heads", "qk_dim", "v_dim", "window", "state_bytes",
    "cache_bytes_per_token", "parameters",
)  # fmt: skip
"""The same of one kind of layer."""


def shape_of(record: Architecture) -> Architecture:
    """The record with its structure, and every size unknown."""
    data, empty = record.to_dict(), Architecture(moe=Moe()).to_dict()
    for fact in SIZES:
        group, _, name = fact.rpartition(".")
        if (part := data[group] if group else data) is not None:
            part[name] = (empty[group] if group else empty)[name]
    data["kv_cache"]["state_bytes"] = None
    for kind in data["layers"]["kinds"]:
        kind.update(dict.fromkeys(OF_KINDS) | {"count": 0})
    facts = [*SIZES, *(f"layers.kinds.{kind['id']}.{name}" for kind in data["layers"]["kinds"] for name in OF_KINDS)]
    why = "only the class's defaults were read, and their sizes are not this model's"
    shaped = Architecture.from_dict(data)
    unknown = tuple(Unknown(fact=fact, why=why) for fact in facts)
    kept_evidence = {fact: item for fact, item in record.evidence.items() if not _is_size(fact)}
    return replace(shaped, unknown=(*record.unknown, *unknown), evidence=kept_evidence)


def _is_size(fact: str) -> bool:
    return fact.startswith(SIZES) or (fact.startswith("layers.kinds.") and fact.endswith(OF_KINDS))


def class_configs() -> Iterator[tuple[str, bytes]]:
    """(model, config) of the classes whose defaults stand for a model."""
    for kind, name, _ in CLASSES:
        yield name, json.dumps({"model_type": kind}).encode()


def main() -> None:
    """Write the catalog."""
    reference = Reference.shipped()
    dated = {name: date for _, name, date in CLASSES}
    known = {item["hub_id"]: item["date"] for item in json.loads((shared_folder() / "gallery/facts.json").read_text())}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, raw in (*maker_configs(), *class_configs()):
        if name in ALTERED:
            continue
        record = read(RepoFiles(name=name, files={"config.json": raw}), reference=reference)
        if name in dated and not record.mtp_layers:
            why = "only the class's defaults were read, and it builds no extra prediction layers"
            record = replace(record, mtp_layers=None, unknown=(*record.unknown, Unknown(fact="mtp_layers", why=why)))
        shape = json.loads(raw).get("model_type") in SHAPES and name in dated
        if record.layers.count is None or (record.norm.placement is None and record.parameters.text is None):
            continue
        if shape:
            record = shape_of(record)
        date = (
            known.get(name)
            or dated.get(name)
            or next((month for start, month in DATES.items() if name.startswith(start)), "")
        )
        entry = {"name": name, "date": date, "config": kept(json.loads(raw)), "record": record.to_dict()}
        found.setdefault(fingerprint(record), []).append(entry)
    entries = [whole(alike) for alike in found.values()]
    entries.sort(key=lambda item: (item["date"] or "9999", item["name"]))
    text = json.dumps({"version": VERSION, "baselines": entries}, sort_keys=True, separators=(",", ":"))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{len(entries)} baselines, {OUT.stat().st_size:,} bytes\n")


def whole(alike: list[dict[str, Any]]) -> dict[str, Any]:
    """The earliest original, with the others as its members."""

    def rank(entry: dict[str, Any]) -> tuple[bool, str, bool, str]:
        date = entry["date"] or "9999"
        return bool(take_apart(entry["name"]).copy), date[:7], len(date) < 10, entry["name"]

    first, *others = sorted(alike, key=rank)
    return first | {"members": [entry["name"] for entry in others]}


def kept(config: dict[str, Any]) -> dict[str, Any]:
    """The keys that say something about the architecture, sorted."""
    return {
        key: kept(value)
        if isinstance(value, dict) and re.fullmatch(r"(text|vision|audio|thinker)_config", key)
        else value
        for key, value in sorted(config.items())
        if key in KEPT or not irrelevant(key)
    }


if __name__ == "__main__":
    main()
