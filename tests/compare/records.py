"""Records of real models, written by hand, to compare."""

from __future__ import annotations

import dataclasses
from typing import Any

from watcher.architecture.record import (
    Architecture,
    Attention,
    FeedForward,
    KvCache,
    LayerKind,
    Layers,
    MixEntry,
    Mla,
    Model,
    Moe,
    Norm,
    Parameters,
    Position,
    Quantization,
    Residual,
    SparseAttention,
)


def change(record: Any, **changes: Any) -> Any:
    """A copy with other values; dots of a path are written as two underscores."""
    for path, value in changes.items():
        head, _, rest = path.partition("__")
        record = dataclasses.replace(
            record, **{head: change(getattr(record, head), **{rest: value}) if rest else value}
        )
    return record


def kind(letter: str, mixer: str, ff: str | None, count: int, **facts: Any) -> LayerKind:
    return LayerKind(**{"id": letter, "mixer": mixer, "ff": ff, "count": count, "norm": "pre", "rope": True} | facts)


def stack(kinds: list[LayerKind], sequence: str, pattern: str = "") -> Layers:
    mix: dict[str, int] = {}
    for item in kinds:
        mix[str(item.mixer)] = mix.get(str(item.mixer), 0) + item.count
    return Layers(
        count=sum(item.count for item in kinds),
        mix=tuple(MixEntry(kind=name, count=count) for name, count in mix.items()),
        kinds=tuple(kinds),
        sequence=sequence,
        pattern=pattern or sequence,
    )


_PRE = {"norm": Norm(kind="rmsnorm", placement="pre", eps=1e-6), "residual": Residual(kind="plain", parallel=False)}
_ROPE = Position(kinds=("rope",), rope_theta=10000, nope_layers=0)


def qwen3(layers: int = 36, hidden: int = 4096, heads: int = 32, name: str = "Qwen/Qwen3-8B") -> Architecture:
    attention = {"num_attention_heads": heads, "num_key_value_heads": 8, "qk_dim": 128, "v_dim": 128}
    return Architecture(
        model=Model(id=name, family="qwen3", class_="Qwen3ForCausalLM", license="apache-2.0"),
        decoder_type="dense",
        parameters=Parameters(total=8_190_735_360, text=8_190_735_360, active=7_568_405_504, embedding=622_329_856),
        context_length=40960,
        vocab_size=151936,
        hidden_size=hidden,
        tied_embeddings=False,
        layers=stack([kind("A", "gqa", "dense", layers, qk_norm="per-head", **attention)], f"A{layers}"),
        attention=Attention(
            kinds=("gqa",), num_attention_heads=heads, num_key_value_heads=8, head_dim=128, qk_norm=True, bias=False,
            sinks=False, gated=False,
        ),
        position=Position(kinds=("rope",), rope_theta=1_000_000, nope_layers=0),
        feed_forward=FeedForward(activation="silu", gated=True, intermediate_size=12288),
        kv_cache=KvCache(bytes_per_token=4096 * layers, nominal_bytes_per_token=4096 * layers),
        **_PRE,
    )  # fmt: skip


def deepseek_v3(name: str = "deepseek-ai/DeepSeek-V3") -> Architecture:
    attention = {"num_attention_heads": 128, "num_key_value_heads": 128, "qk_dim": 192, "v_dim": 128}
    kinds = [kind("A", "mla", "dense", 3, **attention), kind("B", "mla", "moe", 58, **attention)]
    return Architecture(
        model=Model(id=name, family="deepseek_v3", class_="DeepseekV3ForCausalLM", license="mit"),
        decoder_type="sparse-moe",
        parameters=Parameters(total=671_026_404_352, text=671_026_404_352, active=36_625_603_584),
        context_length=163840,
        vocab_size=129280,
        hidden_size=7168,
        tied_embeddings=False,
        layers=stack(kinds, "A3 B58", "3×(mla+dense) 58×(mla+moe)"),
        attention=Attention(
            kinds=("mla",), num_attention_heads=128, num_key_value_heads=128, head_dim=192, qk_norm=False, bias=False,
            mla=Mla(q_lora_rank=1536, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128),
        ),
        position=dataclasses.replace(_ROPE, scaling="yarn"),
        feed_forward=FeedForward(activation="silu", gated=True, intermediate_size=18432),
        moe=Moe(
            num_experts=256, num_experts_per_tok=8, num_shared_experts=1, moe_intermediate_size=2048, dense_layers=3,
            router="sigmoid", groups=8,
        ),
        mtp_layers=1,
        quantization=Quantization(method="fp8", bits=8),
        kv_cache=KvCache(bytes_per_token=70272, nominal_bytes_per_token=70272),
        **_PRE,
    )  # fmt: skip


def deepseek_v32() -> Architecture:
    return change(
        deepseek_v3("deepseek-ai/DeepSeek-V3.2-Exp"),
        model__family="deepseek_v32",
        model__class_="DeepseekV32ForCausalLM",
        attention__sparse=SparseAttention(kind="dsa", index_n_heads=64, index_head_dim=128, index_topk=2048, layers=61),
        kv_cache__bytes_per_token=85888,
        parameters=Parameters(total=671_877_944_064, text=671_877_944_064, active=37_477_143_296),
    )


def kimi_k2() -> Architecture:
    base = deepseek_v3("moonshotai/Kimi-K2-Instruct")
    attention = {"num_attention_heads": 64, "num_key_value_heads": 64, "qk_dim": 192, "v_dim": 128}
    kinds = [kind("A", "mla", "dense", 1, **attention), kind("B", "mla", "moe", 60, **attention)]
    return change(
        base,
        model__family="kimi_k2",
        layers=stack(kinds, "A B60"),
        attention__num_attention_heads=64,
        attention__num_key_value_heads=64,
        moe__num_experts=384,
        moe__groups=1,
        moe__dense_layers=1,
        context_length=131072,
        vocab_size=163840,
        mtp_layers=0,
        parameters=Parameters(total=1_026_408_232_448, text=1_026_408_232_448, active=31_686_647_296),
    )


def glm_5() -> Architecture:
    attention = {"num_attention_heads": 64, "num_key_value_heads": 64, "qk_dim": 256, "v_dim": 256}
    kinds = [kind("A", "mla", "dense", 3, **attention), kind("B", "mla", "moe", 75, **attention)]
    return change(
        deepseek_v32(),
        model=Model(id="zai-org/GLM-5", family="glm_moe_dsa", class_="GlmMoeDsaForCausalLM", license="mit"),
        parameters=Parameters(total=743_911_000_000, text=743_911_000_000, active=40_200_000_000),
        context_length=202752,
        vocab_size=154880,
        hidden_size=6144,
        layers=stack(kinds, "A3 B75"),
        attention__num_attention_heads=64,
        attention__num_key_value_heads=64,
        attention__head_dim=256,
        attention__mla=Mla(
            q_lora_rank=2048, kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=192, v_head_dim=256
        ),
        attention__sparse=SparseAttention(kind="dsa", index_n_heads=32, index_head_dim=128, index_topk=2048, layers=78),
        position__rope_theta=1_000_000,
        position__scaling=None,
        feed_forward__intermediate_size=12288,
        moe__groups=1,
        quantization=None,
        kv_cache=KvCache(bytes_per_token=109824, nominal_bytes_per_token=89856),
    )


def glm_47() -> Architecture:
    attention = {"num_attention_heads": 96, "num_key_value_heads": 8, "qk_dim": 128, "v_dim": 128}
    kinds = [
        kind("A", "gqa", "dense", 3, qk_norm="per-head", **attention),
        kind("B", "gqa", "moe", 89, qk_norm="per-head", **attention),
    ]
    return change(
        glm_5(),
        model=Model(id="zai-org/GLM-4.7", family="glm4_moe", class_="Glm4MoeForCausalLM", license="mit"),
        parameters=Parameters(total=352_797_829_120, text=352_797_829_120, active=32_700_000_000),
        vocab_size=151552,
        hidden_size=5120,
        layers=stack(kinds, "A3 B89"),
        attention=Attention(
            kinds=("gqa",), num_attention_heads=96, num_key_value_heads=8, head_dim=128, qk_norm=True, bias=True
        ),
        position=Position(kinds=("partial-rope",), rope_theta=1_000_000, partial_rotary_factor=0.5, nope_layers=0),
        moe__num_experts=160,
        moe__moe_intermediate_size=1536,
        kv_cache=KvCache(bytes_per_token=376832, nominal_bytes_per_token=376832),
    )


def qwen3_next() -> Architecture:
    kinds = [
        kind("A", "gated-deltanet", "moe", 36, rope=None, num_attention_heads=32, qk_dim=128, v_dim=128,
             state_bytes=2_146_304),
        kind("B", "gated-attention", "moe", 12, num_attention_heads=16, num_key_value_heads=2, qk_dim=256, v_dim=256,
             qk_norm="per-head", gate="sigmoid"),
    ]  # fmt: skip
    return change(
        qwen3(48, 2048, 16, "Qwen/Qwen3-Next-80B-A3B-Instruct"),
        model__family="qwen3_next",
        decoder_type="sparse-hybrid",
        parameters=Parameters(total=79_674_391_296, text=79_674_391_296, active=3_600_000_000),
        context_length=262144,
        layers=stack(kinds, "(A3 B)12", "12×(3×(gated-deltanet+moe) gated-attention+moe)"),
        attention=Attention(
            kinds=("gated-attention",), num_attention_heads=16, num_key_value_heads=2, head_dim=256, qk_norm=True,
            bias=False, gated=True,
        ),
        position__kinds=("partial-rope",),
        position__partial_rotary_factor=0.25,
        moe=Moe(
            num_experts=512, num_experts_per_tok=10, num_shared_experts=1, moe_intermediate_size=512, dense_layers=0,
            router="softmax",
        ),
        mtp_layers=1,
        kv_cache=KvCache(bytes_per_token=24576, nominal_bytes_per_token=24576, state_bytes=77_266_944),
    )  # fmt: skip


def gemma3(layers: int = 62) -> Architecture:
    whole, rest = divmod(layers, 6)
    attention = {"num_attention_heads": 32, "num_key_value_heads": 16, "qk_dim": 128, "v_dim": 128, "norm": "sandwich",
                 "qk_norm": "per-head"}  # fmt: skip
    kinds = [
        kind("A", "sliding", "dense", layers - whole, window=1024, **attention),
        kind("B", "gqa", "dense", whole, **attention),
    ]
    return change(
        qwen3(layers, 5376, 32, "google/gemma-3-27b-it"),
        model__family="gemma3",
        layers=stack(kinds, f"(A5 B){whole}" + (f" A{rest}" if rest else "")),
        attention__kinds=("sliding", "gqa"),
        attention__sliding_window=1024,
        attention__num_key_value_heads=16,
        norm__placement="sandwich",
        feed_forward__activation="gelu_pytorch_tanh",
    )
