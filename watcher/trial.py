"""`watcher notify --test`: send each channel a realistic worst-case message, say what came back, take it back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from watcher.errors import WatcherError
from watcher.publish.interface import Channel, Links, Outgoing
from watcher.publish.worst_case import worst_case_report
from watcher.report.model import Report
from watcher.runtime import channel_named
from watcher.section import ChannelSettings

Say = Callable[[str], None]


def send_trial(
    channels: Mapping[str, tuple[ChannelSettings, Channel]], only: str | None, say: Say, *, keep: bool = False
) -> int:
    """Send to one channel or to all, and take it back where the platform can, unless `keep`; 1 when any send failed.

    ConfigurationError for a name that does not exist.
    """
    chosen = [channel_named(channels, only)] if only else [channel for _, channel in channels.values()]
    if not chosen:
        say("no channel is configured; add a [[channels]] table")
        return 1
    report = worst_case_report()
    arrived = [_try(channel, report, say, keep) for channel in chosen]
    return int(not all(arrived))


def _try(channel: Channel, report: Report, say: Say, keep: bool) -> bool:
    """Whether the message arrived; a line about it, and one about taking it back."""
    try:
        payload = channel.render(report, Links(report=report.hub_url))
        pictures = {name: report.pictures[name] for name in payload.pictures if name in report.pictures}
        outgoing = Outgoing(
            delivery_id=f"msg_test{uuid.uuid4().hex[:16]}", payload=payload, pictures=pictures, at=datetime.now(UTC)
        )
        receipt = channel.send(outgoing)
    except WatcherError as error:
        say(f"✗ {channel.name}: {error}")
        return False
    weight = len(json.dumps(dict(payload.body), ensure_ascii=False).encode())
    sketch = ", with the sketch" if pictures else ""
    say(f"✓ {channel.name}: sent {weight:,} bytes{sketch}; it said: {receipt.status}")
    if not keep:
        say(f"  {channel.name}: {_take_back(channel, outgoing, receipt.reference)}")
    return True


def _take_back(channel: Channel, outgoing: Outgoing, reference: str | None) -> str:
    """What became of the message."""
    retract: Callable[[Outgoing, str], str] | None = getattr(channel, "retract", None)
    if retract is None or reference is None:
        return "the message stays: this platform takes none back"
    try:
        return f"the message was taken back: {retract(outgoing, reference)}"
    except WatcherError as error:
        return f"the message stays: {error}"
