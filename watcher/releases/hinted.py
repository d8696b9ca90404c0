"""Hints of the Hub's webhooks → an early look at the organizations they are about, the same way of the data."""

from __future__ import annotations

from datetime import timedelta

from watcher.context import Context
from watcher.hub.webhooks import Hint
from watcher.releases.inspect import inspect
from watcher.releases.poll import look_at
from watcher.store import hints

DELAY = timedelta(seconds=5)
"""From the first hint of a burst to its look: an upload is several webhooks, and the Hub's listings lag a little."""

BACKOFF = timedelta(seconds=30)
"""Until a failed early look is tried again; doubles up to the polling interval, which is the safety net."""


def keep(context: Context, hint: Hint) -> bool:
    """Store a hint; False when its organization is not tracked."""
    tracked = {name.lower() for name in context.settings.watch.organizations}
    if hint.organization.lower() not in tracked:
        return False
    with context.store.begin() as connection:
        hints.add(connection, hint.organization, context.clock.now(), DELAY)
    context.journal.say(f"webhook: {hint.what}")
    return True


def answer_hints(context: Context) -> None:
    """Look at what hints are due about; a look that fails keeps its hint."""
    now = context.clock.now()
    with context.store.begin() as connection:
        due = hints.due(connection, now)
    if not due:
        return
    failed = look_at(context, [hint.organization for hint in due])
    inspect(context)
    with context.store.begin() as connection:
        for hint in due:
            retry_at = now + _backoff(context, hint) if hint.organization in failed else None
            hints.settle(connection, hint, retry_at=retry_at, delay=DELAY)


def _backoff(context: Context, hint: hints.StoredHint) -> timedelta:
    doubled: timedelta = BACKOFF * (1 << min(hint.failures, 10))
    return min(max(context.settings.watch.interval, BACKOFF), doubled)
