"""Against the research folder: exact parameter counts, traced facts, an expert's table; floors that only rise."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from watcher.architecture.record import Architecture

pytestmark = pytest.mark.shared
SCRIPTS = Path(__file__).parents[2] / "scripts"

FLOORS = {
    "parameters.text": 125,
    "parameters.total": 125,
    "parameters.active": 125,
    "active, with embedding": 125,
    "parameters.embedding": 125,
    "norm placement": 123,
    "QK-norm": 123,
    "RoPE per layer": 123,
    "gate": 123,
    "parallel": 123,
    "decoder type": 34,
    "KV cache per token": 27,
    "layer mix": 28,
    "attention kinds": 34,
    "context": 15,
    "total, as people say it": 18,
    "QK-norm in the table": 12,
}
"""Right answers of `make accuracy` that must not be lost. Every other answer has a reason in `scripts/accuracy.py`."""


@pytest.fixture(scope="module")
def accuracy() -> ModuleType:
    sys.path.insert(0, str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("accuracy", SCRIPTS / "accuracy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["accuracy"] = module
    spec.loader.exec_module(module)
    return module


def test_the_reader_is_as_right_as_it_was(shared: Path, accuracy: ModuleType) -> None:
    scores = accuracy.measure(shared)
    for title, score in scores.items():
        assert not score.wrong, score.wrong
        assert not score.unknown, score.line(title)
        assert score.right >= FLOORS.get(title, 0), score.line(title)


def test_every_config_gives_a_record_that_survives_its_json_form(shared: Path, accuracy: ModuleType) -> None:
    paths = sorted((shared / "corpus").rglob("config.json"))
    assert paths
    for path in paths[::3]:
        record = accuracy.record_of(path)
        data = json.loads(json.dumps(record.to_dict(), allow_nan=False))
        assert Architecture.from_dict(data) == record, path


def test_deepseek_v3_is_the_example_of_the_design(shared: Path, accuracy: ModuleType) -> None:
    record = accuracy.record_of(shared / "corpus/configs/deepseek-ai/DeepSeek-V3/config.json")
    assert record.parameters.total == 671026404352
    assert record.parameters.active == 36625603584
    assert record.parameters.active_with_embedding == 37552282624
    assert record.kv_cache.bytes_per_token == record.kv_cache.nominal_bytes_per_token == 70272
    assert record.kv_cache.at == {"8192": 575668224, "32768": 2302672896, "131072": 9210691584}
    assert record.layers.sequence == "A3 B58"
    assert record.layers.pattern == "3×(mla+dense) 58×(mla+moe)"
    assert record.moe is not None
    assert (record.moe.groups, record.moe.router, record.moe.dense_layers) == (8, "sigmoid", 3)
