"""The daemon: steps run apart, signals end it, and no clock can stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stage import Stage

from watcher import daemon as module
from watcher.daemon import Daemon, Every, Step
from watcher.demo.models import model_files

SECOND = timedelta(seconds=1)


def run(daemon: Daemon, until: threading.Event, seconds: float = 10.0) -> None:
    thread = threading.Thread(target=daemon.run, daemon=True)
    thread.start()
    assert until.wait(seconds), "the step did not run"
    daemon.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_step_runs_at_once_and_again() -> None:
    times, done = [], threading.Event()

    def step() -> None:
        times.append(1)
        if len(times) >= 3:
            done.set()

    run(Daemon({"x": Step(step, timedelta(milliseconds=50))}, report=print), done)


def test_a_step_that_fails_is_reported_and_runs_again() -> None:
    said: list[str] = []
    done = threading.Event()

    def step() -> None:
        if len(said) >= 2:
            done.set()
        raise RuntimeError("odd")

    run(Daemon({"x": Step(step, timedelta(milliseconds=50))}, report=said.append), done)
    assert "internal fault, RuntimeError: odd" in said[0]


def test_a_run_that_outlasts_its_interval_is_not_started_twice_and_not_skipped_for_good() -> None:
    busy, most, runs = 0, 0, 0
    done = threading.Event()

    def slow() -> None:
        nonlocal busy, most, runs
        busy += 1
        most = max(most, busy)
        time.sleep(0.3)
        busy -= 1
        runs += 1
        if runs >= 3:
            done.set()

    run(Daemon({"x": Step(slow, timedelta(milliseconds=50))}, report=print), done)
    assert most == 1


def test_a_run_that_is_left_out_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    done, runs = threading.Event(), []

    def slow() -> None:
        time.sleep(0.3)
        runs.append(1)
        if len(runs) >= 3:
            done.set()

    run(Daemon({"x": Step(slow, timedelta(milliseconds=50))}, report=print), done)
    assert capfd.readouterr().err == ""


def test_a_slow_step_does_not_delay_another() -> None:
    quick, release = threading.Event(), threading.Event()
    steps = {"slow": Step(lambda: release.wait(10) and None, SECOND), "quick": Step(quick.set, SECOND)}
    daemon = Daemon(steps, report=print)
    thread = threading.Thread(target=daemon.run, daemon=True)
    thread.start()
    assert quick.wait(5)
    release.set()
    daemon.stop()
    thread.join(10)


@pytest.mark.parametrize("year", [1970, 2026])
def test_a_late_run_computes_one_time_and_never_a_million(year: int) -> None:
    trigger = Every(timedelta(seconds=5))
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    now = datetime(year, 11, 1, tzinfo=UTC)
    following = trigger.get_next_fire_time(long_ago, now)
    assert timedelta(seconds=4) < following - now < timedelta(seconds=6)


def test_a_clock_that_jumps_runs_everything_now(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float] = []
    twice = threading.Event()

    def step() -> None:
        runs.append(time.monotonic())
        if len(runs) >= 2:
            twice.set()

    offset = 0.0
    real = time.time
    monkeypatch.setattr(module.time, "time", lambda: real() + offset)
    daemon = Daemon({"x": Step(step, timedelta(hours=6))}, report=print)
    thread = threading.Thread(target=daemon.run, daemon=True)
    thread.start()
    while not runs:
        time.sleep(0.01)
    time.sleep(1.2)
    offset = -86400.0
    assert twice.wait(10), "a clock set back must not pause the steps"
    daemon.stop()
    thread.join(10)


def test_the_scheduler_keeps_utc_whatever_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Mars/Olympus")
    time.tzset()
    done = threading.Event()
    try:
        daemon = Daemon({"x": Step(done.set, SECOND)}, report=print)
        assert str(daemon._scheduler.timezone) == "UTC"
        assert daemon._scheduler._job_defaults["misfire_grace_time"] is None
        run(daemon, done)
    finally:
        monkeypatch.undo()
        time.tzset()


CONFIG = """
[hub]
endpoint = "{url}"
token = ""
[watch]
organizations = ["maker"]
tasks = []
interval = "1s"
settle = "0s"
[[channels]]
name = "slack"
type = "slack"
url = "{slack}"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_real_daemon_sees_a_release_and_ends_on_a_signal(
    stage: Stage, number: signal.Signals, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url=stage.standin.url, slack=stage.receivers.url("slack", "slack")))
    command = [sys.executable, "-m", "watcher", "run", "--config", str(path)]
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        wait_for(lambda: bool(stage.standin.asked("author=maker")))
        time.sleep(0.5)
        stage.world.create("maker/Live", model_files("Qwen/Qwen3-4B"), at=datetime.now(UTC))
        wait_for(lambda: bool(stage.received()), 40)
        process.send_signal(number)
        assert process.wait(20) == 0
    finally:
        process.kill()
        said = process.communicate(timeout=20)[1]
    assert "watching 1 organization" in said
    assert "stopped" in said
    assert "Traceback" not in said


def wait_for(ready: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
