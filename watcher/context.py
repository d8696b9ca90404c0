"""What every stage is given: one clock, one Hub client, one store, the settings and the channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from watcher.architecture.reference import Reference
from watcher.clock import Clock
from watcher.hub.model import Hub
from watcher.publish.interface import Channel
from watcher.report.runtimes import RuntimeList
from watcher.section import ChannelSettings
from watcher.settings import Settings
from watcher.store.engine import Store


@dataclass(slots=True)
class Journal:
    """What happened, a line each, as it happens; and how often."""

    say: Callable[[str], None]
    counts: dict[str, int] = field(default_factory=dict)
    """By word: events, reports, delivered, errors …"""

    def note(self, word: str, line: str) -> None:
        """Count one `word` and say the line."""
        self.counts[word] = self.counts.get(word, 0) + 1
        self.say(line)

    def error(self, line: str) -> None:
        """Something failed: it is said, counted, and goes on."""
        self.note("errors", f"error: {line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a stage may touch."""

    settings: Settings
    store: Store
    hub: Hub
    clock: Clock
    journal: Journal
    channels: Mapping[str, tuple[ChannelSettings, Channel]]
    """Enabled channels by name, the folder `reports` among them."""
    reference: Reference | None = None
    """Facts about `transformers` model types."""
    runtimes: tuple[RuntimeList, ...] | None = None
    """What runtimes know, refreshed; None for the shipped lists."""
    alone: bool = True
    """Whether this process polls and delivers; false beside a running daemon, which does."""
