"""Delivery through every fault a receiver, a network or a machine has: never lost, never twice where it can be told."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from watcher.context import Context
from watcher.errors import StoreError
from watcher.publish.deliver import deliver
from watcher.publish.enqueue import deliveries_for
from watcher.publish.worst_case import worst_case_report
from watcher.report.make import report_alert
from watcher.runtime import running
from watcher.settings import Settings
from watcher.store import archive, outbox

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
REPORT = worst_case_report()
Behaviour = Callable[[socket.socket], None]


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An ordinary answer."""

    def answer(connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def resets(connection: socket.socket) -> None:
    """Half an answer, then a reset."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cuts(connection: socket.socket) -> None:
    """Half a body, then the end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def stalls(connection: socket.socket) -> None:
    """Never a word."""
    connection.settimeout(20)
    connection.recv(1)


def drips(connection: socket.socket) -> None:
    """A header that never ends: every byte resets a read time-out, and only a deadline for the whole helps."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def floods(connection: socket.socket) -> None:
    """100 MB."""
    connection.sendall(b"HTTP/1.1 500 x\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(1600):
        connection.sendall(b"x" * 65536)


def rubbish(connection: socket.socket) -> None:
    """Not HTTP."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


GOOD = says(200, b"ok")


class Receiver:
    """Reads one request a connection, and does what is next in `then`; afterwards it is well."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.then: list[Behaviour] = []
        self.met: Behaviour | None = None
        """What it does with a connection before it reads."""
        self.got: list[bytes] = []
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/hook"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.settimeout(20)
                if self.met is not None:
                    self.met(connection)
                self.got.append(_request(connection))
                (self.then.pop(0) if self.then else GOOD)(connection)
        except OSError:
            pass

    def close(self) -> None:
        """Nobody is here any more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


class Post:
    """An outbox with channels, and a clock that is moved by hand."""

    def __init__(self, folder: Path, *channels: dict[str, Any]) -> None:
        self.folder = folder
        self.channels = [{"timeout": "1s", **channel} for channel in channels]
        self.now = NOW
        self.said: list[str] = []
        self.store = f"sqlite:///{folder}/watcher.db"

    def settings(self) -> Settings:
        data = {
            "hub": {"token": ""},
            "channels": self.channels,
            "folder": self.folder,
            "reports": {"directory": ""},
            "store": {"url": self.store},
        }
        return Settings.model_validate(data, context={"environment": {}, "folder": self.folder})

    def work(self, step: Callable[[Context], None]) -> None:
        environment = {"WATCHER_NOW": self.now.isoformat(), "HOME": str(self.folder)}
        with running(self.settings(), environment, self.said.append) as context:
            step(context)

    def put(self, name: str = "one") -> None:
        """A report for every channel."""

        def step(context: Context) -> None:
            report = replace(
                REPORT,
                report_id=f"rep_{name}",
                headline=f"{name}: {REPORT.headline}",
                path=f"watcher-test/{name}/page.md",
                created_at=self.now,
            )
            with context.store.begin() as connection:
                archive.keep_report(connection, report)
                for delivery in deliveries_for(context, report, self.now):
                    outbox.enqueue(connection, delivery)

        self.work(step)

    def send(self, after: timedelta = timedelta(0)) -> None:
        self.now += after
        self.work(lambda context: deliver(context, alert=report_alert))

    def rows(self) -> list[outbox.Delivery]:
        found: list[outbox.Delivery] = []

        def step(context: Context) -> None:
            with context.store.begin() as connection:
                found.extend(item for item, _ in outbox.listing(connection))

        self.work(step)
        return found

    def states(self) -> dict[str, str]:
        return {item.channel: item.state for item in self.rows()}


def hook(receiver: Receiver, kind: str = "webhook", name: str = "hook", **keys: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "url": receiver.url, "alerts": False, **keys}


PASSING: dict[str, Behaviour] = {
    "reset in mid-body": resets,
    "cut in mid-body": cuts,
    "stalled": stalls,
    "dripping": drips,
    "100 MB": floods,
    "not HTTP": rubbish,
    "500": says(500, b"oops"),
    "502": says(502),
    "503": says(503, Retry_After="30"),
    "504": says(504),
    "408": says(408),
    "429": says(429),
}


@pytest.mark.parametrize("kind", ["webhook", "slack", "discord"])
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_delays_a_message(tmp_path: Path, receiver: Receiver, fault: str, kind: str) -> None:
    post = Post(tmp_path, hook(receiver, kind))
    post.put()
    receiver.then = [PASSING[fault]]
    began = time.monotonic()
    post.send()
    assert time.monotonic() - began < 10, "the deadline holds for the whole answer"
    (row,) = post.rows()
    assert (row.state, row.attempts) == ("retrying", 1)
    post.send(timedelta(minutes=5))
    (row,) = post.rows()
    assert (row.state, row.attempts) == ("delivered", 2)
    first, second = (request.partition(b"\r\n\r\n")[2] for request in receiver.got)
    assert len(first) == len(second)
    if kind == "webhook":
        identities = {line for request in receiver.got for line in request.split(b"\r\n") if b"webhook-id" in line}
        assert len(identities) == 1, "the receiver can tell that it has it already"


@pytest.mark.parametrize("kind", ["webhook", "discord"])
def test_204_without_a_body_is_an_arrival(tmp_path: Path, receiver: Receiver, kind: str) -> None:
    post = Post(tmp_path, hook(receiver, kind))
    post.put()
    receiver.then = [says(204)]
    post.send()
    assert post.states() == {"hook": "delivered"}


@pytest.mark.parametrize(
    "body", [b"invalid_payload", b'{"ok": false, "error": "channel_not_found"}', b"<html>login</html>"]
)
def test_200_with_an_error_is_no_arrival_at_slack(tmp_path: Path, receiver: Receiver, body: bytes) -> None:
    post = Post(tmp_path, hook(receiver, "slack"))
    post.put()
    receiver.then = [says(200, body)]
    post.send()
    assert post.states()["hook"] in ("retrying", "dead")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(tmp_path: Path, receiver: Receiver, status: int) -> None:
    elsewhere = Receiver()
    post = Post(tmp_path, hook(receiver))
    post.put()
    receiver.then = [says(status, Location=elsewhere.url)]
    post.send()
    elsewhere.close()
    assert elsewhere.got == []
    assert post.states() == {"hook": "retrying"}
    assert any("redirects" in line for line in post.said)


REFUSED = [
    ("slack", 400, b"invalid_blocks", "dead"),
    ("discord", 400, b'{"code": 50035, "errors": {"embeds": {"0": {"title": {"_errors": ["too long"]}}}}}', "dead"),
    ("webhook", 400, b'{"path": "data.record"}', "dead"),
    ("webhook", 413, b"too large", "dead"),
    ("webhook", 422, b"no", "dead"),
    ("webhook", 401, b"who?", "retrying"),
    ("webhook", 403, b"no", "retrying"),
    ("webhook", 404, b"no", "retrying"),
    ("webhook", 410, b"gone", "dead"),
    ("slack", 404, b"no_service", "dead"),
    ("slack", 410, b"channel_is_archived", "dead"),
    ("discord", 404, b'{"code": 10015, "message": "Unknown Webhook"}', "dead"),
]


@pytest.mark.parametrize(("kind", "status", "body", "state"), REFUSED)
def test_a_refusal_is_what_its_platform_means(
    tmp_path: Path, receiver: Receiver, kind: str, status: int, body: bytes, state: str
) -> None:
    post = Post(tmp_path, hook(receiver, kind))
    post.put()
    receiver.then = [says(status, body)]
    post.send()
    (row,) = post.rows()
    assert row.state == state
    assert row.status is not None
    assert body.split()[0].decode().strip('{":')[:8] in row.status, "the answer is kept for whoever must mend it"


def test_a_poisonous_message_does_not_hold_up_its_channel(tmp_path: Path, receiver: Receiver) -> None:
    post = Post(tmp_path, hook(receiver))
    for name in ("one", "two", "three"):
        post.put(name)
    receiver.then = [says(400, b"data.record: is null")]
    post.send()
    assert sorted(item.state for item in post.rows()) == ["dead", "delivered", "delivered"]


WAITS = [
    ("webhook", says(429, Retry_After="1800"), 1800),
    ("webhook", says(429, Retry_After="1800.5"), 1800),
    ("webhook", says(503, Retry_After="1800"), 1800),
    ("slack", says(429, b"rate_limited", Retry_After="1800"), 1800),
    ("discord", says(429, b'{"retry_after": 1800.25, "global": false}'), 1800),
    ("discord", says(429, b"no JSON", Retry_After="1800"), 1800),
]


@pytest.mark.parametrize(("kind", "answer", "seconds"), WAITS)
def test_a_receiver_that_says_when_is_asked_then(
    tmp_path: Path, receiver: Receiver, kind: str, answer: Behaviour, seconds: int
) -> None:
    post = Post(tmp_path, hook(receiver, kind))
    post.put()
    receiver.then = [answer]
    post.send()
    post.send(timedelta(seconds=seconds - 60))
    assert len(receiver.got) == 1, "not before"
    post.send(timedelta(seconds=120))
    assert post.states() == {"hook": "delivered"}


def test_a_date_in_retry_after_is_understood(tmp_path: Path, receiver: Receiver) -> None:
    """Dates are told by the receiver's clock, which is the real one."""
    post = Post(tmp_path, hook(receiver))
    post.put()
    receiver.then = [says(429, Retry_After=format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True))]
    post.send()
    post.send(timedelta(minutes=28))
    assert len(receiver.got) == 1
    post.send(timedelta(minutes=4))
    assert post.states() == {"hook": "delivered"}


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e99", "9" * 400, "nan"])
def test_nonsense_in_retry_after_is_no_obstacle(tmp_path: Path, receiver: Receiver, value: str) -> None:
    post = Post(tmp_path, hook(receiver))
    post.put()
    receiver.then = [says(429, Retry_After=value)]
    post.send()
    post.send(timedelta(minutes=1))
    assert post.states() == {"hook": "delivered"}


def test_nobody_there(tmp_path: Path, receiver: Receiver) -> None:
    receiver.close()
    post = Post(tmp_path, hook(receiver))
    post.put()
    post.send()
    assert post.states() == {"hook": "retrying"}
    assert any("no connection" in line for line in post.said)


def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    receiver = Receiver(context)
    post = Post(tmp_path, hook(receiver))
    post.put()
    post.send()
    receiver.close()
    assert receiver.got == [], "nothing is sent to somebody else"
    assert post.states() == {"hook": "retrying"}
    assert any("certificate" in line for line in post.said)


def test_netrc_is_not_read(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password s3cret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    post = Post(tmp_path, hook(receiver))
    post.put()
    post.send()
    assert b"authorization" not in receiver.got[0].lower()


def test_a_slow_channel_delays_no_other(tmp_path: Path, receiver: Receiver) -> None:
    """Twenty channels stall; what comes for the good one meanwhile goes out all the same."""
    good = Receiver()
    slow = [hook(receiver, name=f"slow{number}", timeout="8s") for number in range(20)]
    post = Post(tmp_path, *slow, hook(good, name="good"))
    receiver.then = [stalls] * 20
    post.put()
    arrived: list[float] = []

    def step(context: Context) -> None:
        sending = threading.Thread(target=deliver, args=(context,), kwargs={"alert": report_alert})
        sending.start()
        wait_for(lambda: len(good.got) == 1)
        report = replace(REPORT, report_id="rep_later", created_at=post.now)
        with context.store.begin() as connection:
            archive.keep_report(connection, report)
            for delivery in deliveries_for(context, report, post.now):
                if delivery.channel == "good":
                    outbox.enqueue(connection, delivery)
        wait_for(lambda: len(good.got) == 2)
        arrived.append(float(sending.is_alive()))
        sending.join()

    post.work(step)
    good.close()
    assert arrived == [1.0], "it arrived while the others were still waiting for their receivers"


# --- the clock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_clock_that_jumps_loses_nothing(tmp_path: Path, receiver: Receiver, jump: timedelta) -> None:
    """What a clock that was ahead put off by a year goes out when the clock is right again."""
    post = Post(tmp_path, hook(receiver))
    post.put("tried")
    receiver.then = [says(500)]
    post.send()
    post.put("fresh")
    post.send(jump)
    post.send(timedelta(minutes=1))
    assert [item.state for item in post.rows()] == ["delivered", "delivered"]
    assert len(receiver.got) == 3


def test_patience_begins_with_the_first_attempt_and_anew_when_put_back(tmp_path: Path, receiver: Receiver) -> None:
    """A watcher that was off for a week has not tried yet; a dead letter that is put back gets its three days again."""
    post = Post(tmp_path, hook(receiver))
    post.put()
    receiver.then = [says(500)] * 3
    post.send(timedelta(days=7))
    assert post.states() == {"hook": "retrying"}
    post.send(timedelta(days=4))
    assert post.states() == {"hook": "dead"}
    (row,) = post.rows()

    def put_back(context: Context) -> None:
        with context.store.begin() as connection:
            assert outbox.revive(connection, [row.id], post.now) == 1

    post.now += timedelta(days=30)
    post.work(put_back)
    post.send()
    assert post.states() == {"hook": "retrying"}
    post.send(timedelta(minutes=1))
    assert post.states() == {"hook": "delivered"}


# --- the process -----------------------------------------------------------------------------------------------------

CONFIG = """
hub.token = ""
hub.endpoint = "http://127.0.0.1:9"
watch.organizations = []
reports.directory = ""
store.url = "sqlite:///watcher.db"
[[channels]]
name = "hook"
type = "webhook"
url = "{url}"
"""

SEND = """
import sys
from watcher.publish.deliver import deliver
from watcher.runtime import running
from watcher.configuration import load_settings
with running(load_settings(sys.argv[1], {}), {"WATCHER_NOW": sys.argv[2], "HOME": "/nowhere"}, print) as context:
    deliver(context, alert=lambda *_: None)
"""


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_kill_9(tmp_path: Path, receiver: Receiver, moment: str) -> None:
    """The process dies before the receiver has the message, while it answers, and when it answered but before it is
    written down: the message is sent again under the same id, and it is in the outbox all the time."""
    (tmp_path / "config.toml").write_text(CONFIG.format(url=receiver.url))
    post = Post(tmp_path, hook(receiver))
    post.put()
    reached, gone = threading.Event(), threading.Event()
    database = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None, check_same_thread=False)

    def die(connection: socket.socket) -> None:
        if moment == "during":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        if moment == "after":
            database.execute("BEGIN IMMEDIATE")  # the arrival cannot be written down
            GOOD(connection)
        reached.set()
        gone.wait(20)
        if moment == "before":
            raise OSError("nobody is there")

    if moment == "before":
        receiver.met = die
    else:
        receiver.then = [die]
    command = [sys.executable, "-c", SEND, str(tmp_path / "config.toml"), post.now.isoformat()]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert reached.wait(30)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        receiver.met = None
        gone.set()
        database.close()
    post.send(timedelta(seconds=1))
    (row,) = post.rows()
    assert row.state == "delivered"
    identities = {line for request in receiver.got for line in request.split(b"\r\n") if b"webhook-id" in line}
    assert len(receiver.got) == (1 if moment == "before" else 2)
    assert len(identities) == 1


def wait_for(ready: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


# --- the store and the disk ------------------------------------------------------------------------------------------


def test_a_locked_database_ends_in_one_line_and_the_message_goes_out_later(tmp_path: Path, receiver: Receiver) -> None:
    post = Post(tmp_path, hook(receiver))
    post.put()
    post.store += "?timeout=0.1"

    def step(context: Context) -> None:
        holder = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds it"):
            deliver(context, alert=report_alert)
        holder.close()
        deliver(context, alert=report_alert)

    post.work(step)
    assert post.states() == {"hook": "delivered"}
    assert len(receiver.got) == 1


def test_a_store_that_refuses_after_the_send_sends_again_under_the_same_id(tmp_path: Path, receiver: Receiver) -> None:
    post = Post(tmp_path, hook(receiver))
    post.put()
    post.store += "?timeout=0.1"

    def step(context: Context) -> None:
        holder = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None, check_same_thread=False)

        def lock(connection: socket.socket) -> None:
            holder.execute("BEGIN IMMEDIATE")
            GOOD(connection)

        receiver.then = [lock]
        with pytest.raises(StoreError):
            deliver(context, alert=report_alert)
        holder.close()

    post.work(step)
    post.send(timedelta(minutes=1))
    assert post.states() == {"hook": "delivered"}
    assert len(receiver.got) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(tmp_path: Path, receiver: Receiver) -> None:
    """The store's file system is full to the last byte: said in one line; the message goes out when there is room."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    try:
        post = Post(small, hook(receiver))
        post.put()
        filler = small / "filler"
        with open(filler, "wb", buffering=0) as handle, contextlib.suppress(OSError):
            while True:
                handle.write(b"x" * 4096)
        with pytest.raises(StoreError, match="disk"):
            post.send()
        filler.unlink()
        post.send(timedelta(minutes=15))
        assert post.states() == {"hook": "delivered"}
    finally:
        subprocess.run(["umount", str(small)], check=True)


# --- git -------------------------------------------------------------------------------------------------------------


def bare(folder: Path) -> Path:
    remote = folder / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(remote)], check=True)
    return remote


def commits(remote: Path) -> list[str]:
    command = ["git", "-C", str(remote), "log", "--format=%H", "main"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def archive_channel(remote: Path | str) -> dict[str, Any]:
    return {"name": "archive", "type": "git", "repository": str(remote)}


def test_a_remote_that_was_force_pushed_is_followed(tmp_path: Path) -> None:
    remote = bare(tmp_path)
    post = Post(tmp_path, archive_channel(remote))
    post.put("one")
    post.send()
    (first,) = commits(remote)
    environment = {
        **os.environ,
        **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    tree = ["git", "-C", str(remote), "commit-tree", "-m", "another history", f"{first}^{{tree}}"]
    other = subprocess.run(tree, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    subprocess.run(["git", "-C", str(remote), "update-ref", "refs/heads/main", other], check=True)
    post.put("two")
    post.send()
    assert post.rows()[0].state == "delivered"
    assert commits(remote)[1:] == [other], "on top of what the remote has now"


def test_a_commit_that_was_pushed_before_the_crash_is_recognised(tmp_path: Path) -> None:
    """The push went through and was never written down: the second attempt finds it and commits nothing."""
    remote = bare(tmp_path)
    post = Post(tmp_path, archive_channel(remote))
    post.put()
    post.send()

    def forget(context: Context) -> None:
        with context.store.begin() as connection:
            (item,) = [row for row, _ in outbox.listing(connection)]
            outbox.finish(connection, item, state=outbox.RETRYING, status="?", now=post.now, next_at=post.now)

    post.work(forget)
    post.send()
    assert post.rows()[0].state == "delivered"
    assert len(commits(remote)) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_remote_that_asks_for_a_password_never_waits_for_one(tmp_path: Path, receiver: Receiver, status: int) -> None:
    receiver.then = [says(status, WWW_Authenticate='Basic realm="git"')] * 9
    post = Post(tmp_path, archive_channel(f"http://127.0.0.1:{receiver.port}/x.git"))
    post.put()
    began = time.monotonic()
    post.send()
    assert time.monotonic() - began < 20
    assert post.states() == {"archive": "retrying"}
    assert any("git ls-remote failed" in line for line in post.said)


def test_a_remote_that_refuses_the_push_gets_it_later(tmp_path: Path) -> None:
    remote = bare(tmp_path)
    hook_file = remote / "hooks" / "pre-receive"
    hook_file.write_text("#!/bin/sh\necho 'quota exceeded' >&2\nexit 1\n")
    hook_file.chmod(hook_file.stat().st_mode | stat.S_IXUSR)
    post = Post(tmp_path, archive_channel(remote))
    post.put()
    post.send()
    assert "quota exceeded" in str(post.rows()[0].status)
    hook_file.unlink()
    post.send(timedelta(minutes=5))
    assert post.states() == {"archive": "delivered"}
    assert len(commits(remote)) == 1
