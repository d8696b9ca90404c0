"""Health, metrics and routes: what an operator asks, answered from the store and by the daemon's own port."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from stage import Stage

from watcher.cli import main
from watcher.demo.models import model_files
from watcher.endpoint import as_json, serving
from watcher.errors import ConfigurationError, StoreError
from watcher.hub.standin import Fault
from watcher.metrics import METRICS
from watcher.standing import examine_store

CANARY = "hvSecretCanary77"
CONFIG = """
[hub]
endpoint = "{hub}"
token = ""
[watch]
organizations = ["maker"]
tasks = []
settle = "0s"
interval = "1s"
{watch}
[[channels]]
name = "good"
type = "slack"
url = "{slack}"
quiet_hours = "00:00-23:59"
urgent = "breaking"
[[channels]]
name = "bad"
type = "webhook"
url = "http://127.0.0.1:9/{canary}"
events = ["released"]
organizations = ["MAKER"]
fallback = "good"
[[channels]]
name = "tiny"
type = "slack"
url = "{slack}"
max_parameters = "1B"
"""


def configuration(stage: Stage, watch: str = "") -> Path:
    path = stage.folder / "config.toml"
    slack = stage.receivers.url("slack", "good")
    path.write_text(CONFIG.format(hub=stage.standin.url, slack=slack, canary=CANARY, watch=watch))
    return path


def problems(stage: Stage, within: timedelta | None = None) -> list[str]:
    found = examine_store(stage.settings, within, {"WATCHER_NOW": stage.world.now.isoformat()})
    return [f"{item.part}: {item.says}" for item in found.problems]


def test_a_watcher_that_never_looked_is_not_well(stage: Stage) -> None:
    assert problems(stage) == ["hub: never looked at; start `watcher run`, or `watcher once` from cron"]


def test_a_watcher_that_looks_and_delivers_is_well_until_it_stops(stage: Stage) -> None:
    stage.once()
    assert problems(stage) == []
    stage.world.advance(timedelta(hours=1))
    assert "is `watcher run` running?" in problems(stage)[0]
    assert problems(stage, within=timedelta(hours=2)) == []


def test_an_organization_that_cannot_be_seen_is_named(stage: Stage) -> None:
    stage.once()
    stage.standin.faults.add(Fault(path="author=maker", kind="status", status=500))
    stage.once(timedelta(hours=1))
    assert problems(stage) == []
    stage.once(timedelta(hours=6))
    (said,) = problems(stage)
    assert said.startswith("organization maker: not seen whole since 2026-11-02 09:00 UTC")


def test_channels_that_take_nothing_and_channels_nobody_has_are_named(stage: Stage) -> None:
    bad = {"name": "bad", "type": "webhook", "url": "http://127.0.0.1:9/"}
    stage.channels = [bad, stage.channel("slack")]
    stage.once()
    stage.world.create("maker/Model", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    stage.once(timedelta(hours=7))
    (said,) = problems(stage)
    assert said.startswith("channel bad: has taken nothing since")
    stage.channels = [stage.channel("slack")]
    assert "channel bad: 1 deliveries wait for it, and config.toml does not have it" in problems(stage)


def test_the_verb_ends_with_1_when_something_is_wrong(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(configuration(stage))
    assert main(["health", "--config", path]) == 1
    assert "✗ hub" in capsys.readouterr().out
    stage.channels = []
    stage.once()
    assert main(["health", "--config", path, "--json", "--within", "9999d"]) == 0
    assert json.loads(capsys.readouterr().out) == {"well": True, "problems": []}


# --- the endpoint ----------------------------------------------------------------------------------------------------


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_endpoint_survives_its_pages_and_its_readers() -> None:
    def locked() -> tuple[int, str, bytes]:
        raise StoreError("the store refused: locked")

    with serving("127.0.0.1:0", {"/a": lambda: as_json(200, {"x": "é"}), "/b": locked}) as port:
        assert get(f"http://127.0.0.1:{port}/a?x=1") == (200, '{\n  "x": "é"\n}\n')
        assert get(f"http://127.0.0.1:{port}/b")[0] == 503
        status, text = get(f"http://127.0.0.1:{port}/../etc/passwd")
        assert (status, text) == (404, "there are /a, /b\n")
        with (
            pytest.raises(ConfigurationError, match="cannot be bound"),
            serving(f"127.0.0.1:{port}", {}),
        ):
            pytest.fail("the port is taken")
    with serving("", {}) as port:
        assert port is None


def test_the_daemon_serves_health_and_metrics_without_secrets(stage: Stage) -> None:
    path = configuration(stage, 'listen = "127.0.0.1:0"')
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    command = [sys.executable, "-m", "watcher", "run", "--config", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        line = next(line for line in lines if "/metrics" in line)
        base = f"http://127.0.0.1:{re.search(r'port ([0-9]+)', line)[1]}"  # type: ignore[index]
        next(line for line in lines if "maker" in line or "known" in line)
        stage.world.create("maker/New", model_files("Qwen/Qwen3-32B"))
        next(line for line in lines if "bad" in line and "error" in line)
        status, health = get(f"{base}/health")
        assert (status, json.loads(health)["well"]) == (200, True)
        assert json.loads(get(f"{base}/live")[1]) == {"live": True, "stuck": []}
        status, metrics = get(f"{base}/metrics")
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1]
    assert status == 200
    found = {family.name: family for family in text_string_to_metric_families(metrics)}
    assert {row.name.removesuffix("_total") for row in METRICS} == set(found)
    deliveries = {tuple(item.labels.values()): item.value for item in found["watcher_deliveries"].samples}
    assert deliveries["bad", "retrying"] == 1
    assert CANARY not in metrics + health + said


def test_every_metric_is_explained() -> None:
    page = (Path(__file__).parents[1] / "deploy" / "README.md").read_text(encoding="utf-8")
    assert [row.name for row in METRICS if f"`{row.name}`" not in page] == []


# --- routes ----------------------------------------------------------------------------------------------------------


def routes(stage: Stage, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert main(["route", "maker/Model", "--config", str(configuration(stage)), "--json", *more]) == 0
    found = json.loads(capsys.readouterr().out)
    return {"": found} | {item["channel"]: item for item in found["channels"]}


def test_a_route_tells_for_every_channel_whether_when_and_why(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHER_NOW", stage.world.now.isoformat())
    stage.world.create("maker/Model", model_files("Qwen/Qwen3-32B"))
    found = routes(stage, capsys)
    assert found[""]["report"] == "made now"
    assert found["reports"]["wanted"] is True
    assert found["bad"]["notes"] == ["good gets it after 3 failed attempts"]
    assert (found["tiny"]["wanted"], found["tiny"]["at"]) == (False, None)
    assert str(found["tiny"]["because"]).startswith("min_parameters, max_parameters")
    assert found["good"]["at"] == "2026-11-02T23:59:00+00:00"
    assert found["good"]["because"] == "quiet_hours: 00:00-23:59 UTC"
    changed = routes(stage, capsys, "--event", "license_changed")
    assert changed["bad"]["because"] == "events: license_changed is not in the list"


def test_a_route_asks_about_the_report_that_is_there(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.once()
    stage.world.create("maker/Model", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    monkeypatch.setenv("WATCHER_NOW", stage.world.now.isoformat())
    stage.standin.faults.add(Fault(path="/api/", kind="status", status=500))
    found = routes(stage, capsys)
    assert found[""]["report"] == "told on 2026-11-02"
    assert str(found[""]["watched"]).startswith("not known")
    assert main(["route", "maker/Model", "--config", str(configuration(stage))]) == 0
    assert "quiet_hours" in capsys.readouterr().out
