"""The same whole way on a real PostgreSQL server, started for the test."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from stage import Stage

from watcher.demo.models import model_files
from watcher.publish.deliver import deliver
from watcher.publish.enqueue import deliveries_for
from watcher.publish.worst_case import worst_case_report
from watcher.report.make import report_alert
from watcher.runtime import running
from watcher.store import archive, outbox

pytestmark = pytest.mark.postgres


def test_a_release_goes_all_the_way(database: str, stage: Stage) -> None:
    stage.store = {"url": database}
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    stage.once()
    stage.world.create("maker/Model-32B", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    assert len(stage.received()) == 1
    config = model_files("Qwen/Qwen3-4B", changed={"max_position_embeddings": 99})["config.json"]
    stage.world.upload("maker/Old", {"config.json": config})
    stage.settle()
    assert len(stage.received()) == 2
    assert stage.once(timedelta(hours=1)) == ["done: nothing new"]


def test_two_replicas_send_everything_once(database: str, stage: Stage) -> None:
    """Both drain the same outbox at the same time: each delivery is claimed by one of them."""
    stage.store = {"url": database}
    stage.channels = [stage.channel("webhook", f"hook{number}") for number in range(3)]
    environment = {"WATCHER_NOW": stage.world.now.isoformat(), "HOME": str(stage.folder)}
    report = worst_case_report()
    with running(stage.settings, environment, print) as one, running(stage.settings, environment, print) as two:
        for number in range(10):
            with one.store.begin() as connection:
                fresh = replace(report, report_id=f"rep_{number}", release_id=f"rel_{number}")
                archive.keep_report(connection, fresh)
                for delivery in deliveries_for(one, fresh, stage.world.now):
                    outbox.enqueue(connection, delivery)
        threads = [
            threading.Thread(target=deliver, args=(context,), kwargs={"alert": report_alert}) for context in (one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(3):
        assert len(stage.received(f"hook{number}")) == 10
