"""Many organizations under a small budget: few requests, nothing lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stage import Stage

from watcher.cli import main
from watcher.demo.models import model_files
from watcher.hub.standin import Fault

CYCLE = timedelta(minutes=5)


@pytest.fixture
def crowd(stage: Stage) -> Stage:
    """Forty organizations and 25 requests a cycle: a share of 0.05 of 500, global listings included."""
    names = [f"org{number:02d}" for number in range(40)]
    stage.watch |= {"organizations": names, "settle": "0s"}
    stage.hub |= {"share": 0.05}
    stage.world.organizations.update(names)
    stage.once()
    stage.once(CYCLE)
    return stage


def asked(stage: Stage) -> int:
    """Requests of one quiet cycle."""
    before = len(stage.standin.log)
    stage.once(CYCLE)
    return len(stage.standin.log) - before


def test_a_quiet_cycle_stays_within_its_share(crowd: Stage) -> None:
    assert all(asked(crowd) <= 25 for _ in range(4))


def test_a_new_model_is_seen_at_once_by_the_global_listings(crowd: Stage) -> None:
    for number in (7, 23, 39):
        crowd.world.create(f"org{number:02d}/Model", model_files("Qwen/Qwen3-4B"))
    crowd.once(CYCLE)
    crowd.once(CYCLE)
    assert len(crowd.received()) == 3


def test_a_repo_that_turns_public_with_old_dates_is_seen_within_a_round(crowd: Stage) -> None:
    crowd.world.create("org31/Hidden", model_files("Qwen/Qwen3-4B"), private=True)
    for _ in range(3):
        crowd.once(timedelta(days=1))
    crowd.world.change("org31/Hidden", private=False)
    for _ in range(6):
        crowd.once(CYCLE)
    assert len(crowd.received()) == 1


def test_what_a_global_listing_could_not_show_at_once_is_read_on_later(crowd: Stage) -> None:
    crowd.standin.answers.page = 5
    crowd.once(CYCLE)
    for number in range(30):
        name = f"org{number:02d}" if 14 <= number < 17 else "somebody"
        crowd.world.create(f"{name}/Model-{number}", model_files("Qwen/Qwen3-4B"))
    crowd.standin.faults.add(Fault(path="author=", kind="status", status=503))  # only the global listings can tell
    for _ in range(8):
        crowd.once(CYCLE)
    crowd.standin.faults.clear()
    assert len(crowd.received()) == 3


def test_a_used_up_limit_ends_the_looks_and_loses_none(stage: Stage) -> None:
    names = [f"org{number:02d}" for number in range(10)]
    stage.watch |= {"organizations": names, "settle": "0s"}
    stage.world.organizations.update(names)
    stage.once()
    for name in names:
        stage.world.create(f"{name}/Model", model_files("Qwen/Qwen3-4B"))
    stage.standin.faults.add(Fault(path="author=", kind="status", status=429, headers={"Retry-After": "30"}))
    before = len(stage.standin.log)
    said = stage.once(CYCLE)
    assert len(stage.standin.log) - before <= 5
    assert any("wait" in line for line in said)
    stage.standin.faults.clear()
    stage.settle()
    assert len(stage.received()) == 10


def test_an_unchanged_listing_is_not_sent_again(stage: Stage) -> None:
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    stage.once()
    stage.once(CYCLE)
    last = [request for request in stage.standin.log if "author=maker" in request.query][-1]
    assert last.status == 304


def test_plan_and_status_say_what_is_asked(crowd: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    config = crowd.folder / "config.toml"
    names = ", ".join(f'"org{number:02d}"' for number in range(40))
    config.write_text(
        f'[hub]\nendpoint = "{crowd.standin.url}"\ntoken = ""\nshare = 0.05\n[watch]\norganizations = [{names}]\n'
    )
    assert main(["plan", "--config", str(config)]) == 0
    assert "do not fit" in capsys.readouterr().out
    assert main(["status", "--config", str(config)]) == 0
    assert "global by createdAt" in " ".join(capsys.readouterr().out.split())
