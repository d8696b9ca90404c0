"""Makes watcher/baselines/data/catalog.json.gz from a folder of real configs and STANDS, with our own reader.

One entry per fingerprint: the record, and the config's architecture keys (no token ids, names or versions). The dates
are the months the models came out (DATES); an original stands before its copies.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus import maker_configs, shared_folder
from stands import STANDS, Stand

from watcher.architecture.code.library import CAUSAL, Library
from watcher.architecture.irrelevant import irrelevant
from watcher.architecture.read import read
from watcher.architecture.record import Architecture, Memory, Parameters, Unknown
from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles
from watcher.compare.fingerprint import fingerprint
from watcher.naming.names import take_apart

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


TOLERANCE = 0.015
"""By how much what we count may differ from what is published; else the counts are left unknown."""


def main() -> None:
    """Write the catalog."""
    reference = Reference.shipped()
    stands = {stand.name: stand for stand in STANDS}
    classes = Library(reference.sources).names(CAUSAL) if reference.sources else {}
    known = {item["hub_id"]: item["date"] for item in json.loads((shared_folder() / "gallery/facts.json").read_text())}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, raw in (*maker_configs(), *((stand.name, stand.config(classes.get(stand.kind))) for stand in STANDS)):
        if name in ALTERED:
            continue
        record = read(RepoFiles(name=name, files={"config.json": raw}), reference=reference)
        record = as_published(record, stands.get(name))
        if record.layers.count is None or (record.norm.placement is None and record.parameters.text is None):
            continue
        date = (
            known.get(name)
            or (stands[name].date if name in stands else None)
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


def as_published(record: Architecture, stand: Stand | None) -> Architecture:
    """Counts that do not fit what is published are left unknown."""
    if stand is None:
        return record
    total = (record.parameters.total or 0) / 1e9
    if abs(total - stand.billions) <= TOLERANCE * stand.billions:
        return record
    sys.stderr.write(f"{stand.name}: {total:.2f}B counted, {stand.billions}B published: its counts are left unknown\n")
    why = f"the class builds {total:.4g}B, its makers publish {stand.billions:.4g}B"
    evidence = {fact: told for fact, told in record.evidence.items() if not fact.startswith(("parameters.", "memory."))}
    unknown = (*record.unknown, *(Unknown(fact=fact, why=why) for fact in ("parameters", "memory")))
    return replace(record, parameters=Parameters(), memory=Memory(), evidence=evidence, unknown=unknown)


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
