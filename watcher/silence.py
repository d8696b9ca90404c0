"""Silence is told: no look at the Hub has succeeded, or a channel has taken nothing, for too long; and its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.store import notes, outbox
from watcher.store import organizations as org_table

Alert = Callable[[Context, str, str], None]
"""Tell every channel but one: (context, text, the channel it is about)."""

KEY = "silence "


def watch_silence(context: Context, alert: Alert) -> None:
    """Tell what has been silent for longer than `watch.silence`, once, and once more when it is over."""
    patience = context.settings.watch.silence
    if not patience:
        return
    now = context.clock.now()
    with context.store.begin() as connection:
        silent = {name: since for name, since in _since(context, connection).items() if now - since > patience}
        told = {key.removeprefix(KEY): notes.recall(connection, key) for key in notes.keys(connection, KEY)}
    for name in silent.keys() - told.keys():
        alert(context, _begins(name, silent[name]), name)
        _remember(context, name, silent[name].isoformat())
    for name in told.keys() - silent.keys():
        alert(context, _ends(name, str(told[name])), name)
        _remember(context, name, None)


def _since(context: Context, connection: Connection) -> dict[str, datetime]:
    """Since when each part has been waiting for a success; the Hub under the empty name, channels under theirs."""
    looked = org_table.last_success(connection)
    waiting = outbox.failing_since(connection)
    found = {name: since for name, since in waiting.items() if name in context.channels}
    return found | ({"": looked} if looked else {})


def _begins(name: str, since: datetime) -> str:
    moment = f"{since:%Y-%m-%d %H:%M} UTC"
    if not name:
        return f"no look at the Hub has succeeded since {moment}; `watcher status` shows the errors"
    return f"the channel {name} has taken nothing since {moment}; `watcher deliveries` shows what waits"


def _ends(name: str, since: str) -> str:
    moment = f"{datetime.fromisoformat(since):%Y-%m-%d %H:%M} UTC"
    return f"{f'the channel {name}' if name else 'looking at the Hub'} works again; it did not since {moment}"


def _remember(context: Context, name: str, since: str | None) -> None:
    with context.store.begin() as connection:
        notes.note(connection, KEY + name, since)
