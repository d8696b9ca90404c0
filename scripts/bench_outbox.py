"""The outbox at size: throughput over 20 channels, CPU for a delivery, and costs that stay flat as history grows."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from watcher.publish.deliver import deliver
from watcher.publish.interface import Payload
from watcher.publish.worst_case import worst_case_report
from watcher.runtime import running
from watcher.settings import Settings
from watcher.store import outbox
from watcher.store.engine import Store, open_store
from watcher.store.outbox import Delivery
from watcher.store.retention import prune
from watcher.store.schema import deliveries, reports

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CHANNELS, PENDING, DELIVERED = 20, 10_000, 1_000_000
RATES = {"slack": 1.0, "discord": 2.5, "webhook": 20.0}
"""Messages a second that each takes at most: a hook of Slack 1, of Discord 5 in 2 s; a plain receiver one in 50 ms."""

RECEIVER = """
import asyncio
async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            lines = head.lower().split(b"\\r\\n")
            await reader.readexactly(next(int(l[15:]) for l in lines if l.startswith(b"content-length:")))
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def receiver() -> Iterator[str]:
    """Address of a receiver in a process of its own that answers after 50 ms."""
    process = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.kill()
        process.wait()


def fill(store: Store, count: int, *, delivered: bool = False) -> None:
    """`count` deliveries, a report for every 20 of them: one on each channel."""
    report = worst_case_report()
    body = {"text": report.headline, "markdown": report.markdown[:3000]} if not delivered else {}
    when = NOW - timedelta(days=200) if delivered else NOW - timedelta(minutes=1)
    kind = "old" if delivered else "new"
    row = {"event": "released", "organization": "maker", "created_at": when, "headline": "x", "path": "x", "repos": []}
    each = {"payload": {"body": body, "pictures": []}, "created_at": when, "next_at": when, "attempts": int(delivered)}
    ended = {"state": outbox.DELIVERED, "delivered_at": when} if delivered else {"state": outbox.PENDING}
    for start in range(0, count, 20_000):
        numbers = range(start, min(start + 20_000, count))
        with store.begin() as connection:
            releases = sorted({number // CHANNELS for number in numbers})
            connection.execute(sa.insert(reports), [{**row, "id": f"{kind}{n}", "data": {}} for n in releases])
            connection.execute(
                sa.insert(deliveries),
                [
                    {
                        **each,
                        **ended,
                        "id": f"msg_{kind}{number}",
                        "report_id": f"{kind}{number // CHANNELS}",
                        "release_id": f"rel_{kind}{number // CHANNELS}",
                        "channel": f"c{number % CHANNELS:02d}",
                    }
                    for number in numbers
                ],
            )


def throughput() -> None:
    """10,000 pending deliveries over 20 channels."""
    with tempfile.TemporaryDirectory() as folder, receiver() as url:
        tables = [{"name": f"c{n:02d}", "type": "webhook", "url": f"{url}{n}"} for n in range(CHANNELS)]
        data = {"channels": tables, "folder": Path(folder), "hub": {"token": ""}, "reports": {"directory": ""}}
        settings = Settings.model_validate(data, context={"environment": {}, "folder": Path(folder)})
        with running(settings, {"WATCHER_NOW": NOW.isoformat(), "HOME": folder}, lambda line: None) as context:
            fill(context.store, PENDING)
            began, cpu = time.perf_counter(), time.process_time()
            deliver(context, alert=lambda *_: None)
            took, used = time.perf_counter() - began, time.process_time() - cpu
            with context.store.begin() as connection:
                done = sum(states.get("delivered", 0) for states in outbox.counts(connection).values())
    each = done / took / CHANNELS
    shares = ", ".join(f"{each / rate:.1f} × {name}'s limit" for name, rate in RATES.items())
    line = f"{done:,} deliveries over {CHANNELS} channels: {took:.1f} s, {each:.1f} a second and channel ({shares})"
    sys.stdout.write(f"{line}, {used / done * 1000:.2f} ms CPU each\n")


def flatness() -> None:
    """Insert, claim and finish with an empty history and with a million delivered rows; then retention."""
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/watcher.db") as store:
        empty = _steps(store, "before")
        fill(store, DELIVERED, delivered=True)
        full = _steps(store, "after")
        for what, before in empty.items():
            say(f"outbox {what} beside {DELIVERED:,} delivered rows", full[what], before, "beside none")
        began = time.perf_counter()
        count = prune(store, NOW, timedelta(days=180))
        sys.stdout.write(f"{count:,} delivered rows forgotten in {time.perf_counter() - began:.1f} s\n")


def _steps(store: Store, kind: str, times: int = 200) -> dict[str, float]:
    """Median seconds of each step of a delivery's life."""
    took: dict[str, list[float]] = {"insert": [], "claim": [], "finish": []}
    for number in range(times):
        with store.begin() as connection:
            values = {"id": f"{kind}{number}", "data": {}, "event": "released", "organization": "m", "created_at": NOW}
            connection.execute(sa.insert(reports).values(**values, headline="x", path="x", repos=[]))
        delivery = Delivery(
            id=f"msg_{kind}{number}",
            report_id=f"{kind}{number}",
            release_id=f"rel_{kind}{number}",
            channel="c00",
            state=outbox.PENDING,
            payload=Payload(body={"text": "x" * 3000}),
            created_at=NOW,
            next_at=NOW,
        )
        claimed: list[Delivery] = []

        def claim(connection: Connection, claimed: list[Delivery] = claimed) -> None:
            claimed += outbox.claim(connection, "c00", NOW, timedelta(minutes=10), 20)

        def finish(connection: Connection, claimed: list[Delivery] = claimed) -> None:
            outbox.finish(connection, claimed[0], state=outbox.DELIVERED, status="200 ok", now=NOW)

        steps = {"insert": lambda connection, item=delivery: outbox.enqueue(connection, item)}
        for what, step in {**steps, "claim": claim, "finish": finish}.items():
            began = time.perf_counter()
            with store.begin() as connection:
                step(connection)
            took[what].append(time.perf_counter() - began)
    return {what: statistics.median(values) for what, values in took.items()}


def say(what: str, value: float, against: float, than: str) -> None:
    """One measure."""
    sys.stdout.write(f"{what:58} {value * 1000:9.2f} ms  {value / against:7.2f} × {than}\n")


if __name__ == "__main__":
    throughput()
    flatness()
