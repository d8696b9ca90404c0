"""`watcher notify --test`: send each channel a realistic worst-case message and say what came back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from watcher.errors import WatcherError
from watcher.publish.interface import Channel, Links, Outgoing
from watcher.publish.worst_case import worst_case_report
from watcher.runtime import channel_named
from watcher.section import ChannelSettings


def send_trial(
    channels: Mapping[str, tuple[ChannelSettings, Channel]], only: str | None, say: Callable[[str], None]
) -> int:
    """Send to one channel or to all; 1 when any of them failed. ConfigurationError for a name that does not exist."""
    chosen = [channel_named(channels, only)] if only else [channel for _, channel in channels.values()]
    if not chosen:
        say("no channel is configured; add a [[channels]] table")
        return 1
    report = worst_case_report()
    failed = 0
    for channel in chosen:
        try:
            payload = channel.render(report, Links(report=report.hub_url))
            pictures = {name: report.pictures[name] for name in payload.pictures if name in report.pictures}
            receipt = channel.send(
                Outgoing(delivery_id=f"msg_test{uuid.uuid4().hex[:16]}", payload=payload, pictures=pictures)
            )
            say(f"✓ {channel.name}: {receipt.status}")
        except WatcherError as error:
            failed += 1
            say(f"✗ {channel.name}: {error}")
    return int(bool(failed))
