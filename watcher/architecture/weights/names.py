"""Tensor names: which part of the model, which layer, and what the name shows. Every sign is a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from watcher.architecture.weights.tensors import Tensor

LISTS = re.compile(
    r"(?P<stack>(?:^|.*?\.)(?:layers|h|blocks|blk|block|layer|decoders?))\.(?P<index>\d{1,5})\.(?P<rest>.+)"
)
"""A tensor of a numbered block."""

VISION = re.compile(
    r"(^|\.)(vision\w*|visual\w*|vit\w*|vpm|image\w*|siglip\w*|clip\w*|sam_model|qwen2_model|patch_embed\w*|"
    r"multi_modal_projector|mm_projector|projector|resampler|aligner|connector|embed_vision|img_\w+|mlp1|v|mm)(\.|$)"
)
AUDIO = re.compile(
    r"(^|\.)(audio\w*|speech\w*|whisper\w*|acoustic\w*|semantic_\w+|embed_audio|sound\w*|talker|token2wav|"
    r"code_predictor|apm|tts)(\.|$)"
)
MTP = re.compile(r"(^|\.)(mtp\w*|nextn\w*|model_mtp)(\.|$)")

PARTS = (("mtp", MTP), ("audio", AUDIO), ("vision", VISION))
"""Part of the model → the names of its modules, in look-up order; the rest is the language model."""

EMBEDDING = re.compile(
    r"(^|\.)(embed_tokens|tok_embeddings|word_embeddings|wte|embeddings?|token_embd|embed_in|embed)\."
)
HEAD = re.compile(r"(^|\.)(lm_head|output|output_layer|embed_out|head|ff_out|score)\.(weight|qweight|weight_packed)$")

_ATTENTION = r"(self_attn|attn|attention|self_attention|linear_attn|mixer)\."
SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("indexer", re.compile(r"indexer|(^|\.)index_")),
    (
        "qk_norm",
        re.compile(
            r"(^|\.|_)(q_norm|k_norm|qk_norm|q_layernorm|k_layernorm|q_ln|k_ln|query_norm|key_norm|query_layernorm|"
            r"key_layernorm|attn_q_norm|attn_k_norm)\.?\w*$"
        ),
    ),
    ("sinks", re.compile(r"(^|\.)(attn_)?(sinks?|attention_sink\w*|sink_bias)(\.|$)")),
    ("gate", re.compile(rf"{_ATTENTION}(g_proj|gate_proj|output_gate|o_gate|attn_gate|gate|attn_out_gate)\.")),
    (
        "bias",
        re.compile(
            r"(q_proj|k_proj|v_proj|qkv_proj|qkv|query_key_value|c_attn|att_proj|W_pack|attn_q|attn_k|attn_v|attn_qkv|"
            r"wq|wk|wv|query|key|value|q_attn|o_proj|dense|out_proj|attn_output|attn_out|c_proj)\.bias$"
        ),
    ),
    (
        "projection",
        re.compile(
            r"(q_proj|qkv_proj|qkv|query_key_value|c_attn|att_proj|W_pack|attn_q|attn_qkv|wq|query|q_a_proj|q_b_proj|"
            r"attn_q_a|wq_a|kv_a_proj_with_mqa)\.(weight|qweight)"
        ),
    ),
    ("experts", re.compile(r"(^|\.)(experts|local_experts|ffn_\w+_exps|switch_mlp)\.|_exps\.")),
    ("shared", re.compile(r"shared_experts?\.|shared_mlp\.|_shexp\.|share_expert")),
    (
        "dense",
        re.compile(r"(^|\.)(mlp|feed_forward|ffn|ff|mlp_ffn)\.(?!experts|gate\.)|ffn_(up|down|gate)\.|fc1\.|c_fc\."),
    ),
    ("mla", re.compile(r"kv_a_proj|wkv_a|attn_kv_a_mqa|kv_a_layernorm|kv_a_norm|compressed_kv")),
    ("gated-deltanet", re.compile(r"linear_attn\.(in_proj_qkvz|in_proj_qkv|in_proj_ba)")),
    ("kda", re.compile(r"(q_conv1d|q_conv)\b.*|f_a_proj\.")),
    ("ssm", re.compile(r"(^|\.)(A_log|ssm_a|ssm_A)$")),
    ("short-conv", re.compile(r"(^|\.)(conv\.conv|shortconv\.conv)\.")),
    ("norm_bias", re.compile(r"(layernorm|layer_norm|ln_\d|norm|norm\d|ln_f|ln)\.bias$")),
    ("router_bias", re.compile(r"e_score_correction_bias|expert_bias|exp_probs_b")),
)
"""What a name inside a block shows."""

EXPERT = re.compile(r"(?:experts|local_experts)\.(\d{1,5})\.")


@dataclass(slots=True)
class Block:
    """One numbered block of the language model."""

    tensors: list[Tensor] = field(default_factory=list)
    signs: dict[str, str] = field(default_factory=dict)
    """What is shown → the first tensor that shows it."""


@dataclass(slots=True)
class Sorted:
    """Every tensor in its place."""

    blocks: dict[int, Block] = field(default_factory=dict)
    parts: dict[str, list[Tensor]] = field(default_factory=dict)
    """vision, audio, mtp, and `text` for what is outside the blocks."""


def sort(tensors: Iterable[Tensor], layers: int | None) -> Sorted:
    """Tensors by part and block; blocks from `layers` on are extra prediction layers."""
    found, stacks = Sorted(), {}  # type: tuple[Sorted, dict[str, list[tuple[int, Tensor, str]]]]
    for tensor in tensors:
        part = part_of(tensor.pattern)
        match = LISTS.match(tensor.name) if part == "text" else None
        if match is None:
            found.parts.setdefault(part, []).append(tensor)
        else:
            stacks.setdefault(match["stack"], []).append((int(match["index"]), tensor, match["rest"]))
    main = _main(stacks, layers)
    for stack, members in stacks.items():
        for index, tensor, rest in members:
            _place(found, stack == main, index, tensor, rest, layers)
    return found


@lru_cache(maxsize=65_536)
def part_of(pattern: str) -> str:
    """text, vision, audio or mtp, by a name with its numbers as N."""
    return next((part for part, row in PARTS if row.search(pattern)), "text")


@lru_cache(maxsize=65_536)
def signs_of(rest: str) -> tuple[str, ...]:
    """What the rest of a name inside a block shows, its numbers as N."""
    inside = INDEXER.search(rest) is not None
    return tuple(sign for sign, row in SIGNS if row.search(rest) and not (inside and sign in INSIDE))


def _main(stacks: dict[str, list[tuple[int, Tensor, str]]], layers: int | None) -> str | None:
    """The stack of the language model: the one of the stated depth, else the one with most tensors."""

    def rank(stack: str) -> tuple[bool, int]:
        depth = 1 + max(index for index, _, _ in stacks[stack])
        return layers is not None and layers <= depth <= layers + 4, len(stacks[stack])

    return max(stacks, key=rank, default=None)


def _place(found: Sorted, main: bool, index: int, tensor: Tensor, rest: str, layers: int | None) -> None:
    if not main:
        found.parts.setdefault("other", []).append(tensor)
    elif layers is not None and index >= layers:
        found.parts.setdefault("mtp", []).append(tensor)
    else:
        block = found.blocks.setdefault(index, Block())
        block.tensors.append(tensor)
        for sign in signs_of(_tail(tensor.pattern, rest)):
            block.signs.setdefault(sign, tensor.name)


def _tail(pattern: str, rest: str) -> str:
    """As many words of the pattern's end as the rest of the name has."""
    return ".".join(pattern.rsplit(".", rest.count(".") + 1)[1:])


INDEXER = SIGNS[0][1]
INSIDE = frozenset({"qk_norm", "bias", "projection", "norm_bias"})
"""Signs that an indexer's own tensors do not count for."""
