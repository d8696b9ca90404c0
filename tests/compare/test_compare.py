"""What is told between two models."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from watcher.architecture.record import Architecture, Evidence, Novel, Quantization, Tower, Unknown
from watcher.compare.compare import compare, same_architecture, verdict_of
from watcher.compare.model import Change, Comparison, Significance, Verdict


def told(comparison: Comparison) -> dict[str, str]:
    return {change.fact: change.sentence for change in comparison.changes}


def one(comparison: Comparison, fact: str) -> Change:
    return next(change for change in comparison.changes if change.fact == fact)


def test_new_weights_in_the_same_architecture(models: ModuleType) -> None:
    comparison = compare(models.deepseek_v3(), models.deepseek_v3("deepseek-ai/DeepSeek-R1"))
    assert comparison.verdict is Verdict.SAME
    assert comparison.changes == ()
    assert comparison.similarity == 1


@pytest.mark.parametrize("method", ["nvfp4", "gptq", None])
def test_a_quantised_copy_is_the_same_architecture(models: ModuleType, method: str | None) -> None:
    copy = models.change(models.deepseek_v3(), quantization=Quantization(method=method, bits=4) if method else None)
    comparison = compare(models.deepseek_v3(), copy)
    assert comparison.verdict is Verdict.SAME
    assert [change.significance for change in comparison.changes] == [Significance.COSMETIC]


def test_sizes_of_one_family_are_scaled(models: ModuleType) -> None:
    comparison = compare(models.qwen3(), models.qwen3(64, 5120, 64, "Qwen/Qwen3-32B"))
    assert comparison.verdict is Verdict.SCALED
    assert told(comparison)["layers.count"] == "36 → 64 layers"
    assert told(comparison)["attention.num_attention_heads"] == "64 attention heads instead of 32"


def test_a_mixed_stack_of_another_depth_is_scaled(models: ModuleType) -> None:
    assert compare(models.gemma3(62), models.gemma3(34)).verdict is Verdict.SCALED


def test_losing_group_limited_routing_is_structural(models: ModuleType) -> None:
    comparison = compare(models.deepseek_v3(), models.kimi_k2())
    assert comparison.verdict is Verdict.VARIANT
    assert one(comparison, "moe.groups").significance is Significance.STRUCTURAL
    assert told(comparison)["moe.num_experts"] == "384 experts instead of 256"
    assert told(comparison)["moe.dense_layers"] == "1 dense layer instead of 3"


def test_sparse_attention_is_breaking_and_names_its_config_keys(models: ModuleType) -> None:
    keys = {name: Evidence(witness="config", where=f"config.json: {name}")
            for name in ("index_n_heads", "index_head_dim", "index_topk")}  # fmt: skip
    model = models.change(models.deepseek_v32(), evidence={f"attention.sparse.{name}": keys[name] for name in keys})
    comparison = compare(models.deepseek_v3(), model)
    assert comparison.verdict is Verdict.NEW
    assert comparison.changes[0].sentence == (
        "adds DeepSeek Sparse Attention: new config keys index_n_heads, index_head_dim, index_topk"
    )


def test_published_cache_sizes_are_labelled_as_such(models: ModuleType) -> None:
    assert told(compare(models.deepseek_v32(), models.glm_5()))["kv_cache.nominal_bytes_per_token"] == (
        "nominal KV cache per token: 68.6 → 87.8 KiB, +28 %"
    )


def test_the_replaced_attention_comes_first(models: ModuleType) -> None:
    comparison = compare(models.glm_47(), models.glm_5())
    assert comparison.verdict is Verdict.NEW
    assert comparison.changes[0].sentence == (
        "multi-head latent attention (MLA) replaces grouped-query attention (GQA)"
    )
    assert "attention.num_key_value_heads" not in told(comparison)
    assert told(comparison)["moe.num_experts"] == "256 experts instead of 160"


def test_a_recurrent_mixer_makes_a_model_new(models: ModuleType) -> None:
    comparison = compare(models.qwen3(), models.qwen3_next())
    assert comparison.verdict is Verdict.NEW
    assert comparison.changes[0].sentence == (
        "Gated DeltaNet in 36 of 48 layers and gated attention in 12 (3:1) replace grouped-query attention (GQA)"
    )


def test_a_mixer_nobody_knows_is_told_by_the_configs_own_word(models: ModuleType) -> None:
    strange = models.stack([models.kind("A", "hyper_conv\n<!channel>", "dense", 36)], "A36")
    comparison = compare(models.qwen3(), models.change(models.qwen3(), layers=strange))
    assert comparison.verdict is Verdict.NEW
    assert "“hyper_conv <!channel>” layers" in comparison.changes[0].sentence
    assert "\n" not in comparison.changes[0].sentence


def test_known_parts_in_another_arrangement_are_structural(models: ModuleType) -> None:
    base = models.qwen3()
    for model in (
        models.gemma3(),
        models.change(base, attention__qk_norm=False),
        models.change(base, residual__parallel=True),
        models.change(base, norm__placement="post-inside"),
        models.change(base, towers=(Tower(modality="image", layers=27, hidden_size=1152),)),
    ):
        assert compare(base, model).verdict is Verdict.VARIANT


def test_the_ratio_of_a_sliding_mix_is_told(models: ModuleType) -> None:
    def mixed(unit: str, sliding: int, full: int) -> Architecture:
        kinds = [models.kind("A", "sliding", "dense", sliding, window=512), models.kind("B", "gqa", "dense", full)]
        layers: Architecture = models.change(models.qwen3(48), layers=models.stack(kinds, unit))
        return layers

    comparison = compare(mixed("(A B)24", 24, 24), mixed("(A5 B)8", 40, 8))
    assert one(comparison, "layers.pattern").sentence == "5:1 sliding-window/global attention instead of 1:1"
    assert comparison.verdict is Verdict.VARIANT


def test_a_change_carries_the_values_of_the_record(models: ModuleType) -> None:
    change = one(compare(models.deepseek_v32(), models.glm_5()), "moe.groups")
    assert (change.before, change.after) == (8, 1)
    kinds = one(compare(models.glm_47(), models.glm_5()), "layers.mix")
    assert kinds.before == [{"kind": "gqa", "count": 92}]
    assert kinds.after == [{"kind": "mla", "count": 78}]


def test_the_facts_of_one_kind_are_addressed_by_its_letter(models: ModuleType) -> None:
    layers = models.gemma3().layers
    wider = models.change(layers, kinds=(models.change(layers.kinds[0], v_dim=256), layers.kinds[1]))
    comparison = compare(models.gemma3(), models.change(models.gemma3(), layers=wider))
    assert told(comparison) == {"layers.kinds.A.v_dim": "sliding layers: value head size 128 → 256"}


@pytest.mark.parametrize("swap", [False, True])
def test_what_is_not_known_is_not_a_difference(models: ModuleType, swap: bool) -> None:
    known = models.qwen3()
    vague = models.change(
        known, attention__qk_norm=None, norm__placement=None, unknown=(
            Unknown(fact="attention.qk_norm", why="no code"), Unknown(fact="norm.placement", why="no code"),
        ),
    )  # fmt: skip
    comparison = compare(vague, known) if swap else compare(known, vague)
    assert comparison.verdict is Verdict.SAME
    assert [change.fact for change in comparison.changes] == ["unknown"]
    assert "attention.qk_norm and norm.placement" in comparison.changes[0].sentence
    assert same_architecture(known, vague)


def test_a_model_whose_layers_are_not_known_is_not_called_the_same(models: ModuleType) -> None:
    gated = Architecture(model=models.qwen3().model, unknown=(Unknown(fact="layers", why="gated"),))
    assert compare(models.qwen3(), gated).verdict is not Verdict.SAME


def test_novelty_is_breaking_key_by_key(models: ModuleType) -> None:
    novel = Novel(config_keys=("mega_ratio", "text_config.twist"), classes=("MegaAttention",))
    model = models.change(models.qwen3(), novel=novel)
    comparison = compare(models.qwen3(), model, config_a={}, config_b={"mega_ratio": 4, "text_config": {"twist": [1]}})
    assert comparison.verdict is Verdict.NEW
    assert one(comparison, "config.mega_ratio").after == 4
    assert one(comparison, "config.text_config.twist").after == [1]
    assert told(comparison)["config.mega_ratio"] == "config key mega_ratio, which no reference knows"
    assert told(comparison)["novel.classes"] == "class MegaAttention, which no reference knows"


def test_keys_beside_the_architecture_are_no_novelty(models: ModuleType) -> None:
    model = models.change(models.qwen3(), novel=Novel(config_keys=("transformers_version", "audio_token_id")))
    assert compare(models.qwen3(), model).verdict is Verdict.SAME


def test_many_novel_keys_are_one_change(models: ModuleType) -> None:
    model = models.change(models.qwen3(), novel=Novel(config_keys=tuple(f"hc_{index}" for index in range(40))))
    changes = compare(models.qwen3(), model).changes
    assert [change.fact for change in changes] == ["novel.config_keys"]


def test_the_ranking_is_by_significance_and_stable(models: ModuleType) -> None:
    ranks = [change.significance.rank for change in compare(models.glm_47(), models.glm_5()).changes]
    assert ranks == sorted(ranks, reverse=True)
    assert compare(models.glm_47(), models.glm_5()) == compare(models.glm_47(), models.glm_5())


def test_the_verdict_is_the_most_significant_change() -> None:
    def of(*significances: Significance) -> Verdict:
        changes = (Change(fact="x", before=1, after=2, significance=item, sentence="x") for item in significances)
        return verdict_of(changes)

    assert of() is Verdict.SAME
    assert of(Significance.COSMETIC) is Verdict.SAME
    assert of(Significance.COSMETIC, Significance.SCALE) is Verdict.SCALED
    assert of(Significance.STRUCTURAL, Significance.SCALE) is Verdict.VARIANT
    assert of(Significance.SCALE, Significance.BREAKING) is Verdict.NEW


def test_a_hostile_record_is_compared_and_dumped(models: ModuleType) -> None:
    hostile: dict[str, Any] = {
        "hidden_size": 10**5000, "vocab_size": float("nan"), "context_length": float("inf"), "tied_embeddings": -3,
    }  # fmt: skip
    model = models.change(models.qwen3(), **hostile, model__family="x" * 100_000, model__license="‮<script>")
    comparison = compare(models.qwen3(), model)
    assert max(len(change.sentence) for change in comparison.changes) < 400
    json.dumps([change.sentence for change in comparison.changes], allow_nan=False)


def test_the_longest_stacks_are_compared(models: ModuleType) -> None:
    kinds = [models.kind("A", "sliding", "dense", 3000, window=512), models.kind("B", "gqa", "dense", 1000)]
    deep = models.change(models.qwen3(), layers=models.stack(kinds, " ".join(["A3 B"] * 1000)))
    assert compare(models.qwen3(), deep).verdict is Verdict.VARIANT
