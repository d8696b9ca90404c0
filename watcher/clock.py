"""The one clock of a command: passed in everywhere, so that time can be moved from outside.

`WATCHER_NOW` (ISO 8601 with an offset) sets the clock of one command and stands still for it. Time-outs, TLS and
signatures of outgoing webhooks use real time and never this clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from watcher.errors import ConfigurationError


class Clock(Protocol):
    """Tells what time it is, in UTC."""

    def now(self) -> datetime:
        """The present moment as an aware datetime in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment as an aware datetime in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it was set to, in UTC."""
        return self.moment.astimezone(UTC)


def clock_from(environment: Mapping[str, str]) -> Clock:
    """The clock a command should use: `WATCHER_NOW` if it is set, else the machine's.

    Raises ConfigurationError if `WATCHER_NOW` is not a moment with an offset.
    """
    text = environment.get("WATCHER_NOW", "").strip()
    if not text:
        return SystemClock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            f"WATCHER_NOW: {text!r} is not a moment with an offset; write for example 2026-01-31T12:00:00+00:00"
        )
    return FixedClock(moment)
