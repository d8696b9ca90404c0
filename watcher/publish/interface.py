"""The seam between a report and the world: what a channel is given, what it answers, how it fails.

A channel is one file: a settings class, a pure `render()` and a `send()`. Add its class to the table in
`watcher/publish/registry.py` and it exists everywhere: configuration, check, notify, documentation.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from watcher.errors import WatcherError
from watcher.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the whole report can be read."""

    report: str
    """Address of the whole report: below `reports.public_url`, in the first git or Hub channel, else the Hub page."""
    picture: str | None = None
    """Public address of the sketch as PNG, if there is one (a webhook cannot upload)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a channel will send: rendered once, at enqueue, and kept in the store. Holds no secret."""

    body: Mapping[str, Any]
    """JSON-safe; what exactly is sent, apart from secrets and attempt headers."""
    pictures: tuple[str, ...] = ()
    """Names of the report's pictures that travel along (they are read from the store at the send)."""
    edits: str | None = None
    """The earlier delivery whose message this one takes the place of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One attempt to deliver."""

    delivery_id: str
    """The idempotency key across all attempts."""
    payload: Payload
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    attempt: int = 1
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery that arrived."""

    status: str
    """What the other side said, short and redacted: `200 ok`, `commit 1a2b3c4`."""
    reference: str | None = None
    """What the platform calls the message (message id, commit): for edits and for recognising a second send."""


class Scope(enum.StrEnum):
    """What a failure says something about."""

    DELIVERY = "delivery"
    """This payload alone: a 4xx about the payload. Others may go on; this one is given up."""
    FAULT = "fault"
    """This payload alone, through a fault of ours: others may go on; this one is tried again."""
    CHANNEL = "channel"
    """The channel for a while: refused connection, time-out, 5xx, 429."""
    REVOKED = "revoked"
    """The channel for good: the hook or token does not exist any more."""


class DeliveryError(WatcherError):
    """A message did not arrive. The text names the channel's platform, the answer and the remedy; no secret."""

    def __init__(
        self,
        message: str,
        *,
        scope: Scope = Scope.CHANNEL,
        retry_after: float | None = None,
        status: str | None = None,
    ) -> None:
        super().__init__(message)
        self.scope = scope
        self.retry_after = retry_after
        """Seconds, when the platform said when to come back."""
        self.status = status
        """What the other side said, short and redacted."""

    @property
    def permanent(self) -> bool:
        """Whether trying the same again cannot help."""
        return self.scope in (Scope.DELIVERY, Scope.REVOKED)


class Channel(Protocol):
    """A configured destination.

    A channel whose platform can has `retract(outgoing, reference) -> str`: it takes a trial message back and says how.

    A channel whose platform can tell has one method more, `recognise(outgoing) -> Receipt | None`: it is asked before
    a second attempt whether an earlier one did arrive (a commit in the repository, a message with our id), so that a
    crash in mid-send does not repeat the message. One whose platform can edit has `update(outgoing, reference) ->
    Receipt`: copies of a release that come late are put into the message that told it (`edits.py`).
    """

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    def render(self, report: Report, links: Links) -> Payload:
        """The report, fitted to this platform. Pure."""
        ...

    def send(self, outgoing: Outgoing) -> Receipt:
        """Deliver it. Raises DeliveryError; returns only when the other side has it."""
        ...

    def check(self) -> str:
        """Verify as far as possible without sending anything; what was verified, in a few words.

        Raises DeliveryError or ConfigurationError.
        """
        ...

    def report_url(self, report: Report) -> str | None:
        """Where this channel makes the whole report readable, or None (chat channels)."""
        ...
