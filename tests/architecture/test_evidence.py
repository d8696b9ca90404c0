"""Evidence is real: what a fact names is there, without it the fact is another one, and senseless values are none."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from watcher.architecture.read import read
from watcher.architecture.witness import RepoFiles
from watcher.baselines.catalog import load_catalog

OWN = ("schema", "model", "evidence", "disagreements", "unknown", "novel")
BASELINES = load_catalog().baselines
SAMPLE = BASELINES[:: max(1, len(BASELINES) // 14)]


def record_of(config: dict[str, Any]) -> dict[str, Any]:
    return read(RepoFiles(name="maker/model", files={"config.json": json.dumps(config).encode()})).to_dict()


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf by its dotted path; kinds by id, towers by modality."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and {"id", "modality"} & value[0].keys():
        for item in value:
            yield from leaves(item, f"{path}.{item.get('id') or item['modality']}")
    else:
        yield path, value


def facts(record: dict[str, Any]) -> dict[str, Any]:
    found = dict(leaves({key: value for key, value in record.items() if key not in OWN}))
    return {path: value for path, value in found.items() if not path.endswith(".id")}


def evidence_of(record: dict[str, Any], path: str) -> dict[str, Any] | None:
    held = path.rpartition(".")[0] if path.startswith("kv_cache.at.") else path
    found: dict[str, Any] | None = record["evidence"].get(held)
    return found


def at(config: dict[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value[part]
    return value


def without(config: dict[str, Any], key: str) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    *parents, last = key.split(".")
    del (at(changed, ".".join(parents)) if parents else changed)[last]
    return changed


def with_value(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    *parents, last = key.split(".")
    (at(changed, ".".join(parents)) if parents else changed)[last] = value
    return changed


@pytest.mark.parametrize("baseline", SAMPLE, ids=lambda item: item.name)
def test_every_known_leaf_has_evidence_that_is_there(baseline: Any) -> None:
    config = dict(baseline.config)
    record = record_of(config)
    found = facts(record)
    for path, value in found.items():
        if value in (None, []):
            continue
        told = evidence_of(record, path)
        assert told is not None, path
        if isinstance(told["where"], list):
            for source in told["where"]:
                assert source in record["evidence"] or source in found or source in record, (path, source)
        elif told["where"].startswith("config.json: "):
            at(config, told["where"].removeprefix("config.json: "))
        else:
            assert told["where"] == "config.json" or told["where"].startswith("transformers "), (path, told)


@pytest.mark.parametrize("baseline", SAMPLE, ids=lambda item: item.name)
def test_taking_a_key_away_changes_every_fact_that_names_it(baseline: Any) -> None:
    config = dict(baseline.config)
    record = record_of(config)
    named: dict[str, list[str]] = {}
    for path, told in record["evidence"].items():
        if isinstance(told["where"], str) and told["where"].startswith("config.json: "):
            named.setdefault(told["where"].removeprefix("config.json: "), []).append(path)
    before = facts(record)
    for key, paths in named.items():
        changed = record_of(without(config, key))
        after = facts(changed)
        for path in paths:
            same = path in before and after.get(path) == before[path]
            assert not same or changed["evidence"].get(path) != record["evidence"][path], (path, key)


SENSELESS: list[Any] = [None, "", [], {}, -1, 0, 10**18, math.nan, "123", [1, 2, 3], 1e300, True]
MAY_SAY = (0, True, None)
"""Values that mean something for many keys: no experts, a flag, none."""


def keys_of(config: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in config.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys_of(value, f"{path}{key}.")


@pytest.mark.parametrize("baseline", SAMPLE, ids=lambda item: item.name)
def test_a_senseless_value_is_never_a_fact(baseline: Any) -> None:
    config = dict(baseline.config)
    for number, key in enumerate(keys_of(config)):
        for turn in range(3):
            value = SENSELESS[(5 * number + 4 * turn) % len(SENSELESS)]
            record = record_of(with_value(config, key, value))
            json.dumps(record, allow_nan=False)
            if any(value is item for item in MAY_SAY) or key.endswith("model_type"):
                continue
            told = facts(record)
            citing = [p for p, e in record["evidence"].items() if e["where"] == f"config.json: {key}"]
            assert not [path for path in citing if told.get(path) not in (None, [], False)], (key, value, citing)
