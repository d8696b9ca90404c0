"""The one table of channels: a new kind is a file and a row here."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from watcher.publish.interface import Channel

if TYPE_CHECKING:
    from watcher.section import ChannelSettings

CHANNELS: dict[str, tuple[str, str]] = {
    "slack": ("watcher.publish.slack", "Slack"),
    "slack-bot": ("watcher.publish.slack_bot", "SlackBot"),
    "discord": ("watcher.publish.discord", "Discord"),
    "teams": ("watcher.publish.teams", "Teams"),
    "mattermost": ("watcher.publish.mattermost", "Mattermost"),
    "telegram": ("watcher.publish.telegram", "Telegram"),
    "matrix": ("watcher.publish.matrix", "Matrix"),
    "ntfy": ("watcher.publish.ntfy", "Ntfy"),
    "email": ("watcher.publish.email", "Email"),
    "webhook": ("watcher.publish.webhook", "Webhook"),
    "apprise": ("watcher.publish.apprise", "Apprise"),
    "hub": ("watcher.publish.hub", "Hub"),
    "git": ("watcher.publish.git", "Git"),
    "folder": ("watcher.publish.folder", "Folder"),
}
"""Type → (module, channel class); the settings class is the same name with `Settings`."""


def settings_class(kind: str) -> type[ChannelSettings]:
    """The settings of a kind of channel. Raises ValueError that names the nearest kind."""
    if kind not in CHANNELS:
        close = difflib.get_close_matches(kind, CHANNELS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(CHANNELS)}"
        raise ValueError(f"type {kind!r} is not a kind of channel; {hint}")
    module, name = CHANNELS[kind]
    return cast("type[ChannelSettings]", getattr(importlib.import_module(module), name + "Settings"))


def build_channel(settings: ChannelSettings, *, folder: Path) -> Channel:
    """The channel for its settings; relative paths start from `folder`."""
    from watcher.publish.redact import Discreet

    module, name = CHANNELS[settings.type]
    channel = getattr(importlib.import_module(module), name)(settings, folder)
    return cast(Channel, Discreet(channel, settings))
