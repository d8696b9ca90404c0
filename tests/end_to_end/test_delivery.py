"""What channels get, when: digests, quiet hours, caps, fall-backs and dead letters, the whole way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from stage import Stage

from watcher.demo.models import model_files
from watcher.hub.standin import Fault

FAMILIES = ["openai/gpt-oss-120b", "google/gemma-3-27b-it", "deepseek-ai/DeepSeek-V3", "moonshotai/Kimi-K2-Instruct"]
MINUTES = timedelta(minutes=1)


def publish(stage: Stage, *sources: str) -> None:
    """One unrelated release for each source."""
    for number, source in enumerate(sources):
        name = f"maker/{source.partition('/')[2].split('-')[0]}{chr(97 + number)}"
        stage.world.create(name, model_files(source))


def test_a_digest_collects_and_goes_out_at_its_time(stage: Stage) -> None:
    """The stage starts at 09:00 on a Monday."""
    stage.channels = [stage.channel("slack", digest="0 17 * * *"), stage.channel("webhook")]
    stage.once()
    publish(stage, *FAMILIES[:3])
    stage.settle()
    assert stage.received() == []
    assert len(stage.received("webhook")) == 3
    stage.once(timedelta(hours=8))
    (message,) = stage.received()
    assert message["text"].startswith("3 reports: 3 releases")
    assert all(name in str(message["blocks"]) for name in ("gpt", "gemma", "DeepSeek"))
    stage.once(timedelta(days=2))
    assert len(stage.received()) == 1


def test_a_digest_of_one_is_that_report(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", digest="0 17 * * *")]
    stage.once()
    publish(stage, FAMILIES[0])
    stage.settle()
    stage.once(timedelta(hours=8))
    (headline,) = stage.headlines()
    assert headline.startswith("gpta")


def test_quiet_hours_hold_all_but_what_is_urgent(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", quiet_hours="08:00-18:00")]
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    stage.once()
    config = model_files("Qwen/Qwen3-4B", changed={"max_position_embeddings": 99})["config.json"]
    stage.world.upload("maker/Old", {"config.json": config})
    stage.settle()
    assert stage.received() == []
    stage.once(timedelta(hours=9))
    assert len(stage.received()) == 1


def test_a_cap_holds_back_and_tells_the_rest_together(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", max_per_hour=1)]
    stage.once()
    publish(stage, *FAMILIES)
    stage.settle()
    assert len(stage.received()) == 1
    stage.once(10 * MINUTES)
    assert len(stage.received()) == 1
    stage.once(timedelta(hours=2))
    _, rest = stage.headlines()
    assert rest.startswith("3 reports")
    assert "held back" in str(stage.received()[1])


def refusing(stage: Stage, **keys: Any) -> dict[str, Any]:
    return {"name": "broken", "type": "webhook", "url": "http://127.0.0.1:9/hook", **keys}


def test_what_a_channel_does_not_take_goes_to_its_fallback_once(stage: Stage) -> None:
    stage.channels = [refusing(stage, fallback="slack", fallback_after=2), stage.channel("slack", events=[])]
    stage.once()
    publish(stage, FAMILIES[0])
    stage.settle()
    assert stage.received() == []
    said = stage.once(timedelta(hours=1))
    assert any("slack gets it instead" in line for line in said)
    stage.once(timedelta(hours=1))
    stage.once(timedelta(hours=3))
    assert len(stage.received()) == 1


def test_a_dead_letter_is_told_once_on_the_other_channels(stage: Stage) -> None:
    stage.channels = [refusing(stage), stage.channel("slack", events=[])]
    stage.once()
    publish(stage, FAMILIES[0])
    stage.settle()
    for _ in range(8):
        stage.once(timedelta(hours=20))
    told = [line for line in stage.headlines() if "broken did not get" in line]
    assert len(told) == 1
    assert "watcher retry msg" in told[0]


def test_a_message_that_breaks_the_receiver_does_not_stop_the_others(stage: Stage) -> None:
    with choking_on(b"gpta") as (url, taken):
        stage.channels = [{"name": "hook", "type": "webhook", "url": url}]
        stage.once()
        publish(stage, *FAMILIES[:3])
        stage.settle()
        for _ in range(4):
            stage.once(5 * MINUTES)
        assert len(taken) == 2


@contextmanager
def choking_on(word: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A receiver that answers 500 to every message with this word: its address, and what it took."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Nothing to say."""

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(500 if word in data else 204)
            self.end_headers()
            if word not in data:
                taken.append(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", taken
        server.shutdown()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"digest": "soon"}, "five fields"),
        ({"quiet_hours": "at night"}, "two times of day"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"fallback": "nobody"}, "no other channel"),
    ],
)
def test_bad_keys_are_named(stage: Stage, keys: dict[str, Any], says: str) -> None:
    stage.channels = [stage.channel("slack", **keys)]
    with pytest.raises(ValueError, match=says):
        _ = stage.settings


def test_silence_of_the_hub_is_told_once_and_its_end_too(stage: Stage) -> None:
    stage.once()
    stage.standin.faults.add(Fault(path="author=maker", kind="status", status=500))
    for _ in range(10):
        stage.once(timedelta(hours=1))
    (told,) = stage.headlines()
    assert "no look at the Hub has succeeded since 2026-11-02 09:00 UTC" in told
    stage.standin.faults.clear()
    stage.once(timedelta(hours=1))
    stage.once(timedelta(hours=1))
    assert len(stage.received()) == 2
    assert "works again" in stage.headlines()[1]


def test_a_silent_channel_is_told_on_the_others(stage: Stage) -> None:
    stage.channels = [refusing(stage), stage.channel("slack", events=[])]
    stage.once()
    publish(stage, FAMILIES[0])
    stage.settle()
    for _ in range(10):
        stage.once(timedelta(hours=1))
    (told,) = stage.headlines()
    assert "the channel broken has taken nothing since" in told


def test_the_heartbeat_beats_around_every_cycle(stage: Stage) -> None:
    with choking_on(b"\0never") as (url, taken):
        stage.watch |= {"heartbeat": url}
        stage.once()
        assert len(taken) == 2
    said = stage.once(MINUTES)
    assert any("heartbeat" in line for line in said), "a monitor that is down is said and stops nothing"


def test_a_channel_has_words_of_its_own(stage: Stage) -> None:
    words = stage.folder / "deutsch"
    words.mkdir()
    (words / "headline.txt.j2").write_text("Neues Modell: {{ name }}")
    stage.channels = [stage.channel("slack", templates="deutsch"), stage.channel("webhook")]
    stage.once()
    publish(stage, FAMILIES[0])
    stage.settle()
    assert stage.headlines() == ["Neues Modell: maker/gpta"]
    (other,) = stage.received("webhook")
    assert other["data"]["headline"].startswith("gpta")
