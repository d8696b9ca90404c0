"""Makes watcher/architecture/data/families.json: what only an implementation tells, and the defaults a config omits.

Reads the facts that were traced from `transformers` (the research folder named by WATCHER_SHARED) and keeps, in our own
short form and per model type, the class defaults of keys that bear on the architecture and the facts of its layers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import maker_configs, shared_folder
from stands import STANDS

from watcher.architecture.config import TEXT_PARTS
from watcher.architecture.irrelevant import irrelevant

OUT = Path(__file__).parents[1] / "watcher/architecture/data/families.json"
VERSION = "5.23.0"

KEYS = re.compile(
    r"hidden|layer|head|expert|moe|rope|rotary|window|attention|attn|rank|lora|index|norm|tie_word|vocab|intermediate|"
    r"ffn|conv|ssm|state|mamba|linear|position|nextn|mtp|top_k|topk|group|expand|chunk|act|chunk|d_model|n_embd|n_inner|"
    r"cache|kv|qk|v_head|ratio|bias|num_blocks|proj_factor|dense|sinks|gat|latent|hc_|multi_query|parallel|alibi|"
    r"residual_multiplier|n_positions|per_layer|freq|step|period|offset|router|scoring"
)
NOT = re.compile(
    r"dropout|initializer|loss|_token|use_cache|output_|std|aux|time_step|gradient|id$|ids$|text_config|vision"
)
PARTS = ("fields", "attribute_map")
WHOLE = {"olmo2", "olmo3", "olmoe", "flex_olmo", "minimax_m2", "olmo_hybrid"}
L2 = {"llama4_text"}
_GATE = re.compile(r"(?!attn_hc)\w*(attn|attention|mixer)\b.*:sigmoid")
"""A sigmoid inside the attention, not in what mixes residual streams around it."""


def main() -> None:
    """Write the table."""
    shared = shared_folder() / "arch"
    traced = json.loads((shared / "introspect_defaults.json").read_text())
    classes = json.loads((shared / "transformers_defaults.json").read_text())["models"]
    families: dict[str, Any] = {}
    for name, entry in sorted(classes.items()):
        defaults = {key: value for key, value in entry.get("fields", {}).items() if _kept(key, value)}
        facts = layer_facts(name, traced[name]) if name in traced and traced[name].get("kinds") else {}
        if not facts and not {"hidden_size", "n_embd", "d_model"} & defaults.keys():
            continue
        row = {"config": entry.get("cls"), "class": entry.get("causal_lm"), "defaults": defaults, **facts}
        renamed = {key: value for key, value in (entry.get("attribute_map") or {}).items() if isinstance(value, str)}
        families[name] = row | ({"renamed": renamed} if renamed else {})
    OUT.parent.mkdir(exist_ok=True)
    keys = {key for entry in classes.values() for part in PARTS for key in entry.get(part) or ()}
    keys |= {key for _, config in maker_configs() for key in text_keys(json.loads(config))}
    keys |= {key for stand in STANDS for key in stand.sizes}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row, sort_keys=True)}" for name, row in families.items())
    OUT.write_text(
        f'{{"transformers": "{VERSION}", "keys": {json.dumps(sorted(keys))}, "families": {{\n{lines}\n}}}}\n'
    )


def text_keys(config: dict[str, Any]) -> Iterator[str]:
    """The keys of a real config and of its language part."""
    for key, value in config.items():
        if not irrelevant(key):
            yield key
        if key in TEXT_PARTS and isinstance(value, dict):
            yield from text_keys(value)


def _kept(key: str, value: Any) -> bool:
    plain = isinstance(value, (int, float, str, bool, type(None))) or (
        isinstance(value, (list, dict)) and len(str(value)) < 120
    )
    return bool(KEYS.search(key)) and not NOT.search(key) and plain


def layer_facts(name: str, trace: dict[str, Any]) -> dict[str, Any]:
    """Norms, QK-norm, gate and RoPE of a family's attention layers, from a traced forward pass."""
    kinds = trace["kinds"]
    attention = [kind for kind in kinds if _is_attention(kind)]
    chosen = attention or kinds
    placements = {_placement(kind) for kind in kinds} - {None}
    roped = set(trace.get("rope_layers") or [])
    layers = {index for kind in attention for index in kind["layers"]}
    rope = "all" if layers <= roped else "none" if not layers & roped else "some"
    norms = {cls for kind in kinds for _, cls, _ in kind["order"] if "Norm" in cls}
    return {
        "norm": placements.pop() if len(placements) == 1 else "mixed" if placements else "none",
        "norm_kind": "layernorm"
        if norms and all("LayerNorm" in cls and "RMS" not in cls for cls in norms)
        else "rmsnorm",
        "parallel": any(kind["parallel"] for kind in kinds),
        "qk_norm": _qk(name) if any(kind["qk_norm"] for kind in chosen) else None,
        "gate": any(_GATE.match(item) for kind in attention for item in kind["sigmoid"]),
        "rope": rope,
        "gated_mlp": _gated(kinds),
    }


def _is_attention(kind: dict[str, Any]) -> bool:
    return any(
        op.endswith(":softmax") and "gate" not in op and "router" not in op and "mlp" not in op for op in kind["ops"]
    )


def _placement(kind: dict[str, Any]) -> str | None:
    names = {"pre": "pre", "sandwich": "sandwich", "post_inside": "post-inside", "post_ln": "post", "none": "none"}
    return names.get(kind.get("mixer_norm") or kind.get("ff_norm"))


def _qk(name: str) -> str:
    return "full" if name in WHOLE else "l2" if name in L2 else "per-head"


def _gated(kinds: list[dict[str, Any]]) -> bool | None:
    """True when the feed-forward has gate and up projections; None when its modules do not tell."""
    text = " ".join(item for kind in kinds for item in kind["sub"])
    if re.search(r"gate_proj|gate_up|\.w3|Experts|in_proj.*mlp", text):
        return True
    return False if re.search(r"up_proj|fc1|c_fc|dense_h_to_4h|fc_in", text) else None


if __name__ == "__main__":
    main()
