"""What a look makes of odd items, a refused token, and listings that contradict what is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from stage import Stage

from watcher.demo.models import model_files
from watcher.hub.standin import Fault

QWEN = "Qwen/Qwen3-4B"
CYCLE = timedelta(minutes=5)


def errors(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("error: ")]


def test_an_odd_item_is_said_once_and_hides_nothing(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Odd", model_files(QWEN))
    stage.world.create("maker/Good", model_files("Qwen/Qwen3-32B"))
    stage.world.change("maker/Odd", overrides={"_id": None})
    assert len(errors(stage.once(CYCLE))) == 1
    assert errors(stage.once(CYCLE)) == []
    stage.settle()
    assert len(stage.received()) == 1
    stage.world.change("maker/Odd", overrides={})
    stage.settle()
    assert len(stage.received()) == 2


def test_what_a_first_look_could_not_read_is_no_news_later(stage: Stage) -> None:
    stage.world.create("maker/Odd", model_files(QWEN))
    stage.world.create("maker/Bare", model_files(QWEN))
    stage.world.change("maker/Odd", overrides={"_id": None})
    stage.world.change("maker/Bare", overrides={"sha": None})
    stage.once()
    for name in ("maker/Odd", "maker/Bare"):
        stage.world.change(name, overrides={})
    stage.settle()
    assert stage.received() == []


def test_items_without_a_name_at_the_first_look_are_no_news_later(stage: Stage) -> None:
    stage.world.create("maker/Unnamed", model_files(QWEN))
    stage.world.create("maker/Nothing", model_files(QWEN))
    stage.world.change("maker/Unnamed", overrides={"id": None})
    stage.world.change("maker/Nothing", overrides={"id": None, "_id": None})
    stage.once()
    stage.world.change("maker/Nothing", overrides={})
    stage.once(CYCLE)
    stage.world.change("maker/Unnamed", overrides={})
    stage.settle()
    assert stage.received() == []


def test_an_item_that_stays_without_a_name_does_not_silence_its_organization(stage: Stage) -> None:
    stage.world.create("maker/Nothing", model_files(QWEN))
    stage.world.change("maker/Nothing", overrides={"id": None, "_id": None})
    for _ in range(3):
        stage.once(CYCLE)
    stage.world.create("maker/Hidden", model_files(QWEN), at=stage.world.now - timedelta(days=90))
    stage.settle()
    assert len(stage.received()) == 1


def test_an_entry_that_a_first_look_skips_between_its_pages_is_no_news_later(stage: Stage) -> None:
    for number in range(5):
        stage.world.create(f"maker/Old-{number}", model_files(QWEN))
        stage.world.advance(CYCLE)
    stage.world.upload("maker/Old-1", {"README.md": b"# An edit"})
    stage.standin.answers.page = 2
    stage.standin.faults.add(Fault(path="author=.*cursor=", kind="skip", times=1))
    stage.once()
    stage.settle()
    assert stage.received() == []


@pytest.mark.parametrize("code", ["RevisionNotFound", ""])
def test_an_empty_repo_of_the_first_look_is_news_when_it_is_filled(stage: Stage, code: str) -> None:
    stage.world.create("maker/Empty")
    headers = {"X-Error-Code": code} if code else {}
    stage.standin.faults.add(Fault(path="/tree/", kind="status", status=404, headers=headers))
    stage.once()
    stage.standin.faults.clear()
    stage.world.upload("maker/Empty", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1


def test_a_refused_token_is_one_error(stage: Stage) -> None:
    stage.hub = {"token": "hf_wrong"}
    stage.watch |= {"organizations": ["maker", "other", "third"]}
    said = errors(stage.once())
    assert len(said) == 1
    assert "hub.token" in said[0]


def test_a_refused_token_is_left_out_if_told_so(stage: Stage) -> None:
    stage.hub = {"token": "hf_wrong", "anonymous": True}
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1
    assert any("going on without it" in line for line in stage.lines)


def test_a_stale_listing_does_not_undo_what_was_seen(stage: Stage) -> None:
    events = ["released", "gated_changed", "renamed", "disappeared", "restored"]
    stage.channels = [stage.channel("slack", events=events)]
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    stage.settle()
    stage.world.change("maker/Model", gated="manual")
    stage.world.rename("maker/Model", "maker/Renamed")
    stage.once(CYCLE)
    told = len(stage.received())
    stage.world.cache_listings(timedelta(0))
    stage.world.rename("maker/Renamed", "maker/Again")
    stage.once(timedelta(seconds=1))
    for lag in (timedelta(hours=1), None):
        stage.world.cache_listings(lag)
        stage.once(CYCLE)
    assert len(stage.received()) == told + 1


def test_a_rate_limit_ends_a_cycle_with_one_error_and_loses_nothing(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    stage.standin.faults.add(Fault(path="author=", kind="status", status=429, headers={"Retry-After": "60"}, times=1))
    assert len(errors(stage.once(CYCLE))) == 1
    stage.settle()
    assert len(stage.received()) == 1


def test_weights_that_never_get_a_config_are_a_release_in_the_end(stage: Stage) -> None:
    stage.once()
    weights = {path: data for path, data in model_files(QWEN).items() if path.endswith(".safetensors")}
    stage.world.create("maker/Bare", {"README.md": b"# Bare"} | weights)
    stage.settle()
    assert stage.received() == []
    stage.once(timedelta(hours=6))
    stage.once(CYCLE)
    assert len(stage.received()) == 1


def test_a_change_of_an_old_repo_waits_for_a_tight_limit_but_not_for_ever(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", events=["card_changed"])]
    stage.world.create("maker/Old", model_files(QWEN))
    stage.once()
    stage.standin.limits.quotas["api"] = 40
    for _ in range(22):
        requests.get(f"{stage.standin.url}/api/models", timeout=10)
    stage.world.upload("maker/Old", {"README.md": b"# Other words"})
    stage.once(CYCLE)
    stage.once(timedelta(hours=1))
    assert len(stage.received()) == 1
