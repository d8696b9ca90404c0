"""Nothing is lost: the Hub fails, receivers refuse, the disk is full, the process dies between any two steps."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from stage import Stage

from watcher.demo.models import model_files
from watcher.hub.standin import Fault
from watcher.publish import folder as folder_channel
from watcher.store.engine import Store

QWEN = "Qwen/Qwen3-32B"
MINUTES = timedelta(minutes=1)

HUB_FAULTS = [
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "120"}},
    {"kind": "status", "status": 500},
    {"kind": "html"},
    {"kind": "malformed"},
    {"kind": "empty"},
    {"kind": "truncate"},
    {"kind": "reset"},
]
WHERE = ["api/models.*author", "/tree/", "/resolve/", "resolve-cache"]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("fault", HUB_FAULTS, ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}")
def test_a_fault_of_the_hub_delays_a_release_and_never_loses_it(
    stage: Stage, fault: dict[str, Any], where: str
) -> None:
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    stage.standin.faults.add(Fault(path=where, **fault))
    said = [*stage.once(5 * MINUTES), *stage.once(30 * MINUTES)]
    assert not any("Traceback" in line for line in said)
    stage.standin.faults.clear()
    stage.once(timedelta(hours=2))
    stage.once(timedelta(hours=2))
    assert len(stage.received()) >= 1
    last = json.dumps(stage.received()[-1])
    assert "32.8B" in last, "whatever was said meanwhile, the architecture is told in the end"


def _change_with_an_unanswered_past(stage: Stage) -> None:
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    stage.once()
    repo, _ = stage.world.find("maker/Old")
    assert repo is not None
    assert repo.head is not None
    stage.standin.faults.add(Fault(path=f"/resolve/{repo.head.sha}", kind="status", status=500))
    config = model_files("Qwen/Qwen3-4B", changed={"max_position_embeddings": 99})["config.json"]
    stage.world.upload("maker/Old", {"config.json": config})


def test_a_change_waits_for_the_old_files(stage: Stage) -> None:
    _change_with_an_unanswered_past(stage)
    stage.settle()
    assert stage.received() == []
    stage.standin.faults.clear()
    stage.settle()
    assert stage.headlines() == ["maker/Old changed its config: context length 40,960 → 99 tokens"]


def test_a_change_whose_old_files_never_come_is_told_as_that(stage: Stage) -> None:
    _change_with_an_unanswered_past(stage)
    stage.settle()
    stage.once(timedelta(hours=7))
    (headline,) = stage.headlines()
    assert "what it was before cannot be had. Against" in headline


def test_one_failing_organization_does_not_stop_the_others(stage: Stage) -> None:
    stage.watch |= {"organizations": ["broken", "maker"]}
    stage.standin.faults.add(Fault(path="author=broken", kind="status", status=500))
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    said = stage.settle()
    assert any(line.startswith("error: broken:") for line in said)
    assert len(stage.received()) == 1


def test_an_error_is_not_a_disappearance(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", events=["disappeared", "released"])]
    stage.world.create("maker/Model", model_files(QWEN))
    stage.once()
    stage.standin.faults.add(Fault(path="author=maker", kind="status", status=404))
    for _ in range(3):
        stage.once(timedelta(hours=2))
    assert stage.received() == []


# --- receivers -------------------------------------------------------------------------------------------------------


class Moody:
    """A receiver that answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.got: list[bytes] = []
        moody = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                moody.got.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
                status, body = moody.answers.pop(0) if moody.answers else (200, b"ok")
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/services/SECRETPATH"


@pytest.fixture
def moody() -> Iterator[Moody]:
    receiver = Moody()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_receiver_that_is_down_gets_it_later_and_once(stage: Stage, moody: Moody, status: int) -> None:
    stage.channels = [stage.channel("slack", url=moody.url)]
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    moody.answers = [(status, b"no"), (status, b"no")]
    stage.settle()
    assert len(moody.got) == 1
    stage.once(2 * MINUTES)
    stage.once(5 * MINUTES)
    stage.once(timedelta(hours=1))
    assert len(moody.got) == 3
    assert len(set(moody.got)) == 1, "what is sent again is the same to the byte"


def test_a_refused_payload_is_a_dead_letter_and_does_not_block(stage: Stage, moody: Moody) -> None:
    stage.channels = [stage.channel("slack", url=moody.url)]
    stage.once()
    moody.answers = [(400, b"invalid_blocks")]
    stage.world.create("maker/One", model_files(QWEN))
    stage.settle()
    stage.world.create("maker/Two", model_files(QWEN))
    stage.settle()
    assert len(moody.got) == 2
    from watcher.standing import list_deliveries

    (dead,) = list_deliveries(stage.settings, dead=True)
    assert dead["channel"] == "slack"


def test_a_revoked_hook_is_switched_off_and_told_on_the_others(stage: Stage, moody: Moody) -> None:
    stage.channels = [stage.channel("slack", "gone", url=moody.url), stage.channel("discord")]
    stage.once()
    moody.answers = [(404, b"no_service")]
    stage.world.create("maker/One", model_files(QWEN))
    stage.settle()
    stage.once(MINUTES)
    told = json.dumps(stage.received("discord"), ensure_ascii=False)
    assert "gone was switched off" in told
    assert len(moody.got) == 1


def test_a_refused_connection_names_the_channel_and_not_its_secret(stage: Stage, moody: Moody) -> None:
    url = moody.url
    moody.server.shutdown()
    moody.server.server_close()
    stage.channels = [stage.channel("slack", url=url)]
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    said = stage.settle()
    (line,) = [line for line in said if line.startswith("error")]
    assert "slack" in line
    assert "SECRETPATH" not in "\n".join(said)
    assert b"SECRETPATH" not in (stage.folder / "watcher.db").read_bytes()


def test_a_git_remote_that_rejects_is_tried_again(stage: Stage) -> None:
    remote = stage.git_remote()
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    stage.channels = [stage.channel("git", "archive", repository=str(remote))]
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    said = stage.settle()
    assert any("protected branch" in line for line in said)
    hook.unlink()
    stage.once(timedelta(hours=1))
    log = subprocess.run(["git", "-C", str(remote), "log", "--oneline", "main"], capture_output=True, text=True)
    assert len(log.stdout.splitlines()) == 1


def test_somebody_else_pushing_is_no_conflict(stage: Stage, tmp_path: Path) -> None:
    remote = stage.git_remote()
    stage.channels = [stage.channel("git", "archive", repository=str(remote))]
    stage.once()
    stage.world.create("maker/One", model_files(QWEN))
    stage.settle()
    other = tmp_path / "other"
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "clone", "-q", str(remote), str(other)], check=True)
    (other / "theirs.txt").write_text("theirs")
    subprocess.run(["git", "-C", str(other), "add", "."], check=True)
    subprocess.run(["git", "-C", str(other), *identity, "commit", "-qm", "theirs"], check=True)
    subprocess.run(["git", "-C", str(other), "push", "-q", "origin", "HEAD:main"], check=True)
    stage.world.create("maker/Two", model_files(QWEN))
    stage.settle()
    listed = subprocess.run(
        ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", "main"], capture_output=True, text=True
    )
    assert "theirs.txt" in listed.stdout
    assert "maker/Two" in listed.stdout


# --- the machine -----------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_got_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = folder_channel.write_whole

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    monkeypatch.setattr(folder_channel, "write_whole", full)
    said = stage.settle()
    assert any("No space left on device" in line and "free space" in line for line in said)
    assert len(stage.received()) == 1, "the other channels go on"
    monkeypatch.setattr(folder_channel, "write_whole", real)
    stage.once(timedelta(hours=1))
    assert len(stage.pages()) == 1


class Killed(BaseException):
    """Stands for the end of the process."""


def test_dying_between_any_two_transactions_loses_and_repeats_nothing(stage: Stage) -> None:
    """The process ends at the n-th transaction, for every n, until a whole run got through."""
    stage.once()
    stage.world.create("maker/Model-32B", model_files(QWEN))
    stage.world.create("maker/Model-4B", model_files("Qwen/Qwen3-4B"))
    stage.world.advance(timedelta(hours=1))
    real, patch = Store.begin, pytest.MonkeyPatch()
    for death in range(1, 200):
        left = death

        def dying(self: Store) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return real(self)

        patch.setattr(Store, "begin", dying)
        try:
            stage.once()
            survived = True
        except Killed:
            survived = False
        finally:
            patch.setattr(Store, "begin", real)
        if survived:
            break
    else:
        pytest.fail("never got through")
    assert death > 5
    stage.once(timedelta(hours=1))
    messages = [message for message in stage.received() if "32.8B" in json.dumps(message)]
    assert len(messages) >= 1
    assert len({json.dumps(message) for message in stage.received()}) == 1, "at least once, and always the same"
    assert stage.once(timedelta(hours=1))[-1] == "done: nothing new"


def test_a_second_instance_is_refused(stage: Stage) -> None:
    from watcher.errors import WatcherError
    from watcher.store.engine import open_store

    with open_store(stage.settings.store_url, exclusive=True), pytest.raises(WatcherError, match="another"):
        stage.once()
