"""The receiver for the Hub's webhooks, over real sockets: who may, what is kept, and what a 2xx promises."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import ConfigurationError
from watcher.hub.standin import Standin, World
from watcher.hub.webhooks import LIMIT, Hint, Receiver, parse_hint

SECRET = "correct horse battery staple ü"

PAYLOAD = {
    "event": {"action": "update", "scope": "repo.content"},
    "repo": {
        "type": "model",
        "name": "maker/Model-7B",
        "id": "6366c000a2abcdf2fd69a080",
        "private": False,
        "headSha": "c" * 40,
        "url": {"web": "https://huggingface.co/maker/Model-7B", "api": "https://huggingface.co/api/models/maker/Model"},
        "owner": {"id": "61d2000c3c2083e1c08af22d"},
    },
    "updatedRefs": [{"ref": "refs/heads/main", "oldSha": None, "newSha": "c" * 40}],
    "webhook": {"id": "6390e855e30d9209411de93b", "version": 3},
}
"""As the Hub documents it."""


class Kept(list[Hint]):
    """What was stored, and whether storing works."""

    works = True

    def keep(self, hint: Hint) -> bool:
        if not self.works:
            raise OSError("disk full")
        self.append(hint)
        return hint.organization != "stranger"


@contextmanager
def receiver(kept: Kept) -> Iterator[str]:
    with Receiver("127.0.0.1:0", "/hub", SECRET, kept.keep) as listening:
        yield f"http://127.0.0.1:{listening.port}/hub"


def post(url: str, payload: Any = PAYLOAD, secret: str | None = SECRET, **more: Any) -> requests.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {} if secret is None else {"X-Webhook-Secret": secret.encode()}
    return requests.post(url, data=body, headers=headers, timeout=5, **more)  # type: ignore[arg-type]


def test_a_webhook_is_kept_and_then_acknowledged() -> None:
    kept = Kept()
    with receiver(kept) as url:
        answer = post(url)
    assert (answer.status_code, answer.json()) == (202, {"status": "stored"})
    assert kept == [Hint("maker", "maker/Model-7B: update repo.content")]


def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    kept = Kept()
    kept.works = False
    with receiver(kept) as url:
        answer = post(url)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "disk" not in answer.text


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1]])
def test_without_the_secret_nothing_is_read(secret: str | None) -> None:
    kept = Kept()
    with receiver(kept) as url:
        answer = post(url, secret=secret)
    assert answer.status_code == 401
    assert kept == []
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[" * 50_000, 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        ({}, 200),
        ({"repo": None, "event": 3}, 200),
        ({"repo": {"type": "dataset", "name": "maker/Data"}}, 200),
        ({"repo": {"type": "model", "name": "../../etc"}}, 200),
        ({"repo": {"type": "model", "name": "maker/M\nfake line"}}, 200),
        (PAYLOAD | {"event": {"action": "create", "scope": "discussion.comment"}}, 200),
        ({"repo": {"name": "stranger/M"}, "event": {}}, 200),
        (PAYLOAD | {"new": {"field": [1]}, "movedTo": {"name": "a/b"}}, 202),
        ({"repo": {"name": "maker/M"}}, 202),
    ],
)
def test_bodies(payload: Any, status: int) -> None:
    kept = Kept()
    with receiver(kept) as url:
        assert post(url, payload).status_code == status
    assert status != 202 or kept


def test_other_methods_and_paths() -> None:
    with receiver(Kept()) as url:
        assert requests.get(url, timeout=5).status_code == 501
        assert post(url + "/other").status_code == 404
        assert post(url + "?source=hub").status_code == 202


def raw(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("http://").partition("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65_536)


def head(**headers: str) -> bytes:
    lines = [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return "\r\n".join(["POST /hub HTTP/1.1", "Host: x", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, b"411"),
        ({"Content_Length": "-1"}, b"411"),
        ({"Content_Length": "12", "Transfer_Encoding": "chunked"}, b"411"),
        ({"Content_Length": str(LIMIT + 1)}, b"413"),
        ({"Content_Length": "1" * 30}, b"411"),
        ({"Content_Length": "12"}, b"400"),
    ],
)
def test_sizes(headers: dict[str, str], status: bytes) -> None:
    kept = Kept()
    with receiver(kept) as url:
        answer = raw(url, head(X_Webhook_Secret=SECRET, **headers))
    assert answer.split(b" ")[1] == status
    assert kept == []


def test_an_address_that_is_taken_is_one_clear_error() -> None:
    says = r"hub.webhooks.listen: .* cannot be listened on"
    with Receiver("127.0.0.1:0", "/hub", SECRET, Kept().keep) as first, pytest.raises(ConfigurationError, match=says):
        Receiver(f"127.0.0.1:{first.port}", "/hub", SECRET, Kept().keep)


def test_many_at_once_are_all_kept_or_hung_up_on() -> None:
    kept = Kept()
    statuses: list[int] = []

    def one(url: str) -> None:
        try:
            statuses.append(post(url).status_code)
        except requests.ConnectionError:
            statuses.append(0)

    with receiver(kept) as url:
        threads = [threading.Thread(target=one, args=[url]) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {202, 0}
    assert len(kept) >= statuses.count(202) > 0


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(LEAVES, lambda item: st.lists(item) | st.dictionaries(st.text(), item))
PART = st.dictionaries(st.sampled_from(["name", "type", "scope", "action"]), JSON)


@given(st.dictionaries(st.sampled_from(["repo", "event", "webhook", "x"]), JSON | PART))
def test_any_object_is_a_hint_or_nothing(payload: Any) -> None:
    hint = parse_hint(json.dumps(payload).encode())
    assert hint is None or "/" not in hint.organization
    assert hint is None or "\n" not in hint.what


@given(st.binary(max_size=300))
def test_any_bytes_are_a_hint_nothing_or_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        parse_hint(body)


def test_the_stand_ins_own_webhooks_are_understood() -> None:
    kept = Kept()
    world = World(datetime(2026, 11, 1, tzinfo=UTC))
    with receiver(kept) as url, Standin(world):
        world.webhooks.subscribe(url, [("org", "Maker")], SECRET)
        world.create("maker/Secret", {"config.json": b"{}"}, private=True)
        world.create("other/Model", {"config.json": b"{}"})
        world.webhooks.wait()
        assert kept == []
        world.change("maker/Secret", private=False)
        world.create("maker/Model", {"config.json": b"{}"})
        world.rename("maker/Model", "other/Moved")
        world.delete("maker/Secret")
        world.webhooks.wait()
    assert [hint.what for hint in kept] == [
        "maker/Secret: update repo.config",
        "maker/Model: create repo",
        "maker/Model: update repo.content",
        "maker/Model: move repo",
        "maker/Secret: delete repo",
    ]
    assert {sent.status for sent in world.webhooks.sent} == {202}
    moved = next(sent.body for sent in world.webhooks.sent if "movedTo" in sent.body)
    assert moved["movedTo"]["name"] == "other/Moved"


def test_the_stand_in_tries_again_while_its_webhook_is_not_stored() -> None:
    kept = Kept()
    kept.works = False
    world = World(datetime(2026, 11, 1, tzinfo=UTC))
    with receiver(kept) as url:
        world.webhooks.subscribe(url, [("model", "maker/Model")], SECRET)
        world.create("maker/Model")
        world.webhooks.wait()
        kept.works = True
        world.upload("maker/Model", {"config.json": b"{}"})
        world.webhooks.wait()
    assert [sent.status for sent in world.webhooks.sent] == [503, 202]
