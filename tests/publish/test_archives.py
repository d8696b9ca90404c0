"""Channels that keep pages: a git repository, requests to one, a Hub repo, a folder; and the signed webhook."""

from __future__ import annotations

import json
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watcher.demo.receivers import Receivers
from watcher.publish.interface import Channel, DeliveryError, Links, Outgoing, Scope
from watcher.report.model import Report
from watcher.trial import send_trial

LINKS = Links(report="https://example.org/report")
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def outgoing(channel: Channel, report: Report) -> Outgoing:
    payload = channel.render(report, LINKS)
    pictures = {name: report.pictures[name] for name in payload.pictures}
    return Outgoing(delivery_id="msg_1", payload=payload, pictures=pictures, at=AT)


def git(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository with one commit on main."""
    bare = tmp_path / "group" / "reports.git"
    bare.mkdir(parents=True)
    git("init", "-q", "--bare", "--initial-branch=main", ".", cwd=bare)
    seed = tmp_path / "seed"
    git("clone", "-q", str(bare), str(seed), cwd=tmp_path)
    (seed / "README.md").write_text("ours\n")
    git("add", ".", cwd=seed)
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "first", cwd=seed)
    git("push", "-q", "origin", "HEAD:main", cwd=seed)
    return bare


def test_a_commit_is_signed_where_a_key_is_named(build: Any, remote: Path, worst: Report, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    channel = build("git", repository=str(remote), signing_key="key")
    channel.send(outgoing(channel, worst))
    assert "BEGIN SSH SIGNATURE" in git("cat-file", "commit", "main", cwd=remote)
    assert git("log", "-1", "--format=%B", "main", cwd=remote).endswith("Delivery: msg_1")


def test_a_test_message_in_a_repository_leaves_nothing_behind(build: Any, remote: Path, worst: Report) -> None:
    channel = build("git", repository=str(remote))
    sent = outgoing(channel, worst)
    receipt = channel.send(sent)
    assert worst.path in git("ls-tree", "-r", "--name-only", "main", cwd=remote)
    assert channel.retract(sent, receipt.reference)
    files = git("ls-tree", "-r", "--name-only", "main", cwd=remote).splitlines()
    assert not [path for path in files if "watcher-test" in path]
    assert "README.md" in files
    assert "Test-Model" not in git("show", "main:reports/README.md", cwd=remote)


@pytest.mark.parametrize(("forge", "wanted"), [("github", {"head", "base"}), ("gitlab", {"source_branch"})])
def test_a_report_can_be_a_request(
    forge: str, wanted: set[str], build: Any, receivers: Receivers, remote: Path, worst: Report
) -> None:
    api = receivers.url("git", "forge")
    channel = build("git", repository=str(remote), pull_request=True, forge=forge, api=api, token="t")
    assert "exists" in channel.check()
    first, second = (channel.send(outgoing(channel, worst)) for _ in range(2))
    assert "request/1" in first.status
    assert "already open" in second.status
    (asked,) = [json.loads(path.read_text()) for path in (receivers.folder / "forge").glob("*.json")]
    assert wanted <= asked.keys()
    assert "@everyone" not in json.dumps(asked)
    assert git("ls-tree", "-r", "--name-only", "main", cwd=remote) == "README.md"
    files = git("ls-tree", "-r", "--name-only", "watcher/msg_1", cwd=remote)
    assert worst.path in files
    assert "reports/README.md" not in files  # no two requests conflict
    assert channel.retract(outgoing(channel, worst), first.reference)
    assert "watcher/msg_1" not in git("branch", "--list", cwd=remote)


def test_a_request_needs_to_know_its_forge(build: Any, remote: Path) -> None:
    with pytest.raises(Exception, match="set forge = github or gitlab"):
        build("git", repository=str(remote), pull_request=True, token="t").check()


def test_a_hub_repo_gets_page_sketch_index_and_feeds_once(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("hub")
    assert "demo/reports" in channel.check()
    first, second = (channel.send(outgoing(channel, worst)) for _ in range(2))
    assert first.reference == second.reference
    assert receivers.counts == {"hub": 1}
    files = {path.removeprefix("hub/"): data for path, data in receivers.shelf.items()}
    assert files[f"reports/{worst.path}"].decode() == worst.markdown
    assert b"Test-Model" in files["reports/README.md"]
    assert {"reports/feed.json", "reports/reports.json"} <= files.keys()
    assert any(path.endswith(".png") for path in files)
    assert channel.report_url(worst).endswith(f"/datasets/demo/reports/blob/main/reports/{worst.path}")


def test_a_hub_repo_keeps_what_it_had(build: Any, receivers: Receivers, worst: Report) -> None:
    kept = [{"path": "a/b/c.md", "date": "2025-01-01T00:00:00", "headline": "An earlier one", "event": "released"}]
    receivers.shelf["hub/reports/reports.json"] = json.dumps(kept).encode()
    channel = build("hub")
    sent = outgoing(channel, worst)
    channel.send(sent)
    assert b"An earlier one" in receivers.shelf["hub/reports/README.md"]
    assert channel.retract(sent, "1")
    assert b"Test-Model" not in receivers.shelf["hub/reports/README.md"]


def test_a_hub_repo_that_is_not_there_is_told_with_the_remedy(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("hub", endpoint=receivers.url("nobody", "x"))
    with pytest.raises(DeliveryError, match="a token that may write") as caught:
        channel.send(outgoing(channel, worst))
    assert caught.value.scope is Scope.REVOKED


def test_both_secrets_sign_while_one_is_changed(build: Any, receivers: Receivers, worst: Report) -> None:
    standard = pytest.importorskip("standardwebhooks")
    secrets = ["whsec_" + "YWJj" * 8, "whsec_" + "ZGVm" * 8, "whsec_" + "Z2hp" * 8]
    channel = build("webhook", secret=secrets[0], previous_secret=secrets[1:])
    channel.send(outgoing(channel, worst))
    folder = receivers.folder / "webhook"
    headers = json.loads((folder / "001.headers.json").read_text())
    for secret in secrets:
        assert standard.Webhook(secret).verify((folder / "001.json").read_bytes(), headers)


def test_a_name_that_changes_its_address_after_the_check_is_refused(
    build: Any, receivers: Receivers, worst: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, list[str]()

    def rebinding(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        asked.append(str(host))
        if len(asked) == 1:  # public for the check, then where the receiver is
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port or 0))]
        return real("127.0.0.1", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = receivers.url("webhook", "webhook").replace("127.0.0.1", "rebind.example")
    channel = build("webhook", url=url, allow_private=False)
    with pytest.raises(DeliveryError, match="private"):
        channel.send(outgoing(channel, worst))
    assert len(asked) > 1
    assert receivers.counts == {}


def test_a_trial_says_what_came_back_and_takes_it_back(build: Any, tmp_path: Path) -> None:
    lines: list[str] = []
    kinds = ("slack", "discord", "folder")
    built = {kind: build(kind, **({"path": "pages"} if kind == "folder" else {})) for kind in kinds}
    channels: Any = {kind: (channel.settings, channel) for kind, channel in built.items()}
    assert send_trial(channels, None, lines.append) == 0
    said = "\n".join(lines)
    assert "✓ slack: sent" in said
    assert "slack: the message stays" in said
    assert "discord: the message was taken back: deleted" in said
    assert not list((tmp_path / "pages").glob("*/*/*.md"))
    assert send_trial(channels, "folder", lines.append, keep=True) == 0
    assert list((tmp_path / "pages").glob("*/*/*.md"))
