"""Nothing overlaps, is cut or leaves the page, for records of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watcher.architecture.read import read
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
from watcher.architecture.witness import RepoFiles
from watcher.report.sketch import card, page, pair, words
from watcher.report.sketch.check import problems
from watcher.report.sketch.scene import Box, Group

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))

hostile = st.one_of(
    st.sampled_from(
        [
            "", "x", "org/name", "-" * 400, "a b " * 200, "<script>alert(1)</script>", "&amp;\x00\x1b[31m",
            "名前/モデル", "\u202egnirts", "👩‍👩‍👧" * 30, "W" * 10_000, "e\u0301\u0301\u0301", "]]>", "\ud800",
        ]
    ),
    st.text(max_size=30),
)  # fmt: skip
counts = st.one_of(
    st.none(),
    st.integers(0, 10),
    st.integers(1, 300_000),
    st.sampled_from([1, 10**9, 671_026_404_352, 10**15, 10**40, 10**400, -1, -(10**20)]),
)
numbers = st.one_of(counts, st.floats())
flags = st.one_of(st.none(), st.booleans())
mixers = st.one_of(st.none(), st.sampled_from(sorted(words.MIXERS)), hostile)
placements = st.one_of(st.none(), st.sampled_from([*words.PLACEMENTS]), hostile)
known = [
    "hidden_size", "vocab_size", "layers", "norm.placement", "norm.kind", "parameters", "context_length", "attention",
    "moe", "layers.kinds.A.ff", "layers.kinds.A.mixer", "towers", "position",
]  # fmt: skip


def kind(name: str) -> st.SearchStrategy[LayerKind]:
    return st.builds(
        LayerKind,
        id=st.just(name),
        mixer=mixers,
        ff=st.sampled_from([None, "dense", "moe", "other"]),
        count=st.one_of(st.integers(1, 90), st.just(10**12)),
        num_attention_heads=counts,
        num_key_value_heads=counts,
        qk_dim=counts,
        v_dim=counts,
        window=counts,
        rope=flags,
        qk_norm=st.one_of(st.sampled_from([None, "per-head", "full", "l2"]), hostile),
        gate=st.one_of(st.none(), st.just("sigmoid"), hostile),
        sinks=flags,
        norm=placements,
        state_bytes=counts,
        shared_kv_from=counts,
    )


@st.composite
def stacks(draw: st.DrawFn) -> Layers:
    letters = "ABCDEFGHIJKLMNOP"[: draw(st.integers(0, 16))]
    kinds = tuple(draw(kind(letter)) for letter in letters)
    runs = [f"{letter}{item.count}" for letter, item in zip(letters, kinds, strict=True)]
    mixed = draw(st.lists(st.sampled_from(letters), max_size=60)) if letters else []
    group = f"({' '.join(letters)}){draw(st.integers(1, 500))}" if letters else ""
    sequence = draw(st.one_of(st.none(), st.sampled_from([" ".join(runs), " ".join(mixed), group]), hostile))
    return Layers(count=draw(counts), kinds=kinds, sequence=sequence)


records = st.builds(
    Architecture,
    model=st.builds(Model, id=st.one_of(st.none(), hostile), revision=st.one_of(st.none(), hostile)),
    decoder_type=st.one_of(st.sampled_from([None, "dense", "sparse-moe", "recurrent"]), hostile),
    parameters=st.builds(Parameters, total=counts, active=counts),
    context_length=counts,
    vocab_size=counts,
    hidden_size=counts,
    tied_embeddings=flags,
    layers=stacks(),
    attention=st.builds(
        Attention,
        num_attention_heads=counts,
        mla=st.one_of(st.none(), st.builds(Mla, q_lora_rank=counts, kv_lora_rank=counts, qk_rope_head_dim=counts)),
        sparse=st.one_of(
            st.none(),
            st.builds(
                SparseAttention,
                kind=st.one_of(st.sampled_from(["dsa", "csa"]), hostile),
                index_n_heads=counts,
                index_head_dim=counts,
                index_topk=counts,
            ),
        ),
    ),
    position=st.builds(
        Position,
        kinds=st.lists(
            st.one_of(st.sampled_from(["rope", "partial-rope", "learned", "sinusoidal", "alibi", "nope"]), hostile),
            max_size=4,
        ).map(tuple),
        scaling=st.one_of(st.none(), st.just("yarn"), hostile),
    ),
    norm=st.builds(
        Norm, kind=st.one_of(st.sampled_from(["rmsnorm", "layernorm"]), hostile, st.none()), placement=placements
    ),
    residual=st.builds(
        Residual,
        kind=st.sampled_from([None, "plain", "hyper-connections"]),
        streams=counts,
        parallel=flags,
        multiplier=st.one_of(st.none(), st.floats()),
    ),
    feed_forward=st.builds(
        FeedForward,
        activation=st.one_of(st.sampled_from([None, "silu", "relu2", "gelu"]), hostile),
        gated=flags,
        intermediate_size=counts,
    ),
    moe=st.one_of(
        st.none(),
        st.builds(
            Moe,
            num_experts=counts,
            num_experts_per_tok=counts,
            num_shared_experts=counts,
            moe_intermediate_size=counts,
            dense_layers=counts,
            router=st.one_of(st.none(), st.just("sigmoid"), hostile),
            groups=counts,
            zero_experts=counts,
            latent_size=counts,
        ),
    ),
    mtp_layers=counts,
    towers=st.lists(
        st.builds(
            Tower,
            modality=st.one_of(st.sampled_from(["image", "audio"]), hostile),
            layers=counts,
            hidden_size=counts,
            parameters=counts,
        ),
        max_size=5,
    ).map(tuple),
    kv_cache=st.builds(KvCache, bytes_per_token=numbers, state_bytes=counts),
    unknown=st.lists(st.builds(Unknown, fact=st.sampled_from(known), why=hostile), max_size=8).map(tuple),
)


@RELAXED
@given(record=records, baseline=st.one_of(st.none(), records))
def test_any_record_has_a_clean_layout(record: Architecture, baseline: Architecture | None) -> None:
    assert problems(page.layout(record, baseline=baseline)) == []


@RELAXED
@given(record=records)
def test_any_record_has_a_clean_card(record: Architecture) -> None:
    assert problems(card.layout(record)) == []


@RELAXED
@given(a=records, b=records)
def test_any_two_records_have_a_clean_layout_side_by_side(a: Architecture, b: Architecture) -> None:
    assert problems(pair.layout(a, b)) == []


@pytest.mark.parametrize("sequence", ["A1000", "(A3 B)250", "A500 B500", "(A B)499 A2", " ".join("AABAB" * 200)])
def test_a_thousand_layers_fit_on_the_page(sequence: str) -> None:
    kinds = tuple(
        LayerKind(id=letter, mixer=word, ff="dense", count=500) for letter, word in (("A", "kda"), ("B", "mla"))
    )
    layout = page.layout(Architecture(layers=Layers(count=1000, kinds=kinds, sequence=sequence)))
    assert problems(layout) == []
    assert layout.h < 2_400


@pytest.mark.shared
def test_every_record_of_the_corpus_has_clean_layouts(shared: Path) -> None:
    before, seen = Architecture(), set()
    for path in sorted((shared / "corpus/configs").glob("*/*/config.json")):
        name = "/".join(path.parts[-3:-1])
        record = read(RepoFiles(name=name, files={"config.json": path.read_bytes()}))
        if (record.layers.pattern, record.towers) in seen:
            continue
        seen.add((record.layers.pattern, record.towers))
        for layout in (page.layout(record, baseline=before), card.layout(record), pair.layout(before, record)):
            assert problems(layout) == [], name
        before = record


def _group(*texts: tuple[float, float, str]) -> Group:
    group = Group(w=200, h=100)
    for x, y, text in texts:
        group.write(x, y, text, 16)
    return group


def _with(group: Group, **made: Any) -> Group:
    for name, things in made.items():
        getattr(group, name).extend(things)
    return group


def test_the_check_finds_texts_that_collide_and_leave_the_page() -> None:
    assert any("runs into" in fault for fault in problems(_group((10, 20, "hello"), (30, 25, "world"))))
    assert any("leaves the page" in fault for fault in problems(_group((180, 20, "hello"))))


def test_the_check_finds_cut_texts_and_overlapping_boxes() -> None:
    cut = _with(_group((10, 20, "hello")), parts=[Box(0, 0, 30, 40)])
    assert any("cut by a box" in fault for fault in problems(cut))
    boxes = _with(_group(), parts=[Box(0, 0, 30, 40), Box(20, 20, 30, 40)])
    assert any("overlap" in fault for fault in problems(boxes))


def test_the_check_finds_lines_through_texts_and_parts() -> None:
    struck = _group((10, 50, "hello"))
    struck.stroke((0, 45), (200, 45))
    assert any("strikes" in fault for fault in problems(struck))
    through = _with(_group(), parts=[Box(50, 20, 40, 40)])
    through.stroke((0, 40), (200, 40))
    assert any("runs through" in fault for fault in problems(through))
    touching = _with(_group(), parts=[Box(50, 20, 40, 40)])
    touching.stroke((0, 40), (50, 40))
    assert problems(touching) == []
