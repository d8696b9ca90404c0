"""The catalog, and which of it may serve as a model's neighbour."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from functools import cache

import pytest

from watcher.baselines.catalog import load_catalog
from watcher.baselines.library import Library
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.compare.fingerprint import fingerprint
from watcher.compare.model import Verdict
from watcher.demo.models import baseline_of
from watcher.naming.names import take_apart
from watcher.releases.model import Repo, RepoState

LATE = datetime(2026, 11, 20, tzinfo=UTC)


@cache
def library() -> Library:
    return Library()


def repo(name: str, seen: datetime = LATE, base: tuple[tuple[str, str], ...] = ()) -> Repo:
    return Repo(
        hub_id="1",
        name=name,
        organization=name.partition("/")[0].lower(),
        stem=take_apart(name).stem,
        state=RepoState.ACTIVE,
        first_seen_at=seen,
        changed_at=seen,
        base_models=base,
    )


def neighbour(name: str, **more: object) -> Baseline | None:
    return library().nearest(baseline_of(name).record, repo(name, **more), ())  # type: ignore[arg-type]


def test_the_catalog_is_wide_and_consistent() -> None:
    catalog = load_catalog()
    assert len(catalog.baselines) >= 40
    prints = [fingerprint(item.record) for item in catalog.baselines]
    assert len(set(prints)) == len(prints), "one entry an architecture"
    assert {"gpt2", "llama", "deepseek_v3", "gpt_oss", "qwen3_next", "glm_moe_dsa"} <= {
        item.record.model.family for item in catalog.baselines
    }
    for item in catalog.baselines:
        assert "/" in item.name
        assert not item.date or datetime.fromisoformat(f"{item.date}-01"[:10])


def test_a_baseline_is_as_large_as_its_name_says() -> None:
    """`7B`, `671B`, `125m`, of all or of the active parameters; other numbers would be told as facts."""
    compared = 0
    for item in load_catalog().baselines:
        sizes = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?!\w)", item.name.lower())
        counts = [count for count in (item.record.parameters.total, item.record.parameters.active) if count]
        if len(sizes) == 1 and counts:
            stated = float(sizes[0][0]) * (1e9 if sizes[0][1] == "b" else 1e6)
            assert any(0.75 * stated < count < 1.36 * stated for count in counts), item.name
            compared += 1
    assert compared > 60


def test_a_model_is_never_its_own_neighbour() -> None:
    for item in load_catalog().baselines[::7]:
        match = neighbour(item.name)
        assert match is None or item.name not in match.names


@pytest.mark.parametrize(
    ("name", "wanted", "verdict"),
    [
        ("moonshotai/Kimi-K2-Instruct", "deepseek-ai/DeepSeek-V3", Verdict.VARIANT),
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-14B", Verdict.SCALED),
        ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2-7B-Instruct", Verdict.SAME),
    ],
)
def test_neighbours_an_expert_would_choose(name: str, wanted: str, verdict: Verdict) -> None:
    month = datetime(2025, 7, 31, tzinfo=UTC)
    match = neighbour(name, seen=month)
    assert match is not None
    assert match.name == wanted
    assert compare(match.record, baseline_of(name).record).verdict is verdict


def test_glm_5_is_told_against_multi_head_latent_attention() -> None:
    match = neighbour("zai-org/GLM-5", seen=datetime(2026, 2, 12, tzinfo=UTC))
    assert match is not None
    assert match.record.attention.kinds == ("mla",)
    comparison = compare(match.record, baseline_of("zai-org/GLM-5").record)
    assert match.name == "deepseek-ai/DeepSeek-V3.2-Exp"
    assert comparison.verdict is Verdict.VARIANT, "its parts are DeepSeek V3.2's"
    assert comparison.changes[0].fact == "moe.groups"


def test_what_came_later_or_is_its_base_does_not_serve() -> None:
    early = neighbour("Qwen/Qwen3-32B", seen=datetime(2024, 8, 1, tzinfo=UTC))
    assert early is not None
    assert early.date <= "2024-08"
    copy = library().nearest(
        baseline_of("Qwen/Qwen3-32B").record, repo("me/mine", base=(("quantized", "Qwen/Qwen3-32B"),)), ()
    )
    assert copy is not None
    assert "Qwen/Qwen3-32B" not in copy.names


def test_an_unread_record_has_no_neighbour() -> None:
    empty = dataclasses.replace(
        baseline_of("Qwen/Qwen3-32B").record,
        layers=dataclasses.replace(baseline_of("Qwen/Qwen3-32B").record.layers, count=None),
    )
    assert library().nearest(empty, repo("me/mine"), ()) is None
