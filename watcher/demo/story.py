"""What happens in the demo: real models come out again on the days they did, and a few things go as they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watcher.demo.models import baseline_of, config_text, gguf_files, model_files, quantised_files
from watcher.hub.standin.world import World

START = datetime(2025, 7, 1, 9, tzinfo=UTC)
V3 = "deepseek-ai/DeepSeek-V3"
NEXT = "Qwen/Qwen3-Next-80B-A3B-Instruct"
EARLIER = (V3, "Qwen/Qwen3-32B", "Qwen/Qwen3-235B-A22B", "meta-llama/Llama-3.1-8B", "google/gemma-3-27b-it")
"""Out before the watcher is started: known, never announced."""

ORGANIZATIONS = ("deepseek-ai", "Qwen", "moonshotai", "openai", "zai-org", "google", "meta-llama")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happens, and when the watcher looks after it."""

    at: datetime
    about: str
    happen: Callable[[World], object]
    looks: tuple[timedelta, ...] = (timedelta(minutes=5), timedelta(minutes=40))
    """Looks after it: the first one sees it, a later one finds it settled."""


def begin() -> World:
    """The world before the first chapter."""
    world = World(START - timedelta(days=30))
    for name in EARLIER:
        world.create(name, model_files(name), gated="manual" if name.startswith("meta-llama/") else False)
    world.organizations |= set(ORGANIZATIONS)
    world.create("moonshotai/Kimi-K2-Instruct", model_files("moonshotai/Kimi-K2-Instruct"), private=True)
    world.now = START
    return world


def _copies(world: World) -> None:
    made = {"FP8": ("fp8", 8), "AWQ": ("awq", 4), "GPTQ-Int4": ("gptq", 4)}
    for suffix, (method, bits) in made.items():
        world.create(f"{NEXT}-{suffix}", quantised_files(NEXT, f"{NEXT}-{suffix}", method, bits))
    world.create(f"{NEXT}-GGUF", gguf_files(NEXT, f"{NEXT}-GGUF"))


def _next(world: World) -> None:
    world.create(NEXT, model_files(NEXT))
    world.create(NEXT.replace("Instruct", "Thinking"), model_files(NEXT.replace("Instruct", "Thinking")))
    _copies(world)


def _longer_context(world: World) -> None:
    config = dict(baseline_of(V3).config) | {"max_position_embeddings": 131072}
    world.upload(V3, {"config.json": config_text(config)}, title="Update config.json")


def _glm(world: World) -> None:
    world.create("zai-org/GLM-5", model_files("zai-org/GLM-5"))
    world.create("zai-org/GLM-5-FP8", quantised_files("zai-org/GLM-5", "zai-org/GLM-5-FP8", "fp8", 8))


def _readme(world: World) -> None:
    world.upload("Qwen/Qwen3-32B", {"README.md": b"# Qwen3-32B\n\nA better card.\n"}, title="Update README.md")


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 14, tzinfo=UTC)


CHAPTERS = (
    Chapter(
        _day(2025, 7, 11),
        "moonshotai makes Kimi-K2-Instruct public: a repo with an old date",
        lambda world: world.change("moonshotai/Kimi-K2-Instruct", private=False),
    ),
    Chapter(
        _day(2025, 8, 5),
        "openai, empty so far, publishes gpt-oss-120b",
        lambda world: world.create("openai/gpt-oss-120b", model_files("openai/gpt-oss-120b")),
    ),
    Chapter(_day(2025, 8, 20), "Qwen edits the card of Qwen3-32B: no news", _readme),
    Chapter(_day(2025, 9, 11), "Qwen publishes Qwen3-Next, Instruct and Thinking, with four quantised copies", _next),
    Chapter(_day(2025, 10, 2), "deepseek-ai changes the config of DeepSeek-V3", _longer_context),
    Chapter(
        _day(2025, 12, 3),
        "google gates gemma-3-27b-it",
        lambda world: world.change("google/gemma-3-27b-it", gated="manual"),
    ),
    Chapter(_day(2026, 2, 12), "zai-org publishes GLM-5 and its FP8 copy", _glm),
)
