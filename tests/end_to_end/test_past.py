"""`backfill` and `replay` as a user runs them: reports for the past, in order, resumed, and one report once more."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stage import Stage

from watcher.backfill import backfill, plan
from watcher.cli import main
from watcher.demo.models import model_files, quantised_files
from watcher.hub.model import HubError, HubProblem, RateState
from watcher.runtime import running

QWEN, V3 = "Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-V3"
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def past(stage: Stage) -> Stage:
    """An organization with three past releases, the newest one with a copy, and one before 2025."""
    for name, files, day in (
        ("maker/Ancient-1", model_files(QWEN), "2024-06-01"),
        ("maker/First-32B", model_files(QWEN), "2025-02-01"),
        ("maker/Second-V3", model_files(V3), "2025-06-01"),
        ("maker/Third-32B", model_files(QWEN), "2025-09-01"),
        ("maker/Third-32B-FP8", quantised_files(QWEN, "maker/Third-32B", "fp8", 8), "2025-09-03"),
    ):
        stage.world.create(name, files, at=datetime.fromisoformat(f"{day}T12:00:00+00:00"))
    return stage


def run(stage: Stage, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """A command, with the stage's configuration as a file."""
    channels = "".join(
        "\n[[channels]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in channel.items())
        for channel in stage.channels
    )
    watch = "".join(f"{key} = {json.dumps(value)}\n" for key, value in stage.watch.items())
    config = stage.folder / "config.toml"
    config.write_text(f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = ""\n[watch]\n{watch}{channels}')
    monkeypatch.setenv("WATCHER_NOW", stage.world.now.isoformat())
    monkeypatch.setenv("HOME", str(stage.folder))
    return main([arguments[0], "--config", str(config), *arguments[1:]])


def test_a_dry_run_lists_and_writes_nothing(past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01", "--dry-run") == 0
    out = capsys.readouterr().out
    assert re.findall(r"maker/\S+", out) == ["maker/First-32B", "maker/Second-V3", "maker/Third-32B"]
    assert "maker/Third-32B and 1 more" in out
    assert past.pages() == {}
    with (
        running(past.settings, {"HOME": str(past.folder)}, lambda _: None) as context,
        context.store.begin() as connection,
    ):
        from watcher.store import repos as table

        assert table.count_repos(connection) == {}
    assert (
        run(past, monkeypatch, "backfill", "--since", "2025-01-01", "--until", "2025-06-01", "--dry-run", "--json") == 0
    )
    assert [item["repos"] for item in json.loads(capsys.readouterr().out)] == [["maker/First-32B"]]


def test_past_releases_are_reported_in_order_and_chat_hears_nothing(
    past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    assert "done: 3 of 3 past releases reported" in capsys.readouterr().out
    assert past.received() == []
    pages = past.pages()
    dates = [path.rpartition("/")[2][:10] for path in sorted(pages, key=lambda path: path.rpartition("/")[2])]
    assert dates == ["2025-02-01", "2025-06-01", "2025-09-01"]
    third = next(text for path, text in pages.items() if "Third" in path)
    assert "maker/Third-32B-FP8" in third
    assert "after the fact" in third
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    assert "done: 0 of 0" in capsys.readouterr().out, "what was told is not told again"
    assert past.once(timedelta(hours=1))[-1] == "done: nothing new"


def test_a_baseline_is_never_younger_than_the_model(past: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    past.world.create("maker/Later-32B", model_files(QWEN), at=datetime(2025, 12, 1, tzinfo=UTC))
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    first = next(text for path, text in past.pages().items() if "First" in path)
    assert not any(name in first for name in ("Second", "Third", "Later"))


def test_send_tells_the_channels(past: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(past, monkeypatch, "backfill", "--since", "2025-06-01", "--send") == 0
    assert len(past.received()) == 2


def test_a_copy_of_a_backfilled_release_joins_it(past: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    past.world.create("maker/Third-32B-AWQ", quantised_files(QWEN, "maker/Third-32B", "awq", 4))
    past.settle()
    assert past.received() == []
    past.world.create("maker/Fourth-32B", model_files(QWEN))
    past.settle()
    assert len(past.received()) == 1


def test_only_a_tracked_organization_can_be_asked_for(
    past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01", "--org", "nobody") == 2
    assert "nobody: is not tracked" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        run(past, monkeypatch, "backfill", "--since", "yesterday")
    assert usage.value.code == 2
    assert "is not a date" in capsys.readouterr().err


def test_stopped_in_the_middle_it_goes_on_from_there(past: Stage) -> None:
    past.once()
    environment = {"WATCHER_NOW": past.world.now.isoformat(), "HOME": str(past.folder)}

    def stop_at_second(item: Any) -> None:
        if "Second" in item.members[0].name:
            raise KeyboardInterrupt

    with running(past.settings, environment, past.lines.append) as context:
        due = plan(context, ["maker"], SINCE)
        with pytest.raises(KeyboardInterrupt):
            backfill(context, due, step=stop_at_second)
    with running(past.settings, environment, past.lines.append) as context:
        left = plan(context, ["maker"], SINCE)
        assert [item.members[0].name for item in left] == ["maker/Second-V3", "maker/Third-32B"]
        asked = context.hub.requests
        backfill(context, left)
        assert context.hub.requests > asked
    assert len(past.pages()) == 3


def test_filters_and_policies_hold_for_the_past_too(past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    past.watch["exclude"] = ["*-FP8", "*Second*"]
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "Second" not in out
    assert " more" not in out


def test_what_a_filter_dropped_can_be_had_when_it_is_loosened(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.watch["exclude"] = ["*-Hidden*"]
    stage.once()
    stage.world.create("maker/M-Hidden-32B", model_files(QWEN))
    stage.settle()
    stage.watch["exclude"] = []
    assert run(stage, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    assert [path.split("/")[1] for path in stage.pages()] == ["M-Hidden-32B"]


def test_it_runs_beside_a_daemon_which_delivers(past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    past.once()
    with running(past.settings, {"HOME": str(past.folder)}, lambda _: None):
        assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    assert "the watcher that is running delivers them" in capsys.readouterr().out
    assert past.pages() == {}
    past.once()
    assert len(past.pages()) == 3


class Refusing:
    """The real client, but the Hub refuses the first trees, and says that little is left."""

    def __init__(self, hub: Any, refusals: int) -> None:
        self._hub = hub
        self.refusals = refusals

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)

    def tree(self, name: str, revision: str) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise HubError(HubProblem.RATE_LIMITED, "too many requests", status=429, retry_after=17)
        return self._hub.tree(name, revision)

    @property
    def rates(self) -> dict[str, RateState]:
        soon = datetime.now(UTC) + timedelta(seconds=60)
        return {"api": RateState(bucket="api", remaining=99, quota=500, resets_at=soon)}


def test_it_waits_for_the_hub_and_leaves_polling_its_share(past: Stage) -> None:
    from dataclasses import replace

    past.once()
    pauses: list[float] = []
    with running(past.settings, {"HOME": str(past.folder)}, past.lines.append) as context:
        limited = replace(context, hub=Refusing(context.hub, refusals=2))  # type: ignore[arg-type]
        backfill(limited, plan(context, ["maker"], SINCE)[:1], pause=pauses.append)
    assert pauses.count(17) == 2
    assert [seconds for seconds in pauses if 50 < seconds < 70]
    assert len(past.pages()) == 1


def test_a_repo_that_is_gone_or_empty_stops_nothing(past: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    past.world.create("maker/Empty", {"README.md": b"# soon\n"}, at=datetime(2025, 3, 1, tzinfo=UTC))
    past.once()
    past.world.delete("maker/First-32B")
    assert run(past, monkeypatch, "backfill", "--since", "2025-01-01") == 0
    out = capsys.readouterr().out
    assert "maker/Empty: nothing to read, no report" in out
    assert len(past.pages()) == 2


# --- replay ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(stage: Stage) -> Stage:
    """One release that was told to Slack."""
    stage.once()
    stage.world.create("maker/Told-32B", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1
    return stage


def test_a_report_is_made_and_sent_again(told: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    pages = set(told.pages())
    assert run(told, monkeypatch, "replay", "maker/told-32b") == 0
    assert len(told.received()) == 2
    assert told.headlines()[0] == told.headlines()[1]
    assert set(told.pages()) == pages, "the page is written over, not beside"
    assert "Made again on" in next(iter(told.pages().values()))
    assert "Continues" not in next(iter(told.pages().values()))
    assert told.once(timedelta(hours=1))[-1] == "done: nothing new"


def test_the_files_are_not_fetched_again(told: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(told.standin.asked("/Told-32B/"))
    assert run(told, monkeypatch, "replay", "maker/Told-32B", "--channel", "slack") == 0
    assert len(told.standin.asked("/Told-32B/")) == before > 0
    assert len(told.received()) == 2


def test_the_latest_are_listed_and_each_name_finds_its_report(
    told: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run(told, monkeypatch, "replay", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    for what in (row["id"], "1", "maker/Told-32B"):
        assert run(told, monkeypatch, "replay", what, "--dry-run") == 0
        assert row["id"] in capsys.readouterr().out
    assert run(told, monkeypatch, "replay") == 0
    assert row["id"] in capsys.readouterr().out
    for what in ("rep_nothing", "999", "maker/Nobody", "rel_no"):
        assert run(told, monkeypatch, "replay", what) == 1
        assert "no report is known by this" in capsys.readouterr().err


def test_one_channel_can_be_named_even_one_that_is_new(
    told: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    told.channels.append(told.channel("discord", events=["disappeared"]))
    assert run(told, monkeypatch, "replay", "maker/Told-32B", "--channel", "discord", "--as-it-was") == 0
    assert len(told.received("discord")) == 1
    assert len(told.received("slack")) == 1
    assert run(told, monkeypatch, "replay", "maker/Told-32B", "--channel", "nosuch") == 2
    assert "no such channel" in capsys.readouterr().err


def test_a_change_is_replayed_against_its_own_past(told: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    config = model_files(QWEN, changed={"max_position_embeddings": 131072})["config.json"]
    told.world.upload("maker/Told-32B", {"config.json": config})
    told.once(timedelta(minutes=5))
    assert len(told.received()) == 2
    assert run(told, monkeypatch, "replay", "maker/Told-32B") == 0
    assert told.headlines()[2] == told.headlines()[1]
    assert "131,072" in told.headlines()[2]


def test_pictures_and_pages_are_where_they_were(told: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(told.folder / "reports")
    before = sorted(path.relative_to(root) for path in root.rglob("*.png"))
    assert run(told, monkeypatch, "replay", "maker/Told-32B") == 0
    assert sorted(path.relative_to(root) for path in root.rglob("*.png")) == before
