"""Which repos are one release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.hub.model import BaseModel, Sighting
from watcher.releases.detect import first_sight
from watcher.releases.filters import Answer, Decision
from watcher.releases.grouping import find_kin, new_release
from watcher.releases.model import ReleaseState, Repo
from watcher.releases.settle import settled

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def repo(name: str, base: BaseModel | None = None, at: datetime = NOW) -> Repo:
    sighting = Sighting(hub_id=name, name=name, sha="a" * 40, last_modified=at, base_models=(base,) if base else ())
    seen = first_sight(sighting, Decision(Answer.YES, ""), silent=False, now=at).repo
    return replace(seen, whole=True, readable=True)


def kin_of(one: Repo, *others: Repo, now: datetime = NOW) -> str | None:
    found = find_kin(one, others, {}, now)
    return found.relative.name if found else None


def test_sizes_and_tunings_of_one_version_belong_together() -> None:
    assert kin_of(repo("o/Qwen3-8B-Base"), repo("o/Qwen3-0.6B")) == "o/Qwen3-0.6B"


def test_another_version_or_date_is_another_release() -> None:
    assert kin_of(repo("o/DeepSeek-V3.1"), repo("o/DeepSeek-V3")) is None
    assert kin_of(repo("o/Qwen3-4B-Instruct-2507"), repo("o/Qwen3-4B")) is None


def test_a_declared_copy_belongs_to_its_base_whatever_it_is_called() -> None:
    base = BaseModel(relation="quantized", id="o/Thing")
    assert kin_of(repo("o/Completely-Else", base), repo("o/Thing")) == "o/Thing"


def test_another_organization_is_never_kin() -> None:
    base = BaseModel(relation="quantized", id="other/Thing-7B")
    assert kin_of(repo("o/Thing-7B-GGUF", base), repo("other/Thing-7B")) is None


def test_a_late_copy_belongs_and_a_late_size_only_for_a_while() -> None:
    old, later = repo("o/GLM-5-9B"), NOW + timedelta(days=90)
    assert kin_of(repo("o/GLM-5-9B-FP8", at=later), old, now=later) == "o/GLM-5-9B"
    assert kin_of(repo("o/GLM-5-30B", at=later), old, now=later) is None
    assert kin_of(repo("o/GLM-5-30B"), old) == "o/GLM-5-9B"


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
