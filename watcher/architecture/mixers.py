"""What mixes the tokens of a layer: the words for it, and the keys and families that tell them apart."""

from __future__ import annotations

from watcher.architecture.config import Absent, Config
from watcher.architecture.witness import Fact

RECURRENT = frozenset(
    "gated-deltanet deltanet kda mamba2 mamba lightning mlstm slstm short-conv rwkv rglru linear gla retnet".split()
)
"""Mixers with a state of constant size instead of a cache."""

HALVES = frozenset({"moe", "ffn"})
"""Entries of a stack of single sublayers that mix no tokens."""

NO_MIXER = "none"
"""The word of a layer that has a feed-forward part and mixes no tokens (networks found by search)."""

ATTENTION = frozenset("mha gqa mqa mla sliding chunked gated-attention csa hca cca cross-attention".split())
"""Kinds of attention whose caches are known."""

KNOWN = RECURRENT | HALVES | ATTENTION | {NO_MIXER}
"""Every mixer that we can say more of than its name."""

LINEAR_SIGNS: tuple[tuple[str, str], ...] = (
    ("linear_attn_config", "kda"),
    ("linear_head_dim", "kda"),
    ("linear_num_value_heads", "gated-deltanet"),
    ("mamba_num_heads", "mamba2"),
    ("ssm_state_size", "mamba2"),
    ("mamba_n_heads", "mamba2"),
    ("mamba_d_state", "mamba"),
    ("conv_L_cache", "short-conv"),
    ("lru_width", "rglru"),
    ("qk_dim_factor", "mlstm"),
    ("attn_type_list", "lightning"),
    ("layer_group_size", "lightning"),
    ("ssm_cfg", "mamba"),
)
"""Key → the recurrent or linear mixer that has it, in look-up order."""

LINEAR_FAMILIES = {
    "xlstm": "mlstm",
    "mamba": "mamba",
    "falcon_mamba": "mamba",
    "jamba": "mamba",
    "mamba2": "mamba2",
    "rwkv": "rwkv",
    "minimax": "lightning",
    "minimax_m1": "lightning",
    "recurrent_gemma": "rglru",
    "bailing_hybrid": "lightning",
    "zamba": "mamba",
    "zamba2": "mamba2",
    "falcon_h1": "mamba2",
}
"""Families whose keys do not tell their linear mixer apart."""


def linear_kind(config: Config) -> str:
    """Which recurrent or linear mixer, told by its family or its own keys; else the plain word `linear`."""
    names = (config.family.name if config.family else "", config.model_type or "")
    named = next((LINEAR_FAMILIES[name] for name in names if name in LINEAR_FAMILIES), None)
    if named:
        return named
    kind = config.part("ssm_cfg").get("layer", "Mamba1")
    if kind not in ("Mamba1", "Mamba2"):
        raise Absent(f"{config.where('ssm_cfg')}.layer is no kind of layer that is known")
    if kind == "Mamba2":
        return "mamba2"
    return next((mixer for key, mixer in LINEAR_SIGNS if config.get(key) is not None), "linear")


def linear_sign(config: Config) -> str | None:
    """A key of the file itself that only a recurrent or linear mixer has; None where there is none."""
    return next((key for key, _ in LINEAR_SIGNS if config.has(key)), None)


def is_mla(config: Config) -> bool:
    """Multi-head latent attention: a compressed cache with a decoupled RoPE part."""
    return config.size("kv_lora_rank") is not None and config.size("qk_rope_head_dim") is not None


SAME_WORD = frozenset({"sliding", "chunked", "csa", "hca"})


def attention_kind(config: Config, word: str, sizes: dict[str, Fact], mixed: bool) -> str:
    """The kind of a layer that attends; `mixed` when others of its stack are recurrent.

    Raises Absent where nothing tells that there are heads at all: the layer may be anything.
    """
    if word in SAME_WORD:
        return word
    if word == "window":
        return "sliding"
    if word != "full":
        return word.replace("_", "-")
    if config.get("cca") is True or config.model_type == "zaya":
        return "cca"
    if is_mla(config):
        return "mla"
    heads, kv = (sizes[name].value if name in sizes else None for name in ("heads", "kv_heads"))
    if heads is None or kv is None:
        raise Absent(f"{config.file} tells no attention heads, so not what its layers mix tokens with")
    if mixed and config.family is not None and config.family.gate:
        return "gated-attention"
    return "mha" if kv == heads else "mqa" if kv == 1 else "gqa"
