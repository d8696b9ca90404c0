"""Webhooks on the whole way: a hint brings an early look, is kept until it is answered, and polling needs none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from stage import Stage

from watcher import cycle
from watcher.cli import main
from watcher.context import Context
from watcher.demo.models import model_files
from watcher.hub.standin.faults import Fault
from watcher.hub.webhooks import Hint
from watcher.releases.hinted import answer_hints, keep
from watcher.runtime import running
from watcher.store import hints

QWEN = "Qwen/Qwen3-32B"
HINT = Hint("Maker", "maker/New: create repo")


@contextmanager
def at_work(stage: Stage) -> Iterator[Context]:
    environment = {"WATCHER_NOW": stage.world.now.isoformat(), "HOME": str(stage.folder)}
    with running(stage.settings, environment, stage.lines.append) as context:
        yield context


def waiting(context: Context) -> list[hints.StoredHint]:
    with context.store.begin() as connection:
        return hints.due(connection, context.clock.now() + timedelta(days=1))


def test_a_hint_is_one_early_look_at_its_organization(stage: Stage) -> None:
    stage.world.organizations.add("other")
    stage.watch["organizations"] = ["maker", "other"]
    stage.once()
    stage.world.create("maker/New-32B", model_files(QWEN))
    with at_work(stage) as context:
        for _ in range(5):
            assert keep(context, HINT)
        before = len(stage.standin.asked("author="))
        answer_hints(context)
        assert len(stage.standin.asked("author=")) == before, "a burst is waited for"
    stage.world.advance(timedelta(seconds=6))
    with at_work(stage) as context:
        answer_hints(context)
        (asked,) = stage.standin.asked("author=")[before:]
        assert "author=maker" in asked
        assert waiting(context) == []
    assert "maker/New-32B: released" in stage.lines
    stage.settle()
    assert len(stage.received()) == 1


def test_a_hint_about_something_else_is_not_kept(stage: Stage) -> None:
    with at_work(stage) as context:
        assert not keep(context, Hint("stranger", "stranger/M: create repo"))
        assert waiting(context) == []


def test_a_hint_outlives_a_crash_and_a_hub_that_does_not_answer(stage: Stage) -> None:
    stage.once()
    with at_work(stage) as context:
        keep(context, HINT)
    stage.world.create("maker/New-32B", model_files(QWEN))
    stage.world.advance(timedelta(seconds=6))
    stage.standin.faults.add(Fault(path="/api/models", kind="status", status=503, times=1))
    with at_work(stage) as context:
        answer_hints(context)
        (hint,) = waiting(context)
        assert hint.failures == 1
        assert hint.due_at > context.clock.now()
    stage.world.advance(timedelta(minutes=1))
    with at_work(stage) as context:
        answer_hints(context)
        assert waiting(context) == []
    assert "maker/New-32B: released" in stage.lines


def test_a_hint_that_comes_during_a_look_is_looked_at_again(stage: Stage) -> None:
    with at_work(stage) as context, context.store.begin() as connection:
        now = context.clock.now()
        hints.add(connection, "maker", now, timedelta(0))
        (seen,) = hints.due(connection, now)
        hints.add(connection, "maker", now + timedelta(seconds=1), timedelta(0))
        hints.settle(connection, seen, retry_at=None, delay=timedelta(seconds=5))
        assert hints.due(connection, now + timedelta(seconds=5)) == []
        (again,) = hints.due(connection, now + timedelta(seconds=6))
        hints.settle(connection, again, retry_at=None, delay=timedelta(seconds=5))
        assert hints.due(connection, now + timedelta(days=1)) == []


def test_polling_misses_nothing_without_any_hint(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/New-32B", model_files(QWEN))
    with at_work(stage) as context:
        answer_hints(context)
        cycle.look(context)
    assert "maker/New-32B: released" in stage.lines


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_config(stage: Stage, port: int) -> str:
    path = stage.folder / "config.toml"
    path.write_text(
        f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = ""\n'
        f'webhooks = {{ listen = "127.0.0.1:{port}", secret = "env:HUB_SECRET" }}\n'
        f'[watch]\norganizations = ["maker"]\ntasks = []\nsettle = "0s"\ninterval = "1h"\n'
        f'[[channels]]\nname = "slack"\ntype = "slack"\nurl = "{stage.receivers.url("slack", "slack")}"\n'
    )
    return str(path)


def test_the_real_daemon_is_told_by_a_real_request(stage: Stage) -> None:
    port = free_port()
    environment = {**os.environ, "HUB_SECRET": "s3cret", "HOME": str(stage.folder)}
    command = [sys.executable, "-m", "watcher", "run", "--config", write_config(stage, port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as daemon:
        try:
            assert daemon.stderr is not None
            while "first look" not in daemon.stderr.readline():
                assert daemon.poll() is None
            stage.world.webhooks.subscribe(f"http://127.0.0.1:{port}/hub", [("org", "maker")], "s3cret")
            stage.world.create("maker/Hinted-32B", model_files(QWEN))
            stage.world.webhooks.wait()
            assert {sent.status for sent in stage.world.webhooks.sent} == {202}
            deadline = time.monotonic() + 90
            while not stage.received() and time.monotonic() < deadline:
                time.sleep(0.2)
            assert len(stage.received()) == 1, "an hour before the next look"
        finally:
            daemon.terminate()
            said = daemon.communicate(timeout=60)[1]
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_check_names_a_secret_that_is_missing(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(stage, 8790)
    assert main(["check", "--config", config, "--offline", "--json"]) == 1
    rows = {row["what"]: row for row in json.loads(capsys.readouterr().out)}
    assert "HUB_SECRET is not set" in rows["hub.webhooks"]["says"]
    monkeypatch.setenv("HUB_SECRET", "x")
    assert main(["check", "--config", config, "--offline"]) == 0
    assert "listens on 127.0.0.1:8790/hub" in capsys.readouterr().out
    with open(config, "a") as handle:
        handle.write("\n")
    monkeypatch.setenv("WATCHER_HUB__WEBHOOKS", '{"listen": "nowhere", "secret": "x"}')
    assert main(["check", "--config", config, "--offline"]) == 2
    assert "hub.webhooks.listen" in capsys.readouterr().err
