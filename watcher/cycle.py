"""The way of the data, end to end. Read this file first.

    Hub ─poll─▶ Sighting ─detect─▶ Event ─read─▶ Architecture ─group─▶ Release ─settle─▶ (quiet)
                                                                                    │ nearest baseline, own past
                                                                                    ▼
    Slack · Discord · webhook · git · folder ◀─deliver─ Delivery ◀─report─ Report ◀─compare─ Comparison

Every stage claims the work that is due from the store and writes what it did in one transaction: T1 a repo as last seen
with its events, T2 raw files with their record, T3 a report with its deliveries. So the stages can run one after the
other (`once`) or apart (`run`), and dying between any two instructions loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from watcher.context import Context
from watcher.heartbeat import beating
from watcher.publish.deliver import deliver
from watcher.releases.budget import note_spending
from watcher.releases.inspect import inspect
from watcher.releases.poll import poll
from watcher.releases.reading import read_due
from watcher.report.make import report_alert, report_due
from watcher.silence import watch_silence
from watcher.store.retention import prune


def look(context: Context, *, explicit: bool = False) -> None:
    """Hub → sightings → events; `explicit` when someone asked for it and no schedule."""
    poll(context, explicit=explicit)
    inspect(context)


def tell(context: Context) -> None:
    """Events → architectures → releases → comparisons → reports, with their deliveries in the outbox; and silence."""
    read_due(context)
    report_due(context)
    watch_silence(context, report_alert)
    note_spending(context)


def send(context: Context, stopped: Callable[[], bool] = lambda: False) -> None:
    """Outbox → channels."""
    deliver(context, alert=report_alert, stopped=stopped)


def tidy(context: Context) -> None:
    """Deliveries that arrived longer than `store.keep` ago are forgotten."""
    prune(context.store, context.clock.now(), context.settings.store.keep)


def once(context: Context) -> None:
    """One cycle, then delivery."""
    with beating(context):
        look(context, explicit=True)
        tell(context)
        send(context)
        tidy(context)


def summary(context: Context) -> str:
    """What a cycle came to, in one line."""
    counts = context.journal.counts
    said = {"events": "event", "read": "model read", "reports": "report", "delivered": "delivery", "errors": "error"}
    parts = [f"{counts[key]} {_many(word, counts[key])}" for key, word in said.items() if counts.get(key)]
    return f"done: {', '.join(parts)}" if parts else "done: nothing new"


def _many(word: str, count: int) -> str:
    plurals = {"model read": "models read", "delivery": "deliveries"}
    return word if count == 1 else plurals.get(word, word + "s")
