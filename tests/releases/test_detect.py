"""What is drawn from two looks at a repo."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from watcher.hub.model import Sighting, TreeFile
from watcher.releases.detect import decided, first_sight, looked, missed, seen_again
from watcher.releases.filters import Answer, Decision
from watcher.releases.model import EventKind, Repo, RepoState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
YES = Decision(Answer.YES, "wanted")
CONFIG = TreeFile(path="config.json", oid="c1", size=100)
CARD = TreeFile(path="README.md", oid="r1", size=100)


def sighting(**changes: Any) -> Sighting:
    base = Sighting(hub_id="id1", name="org/Model-7B", sha="a" * 40, license="mit", created_at=NOW, last_modified=NOW)
    return replace(base, **changes)


def known(**changes: Any) -> Repo:
    repo = first_sight(sighting(), YES, silent=False, now=NOW).repo
    return replace(repo, **changes)


def kinds(seen: Any) -> list[EventKind]:
    return [event.kind for event in seen.events]


def test_the_first_look_at_an_organization_is_silent() -> None:
    seen = first_sight(sighting(), YES, silent=True, now=NOW)
    assert seen.repo.state is RepoState.SILENT
    assert not seen.events


def test_undecided_is_a_candidate_and_no_is_ignored() -> None:
    for answer, state in [(Answer.UNDECIDED, RepoState.CANDIDATE), (Answer.NO, RepoState.IGNORED)]:
        assert first_sight(sighting(), Decision(answer, "rule"), silent=False, now=NOW).repo.state is state


def test_the_same_sighting_again_is_nothing() -> None:
    assert seen_again(known(), sighting(), NOW) is None


def test_what_the_hub_derives_later_is_no_event() -> None:
    seen = seen_again(known(license=None, pipeline_tag=None), sighting(pipeline_tag="text-generation"), NOW)
    assert seen is not None
    assert not seen.events
    assert seen.repo.pipeline_tag == "text-generation"


def test_metadata_changes_carry_before_and_after() -> None:
    seen = seen_again(known(), sighting(gated="manual", license="other", sha="b" * 40, name="org/Model2-7B"), NOW)
    assert seen is not None
    events = {event.kind: (event.before, event.after) for event in seen.events}
    assert events[EventKind.GATED_CHANGED] == ({"gated": None}, {"gated": "manual"})
    assert events[EventKind.LICENSE_CHANGED] == ({"license": "mit"}, {"license": "other"})
    assert events[EventKind.RENAMED] == ({"name": "org/Model-7B"}, {"name": "org/Model2-7B"})
    assert seen.repo.version == known().version + 1


def test_an_ignored_repo_draws_no_events() -> None:
    seen = seen_again(known(state=RepoState.IGNORED), sighting(gated="auto"), NOW)
    assert seen is not None
    assert not seen.events


def test_a_disappearance_needs_two_looks_an_hour_apart() -> None:
    first = missed(known(), NOW, timedelta(hours=1))
    assert first.repo.missing_since == NOW
    assert not first.events
    assert not missed(first.repo, NOW + timedelta(minutes=59), timedelta(hours=1)).events
    confirmed = missed(first.repo, NOW + timedelta(hours=1), timedelta(hours=1))
    assert kinds(confirmed) == [EventKind.DISAPPEARED]
    assert confirmed.repo.state is RepoState.GONE
    back = seen_again(confirmed.repo, sighting(), NOW)
    assert back is not None
    assert kinds(back) == [EventKind.RESTORED]


def test_content_makes_a_release_and_a_card_alone_only_appears() -> None:
    arguments: dict[str, Any] = {"announced": False, "recreated_from": None, "now": NOW}
    empty = looked(known(), None, (CARD,), **arguments)
    assert kinds(empty) == [EventKind.APPEARED]
    still_empty = looked(empty.repo, (CARD,), (replace(CARD, oid="r2"),), **arguments)
    assert kinds(still_empty) == []
    full = looked(still_empty.repo, (CARD,), (CARD, CONFIG), **arguments)
    assert kinds(full) == [EventKind.RELEASED]
    assert kinds(looked(known(), None, (CONFIG,), **{**arguments, "recreated_from": "id0"})) == [EventKind.RECREATED]


def test_a_refused_tree_is_still_news() -> None:
    seen = looked(known(), None, (), announced=False, recreated_from=None, now=NOW, refusal="gated")
    assert kinds(seen) == [EventKind.RELEASED]


def test_a_silent_repo_that_was_empty_and_got_content_is_a_release() -> None:
    repo = known(state=RepoState.SILENT, looked_sha="b" * 40)
    seen = looked(repo, (CARD,), (CARD, CONFIG), announced=False, recreated_from=None, now=NOW)
    assert kinds(seen) == [EventKind.RELEASED]
    assert seen.repo.state is RepoState.ACTIVE


def test_changes_of_a_known_repo_are_told_by_kind_with_old_and_new_revision() -> None:
    repo = known(state=RepoState.SILENT, looked_sha="b" * 40)
    new = replace(CONFIG, oid="c2")
    seen = looked(repo, (CARD, CONFIG), (CARD, new), announced=False, recreated_from=None, now=NOW)
    [event] = seen.events
    assert event.kind is EventKind.CONFIG_CHANGED
    assert event.before == {"sha": "b" * 40, "files": {"config.json": "c1"}}
    assert event.after == {"sha": "a" * 40, "files": {"config.json": "c2"}}


def test_an_unknown_past_draws_nothing() -> None:
    repo = known(state=RepoState.SILENT, looked_sha="b" * 40)
    assert not looked(repo, None, (CONFIG,), announced=False, recreated_from=None, now=NOW).events


def test_undecided_becomes_yes_when_the_wait_is_over() -> None:
    repo = known(state=RepoState.CANDIDATE)
    undecided = Decision(Answer.UNDECIDED, "watch.tasks: the Hub has not said yet")
    assert decided(repo, undecided, NOW + timedelta(hours=5), timedelta(hours=6)) is None
    after = decided(repo, undecided, NOW + timedelta(hours=6), timedelta(hours=6))
    assert after is not None
    assert after.state is RepoState.ACTIVE
