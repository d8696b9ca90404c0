"""The config witness: one config.json or params.json, its text part, and values by concept with their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.families import Family, default_source, family
from watcher.architecture.jsonsafe import as_mapping

TEXT_PARTS = ("text_config", "llm_config", "language_config", "language_model_config", "thinker_config", "llm")
"""Where a multimodal config keeps its language model, in look-up order."""

ALIASES: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "num_blocks", "decoder_layers"),
    "hidden_size": ("hidden_size", "n_embd", "d_model", "dim", "embedding_dim", "emb_dim"),
    "intermediate_size": ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim", "hidden_dim", "inter_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": (
        "num_key_value_heads",
        "n_head_kv",
        "num_kv_heads",
        "n_kv_heads",
        "multi_query_group_num",
        "num_query_groups",
        "num_attention_groups",
    ),
    "head_dim": ("head_dim", "kv_channels", "attention_head_dim", "hidden_size_per_head"),
    "v_head_dim": ("v_head_dim", "value_head_dim"),
    "experts": ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", "num_routed_experts"),
    "top_k": (
        "num_experts_per_tok",
        "num_experts_per_token",
        "moe_topk",
        "moe_top_k",
        "top_k_experts",
        "moe_k",
        "moe_router_topk",
        "experts_per_token",
        "n_activated_experts",
    ),
    "expert_size": (
        "moe_intermediate_size",
        "expert_ffn_hidden_size",
        "expert_intermediate_size",
        "moe_ffn_hidden_size",
        "moe_inter_dim",
    ),
    "shared_experts": ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts"),
    "shared_size": ("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "share_expert_dim"),
    "zero_experts": ("zero_expert_num",),
    "dense_prefix": ("first_k_dense_replace", "num_dense_layers", "n_dense_layers"),
    "context": (
        "max_position_embeddings",
        "n_positions",
        "max_seq_len",
        "seq_length",
        "max_sequence_length",
        "model_max_length",
        "max_context_length",
    ),
    "eps": ("rms_norm_eps", "layer_norm_epsilon", "layernorm_epsilon", "norm_eps", "norm_epsilon", "layer_norm_eps"),
    "activation": ("hidden_act", "hidden_activation", "activation_function", "mlp_hidden_act"),
    "mtp": ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules", "num_mtp_layers"),
    "groups": ("n_group", "num_expert_group", "n_expert_groups"),
    "latent": ("moe_latent_size",),
    "vocab": ("vocab_size", "padded_vocab_size", "n_vocab"),
}
"""Concept → keys in look-up order. A new spelling of a known thing is a word here."""

BIG = 2**40
MAX_LAYERS = 2000


class Absent(LookupError):
    """A concept that neither the config nor the class defaults tell; the text says why."""


@dataclass(slots=True)
class Config:
    """One config with its text part. Remembers which keys were asked for and where values came from."""

    raw: Mapping[str, Any]
    file: str = "config.json"
    text: Mapping[str, Any] = field(init=False)
    path: str = field(init=False, default="")
    """Dotted path of the text part, with its last dot."""
    family: Family | None = field(init=False, default=None)
    model_type: str | None = field(init=False, default=None)
    asked: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.text, self.path = _text_part(self.raw)
        outer, inner = self.raw.get("model_type"), self.text.get("model_type")
        self.model_type = next((item for item in (inner, outer) if isinstance(item, str) and item), None)
        self.family = self._find_family()

    def _find_family(self) -> Family | None:
        names = [self.text.get("model_type"), self.raw.get("model_type")]
        for name in names:
            if isinstance(name, str):
                found = (family(f"{name}_text") if self.path else None) or family(name)
                if found is not None and (found.defaults or found.counted):
                    return found
        return None

    def keys(self, concept: str) -> tuple[str, ...]:
        """The spellings of a concept, with those that the config class renames."""
        plain = ALIASES.get(concept, (concept,))
        renamed = self.family.renamed if self.family else {}
        more = [other for key, other in renamed.items() if key in plain] + [
            key for key, other in renamed.items() if other in plain
        ]
        return (*plain, *(key for key in more if key not in plain))

    def find(self, concept: str) -> tuple[Any, str] | None:
        """(value, evidence) under any spelling: the config first, an explicit null counts, then the class default."""
        keys = self.keys(concept)
        self.asked.update(keys)
        spelled = [key for key in keys if key in self.text]
        key = next((key for key in spelled if self.text[key] is not None), spelled[0] if spelled else None)
        if key is not None:
            return self.text[key], f"{self.file}: {self.path}{key}"
        if self.family is not None:
            for key in keys:
                if key in self.family.defaults:
                    return self.family.defaults[key], default_source(self.family, key)
        return None

    def get(self, concept: str, default: Any = None) -> Any:
        """The value alone."""
        found = self.find(concept)
        return default if found is None or found[0] is None else found[0]

    def size(self, concept: str, *, low: int = 1, high: int = BIG) -> int | None:
        """A count or width. None when it is null or absent; raises Absent when it is there and makes no sense."""
        found = self.find(concept)
        if found is None or found[0] is None:
            return None
        value, where = found
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Absent(f"{where} is {_short(value)}, which is no count")
        return value

    def flag(self, concept: str, default: bool = False) -> bool:
        """A boolean; anything else counts as absent."""
        value = self.get(concept)
        return value if isinstance(value, bool) else default

    def part(self, key: str) -> Mapping[str, Any]:
        """A nested object of the text part, empty when there is none."""
        self.asked.add(key)
        return as_mapping(self.text.get(key))

    def items(self, key: str) -> list[Any] | None:
        """A list of the text part, bounded, or None."""
        self.asked.add(key)
        value = self.text.get(key)
        if value is None and self.family is not None:
            value = self.family.defaults.get(key)
        return value[: 4 * MAX_LAYERS] if isinstance(value, list) and value else None

    def where(self, concept: str) -> str | None:
        """The evidence alone."""
        found = self.find(concept)
        return found[1] if found else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _text_part(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The language model's own part and its dotted path."""
    part, path = raw, ""
    for _ in range(4):
        key = next((key for key in TEXT_PARTS if isinstance(part.get(key), dict) and part[key]), None)
        if key is None:
            return part, path
        part, path = part[key], f"{path}{key}."
    return part, path
