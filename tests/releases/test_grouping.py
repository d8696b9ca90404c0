"""Which repos are one release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import load, score

from watcher.hub.model import BaseModel, Sighting
from watcher.releases.detect import first_sight
from watcher.releases.filters import Answer, Decision
from watcher.releases.grouping import find_kin, new_release
from watcher.releases.model import ReleaseState, Repo, RepoState
from watcher.releases.settle import settled

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def repo(name: str, base: BaseModel | None = None, at: datetime = NOW) -> Repo:
    sighting = Sighting(hub_id=name, name=name, sha="a" * 40, last_modified=at, base_models=(base,) if base else ())
    seen = first_sight(sighting, Decision(Answer.YES, ""), silent=False, now=at).repo
    return replace(seen, whole=True, readable=True)


def member(name: str, base: BaseModel | None = None, at: datetime = NOW) -> Repo:
    return replace(repo(name, base, at), release_id=f"rel {name}")


def kin_of(one: Repo, *others: Repo, state: ReleaseState = ReleaseState.OPEN, prints: str = "") -> list[str]:
    fingerprints = {item.hub_id: prints for item in (one, *others)} if prints else {}
    found = find_kin(one, others, lambda _: state is ReleaseState.OPEN, fingerprints)
    return [kin.relative.name for kin in found]


def days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def test_sizes_and_tunings_of_one_version_belong_together() -> None:
    assert kin_of(repo("o/Qwen3-8B-Base"), member("o/Qwen3-0.6B"), member("o/Qwen3-235B-A22B")) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DeepSeek-V3.1", "DeepSeek-V3"),
        ("Qwen3-4B-Instruct-2507", "Qwen3-4B"),
        ("Qwen3-Coder-30B-A3B-Instruct", "Qwen3-30B-A3B"),
        ("Qwen3-VL-30B-A3B-Instruct", "Qwen3-30B-A3B"),
        ("Qwen3-Omni-30B-A3B-Instruct", "Qwen3-VL-30B-A3B-Instruct"),
        ("Qwen3-Next-80B-A3B-Instruct", "Qwen3-30B-A3B"),
        ("Qwen2.5-Math-7B", "Qwen2.5-7B"),
        ("Mistral-Small-Instruct-2409", "Mistral-Large-Instruct-2407"),
    ],
)
def test_another_version_date_or_line_is_another_release(one: str, other: str) -> None:
    assert kin_of(repo(f"o/{one}"), member(f"o/{other}")) == []
    assert kin_of(repo(f"o/{one}"), member(f"o/{other}"), prints="the same") == []


def test_a_declared_copy_belongs_to_its_base_whatever_it_is_called_and_whichever_came_first() -> None:
    base = BaseModel(relation="quantized", id="o/Thing")
    assert kin_of(repo("o/Completely-Else", base), member("o/Thing")) == ["o/Thing"]
    assert kin_of(repo("o/Thing"), member("o/Completely-Else", base)) == ["o/Completely-Else"]


def test_another_organization_is_never_kin() -> None:
    base = BaseModel(relation="quantized", id="other/Thing-7B")
    assert kin_of(repo("o/Thing-7B-GGUF", base), member("other/Thing-7B")) == []


def test_a_copy_always_belongs_a_size_for_weeks_a_tuning_for_days() -> None:
    old = member("o/GLM-5-9B")
    assert kin_of(repo("o/GLM-5-9B-FP8", at=days(500)), old) == ["o/GLM-5-9B"]
    assert kin_of(repo("o/GLM-5-30B", at=days(59)), old) == ["o/GLM-5-9B"]
    assert kin_of(repo("o/GLM-5-30B", at=days(61)), old) == []
    assert kin_of(repo("o/GLM-5-9B-Thinking", at=days(13)), old) == ["o/GLM-5-9B"]
    assert kin_of(repo("o/GLM-5-9B-Thinking", at=days(15)), old) == []


def test_a_new_tuning_of_a_size_that_was_there_is_no_late_size() -> None:
    family = [member("o/Fam-7B-Instruct"), member("o/Fam-70B-Instruct")]
    assert kin_of(repo("o/Fam-7B-Thinking", at=days(40)), *family) == []


def test_what_only_looks_alike_belongs_while_the_release_waits() -> None:
    for name, prints in (("o/M-7B-Preview", ""), ("o/M-7B-Zonk", ""), ("o/M-7B-Zonk", "same")):
        assert kin_of(repo(name), member("o/M-7B"), prints=prints) == ["o/M-7B"]
        assert kin_of(repo(name), member("o/M-7B"), prints=prints, state=ReleaseState.OUT) == []


def test_one_name_within_the_other_counts_only_with_the_same_architecture() -> None:
    one, other = repo("o/DeepSeek-V3.2-Speciale"), member("o/DeepSeek-V3.2")
    assert kin_of(one, other) == []
    assert kin_of(one, other, prints="same") == ["o/DeepSeek-V3.2"]
    assert kin_of(repo("o/DeepSeek-V3.2-Speciale-2"), other, prints="same") == []


def test_a_declared_base_bridges_a_date_in_its_name() -> None:
    base = BaseModel(relation="finetune", id="o/Olmo-3-1025-7B")
    assert kin_of(repo("o/Olmo-3-7B-Think", base), member("o/Olmo-3-1025-7B")) == ["o/Olmo-3-1025-7B"]
    assert kin_of(repo("o/Olmo-3-7B-Think"), member("o/Olmo-3-1025-7B")) == []
    assert kin_of(repo("o/Olmo-3-Coder-7B", base), member("o/Olmo-3-1025-7B")) == []


@pytest.mark.parametrize(
    ("base", "tuning", "together"),
    [
        ("o/M2-1B", "o/M2-1B-Instruct-v0.1", True),
        ("o/M-1.5-8B-base", "o/M-1.5-8B-instruct-2505", True),
        ("o/M-V-2", "o/M-2B", False),
        ("o/M-3-1025-7B", "o/M-3-7B-Think", False),
    ],
)
def test_a_version_that_only_the_tuning_has_is_no_other_release_while_it_waits(
    base: str, tuning: str, together: bool
) -> None:
    for one, other in ((base, tuning), (tuning, base)):
        assert bool(kin_of(repo(one), member(other))) is together
        assert kin_of(repo(one), member(other), state=ReleaseState.OUT) == []


def test_what_was_there_before_us_came_out_when_the_hub_says() -> None:
    old = replace(member("o/M-7B"), state=RepoState.SILENT, created_at=NOW - timedelta(days=400))
    assert kin_of(repo("o/M-14B"), old) == []
    assert kin_of(repo("o/M-7B-AWQ"), old) == ["o/M-7B"]


@given(st.permutations(["Qwen3-8B", "Qwen3-8B-Base", "Qwen3-8B-FP8", "Qwen3-32B", "Qwen3-32B-AWQ"]))
def test_the_order_of_arrival_does_not_matter(names: list[str]) -> None:
    seen: list[Repo] = []
    for name in names:
        one = repo(f"o/{name}")
        assert not seen or kin_of(one, *seen)
        seen.append(replace(one, release_id="r"))


@pytest.mark.parametrize(("file", "recall"), [("names.toml", 0.99), ("unseen.toml", 0.95), ("blind.toml", 0.88)])
def test_the_labelled_names(file: str, recall: float) -> None:
    """The floor under the figures that the room's README publishes."""
    result = score(file)
    assert result.precision >= 0.995, result.false
    assert result.recall >= recall, result.missed


def test_the_labelled_names_are_many_and_each_once() -> None:
    names = [
        f"{org}/{item.name}"
        for file in ("names.toml", "unseen.toml", "blind.toml")
        for org, all_ in load(file).items()
        for item in all_
    ]
    assert len(names) == len(set(names))
    assert len(names) >= 300
    assert len({name.partition("/")[0] for name in names}) >= 20


def test_a_release_waits_until_all_are_quiet_but_not_for_ever() -> None:
    settle, patience = timedelta(minutes=20), timedelta(hours=6)
    quiet, fresh = repo("o/a-1b"), repo("o/a-2b", at=NOW + timedelta(minutes=15))
    release = new_release(quiet, ReleaseState.OPEN, NOW)

    def is_settled(members: list[Repo], pending: list[Repo], minutes: int) -> bool:
        return settled(release, members, pending, NOW + timedelta(minutes=minutes), settle, patience)

    assert not is_settled([quiet], [], 19)
    assert is_settled([quiet], [], 20)
    assert not is_settled([quiet, fresh], [], 20)
    assert is_settled([quiet, fresh], [], 35)
    assert not is_settled([quiet], [fresh], 40)
    assert not is_settled([replace(quiet, whole=False)], [], 40)
    assert is_settled([replace(quiet, whole=False)], [fresh], 360)
    assert not is_settled([], [], 1000)


def test_a_finished_repo_that_turns_public_is_quiet_at_once() -> None:
    flipped = replace(repo("o/a-1b"), last_modified=NOW - timedelta(days=30))
    release = new_release(flipped, ReleaseState.OPEN, NOW)
    assert settled(release, [flipped], [], NOW, timedelta(minutes=20), timedelta(hours=6))


def test_older_kin_tell_where_siblings_go_that_came_together() -> None:
    old = member("o/M-7B", at=days(0))
    siblings = [repo("o/M-70B", at=days(3)), repo("o/M-70B-AWQ", at=days(3))]
    assert kin_of(repo("o/M-70B-FP8", at=days(3)), *siblings, old)[0] == "o/M-7B"
