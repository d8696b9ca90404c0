"""Secrets stay where they are: a run full of failures, and every artefact of it searched for them."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from stage import Stage

from watcher.cli import main
from watcher.demo.models import model_files
from watcher.hub.standin import Fault
from watcher.publish.registry import CHANNELS
from watcher.store.transfer import export_store

CANARY = "hvSecretCanary77"


@pytest.fixture
def parrot() -> Iterator[str]:
    """A receiver that refuses everything and repeats in its answer what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Nothing to say."""

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = f"no such hook: {self.path} {dict(self.headers)} ".encode() + asked[:2000]
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("newline", ["", "\n", "\r\n"])
def test_no_artefact_of_a_run_holds_a_secret(
    stage: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    newline: str,
    parrot: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:9/{CANARY}?sig={CANARY}{newline}")
    (tmp_path / "hook").write_text(f"{parrot}/nowhere/{CANARY}{newline}")
    (tmp_path / "token").write_text(f"hf_{CANARY}{newline}")
    config = tmp_path / "config.toml"
    config.write_text(
        f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = "file:token"\n'
        '[watch]\norganizations = ["maker"]\ntasks = []\nsettle = "0s"\nheartbeat = "env:HOOK"\n'
        '[[channels]]\nname = "a"\ntype = "slack"\nurl = "env:HOOK"\n'
        '[[channels]]\nname = "b"\ntype = "discord"\nurl = "file:hook"\n'
        f'[[channels]]\nname = "c"\ntype = "webhook"\nurl = "http://127.0.0.1:9/{CANARY}"\nsecret = "{CANARY}"\n'
        f'authorization = "Bearer {CANARY}"\n'
        f'[[channels]]\nname = "d"\ntype = "git"\nrepository = "http://user:{CANARY}@127.0.0.1:9/x.git"\n'
    )
    stage.standin.answers.tokens[f"hf_{CANARY}"] = "someone"
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))

    def run(*arguments: str) -> None:
        monkeypatch.setenv("WATCHER_NOW", stage.world.advance(timedelta(minutes=30)).isoformat())
        main([*arguments, "--config", str(config)])

    run("once")
    stage.world.create("maker/New", model_files("Qwen/Qwen3-32B"))
    stage.standin.faults.add(Fault(path="/resolve/", kind="status", status=500, times=1))
    for verb in (["once"], ["once"], ["check"], ["check", "--json"], ["status"], ["deliveries"], ["notify", "--test"]):
        run(*verb)
    text = tmp_path / "state.jsonl"
    export_store(f"sqlite:///{tmp_path}/watcher.db", text)
    said = capsys.readouterr()
    assert "error" in said.out
    assert '"channel": "a"' in text.read_text(), "the failed deliveries are in the state that is searched"
    assert CANARY not in said.out + said.err
    own = {config, tmp_path / "hook", tmp_path / "token"}
    for path in tmp_path.rglob("*"):
        if path.is_file() and path not in own:
            assert CANARY.encode() not in path.read_bytes(), path


KINDS = """
[[channels]]
name = "slack"
type = "slack"
url = "{parrot}/{canary}"
[[channels]]
name = "slack-bot"
type = "slack-bot"
token = "xoxb-{canary}"
channel = "C1"
api = "{parrot}"
[[channels]]
name = "discord"
type = "discord"
url = "{parrot}/api/webhooks/1/{canary}"
[[channels]]
name = "webhook"
type = "webhook"
url = "{parrot}/x?key={canary}"
secret = "{canary}"
authorization = "Bearer {canary}"
[[channels]]
name = "teams"
type = "teams"
url = "{parrot}/workflows/x?sig={canary}"
[[channels]]
name = "mattermost"
type = "mattermost"
url = "{parrot}/hooks/{canary}"
[[channels]]
name = "telegram"
type = "telegram"
token = "123456:{canary}"
chat_id = "-1"
api = "{parrot}"
[[channels]]
name = "matrix"
type = "matrix"
homeserver = "{parrot}"
token = "syt_{canary}"
room = "!x:example.org"
[[channels]]
name = "ntfy"
type = "ntfy"
server = "{parrot}"
topic = "{canary}"
token = "tk_{canary}"
[[channels]]
name = "email"
type = "email"
host = "127.0.0.1"
port = 9
security = "none"
username = "someone"
password = "{canary}"
sender = "a@example.org"
to = ["b@example.org"]
[[channels]]
name = "apprise"
type = "apprise"
url = "json://user:{canary}@127.0.0.1:9/{canary}"
[[channels]]
name = "hub"
type = "hub"
repository = "a/b"
token = "hf_{canary}"
endpoint = "{parrot}"
[[channels]]
name = "git"
type = "git"
repository = "https://127.0.0.1:9/x.git"
token = "{canary}"
"""


def test_no_kind_of_channel_tells_its_secret(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], parrot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind, against a receiver that repeats address, headers and body of what it was asked."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = ""\n[watch]\norganizations = ["maker"]\ntasks = []\n'
        'settle = "0s"\n' + KINDS.format(parrot=parrot, canary=CANARY)
    )
    configured = {channel["type"] for channel in tomllib.loads(config.read_text())["channels"]}
    assert configured == set(CHANNELS) - {"folder"}, "a new kind of channel belongs into this test"

    def run(*arguments: str) -> None:
        monkeypatch.setenv("WATCHER_NOW", stage.world.advance(timedelta(minutes=30)).isoformat())
        main([*arguments, "--config", str(config)])

    run("once")
    stage.world.create("maker/New", model_files("Qwen/Qwen3-32B"))
    for verb in (
        ["once"],
        ["check"],
        ["check", "--json"],
        ["status"],
        ["deliveries"],
        ["health"],
        ["notify", "--test"],
    ):
        run(*verb)
    run("route", "maker/New")
    export_store(f"sqlite:///{tmp_path}/watcher.db", tmp_path / "state.jsonl")
    said = capsys.readouterr()
    failed = {line.split(":")[1].strip() for line in said.out.splitlines() if line.startswith("error: ")}
    assert failed >= configured - {"teams"}, "all of them were asked, and refused"
    leaks = [line for line in (said.out + said.err).splitlines() if CANARY in line]
    assert leaks == []
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != config:
            assert CANARY.encode() not in path.read_bytes(), path
