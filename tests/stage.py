"""A stage for whole-way tests: the Hub stand-in, real receivers, a real git remote, and time that can be moved."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from watcher import cycle
from watcher.demo.receivers import Receivers
from watcher.hub.standin import Standin, World
from watcher.runtime import running
from watcher.settings import Settings

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Stage:
    """Everything outside of the watcher, and a button to run it once."""

    def __init__(self, folder: Path, standin: Standin, receivers: Receivers, **watch: Any) -> None:
        self.folder = folder
        self.standin = standin
        self.world: World = standin.world
        self.receivers = receivers
        self.watch = {"organizations": ["maker"], "tasks": [], "settle": "20m"} | watch
        self.channels: list[dict[str, Any]] = [self.channel("slack")]
        self.store: dict[str, str] = {}
        self.hub: dict[str, Any] = {}
        self.reports: dict[str, str] = {}
        self.lines: list[str] = []
        self.environment: dict[str, str] = {}

    def channel(self, kind: str, name: str | None = None, **more: Any) -> dict[str, Any]:
        """A `[[channels]]` table that leads to a local receiver."""
        name = name or kind
        return {"name": name, "type": kind, **self.receivers.table(kind, name), **more}

    @property
    def settings(self) -> Settings:
        """The configuration as it is now."""
        data = {
            "hub": {"endpoint": self.standin.url, "token": ""} | self.hub,
            "watch": self.watch,
            "channels": self.channels,
            "store": self.store,
            "reports": self.reports,
            "folder": self.folder,
        }
        return Settings.model_validate(data, context={"environment": self.environment, "folder": self.folder})

    def once(self, after: timedelta | None = None) -> list[str]:
        """Let time pass, run one cycle as a command of its own, and give what it said."""
        if after is not None:
            self.world.advance(after)
        said: list[str] = []
        environment = {"WATCHER_NOW": self.world.now.isoformat(), "HOME": str(self.folder)}
        with running(self.settings, environment, said.append) as context:
            cycle.once(context)
            said.append(cycle.summary(context))
        self.lines += said
        return said

    def settle(self) -> list[str]:
        """Two cycles: one that sees, one that finds everything quiet."""
        return [*self.once(timedelta(minutes=5)), *self.once(timedelta(minutes=30))]

    def received(self, channel: str = "slack") -> list[Any]:
        """The messages a channel got, oldest first."""
        paths = sorted((self.folder / "received" / channel).glob("???.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def headlines(self, channel: str = "slack") -> list[str]:
        """Their first lines."""
        return [message["text"] for message in self.received(channel)]

    def pages(self) -> dict[str, str]:
        """The archive's pages by path."""
        root = self.folder / "reports"
        return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.glob("*/*/*.md")}

    def git_remote(self) -> Path:
        """A bare repository to push to."""
        remote = self.folder / "remote.git"
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(remote)], check=True)
        return remote


@contextmanager
def open_stage(folder: Path, **watch: Any) -> Iterator[Stage]:
    """A stage with an empty world at START."""
    with Standin(World(START)) as standin, Receivers(folder / "received") as receivers:
        standin.world.organizations.add("maker")
        yield Stage(folder, standin, receivers, **watch)
