"""Copies that come late are put into the message that told the release, where the platform can edit."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from stage import Stage

from watcher.demo.models import model_files

MINUTES = timedelta(minutes=1)


@dataclass
class Wall:
    """What a chat's webhook holds: messages by id, as they are now; and how often they were edited."""

    url: str = ""
    messages: dict[str, Any] = field(default_factory=dict)
    edits: int = 0


@pytest.fixture
def wall() -> Iterator[Wall]:
    """Discord's webhook, as far as messages and edits go."""
    kept = Wall()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Nothing to say."""

        def do_POST(self) -> None:
            identity = str(1000 + len(kept.messages))
            kept.messages[identity] = self.rfile.read(int(self.headers["content-length"])).decode("utf-8", "replace")
            self._answer(200, {"id": identity})

        def do_PATCH(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            identity = self.path.partition("?")[0].rpartition("/")[2]
            if identity not in kept.messages:
                self._answer(404, {"code": 10008, "message": "Unknown Message"})
                return
            kept.messages[identity] = text
            kept.edits += 1
            self._answer(200, {"id": identity})

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        kept.url = f"http://127.0.0.1:{server.server_port}/api/webhooks/1/abcdefgh"
        yield kept
        server.shutdown()


def told(stage: Stage, wall: Wall) -> None:
    """A release that is out, on Discord and on Slack."""
    stage.channels = [{"name": "chat", "type": "discord", "url": wall.url}, stage.channel("slack")]
    stage.once()
    stage.world.create("maker/Model-32B", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    assert len(wall.messages) == len(stage.received()) == 1


def test_a_late_copy_is_put_into_the_message_that_told_the_release(stage: Stage, wall: Wall) -> None:
    told(stage, wall)
    (before,) = wall.messages.values()
    stage.world.create("maker/Model-32B-FP8", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    (after,) = wall.messages.values()
    assert wall.edits == 1
    assert "FP8" not in before
    assert "Model-32B-FP8" in after.replace("\\\\", "")
    assert len(stage.received()) == 1, "a channel that cannot edit hears of copies only when it asks for variant_added"
    assert stage.once(timedelta(hours=1))[-1] == "done: nothing new"


def test_a_message_that_somebody_deleted_is_told_anew(stage: Stage, wall: Wall) -> None:
    told(stage, wall)
    wall.messages.clear()
    stage.world.create("maker/Model-32B-FP8", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    stage.once(10 * MINUTES)
    assert (len(wall.messages), wall.edits) == (1, 0)


def test_another_size_is_news_and_not_an_edit(stage: Stage, wall: Wall) -> None:
    told(stage, wall)
    stage.world.create("maker/Model-4B", model_files("Qwen/Qwen3-4B"))
    stage.settle()
    assert (len(wall.messages), wall.edits) == (2, 0)


def test_an_early_note_comes_at_first_sight_and_becomes_the_report(stage: Stage, wall: Wall) -> None:
    asked = ["early", "released"]
    stage.channels = [
        {"name": "chat", "type": "discord", "url": wall.url, "events": asked},
        stage.channel("slack", name="eager", events=asked),
        stage.channel("slack", name="usual"),
    ]
    stage.once()
    stage.world.create("maker/Model-32B", model_files("Qwen/Qwen3-32B"))
    stage.once(MINUTES)
    (note,) = wall.messages.values()
    assert "First look" in note
    assert (len(stage.received("eager")), len(stage.received("usual"))) == (1, 0)
    stage.world.create("maker/Model-4B", model_files("Qwen/Qwen3-4B"))
    assert stage.once(MINUTES)[-1].startswith("done: 1 event, 1 model read"), "a release has one note"
    stage.once(30 * MINUTES)
    (whole,) = wall.messages.values()
    assert "First look" not in whole
    assert ["First look" in headline for headline in stage.headlines("eager")] == [True, False]
    assert (wall.edits, len(stage.received("eager")), len(stage.received("usual"))) == (1, 2, 1)
    assert stage.once(timedelta(hours=1))[-1] == "done: nothing new"


def test_something_breaking_needs_no_early_note(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", events=["early", "released"])]
    stage.once()
    files = model_files("Qwen/Qwen3-32B", changed={"model_type": "brandnew", "architectures": ["BrandNewForCausalLM"]})
    stage.world.create("maker/Warp", files)
    stage.once(MINUTES)
    stage.once(timedelta(hours=1))
    assert len(stage.received()) == 1
