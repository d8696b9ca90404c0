"""Model families as data: what their implementation says that a config does not, and the class defaults it omits.

`data/families.json` is made by `scripts/make_families.py` from `transformers`; the rows below say what is special
beyond that: sublayers of a kind of their own, biases, parameters that no key announces. Adding a family is a row here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

SAME_AS = {
    "kimi_k2": "deepseek_v3",
    "kimi_k25": "deepseek_v3",
    "mimo_v2": "mimo_v2_flash",
    "deepseek_v32": "deepseek_v32",
    "bailing_moe": "bailing_moe",
}
"""Model types that use another one's implementation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What is known of one model type."""

    name: str
    source: str
    """Where the facts below were read."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Class defaults: what a key means when the config omits it."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Other spellings of a key that the class accepts."""
    config: str = ""
    """Name of the config class."""
    norm: str | None = None
    norm_kind: str | None = None
    parallel: bool | None = None
    qk_norm: str | None = None
    gate: bool | None = None
    rope: str | None = None
    """all, none or some (then the pattern decides)."""
    gated_mlp: bool | None = None
    attention_bias: str = "key"
    """key (q k v o when `attention_bias`), qkv-key (not o), qkv (always), all (always), none."""
    mlp_bias: bool = False
    """Whether the feed-forward has biases without a key saying so."""
    sinks: bool = False
    router_bias: bool = False
    """The router's correction is a weight (a buffer is not counted)."""
    expert_bias: bool = False
    shared_gate: bool = False
    """A sigmoid gate on the shared expert: hidden_size more weights."""
    query_gate: str | None = None
    """elementwise (from a doubled q projection), full (a projection of its own), per-head."""
    router: str | None = None
    granted: Mapping[str, Any] = field(default_factory=dict)
    """Facts that a format of its own takes for granted."""
    counted: bool = False
    """Its parameter count was checked against the implementation."""


FACTS_OF = {
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe_text": "qwen3_moe",
    "qwen3_omni_moe_text": "qwen3_moe",
    "qwen3_omni_moe_thinker": "qwen3_moe",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen2_5_omni_thinker": "qwen2",
    "qwen2_5_omni_text": "qwen2",
    "mimo_v2_flash": "mimo_v2_flash",
    "gemma4_unified_text": "gemma4_text",
    "mistral4_text": "mistral4",
}
"""Language models whose layers are those of another type: its traced facts hold for them."""

PARTIAL_ROTARY = {
    **dict.fromkeys(
        ("glm", "glm4", "glm4_moe", "glm4v_moe_text", "nemotron", "persimmon", "phi", "recurrent_gemma"), 0.5
    ),
    **dict.fromkeys(("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "stablelm", "gpt_neox"), 0.25),
    "bamba": 0.5,
}
"""The share of a head that is rotated where a config omits it: set in the class's code, not as a class attribute."""

TRACED = ("norm", "norm_kind", "parallel", "qk_norm", "gate", "rope", "gated_mlp")

_SPECIAL: dict[str, dict[str, Any]] = {
    "llama": {"counted": True},
    "mistral": {"counted": True, "attention_bias": "none"},
    "ministral3": {"counted": True, "attention_bias": "none"},
    "mixtral": {"counted": True, "attention_bias": "none", "router": "softmax"},
    "granite": {"counted": True},
    "granitemoe": {"router": "softmax"},
    "smollm3": {"counted": True},
    "phi3": {"counted": True, "attention_bias": "none"},
    "seed_oss": {"counted": True, "attention_bias": "qkv-key"},
    "qwen2": {"counted": True, "attention_bias": "qkv"},
    "qwen2_vl_text": {"counted": True, "attention_bias": "qkv"},
    "qwen2_5_vl_text": {"counted": True, "attention_bias": "qkv"},
    "qwen2_moe": {"attention_bias": "qkv", "shared_gate": True, "router": "softmax"},
    "qwen3": {"counted": True},
    "qwen3_moe": {"counted": True, "router": "softmax"},
    "qwen3_vl_text": {"counted": True},
    "qwen3_vl_moe_text": {"counted": True, "router": "softmax"},
    "qwen3_next": {"counted": True, "query_gate": "elementwise", "shared_gate": True, "router": "softmax"},
    "qwen3_5_text": {"counted": True, "query_gate": "elementwise"},
    "qwen3_5_moe_text": {"counted": True, "query_gate": "elementwise", "shared_gate": True, "router": "softmax"},
    "olmo2": {"counted": True},
    "olmo3": {"counted": True},
    "gpt_oss": {
        "counted": True,
        "attention_bias": "all",
        "sinks": True,
        "router_bias": True,
        "expert_bias": True,
        "router": "softmax",
    },
    "gemma2": {"counted": True},
    "gemma3_text": {"counted": True},
    "gemma4_text": {"counted": True},
    "gemma4_unified_text": {"counted": True},
    "cohere": {},
    "cohere2": {"counted": True, "attention_bias": "none"},
    "glm4_moe": {"counted": True, "attention_bias": "qkv-key", "router": "sigmoid"},
    "minimax_m2": {"counted": True, "router": "sigmoid", "attention_bias": "none"},
    "hy_v3": {"counted": True, "router": "sigmoid"},
    "deepseek_v2": {"router": "softmax"},
    "deepseek_v3": {"counted": True, "router": "sigmoid"},
    "deepseek_v32": {"counted": True, "router": "sigmoid"},
    "deepseek_v4": {"qk_norm": "per-head", "router": "sqrtsoftplus"},
    "glm_moe_dsa": {"counted": True, "router": "sigmoid"},
    "glm4_moe_lite": {"counted": True, "router": "sigmoid"},
    "mistral4": {"counted": True, "router": "softmax"},
    "mistral4_text": {"counted": True, "router": "softmax"},
    "mimo_v2_flash": {"counted": True, "router": "sigmoid", "attention_bias": "none"},
    "laguna": {"counted": True, "query_gate": "per-head", "router_bias": True, "router": "sigmoid"},
    "afmoe": {"counted": True, "query_gate": "full", "router_bias": True, "router": "sigmoid"},
    "nemotron_h": {"counted": True, "gated_mlp": False, "router": "sigmoid"},
    "gpt2": {"counted": True, "attention_bias": "all", "mlp_bias": True},
    "llama4_text": {"counted": True, "router": "sigmoid"},
    "kimi_linear": {"counted": True, "router": "sigmoid"},
}
"""What is special: one row a family."""


_OWN = {"tied_embeddings": False, "feed_forward.activation": "silu"}
"""What Mistral's and DeepSeek's own code takes for granted where a key does not say otherwise."""

FORMS: tuple[tuple[frozenset[str], str, Mapping[str, Any]], ...] = (
    (frozenset({"qk_dim_factor", "v_dim_factor", "num_heads"}), "xlstm", {"tied_embeddings": False}),
    (frozenset({"compress_ratios", "window_size", "n_hash_layers"}), "deepseek_v4", _OWN),
    (frozenset({"n_layers", "kv_lora_rank", "inter_dim", "index_topk"}), "deepseek_v32", _OWN),
    (frozenset({"n_layers", "kv_lora_rank", "inter_dim"}), "deepseek_v3", _OWN),
    (frozenset({"n_layers", "n_heads", "dim", "hidden_dim", "kv_lora_rank", "moe"}), "deepseek_v3", _OWN),
    (frozenset({"n_layers", "n_heads", "dim", "hidden_dim", "moe"}), "mixtral", _OWN),
    (frozenset({"n_layers", "n_heads", "n_kv_heads", "dim", "hidden_dim"}), "ministral3", _OWN),
)
"""Configs without a model type (Mistral's params.json, DeepSeek's inference configs): their keys → whose form it is,
and what holds of the form."""


def family_of_form(text: Mapping[str, Any]) -> Family | None:
    """The family whose own format has these keys. Its class defaults do not hold for another format."""
    name, granted = next(((name, granted) for keys, name, granted in FORMS if keys <= text.keys()), (None, {}))
    found = family(name)
    own = found.router if found and "inter_dim" in text else None
    return replace(found, defaults={}, renamed={}, router=own, granted=granted) if found else None


def stranger(model_type: str | None, class_name: str | None) -> bool:
    """Whether a class is none of its model type's: a config that borrows another's name (`git` for Grok 2).

    A class belongs to its type when its name begins as the type's does and goes on with no other type's name.
    """
    known, stem = _table()[0], _stem(class_name or "")
    row = known.get(SAME_AS.get(model_type or "", model_type or ""))
    if row is None or not stem:
        return False
    for own in (_plain(model_type or ""), _stem(row.get("class") or "")):
        rest = stem.removeprefix(own) if own and stem.startswith(own) else None
        if (
            rest is not None
            and not rest.startswith("for")
            and not any(_plain(name).startswith(rest) for name in known if len(rest) > 2)
        ):
            return False
        if rest == "" or own.startswith(stem):
            return False
    return True


HEAD = re.compile(
    r"(Text)?(For([A-Z]+|\w*(Generation|Classification|Answering|Modeling|RewardModel|LM|Prediction))|LMHeadModel|Model)\Z"
)
"""What a class name ends with, by what is on top of the stack."""


def _stem(class_name: str) -> str:
    return _plain(HEAD.sub("", class_name))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]|_text$", "", name.lower())


def family_of_class(name: str | None) -> Family | None:
    """The family whose causal language model has this class name."""
    return family(_by_class().get(name or ""))


@cache
def _by_class() -> Mapping[str, str]:
    return {row["class"]: name for name, row in _table()[0].items() if row.get("class")}


def family(model_type: str | None) -> Family | None:
    """The family of a model type, or None for one that nobody has read."""
    name = SAME_AS.get(model_type or "", model_type or "")
    table, version = _table()
    row = table.get(name)
    if row is None and name not in _SPECIAL and name not in FACTS_OF:
        return None
    like = table.get(FACTS_OF.get(name, ""), {})
    row = {key: like[key] for key in TRACED if key in like} | (row or {})
    facts = {key: value for key, value in row.items() if key in Family.__dataclass_fields__}
    facts |= _SPECIAL.get(name) or _SPECIAL.get(FACTS_OF.get(name, ""), {})
    return Family(name=name, source=f"transformers {version} modeling_{name.removesuffix('_text')}.py", **facts)


def default_source(family: Family, key: str) -> str:
    """Where a class default stands, as evidence names it."""
    _, version = _table()
    module = family.name.removesuffix("_text")
    return f"transformers {version} configuration_{module}.py: {family.config}.{key}"


@cache
def _data() -> dict[str, Any]:
    text = files("watcher.architecture").joinpath("data/families.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _table() -> tuple[Mapping[str, Any], str]:
    return _data()["families"], _data()["transformers"]


@cache
def known_keys() -> frozenset[str]:
    """Every config key that a class of the reference or a catalogued model has."""
    return frozenset(_data()["keys"])


def shipped_version() -> str:
    """The version of `transformers` that the shipped facts were read from."""
    return _table()[1]
