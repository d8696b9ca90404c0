"""Puts a Context together from settings: opens the store, the Hub client, the channels and the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.clock import clock_from
from watcher.context import Context, Journal
from watcher.errors import ConfigurationError, StoreTaken
from watcher.publish.interface import Channel
from watcher.section import ChannelSettings
from watcher.settings import Settings

if TYPE_CHECKING:
    from watcher.store.engine import Store

ARCHIVE = "reports"
"""The channel that feeds `reports.directory`."""


@contextlib.contextmanager
def running(
    settings: Settings, environment: Mapping[str, str], say: Callable[[str], None], *, beside: bool = False
) -> Iterator[Context]:
    """Everything open and locked to this process, closed again at the end; `beside` a daemon, without the lock.

    Raises ConfigurationError for settings that cannot work, StoreTaken when another instance holds the store.
    """
    from watcher.report.runtimes import lists_at
    from watcher.store import outbox

    settings.verify_secrets()
    channels = build_channels(settings, environment)
    clock = clock_from(environment)
    store, alone = _open(settings, beside=beside)
    with store:
        if alone:
            with store.begin() as connection:
                outbox.release_leases(connection, clock.now(), all_of_them=store.locked)
        yield Context(
            settings=settings,
            store=store,
            hub=hub_client(settings),
            clock=clock,
            journal=Journal(say),
            channels=channels,
            reference=reference(environment),
            runtimes=lists_at(cache_directory(environment)),
            alone=alone,
        )


def _open(settings: Settings, *, beside: bool) -> tuple[Store, bool]:
    """The store, and whether it is ours alone."""
    from watcher.store.engine import open_store

    try:
        return open_store(settings.store_url, exclusive=True), True
    except StoreTaken:
        if not beside:
            raise
        return open_store(settings.store_url), False


def hub_client(settings: Settings):  # type: ignore[no-untyped-def]
    """The client for the configured endpoint, with the configured token and no other."""
    from watcher.hub.client import HubClient

    return HubClient(settings.hub.endpoint, settings.hub.read_token(), anonymous=settings.hub.anonymous)


def build_channels(settings: Settings, environment: Mapping[str, str]) -> dict[str, tuple[ChannelSettings, Channel]]:
    """Every configured channel, and the archive folder as one more."""
    from watcher.publish.registry import build_channel, settings_class

    configured = list(settings.channels)
    if settings.reports_directory is not None:
        values = {"name": ARCHIVE, "type": "folder", "path": str(settings.reports_directory), "alerts": False}
        configured.insert(0, settings_class("folder").model_validate(values))
    return {item.name: (item, build_channel(item, folder=settings.folder)) for item in configured}


def reference(environment: Mapping[str, str]):  # type: ignore[no-untyped-def]
    """Facts about `transformers` model types: the cached wheel, an installed package, or what ships with us."""
    from watcher.architecture.reference import Reference

    return Reference.default(cache_directory(environment))


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where downloaded reference wheels are kept."""
    base = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", "/tmp")) / ".cache")
    return Path(base) / "model-release-watcher"


def channel_named(context_channels: Mapping[str, tuple[ChannelSettings, Channel]], name: str) -> Channel:
    """One channel by name; ConfigurationError names those there are."""
    if name not in context_channels:
        known = ", ".join(context_channels) or "none"
        raise ConfigurationError(f"there is no channel named {name!r}; configured: {known}")
    return context_channels[name][1]
