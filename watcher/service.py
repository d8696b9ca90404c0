"""The stages as the daemon runs them: look, tell and send, each on a schedule of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from watcher import cycle
from watcher.context import Context
from watcher.daemon import Daemon, Step
from watcher.endpoint import Page, as_json, serving
from watcher.health import examine
from watcher.heartbeat import beating
from watcher.hub.webhooks import Receiver
from watcher.metrics import exposition, facts
from watcher.releases.hinted import answer_hints, keep
from watcher.releases.poll import is_time_again

SEND = timedelta(seconds=5)
"""How often the outbox is looked at; an empty look is one query."""

HINTS = timedelta(seconds=2)
"""How often hints from webhooks are looked for; none is one query."""

TELL = timedelta(seconds=15)
"""How often reading and reporting look for due work: settled releases, retries."""

TIDY = timedelta(hours=6)
"""How often old deliveries are forgotten."""


STUCK = 3600.0
"""Seconds after which a step that has not ended is taken for stuck."""


AGAIN = timedelta(seconds=30)
"""How often it is asked whether the wait that a rate limit imposed is over; the answer is one query."""


def serve(context: Context) -> None:
    """Run until SIGTERM or SIGINT."""
    interval = context.settings.watch.interval
    steps = {
        "look": Step(lambda: _look(context), interval),
        "look again": Step(lambda: _look_again(context), min(AGAIN, interval)),
        "tell": Step(lambda: cycle.tell(context), min(TELL, interval)),
        "send": Step(lambda: cycle.send(context, lambda: daemon.stopping), min(SEND, interval)),
        "tidy": Step(lambda: cycle.tidy(context), TIDY),
    }
    if context.settings.hub.webhooks is not None:
        steps["hints"] = Step(lambda: answer_hints(context), HINTS)
    daemon = Daemon(steps, report=context.journal.say)
    count = len(context.settings.watch.organizations)
    context.journal.say(f"watching {count} organization{'s' if count != 1 else ''}, every {interval}")
    with _listening(context), serving(context.settings.watch.listen, _pages(context, daemon)) as port:
        if port is not None:
            context.journal.say(f"/health, /live and /metrics at port {port}")
        daemon.run()
    context.journal.say("stopped")


@contextmanager
def _listening(context: Context) -> Iterator[None]:
    """The receiver for the Hub's webhooks, where there is one."""
    webhooks = context.settings.hub.webhooks
    if webhooks is None:
        yield
        return
    with Receiver(webhooks.listen, webhooks.path, webhooks.secret.resolve(), lambda hint: keep(context, hint)):
        context.journal.say(f"listening for the Hub's webhooks on {webhooks.listen}{webhooks.path}")
        yield


def _pages(context: Context, daemon: Daemon) -> dict[str, Page]:
    """What the endpoint answers."""

    def health() -> tuple[int, str, bytes]:
        found = examine(context.store, context.settings, context.clock.now())
        return as_json(200 if found.well else 503, found.to_dict())

    def live() -> tuple[int, str, bytes]:
        stuck = daemon.stuck(STUCK)
        return as_json(503 if stuck else 200, {"live": not stuck, "stuck": stuck})

    def metrics() -> tuple[int, str, bytes]:
        text, kind = exposition(lambda: facts(context.store, context.journal.counts, daemon.took, context.clock.now()))
        return 200, kind, text

    return {"/health": health, "/live": live, "/metrics": metrics}


def _look(context: Context) -> None:
    with beating(context):
        cycle.look(context)


def _look_again(context: Context) -> None:
    """A cycle that the rate limit ended goes on when the Hub said, not only after the next interval."""
    if is_time_again(context):
        _look(context)
