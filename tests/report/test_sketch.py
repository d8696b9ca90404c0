"""What the sketch shows of a record, and that it is a well-formed, accessible, deterministic SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.architecture.record import (
    Architecture,
    Attention,
    FeedForward,
    KvCache,
    LayerKind,
    Layers,
    Mla,
    Model,
    Moe,
    Norm,
    Parameters,
    Position,
    Residual,
    SparseAttention,
    Tower,
    Unknown,
)
from watcher.compare.model import Change, Significance
from watcher.report.png import Picture
from watcher.report.sketch import draw, draw_pair, sketch_pictures
from watcher.report.sketch import text as measure
from watcher.report.sketch.macro import macro
from watcher.report.sketch.palette import colours

NS = "{http://www.w3.org/2000/svg}"


def attention(name: str, count: int, mixer: str = "gqa", ff: str | None = "dense", **facts: object) -> LayerKind:
    given: dict[str, object] = {
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "qk_dim": 128,
        "v_dim": 128,
        "rope": True,
    }
    return LayerKind(id=name, count=count, mixer=mixer, ff=ff, **(given | facts))  # type: ignore[arg-type]


DENSE = Architecture(
    model=Model(id="maker/plain-8B", revision="0123456789"),
    decoder_type="dense",
    parameters=Parameters(total=8_030_261_248, active=7_504_924_672),
    context_length=8192,
    vocab_size=128_256,
    hidden_size=4096,
    layers=Layers(count=32, kinds=(attention("A", 32),), sequence="A32"),
    attention=Attention(kinds=("gqa",), num_attention_heads=32, num_key_value_heads=8, head_dim=128),
    position=Position(kinds=("rope",)),
    norm=Norm(kind="rmsnorm", placement="pre"),
    residual=Residual(kind="plain", parallel=False),
    feed_forward=FeedForward(activation="silu", gated=True, intermediate_size=14_336),
    kv_cache=KvCache(bytes_per_token=131_072),
)

LATENT = replace(
    DENSE,
    model=Model(id="maker/latent-671B"),
    decoder_type="sparse-moe",
    layers=Layers(
        count=61,
        kinds=(attention("A", 3, "mla"), attention("B", 58, "mla", "moe")),
        sequence="A3 B58",
    ),
    attention=Attention(mla=Mla(q_lora_rank=1536, kv_lora_rank=512, qk_rope_head_dim=64)),
    feed_forward=FeedForward(activation="silu", gated=True, intermediate_size=18_432),
    moe=Moe(
        num_experts=256,
        num_experts_per_tok=8,
        num_shared_experts=1,
        moe_intermediate_size=2048,
        dense_layers=3,
        router="sigmoid",
        groups=8,
    ),
    mtp_layers=1,
)


def texts(svg: str) -> list[str]:
    return [item.text or "" for item in ET.fromstring(svg).iter(NS + "text")]


def words(svg: str) -> str:
    return " ".join(texts(svg))


def described(svg: str) -> str:
    return ET.fromstring(svg).findtext(NS + "desc") or ""


def heights(svg: str, label: str) -> list[float]:
    """Baselines of a text in the model, from top to bottom."""
    found = [
        float(item.get("y", 0))
        for item in ET.fromstring(svg).iter(NS + "text")
        if item.text == label and 230 < float(item.get("x", 0)) < 560
    ]
    return sorted(found)


def test_a_dense_model_shows_its_parts_and_numbers() -> None:
    shown = words(draw(DENSE))
    for part in (
        "plain-8B", "8.03B", "32 ×", "Grouped-query attention", "RoPE", "Feed-forward", "SwiGLU feed-forward", "14,336",
        "128,256", "8,192", "4,096", "128 KiB", "Final RMSNorm", "Linear output layer", "Token embedding",
        "Tokenized text", "KV heads",
    ):  # fmt: skip
        assert part in shown, part


def test_experts_latent_attention_dense_prefix_and_mtp_are_shown() -> None:
    shown = words(draw(LATENT))
    for part in (
        "Mixture of experts", "8 of 256 + 1 shared", "256", "Sigmoid router", "1 shared", "latent 512", "latent 1,536",
        "RoPE key 64", "First", "dense, size", "18,432", "2,048", "MTP × 1", "58 ×", "3 ×", "MLA + MoE",
    ):  # fmt: skip
        assert part in shown, part


@pytest.mark.parametrize(
    ("placement", "norms", "first_below_mixer"),
    [("pre", 2, True), ("post-inside", 2, False), ("sandwich", 4, True), ("post", 2, False), ("none", 0, None)],
)
def test_norms_stand_where_the_record_says(placement: str, norms: int, first_below_mixer: bool | None) -> None:
    kind = attention("A", 32, norm=placement)
    record = replace(DENSE, layers=Layers(count=32, kinds=(kind,), sequence="A32"), norm=Norm(kind="rmsnorm"))
    svg = draw(record)
    found = heights(svg, "RMSNorm")
    assert len(found) == norms
    if first_below_mixer is not None:
        mixer = heights(svg, "Grouped-query")[0]
        assert (found[-1] > mixer) is first_below_mixer


def test_placements_give_different_drawings() -> None:
    kinds = [replace(DENSE, norm=Norm(kind="rmsnorm", placement=word)) for word in ("pre", "post-inside", "sandwich")]
    parallel = replace(DENSE, residual=Residual(parallel=True))
    boxes = [tuple(re.findall(r'<rect x="[^"]*" y="([^"]*)"', draw(record))) for record in [*kinds, parallel]]
    assert len(set(boxes)) == 4


def test_parallel_parts_stand_side_by_side() -> None:
    svg = draw(replace(DENSE, residual=Residual(parallel=True)))
    assert "parallel attention and feed-forward" in words(svg)
    rows = {item.text: item for item in ET.fromstring(svg).iter(NS + "text")}
    assert float(rows["attention"].get("x", 0)) < float(rows["Feed-forward"].get("x", 0))
    assert abs(float(rows["attention"].get("y", 0)) - float(rows["Feed-forward"].get("y", 0))) < 30


def test_what_is_unknown_is_drawn_as_unknown() -> None:
    record = Architecture(
        model=Model(id="maker/gated"),
        unknown=tuple(Unknown(fact=fact, why="gated") for fact in ("layers", "norm", "hidden_size", "vocab_size")),
    )
    shown = words(draw(record))
    for part in ("Token mixer unknown", "Feed-forward unknown", "norm placement unknown", "? ×", "Not known", "gated"):
        assert part in shown, part
    assert "RMSNorm" not in shown
    assert "pre-norm" not in shown


def test_single_sublayers_have_one_residual_add_each() -> None:
    kinds = (
        attention("A", 23, "mamba2", None),
        attention("B", 23, "moe", None),
        attention("C", 6, rope=False, ff=None),
    )
    record = replace(
        LATENT, layers=Layers(count=52, kinds=kinds, sequence="(A B)23 C6"), position=Position(kinds=("nope",))
    )
    shown = words(draw(record))
    assert "State-space update" in shown
    assert "NoPE" in shown
    assert "alternating, see Layers" in shown
    assert "First" not in shown.split()


@pytest.mark.parametrize(
    ("mixer", "sign"),
    [
        ("gated-deltanet", "Gated delta rule"), ("kda", "Delta rule, decay per channel"),
        ("mamba2", "State-space update"), ("lightning", "Linear attention, fixed decay"), ("mlstm", "Matrix memory"),
        ("short-conv", "Short convolution"),
        ("rwkv", "WKV state"), ("rglru", "Gated recurrence"), ("mamba", "Selective scan: A, B, C, Δ"),
        ("csa", "Compress tokens"), ("hca", "Compress many tokens"), ("cca", "Attention in the latent space"),
    ],
)  # fmt: skip
def test_each_mixer_is_opened_in_an_inset(mixer: str, sign: str) -> None:
    record = replace(DENSE, layers=Layers(count=4, kinds=(attention("A", 4, mixer),), sequence="A4"))
    svg = draw(record)
    assert sign in words(svg)
    assert not [item for item in texts(svg) if item.endswith("…")]


def test_a_mixer_nobody_knows_keeps_its_own_word() -> None:
    record = replace(DENSE, layers=Layers(count=4, kinds=(attention("A", 4, "wavelet_mixer"),), sequence="A4"))
    assert "wavelet_mixer" in words(draw(record))


@pytest.mark.parametrize(
    ("activation", "gated", "name"),
    [
        ("silu", True, "SwiGLU"),
        ("gelu_pytorch_tanh", True, "GeGLU"),
        ("relu2", False, "ReLU²"),
        ("gelu", False, "GELU"),
    ],
)
def test_feed_forwards_have_their_name(activation: str, gated: bool, name: str) -> None:
    svg = draw(replace(DENSE, feed_forward=FeedForward(activation=activation, gated=gated, intermediate_size=1)))
    assert f"{name} feed-forward" in texts(svg)
    assert ("Linear (gate)" in texts(svg)) is gated


def test_sparse_indexer_streams_windows_and_towers_have_insets() -> None:
    sparse = SparseAttention(kind="dsa", index_n_heads=64, index_head_dim=128, index_topk=2048)
    record = replace(
        LATENT,
        attention=replace(LATENT.attention, sparse=sparse),
        residual=Residual(kind="hyper-connections", streams=4),
        towers=(Tower(modality="image", layers=27, hidden_size=1152, parameters=412_000_000),),
    )
    shown = words(draw(record))
    for part in (
        "DeepSeek Sparse Attention (DSA)",
        "DSA sparse",
        "2,048",
        "Hyper-connections",
        "Vision encoder",
        "27 layers",
    ):
        assert part in shown, part
    windowed = (attention("A", 5, "sliding", window=1024), attention("B", 1))
    shown = words(draw(replace(DENSE, layers=Layers(count=6, kinds=windowed, sequence="A5 B"))))
    assert "window 1,024" in shown
    assert "What a token attends to" in shown


def test_what_differs_is_coloured_and_named() -> None:
    orange = colours("light")["changed"]
    assert orange not in draw(LATENT)
    svg = draw(LATENT, baseline=DENSE)
    root = ET.fromstring(svg)
    coloured = {item.text for item in root.iter(NS + "text") if item.get("fill") == orange}
    assert {"changed", "61"} <= coloured
    assert "was 32" in texts(svg)
    assert "4,096" not in coloured  # the same in both
    assert "plain-8B" in texts(svg)
    assert "What differs from plain-8B" in described(svg)


def test_unknown_on_either_side_is_no_difference() -> None:
    blank = replace(DENSE, hidden_size=None, unknown=(Unknown(fact="hidden_size", why="gated"),))
    orange = colours("light")["changed"]
    for one, other in ((DENSE, blank), (blank, DENSE)):
        coloured = [
            item.text
            for item in ET.fromstring(draw(one, baseline=other)).iter(NS + "text")
            if item.get("fill") == orange
        ]
        assert coloured == ["changed"]


def test_changes_alone_are_enough_to_colour() -> None:
    change = Change(fact="vocab_size", before=32_000, after=128_256, significance=Significance.SCALE, sentence="")
    assert "was 32,000" in texts(draw(DENSE, changes=[change]))
    cosmetic = replace(change, significance=Significance.COSMETIC)
    assert draw(DENSE, changes=[cosmetic]) == draw(DENSE)


def test_every_layer_has_a_cell_and_every_kind_a_line_in_the_legend() -> None:
    svg = draw(LATENT)
    cells = [item.get("d", "").count("M") for item in ET.fromstring(svg).iter(NS + "path") if "h" in item.get("d", "")]
    assert sorted(cells)[-2:] == [3, 58]
    assert {"MLA + dense feed-forward", "MLA + MoE", "3 A, then 58 B"} <= set(texts(svg))


def test_two_models_stand_aligned_side_by_side() -> None:
    svg = draw_pair(DENSE, LATENT)
    root = ET.fromstring(svg)
    for label in ("Linear output layer", "Final RMSNorm", "Token embedding", "Tokenized text"):
        lines = [item.get("y") for item in root.iter(NS + "text") if item.text == label]
        assert len(lines) == 2, label
        assert lines[0] == lines[1], label
    assert {"plain-8B", "latent-671B", "Layers of plain-8B", "Layers of latent-671B"} <= set(texts(svg))
    assert "→ 61" in texts(svg)


def test_a_model_beside_itself_has_nothing_coloured() -> None:
    svg = draw_pair(LATENT, LATENT)
    orange = colours("light")["changed"]
    assert [item.text for item in ET.fromstring(svg).iter(NS + "text") if item.get("fill") == orange] == ["changed"]


def test_the_bytes_are_always_the_same_and_the_themes_differ() -> None:
    assert draw(LATENT, baseline=DENSE) == draw(LATENT, baseline=DENSE)
    light, dark = draw(LATENT), draw(LATENT, theme="dark")
    assert light != dark
    assert texts(light) == texts(dark)


def test_it_is_accessible_and_carries_no_style_and_no_script() -> None:
    root = ET.fromstring(draw(LATENT))
    assert root.get("role") == "img"
    ids = (root.get("aria-labelledby") or "").split()
    assert {item.get("id") for item in root if item.tag in (NS + "title", NS + "desc")} == set(ids)
    assert "58 × MLA + MoE" in described(draw(LATENT))
    assert {item.tag.removeprefix(NS) for item in root.iter()} == {"svg", "title", "desc", "rect", "path", "text"}
    for item in root.iter(NS + "text"):
        assert float(item.get("textLength", 0)) > 0
        assert item.get("lengthAdjust") == "spacingAndGlyphs"
        assert item.text == (item.text or "").strip()


@settings(deadline=None, max_examples=60)
@given(name=st.text(max_size=200), word=st.text(max_size=60))
def test_hostile_names_stay_text(name: str, word: str) -> None:
    record = replace(
        DENSE,
        model=Model(id=f"x/{name}", revision=word),
        norm=Norm(kind=word, placement=word),
        layers=Layers(count=1, kinds=(attention(word, 1, word, gate=word),), sequence=word),
    )
    root = ET.fromstring(draw(record, baseline=replace(DENSE, model=Model(id=name))))
    assert {item.tag.removeprefix(NS) for item in root.iter()} <= {"svg", "title", "desc", "rect", "path", "text"}


def test_long_names_are_shortened_and_odd_characters_replaced() -> None:
    shown = texts(draw(replace(DENSE, model=Model(id="org/" + "very-long-" * 1000))))
    assert any(item.startswith("very-long-") and item.endswith("…") for item in shown)
    assert measure.clean("名 \u202ea\x00b\tc\u0301") == "? ab ć"
    assert measure.valid("a\u202eb\ud800\ufffe\x1bc\nd") == "abc d"


def test_measured_widths_follow_the_font() -> None:
    assert measure.width("WWW", 10) > measure.width("iii", 10) > 0
    assert measure.width("abc", 20) == pytest.approx(2 * measure.width("abc", 10))
    assert measure.width("abc", 10, bold=True) > measure.width("abc", 10)
    short = measure.shorten("a" * 100, 50, 10)
    assert short.endswith("…")
    assert measure.width(short, 10) <= 50
    assert measure.wrap("grouped-query attention", 75, 14, lines=3) == ["grouped-", "query", "attention"]
    assert all(
        measure.width(line, 14) <= 60 for line in measure.wrap("a long-winded sentence of words", 60, 14, lines=3)
    )


def test_the_pictures_of_a_report() -> None:
    made = sketch_pictures("2026-01-01-released-0123456", DENSE, rasterise=lambda svg: Picture(b"\x89PNG"))
    stem = "2026-01-01-released-0123456"
    assert list(made) == [f"{stem}.svg", f"{stem}-dark.svg", f"{stem}.png"]
    assert made[f"{stem}.svg"] == draw(DENSE).encode()


def test_a_report_survives_without_a_png(caplog: pytest.LogCaptureFixture) -> None:
    made = sketch_pictures("stem", DENSE, rasterise=lambda svg: Picture(None, "no fonts"))
    assert list(made) == ["stem.svg", "stem-dark.svg"]
    assert "no fonts" in caplog.text


def test_a_report_survives_a_record_that_cannot_be_drawn(caplog: pytest.LogCaptureFixture) -> None:
    broken = replace(DENSE, layers=None)  # type: ignore[arg-type]
    assert sketch_pictures("stem", broken, rasterise=None) == {}
    assert "sketch.failed" in caplog.text


def test_a_long_order_is_told_as_the_units_that_repeat() -> None:
    order = "A B A B A C B " * 5 + "A B " * 3 + "A C B " + "A B " * 4
    kinds = tuple(
        LayerKind(id=letter, mixer=word, count=9) for letter, word in zip("ABC", ("mamba2", "moe", "gqa"), strict=True)
    )
    text = words(draw(Architecture(layers=Layers(count=52, kinds=kinds, sequence=order))))
    assert "(A B A B A C B) × 5, then (A B) × 3, then A C B, then (A B) × 4" in text


def test_kinds_of_one_name_are_told_apart_in_the_legend() -> None:
    one = LayerKind(id="A", mixer="gqa", ff="dense", count=2, qk_dim=64)
    other = replace(one, id="B", qk_dim=512)
    sharing = replace(other, id="C", shared_kv_from=1)
    text = words(draw(Architecture(layers=Layers(count=6, kinds=(one, other, sharing), sequence="A2 B2 C2"))))
    assert "(head size 64)" in text
    assert "(head size 512)" in text
    assert "(shared KV)" in text


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3)), max_size=60))
def test_units_that_repeat_spell_the_order(runs: list[tuple[str, int]]) -> None:
    assert [run for unit, times in macro(runs) for run in unit * times] == runs
