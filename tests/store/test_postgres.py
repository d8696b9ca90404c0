"""The same whole way on a real PostgreSQL server, started for the test."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stage import Stage

from watcher.demo.models import model_files

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
