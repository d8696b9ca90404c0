"""The outbox on both stores: claimed once, in order, given back after a crash, and never larger than what waits."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from watcher.errors import StoreError
from watcher.publish.interface import Payload
from watcher.store import outbox
from watcher.store.engine import Store, open_store
from watcher.store.outbox import Delivery, Standing
from watcher.store.retention import BATCH, prune
from watcher.store.schema import attempts, deliveries, pictures, reports

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LEASE = timedelta(minutes=10)
KEEP = timedelta(days=180)


def put(store: Store, name: str, **values: Any) -> str:
    """One pending delivery with a report of its own; its id."""
    delivery = Delivery(
        **{
            "id": f"msg_{name}",
            "report_id": f"rep_{name}",
            "release_id": f"rel_{name}",
            "channel": "c",
            "state": outbox.PENDING,
            "payload": Payload(body={"text": name}),
            "created_at": NOW,
            "next_at": NOW,
            **values,
        }
    )
    row = {"event": "released", "organization": "maker", "headline": name, "path": "x", "repos": [], "data": {}}
    with store.begin() as connection:
        connection.execute(sa.insert(reports).values(id=delivery.report_id, created_at=delivery.created_at, **row))
        connection.execute(sa.insert(pictures).values(report_id=delivery.report_id, name="x.png", data=b"x"))
        outbox.enqueue(connection, delivery)
    return delivery.id


def claim(store: Store, channel: str = "c", limit: int = 20, at: datetime = NOW) -> list[Delivery]:
    with store.begin() as connection:
        return outbox.claim(connection, channel, at, LEASE, limit)


def finish(store: Store, taken: Iterable[Delivery], state: str = outbox.DELIVERED, at: datetime = NOW) -> None:
    for delivery in taken:
        with store.begin() as connection:
            outbox.finish(connection, delivery, state=state, status="200 ok", now=at)


def states(store: Store) -> dict[str, dict[str, int]]:
    with store.begin() as connection:
        return outbox.counts(connection)


def test_what_is_claimed_is_not_claimed_again(store: Store) -> None:
    names = [put(store, f"{number:02d}") for number in range(5)]
    assert [item.id for item in claim(store, limit=3)] == names[:3]
    assert [item.id for item in claim(store)] == names[3:]
    assert claim(store) == []


def test_two_programs_that_claim_at_once_share_the_work_and_send_nothing_twice(address: str) -> None:
    with open_store(address) as one, open_store(address) as two:
        wanted = {put(one, f"{number:03d}") for number in range(60)}
        taken: list[list[str]] = [[], []]

        def work(place: int, store: Store) -> None:
            while batch := claim(store, limit=4):
                taken[place] += [item.id for item in batch]
                finish(store, batch)

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate((one, two))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken[0] + taken[1]) == sorted(wanted)
        assert states(one) == {"c": {"delivered": 60}}


def test_order_holds_among_the_deliveries_of_a_release_until_one_failed(store: Store) -> None:
    first = put(store, "1", release_id="r", created_at=NOW - timedelta(hours=2))
    second = put(store, "2", release_id="r", created_at=NOW - timedelta(hours=1))
    other = put(store, "3")
    taken = claim(store)
    assert [item.id for item in taken] == [first, other]
    with store.begin() as connection:
        later = NOW + timedelta(minutes=1)
        outbox.finish(connection, taken[0], state=outbox.RETRYING, status="400", now=NOW, next_at=later)
    assert [item.id for item in claim(store)] == [second]


def test_a_failing_channel_gives_one_probe_and_a_disabled_one_none(store: Store) -> None:
    put(store, "1")
    put(store, "2")
    with store.begin() as connection:
        outbox.save_standing(connection, Standing(name="c", failures=1))
    assert len(claim(store)) == 1
    with store.begin() as connection:
        outbox.save_standing(connection, Standing(name="c", disabled_at=NOW))
    assert claim(store) == []


def test_what_a_dead_process_held_is_free_after_its_lease_and_counts_as_tried(store: Store) -> None:
    put(store, "1")
    claim(store)
    with store.begin() as connection:
        assert outbox.release_leases(connection, NOW + LEASE / 2, all_of_them=False) == 0
    with store.begin() as connection:
        assert outbox.release_leases(connection, NOW + 2 * LEASE, all_of_them=False) == 1
    (again,) = claim(store, at=NOW + 2 * LEASE)
    assert again.attempts == 1


def test_a_send_that_outlasts_its_lease_is_written_down_all_the_same(store: Store) -> None:
    put(store, "1")
    taken = claim(store)
    with store.begin() as connection:
        outbox.release_leases(connection, NOW + 2 * LEASE, all_of_them=False)
    finish(store, taken)
    assert states(store) == {"c": {"delivered": 1}}
    with store.begin() as connection:
        assert [status for _, status in outbox.attempts_of(connection, "msg_1")] == [outbox.ABANDONED, "200 ok"]


def test_what_is_handed_back_is_as_it_was(store: Store) -> None:
    put(store, "1")
    (taken,) = claim(store)
    with store.begin() as connection:
        outbox.hand_back(connection, [taken.id])
    assert states(store) == {"c": {"pending": 1}}
    assert claim(store) == [taken]


def test_old_deliveries_are_forgotten_and_what_waits_is_not(store: Store) -> None:
    old = NOW - KEEP - timedelta(days=1)
    for number in range(BATCH + 1):
        put(store, f"{number}", created_at=old, next_at=old)
    while taken := claim(store, limit=500):
        finish(store, taken, at=old)
    put(store, "waits", created_at=old, next_at=NOW)
    put(store, "dead", channel="d", created_at=old)
    finish(store, claim(store, "d"), outbox.DEAD)
    put(store, "young", channel="y")
    finish(store, claim(store, "y"))
    assert prune(store, NOW, KEEP) == BATCH + 1
    assert states(store) == {"c": {"pending": 1}, "d": {"dead": 1}, "y": {"delivered": 1}}
    with store.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(attempts)).scalar() == 2
        kept = {row.report_id for row in connection.execute(sa.select(pictures.c.report_id))}
        assert kept == {"rep_waits", "rep_dead", "rep_young"}
        assert connection.execute(sa.select(sa.func.count()).select_from(reports)).scalar() == BATCH + 4
    assert prune(store, NOW, KEEP, dead=True) == 1
    assert prune(store, NOW, timedelta(0)) == 0
    assert prune(store, NOW, timedelta(days=900_000)) == 0


def test_a_claim_never_looks_at_what_was_delivered(store: Store) -> None:
    """The plan of the query, as the database tells it: by index, whatever the history."""
    with store.begin() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("SQLite's plan is asked for in its own way")
        query = sa.select(deliveries.c.id).where(
            deliveries.c.channel == "c", deliveries.c.state.in_(outbox.WAITING), deliveries.c.next_at <= NOW
        )
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    assert "INDEX" in plan
    assert "SCAN" not in plan


def test_a_store_that_cannot_be_written_is_named(tmp_path: Any) -> None:
    path = tmp_path / "watcher.db"
    open_store(f"sqlite:///{path}").close()
    with pytest.raises(StoreError, match="writable"), open_store(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
        put(store, "1")


def test_a_store_that_another_process_holds_is_named(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/watcher.db"
    with (
        open_store(url) as holder,
        open_store(f"{url}?timeout=0.1") as other,
        holder.begin(),
        pytest.raises(StoreError, match="another process holds it"),
        other.begin(),
    ):
        pytest.fail("it cannot begin")
