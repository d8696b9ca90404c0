"""The words of a report: who it is compared with, the headline, the ranked changes, grammar, and what is never said."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from drafts import draft, subject

from watcher.architecture.record import Architecture, Moe, Tower, Unknown
from watcher.architecture.witness import RepoFiles
from watcher.baselines.catalog import load_catalog
from watcher.compare import words
from watcher.compare.compare import compare
from watcher.compare.model import Significance
from watcher.demo.models import baseline_of
from watcher.naming.names import take_apart
from watcher.releases.model import RepoRef
from watcher.report.adhoc import adhoc_draft
from watcher.report.headline import headline
from watcher.report.model import Role, Subject
from watcher.report.neighbours import called
from watcher.report.peers import beside
from watcher.report.ranking import MOST, ranked
from watcher.report.summary import in_short, summary
from watcher.report.traits import shared_and_own
from watcher.report.why import TABLE, why
from watcher.report.write import write_report


def roles(lead: Subject) -> dict[Role, str]:
    return {item.role: item.name for item in lead.neighbours}


def test_the_predecessor_is_of_the_same_family_and_size() -> None:
    assert roles(subject("zai-org/GLM-5", "2026-02-11"))[Role.PREDECESSOR].startswith("zai-org/GLM-4.7")
    assert roles(subject("Qwen/Qwen3-32B", "2025-04-28"))[Role.PREDECESSOR] == "Qwen/Qwen2.5-32B"
    assert Role.PREDECESSOR not in roles(subject("openai/gpt-oss-120b", "2025-08-04"))


def test_a_size_that_came_out_with_it_is_no_neighbour() -> None:
    for name, day in (("Qwen/Qwen3-4B", "2025-04-28"), ("google/gemma-3-27b-it", "2025-03-11")):
        stem = take_apart(name).stem
        assert all(take_apart(other).stem != stem for other in roles(subject(name, day)).values())


def test_nothing_that_came_later_is_a_neighbour() -> None:
    assert Role.PLAIN not in roles(subject("meta-llama/Llama-2-7b-hf", "2023-07-18"))


def test_the_headline_of_a_successor() -> None:
    told = headline(draft(subject("zai-org/GLM-5", "2026-02-11")))
    assert told.startswith("GLM-5 (744B, 40.8B active): DeepSeek-V3")
    assert "'s MLA" in told
    assert "DeepSeek Sparse Attention replaces GLM-4.7's GQA" in told
    assert "256 experts instead of 160" in told
    assert "nominal KV cache per token down from 368 to 88 KiB" in told


def test_new_weights_are_told_as_that() -> None:
    record = baseline_of("deepseek-ai/DeepSeek-V3").record
    lead = Subject(
        record=record,
        repos=(RepoRef(hub_id="1", name="deepseek-ai/DeepSeek-R1", sha=None),),
        comparison=compare(record, record),
        baseline="deepseek-ai/DeepSeek-V3",
    )
    assert headline(draft(lead)).endswith(": same architecture as DeepSeek-V3, new weights")


def test_without_a_baseline_the_headline_says_what_it_is() -> None:
    record = baseline_of("openai-community/gpt2-xl").record
    lead = Subject(record=record, repos=(RepoRef(hub_id="1", name="openai-community/gpt2-xl", sha=None),))
    assert headline(draft(lead)).startswith("gpt2-xl (1.56B) is out: a dense decoder with 48 layers")


def test_a_copys_precision_is_no_part_of_the_architectures_name() -> None:
    assert [called(name) for name in ("zai-org/GLM-4.7-FP8", "a/B-NVFP4", "a/B-hf", "a/FP8-B")] == [
        "GLM-4.7", "B", "B", "FP8-B",
    ]  # fmt: skip


def test_seven_changes_at_most_and_the_weightiest_first() -> None:
    for old, new in itertools.pairwise(load_catalog().baselines):
        comparison = compare(old.record, new.record, config_a=old.config, config_b=new.config)
        told, rest = ranked(comparison)
        ranks = [change.significance.rank for change in told]
        assert len(told) <= MOST
        assert ranks == sorted(ranks, reverse=True)
        assert not told or all(change.significance.rank <= min(ranks) for change in rest)


def test_what_is_kept_and_what_else_there_is_are_told_once() -> None:
    a, b = baseline_of("zai-org/GLM-4.7-FP8").record, baseline_of("zai-org/GLM-5").record
    comparison = compare(a, b)
    told, _ = ranked(comparison)
    said = shared_and_own(comparison, told)
    assert {"1 shared expert", "sigmoid routing", "1 MTP layer"} <= set(said["Kept"])
    assert "256 experts" not in said["Also"]  # a change says it
    assert not set(said["Kept"]) & set(said["Also"])


def test_a_trait_nobody_knows_of_the_neighbour_is_told() -> None:
    a, b = baseline_of("zai-org/GLM-4.5").record, baseline_of("zai-org/GLM-5").record
    hidden = replace(a, mtp_layers=None, unknown=(*a.unknown, Unknown(fact="mtp_layers", why="hidden")))
    comparison = compare(hidden, b)
    assert "1 MTP layer" in shared_and_own(comparison, ranked(comparison)[0])["Also"]


def test_beside_others_of_its_size() -> None:
    lead = subject("mistralai/Devstral-Small-2507", "2025-07-10")
    found = [item for item in lead.neighbours if item.role is Role.PEER]
    assert found
    assert all(not item.name.startswith("mistralai/") for item in found)
    said = [text for item in found for text in beside(item.comparison)]
    assert any(text.startswith("shallower (40 layers against ") for text in said)
    assert any(text.startswith("a smaller nominal KV cache per token (160 against ") for text in said)


def test_sizes_of_one_part_are_one_change() -> None:
    comparison = compare(
        baseline_of("Qwen/Qwen3-235B-A22B").record, baseline_of("Qwen/Qwen3-Next-80B-A3B-Instruct").record
    )
    told, rest = ranked(comparison)
    experts = [change.sentence for change in (*told, *rest) if "expert size" in change.sentence]
    assert len(experts) == 1
    assert experts[0].startswith("512 experts instead of 128, 10 experts active per token instead of 8")


def test_what_one_side_does_not_know_is_no_difference() -> None:
    known = baseline_of("zai-org/GLM-5").record
    hidden = replace(
        known,
        attention=replace(known.attention, qk_norm=None, sinks=None, num_attention_heads=None),
        norm=replace(known.norm, placement=None),
        unknown=(*known.unknown, *(Unknown(fact=fact, why="hidden") for fact in (
            "attention.qk_norm", "attention.sinks", "attention.num_attention_heads", "norm.placement"))),
    )  # fmt: skip
    base = baseline_of("zai-org/GLM-4.5").record
    lead = Subject(
        record=hidden,
        repos=(RepoRef(hub_id="1", name="a/b", sha=None),),
        comparison=compare(base, hidden),
        baseline="zai-org/GLM-4.5",
    )
    page = write_report(draft(lead)).markdown
    changes = page.partition("## What changed")[2].partition("<details>")[0]
    assert not re.search(r"QK-norm|sinks|attention heads|pre-norm", changes)
    assert "| QK-norm | unknown | yes |" in page
    assert "**unknown**" not in page


# Grammar.

CLUMSY = re.compile(
    r"None|  | [,;:]|[,;] *[,;]|:\s*$|\(\)|\ba [aeio]|\b1 (layer|expert|head|token|tower|key)s\b|\b0 layers"
)


def test_sentences_are_well_formed_between_any_two() -> None:
    baselines = load_catalog().baselines
    for old, new in zip(baselines, reversed(baselines), strict=True):
        comparison = compare(old.record, new.record, config_a=old.config, config_b=new.config)
        for change in comparison.changes:
            assert not CLUMSY.search(change.sentence), change.sentence
            assert not CLUMSY.search(why(change, comparison))


def test_summaries_are_well_formed() -> None:
    for item in load_catalog().baselines:
        text = summary(item.record)
        assert not CLUMSY.search(text), text
        assert text[0].isupper()
        assert text.endswith(".")


def test_a_summary_says_nothing_of_what_is_not_known() -> None:
    assert summary(Architecture()) == ""
    assert in_short(Architecture()) == ""


@pytest.mark.parametrize(
    ("number", "said"), [(0, "no shared expert"), (1, "plus 1 shared expert"), (2, "plus 2 shared experts")]
)
def test_experts_at_none_one_and_many(number: int, said: str) -> None:
    moe = Moe(num_experts=64, num_experts_per_tok=6, num_shared_experts=number)
    assert f"64 routed experts, top-6 per token{',' if not number else ''} {said}" in summary(Architecture(moe=moe))


@pytest.mark.parametrize(
    ("towers", "said"),
    [((), ""), (("image",), "vision encoder"), (("image", "audio"), "vision and audio encoders")],
)
def test_encoders_at_none_one_and_many(towers: tuple[str, ...], said: str) -> None:
    record = Architecture(towers=tuple(Tower(modality=name) for name in towers))
    assert said in summary(record).lower()
    assert ("encoder" in summary(record)) == bool(towers)


def test_counts_at_none_one_and_many() -> None:
    assert [words.counted(count, "layer") for count in (0, 1, 2, 1000)] == [
        "no layers", "1 layer", "2 layers", "1,000 layers",
    ]  # fmt: skip


def test_every_reason_is_a_clause() -> None:
    for row in TABLE:
        assert row.text[0].islower() or row.text.split()[0].isupper()
        assert not row.text.endswith(".")


def test_every_change_above_scale_has_a_reason() -> None:
    comparison = compare(baseline_of("openai-community/gpt2-xl").record, baseline_of("zai-org/GLM-5").record)
    weighty = [change for change in comparison.changes if change.significance.at_least(Significance.STRUCTURAL)]
    assert weighty
    assert all(why(change, comparison) for change in weighty)


def test_a_model_is_compared_with_what_was_there_when_its_repo_was_made() -> None:
    """`watcher report` of an old model, whose name no catalog has: the Hub says how old it is."""
    config = json.dumps(dict(baseline_of("Qwen/Qwen3-32B").config)).encode()

    def baseline(**hub: Any) -> str:
        files = RepoFiles(name="someone/Else-32B", files={"config.json": config}, hub=hub)
        return adhoc_draft(files, None, reference=None, environment={}).lead.baseline or ""

    dates = {name: item.date for item in load_catalog().baselines for name in item.names}
    assert baseline() == "Qwen/Qwen3-32B"
    assert dates[baseline(created_at="2024-10-01T00:00:00+00:00")] <= "2024-10"
