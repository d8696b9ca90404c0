"""Makes watcher/baselines/data/catalog.json.gz from a folder of real configs, with our own reader.

One entry per fingerprint: the record, and the config's architecture keys (no token ids, names or versions). The folder
is the research folder's `corpus/configs` (WATCHER_SHARED); dates are the months the models came out.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

from watcher.architecture.read import IGNORED, read
from watcher.architecture.witness import RepoFiles
from watcher.compare.fingerprint import fingerprint

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
LABS = set(
    """01-ai ByteDance-Seed HuggingFaceTB LGAI-EXAONE LiquidAI MiniMaxAI Qwen XiaomiMiMo allenai baichuan-inc deepseek-ai
    google ibm-granite inclusionAI meta-llama microsoft mistralai moonshotai nvidia openai openbmb poolside zai-org THUDM
    openai-community IEITYuan meta-models PaddlePaddle""".split()
)


def main() -> None:
    """Write the catalog."""
    shared = Path(os.environ.get("WATCHER_SHARED", Path(__file__).parents[2] / "shared"))
    dates = {item["hub_id"]: item["date"] for item in json.loads((shared / "gallery/facts.json").read_text())}
    found: dict[str, dict[str, Any]] = {}
    roots = [shared / "corpus/transformers_repr", shared / "corpus/configs"]
    paths = [path for root in roots for path in sorted(root.glob("*/*/config.json"))]
    for path in paths:
        name = "/".join(path.parts[-3:-1])
        raw = path.read_bytes()
        record = read(RepoFiles(name=name, files={"config.json": raw}))
        if name.partition("/")[0] not in LABS or record.layers.count is None or record.quantization is not None:
            continue
        if record.norm.placement is None and record.parameters.text is None:
            continue
        key = fingerprint(record)
        date = dates.get(name) or ""
        entry = {"name": name, "date": date, "config": kept(json.loads(raw)), "record": record.to_dict(), "members": []}
        if key not in found:
            found[key] = entry
        else:
            found[key]["members"].append(name)
    entries = sorted(found.values(), key=lambda item: (item["date"] or "9999", item["name"]))
    text = json.dumps({"version": VERSION, "baselines": entries}, sort_keys=True, separators=(",", ":"))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(entries)} baselines, {OUT.stat().st_size:,} bytes")


def kept(config: dict[str, Any]) -> dict[str, Any]:
    """The keys that say something about the architecture, sorted."""
    return {
        key: kept(value) if isinstance(value, dict) and key.endswith("_config") else value
        for key, value in sorted(config.items())
        if key in KEPT or (key not in IGNORED and not key.endswith(("_token_id", "_token_ids")))
    }


if __name__ == "__main__":
    main()
