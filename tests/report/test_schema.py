"""The shipped schemas: true to the classes, and true of every record and comparison there is."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from watcher.architecture.read import read
from watcher.architecture.record import Architecture
from watcher.architecture.source import read_source_folder
from watcher.baselines.catalog import load_catalog
from watcher.compare.compare import compare
from watcher.report.schema import NAMES, comparison_schema, record_schema, shipped

MADE = {"record": record_schema, "comparison": comparison_schema}


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_is_what_the_classes_say(name: str) -> None:
    Draft202012Validator.check_schema(shipped(name))
    assert shipped(name) == MADE[name](), "run scripts/make_schemas.py"


def errors(name: str, data: Any) -> list[str]:
    plain = json.loads(json.dumps(data, allow_nan=False))
    return [
        f"{error.json_path}: {error.message}"[:200] for error in Draft202012Validator(shipped(name)).iter_errors(plain)
    ]


def test_every_comparison_of_neighbours_in_the_catalog_is_valid() -> None:
    for old, new in pairwise(load_catalog().baselines[::6]):
        made = compare(old.record, new.record, config_a=old.config, config_b=new.config)
        assert errors("comparison", made.to_dict()) == []


def test_a_record_that_knows_nothing_is_valid() -> None:
    assert errors("record", Architecture().to_dict()) == []


def test_the_schema_refuses_what_is_no_record() -> None:
    data = Architecture().to_dict()
    del data["layers"]
    assert errors("record", data)
    assert errors("record", Architecture().to_dict() | {"extra": 1})


@pytest.mark.shared
def test_every_record_of_the_corpus_is_valid(shared: Path) -> None:
    folders = sorted({path.parent for path in (shared / "corpus").glob("*/*/*/*.json")})
    assert len(folders) > 100
    for folder in folders[::3]:
        if any((folder / name).exists() for name in ("config.json", "params.json")):
            assert errors("record", read(read_source_folder(folder)).to_dict()) == [], folder
