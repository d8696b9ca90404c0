"""A sign of life for a monitor outside (healthchecks.io and its like): started, done, failed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from watcher.context import Context
from watcher.errors import WatcherError
from watcher.publish import http

DEADLINE = 10.0


@contextlib.contextmanager
def beating(context: Context) -> Iterator[None]:
    """Ping `watch.heartbeat` around a cycle: `/start` before, the address itself after, `/fail` after an error.

    A monitor that does not answer is said, and stops nothing.
    """
    before = context.journal.counts.get("errors", 0)
    _ping(context, "/start")
    try:
        yield
    except BaseException:
        _ping(context, "/fail")
        raise
    _ping(context, "/fail" if context.journal.counts.get("errors", 0) > before else "")


def _ping(context: Context, path: str) -> None:
    secret = context.settings.watch.heartbeat
    if secret is None:
        return
    try:
        answer = http.post(secret.resolve().rstrip("/") + path, what="the heartbeat's monitor", deadline=DEADLINE)
        http.raise_for(answer, "the heartbeat's monitor")
    except WatcherError as error:
        context.journal.say(f"warning: {error}")
