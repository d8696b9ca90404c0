"""What polling may spend: the Hub's quota as it told it, our share of it, and what the store says is spent."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.hub.model import Hub
from watcher.releases.plan import QUOTAS, Budget
from watcher.settings import Settings
from watcher.store import notes, spending

BUCKET = "api"
LAST = 2
"""Requests of the window that are left alone: the limit is obeyed before it bites."""


def budget_of(connection: Connection, settings: Settings, now: datetime, *, explicit: bool) -> Budget:
    """The budget of a cycle. `explicit`: asked for by hand, so what this window already spent does not count."""
    told = notes.recall(connection, "quota")
    quota = told if isinstance(told, int) and told > 0 else QUOTAS[settings.hub.read_token() is not None]
    spent = 0 if explicit else spending.spent(connection, now)
    return Budget(quota=quota, share=settings.hub.share, interval=settings.watch.interval, spent=spent)


def note_spending(context: Context) -> None:
    """Count in the store what was asked since the last time, and remember the quota the Hub told."""
    requests = context.hub.uncounted()
    state = context.hub.rates.get(BUCKET)
    with context.store.begin() as connection:
        spending.spend(connection, context.clock.now(), requests)
        if state is not None and state.quota and notes.recall(connection, "quota") != state.quota:
            notes.note(connection, "quota", state.quota)


def is_used_up(hub: Hub, *, keep: float = 0.0) -> bool:
    """Whether the Hub's own headers say that this window has nothing left for us, but the part of it to `keep`."""
    state = hub.rates.get(BUCKET)
    if state is None or datetime.now(UTC) >= state.resets_at:
        return False
    return state.remaining <= max(LAST, keep * (state.quota or 0))
