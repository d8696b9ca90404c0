"""The stages as the daemon runs them: look, tell and send, each on a schedule of its own."""

from __future__ import annotations

from datetime import timedelta

from watcher import cycle
from watcher.context import Context
from watcher.daemon import Daemon, Step
from watcher.heartbeat import beating

SEND = timedelta(seconds=5)
"""How often the outbox is looked at; an empty look is one query."""

TELL = timedelta(seconds=15)
"""How often reading and reporting look for due work: settled releases, retries."""


def serve(context: Context) -> None:
    """Run until SIGTERM or SIGINT."""
    interval = context.settings.watch.interval
    daemon = Daemon(
        {
            "look": Step(lambda: _look(context), interval),
            "tell": Step(lambda: cycle.tell(context), min(TELL, interval)),
            "send": Step(lambda: cycle.send(context, lambda: daemon.stopping), min(SEND, interval)),
        },
        report=context.journal.say,
    )
    count = len(context.settings.watch.organizations)
    context.journal.say(f"watching {count} organizations, every {interval}")
    daemon.run()
    context.journal.say("stopped")


def _look(context: Context) -> None:
    with beating(context):
        cycle.look(context)
