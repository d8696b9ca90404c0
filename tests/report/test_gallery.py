"""What an expert remarks on in each model of a published gallery is in the report's headline or its changes.

The words are ours; where a report may say it in several ways any of them counts. What the record has not (a training
recipe, an encoder that the files do not show) is not asked for.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles
from watcher.report.adhoc import adhoc_draft
from watcher.report.write import write_report

LEAST = 0.95
"""Share of the remarks that must be found."""

MTP = r"mtp|multi-token"
REMARKS: dict[str, tuple[str, ...]] = {
    "GPT-2 XL (1.5B)": (r"gelu", r"layernorm", r"\bmha\b", r"learned absolute"),
    "Llama 3 (8B)": (r"pre-norm", r"wider|4,096"),
    "Llama 3.2 (1B)": (r"32 attention heads|2,048|fewer attention heads",),
    "OLMo 2 (7B)": (r"post-norm inside the residual", r"qk-norm", r"\bmha\b"),
    "Phi-4 (14B)": (r"pre-norm", r"rmsnorm", r"\bgqa\b", r"40 attention heads", r"10 (kv|key-value) heads", r"100,352"),
    "DeepSeek V3 (671B)": (r"dense feed-forward in the first 3|3 dense layers", r"1 shared expert", MTP),
    "DeepSeek R1 (671B)": (r"same architecture as deepseek-v3", MTP),
    "Gemma 3 (27B)": (r"5:1 sliding-window", r"262,\d{3}", r"qk-norm"),
    "xLSTM (7B)": (r"mlstm", r"constant state", r"no kv cache"),
    "Mistral Small 3.1 (24B)": (r"smaller nominal kv cache", r"shallower"),
    "Qwen3 (0.6B)": (r"28 layers", r"deeper|16 → 28"),
    "Qwen3 (235B-A22B)": (r"mixture of experts|128 experts", r"(no|drops the) shared expert"),
    "Qwen3 (32B)": (r"qk-norm", r"8 kv heads"),
    "Qwen3 (4B)": (r"qk-norm", r"151,\d{3}"),
    "Kimi K2 (1T)": (r"deepseek-v3", r"384 experts instead of 256", r"64 attention heads instead of 128"),
    "GLM-4.5 (355B)": (r"first 3 layers|3 dense layers", r"1 shared expert", MTP),
    "GLM-4.5-Air (106B)": (r"46 layers", r"dense feed-forward in the first layer", MTP),
    "GPT-OSS (120B)": (r"alternating", r"sinks", r"128 experts"),
    "Qwen3 Next (80B-A3B)": (r"3:1", r"gated deltanet", r"512 experts", r"1 shared expert", r"262,144", MTP),
    "MiniMax M2 (230B)": (r"qk-norm", r"partial rope", r"256 experts", MTP),
    "Mistral Large 3 (673B)": (r"mla", r"128 experts", r"expert size [\d,]+ → 4,096", r"deepseek-v3", r"vision|image"),
    "Nemotron 3 Nano (30B-A3B)": (r"mamba-2", r"6 of 52", r"mixture of experts|128 experts"),
    "Arcee AI Trinity Large (400B)": (r"qk-norm", r"nope", r"sandwich", r"3:1", r"gated attention"),
    "LongCat-Flash-Lite (68.5B-A3B)": (r"ngram|n-gram", r"zero-computation|identity|zero", r"12 (experts )?active"),
    "GLM-5 (744B)": (r"256 experts instead of 160", r"78 layers|92 → 78", MTP, r"deepseek sparse attention"),
    "MiniMax-M2.5 (230B)": (r"drops lightning|\bgqa\b", r"10\.\d+b active", r"3 (mtp|multi-token)"),
    "Gemma 4 (26B-A4B)": (r"128 experts", r"8 active", r"[^o] shared expert", r"5:1"),
    "Gemma 4 (E2B)": (r"geglu|gelu", r"\bmqa\b|1 kv head", r"4:1"),
    "Qwen3.6 (35B-A3B)": (r"256 experts", r"8 (experts )?active", r"1 shared expert", r"40 layers", r"3:1"),
    "Xiaomi MiMo-V2.5 (310B)": (r"vision|image", r"audio", r"mimo-v2-flash", MTP),
    "DeepSeek V4-Flash (284B)": (r"256 experts", r"6 (experts )?active", r"1 shared expert", r"hash", r"hca", MTP),
    "Granite 4.1 (30B)": (r"4,096", r"32 (attention )?heads", r"8 kv heads", r"tied", r"mup|residual"),
    "ZAYA1-8B (8.4B)": (r"cca", r"compressed", r"1 (expert )?active"),
}  # fmt: skip


def page_of(path: Path, name: str, reference: Reference) -> str:
    """Headline and changes of one model, in lower case."""
    kind = "params.json" if path.name == "params.json" else "config.json"
    files = RepoFiles(name=name, files={kind: path.read_bytes()})
    report = write_report(adhoc_draft(files, None, reference=reference, environment={}))
    changes = re.split(r"\n## What (?:changed|it is made of)", report.markdown)[-1].partition("\n## ")[0]
    return f"{report.headline}\n{changes.partition('<details>')[0]}".lower().replace("\\", "")


def test_the_report_says_what_an_expert_remarks_on(shared: Path) -> None:
    reference, missed, asked = Reference.shipped(), [], 0
    for row in json.loads((shared / "gallery/facts.json").read_text()):
        remarks = REMARKS.get(row["title"], ()) if row["config"] else ()
        if not remarks:
            continue
        path = shared / "corpus" / row["config"]
        page = page_of(path, "/".join(path.parts[-3:-1]), reference)
        missed += [f"{row['title']}: {remark}" for remark in remarks if not re.search(remark, page)]
        asked += len(remarks)
    assert asked > 90
    assert len(missed) <= (1 - LEAST) * asked, missed
