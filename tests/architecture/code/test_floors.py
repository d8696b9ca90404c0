"""What the reader reaches on real configs and on every model type, against counts and traces of the real code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from watcher.architecture.reference import Reference
from watcher.architecture.witness import Fact

pytestmark = pytest.mark.shared

VERSION = "5.23.0"
"""The version that the counts and traces of the research folder were made with."""

COUNTS = {
    "total": "total",
    "text": "text",
    "embedding": "embed_in",
    "lm_head": "lm_head",
    "experts": "experts_total",
    "active": "active_wo_embed_in",
    "active_with_embedding": "active",
}
PLACEMENTS = {"post_inside": "post-inside", "post_ln": "post", "none_or_postln": "none"}
SEEN_OTHERWISE = {
    "gate": {"deepseek_v4"},  # the sigmoid that the trace saw mixes residual streams; it gates no mixer
    "qk": {"deepseek_v4"},  # queries are normalised by a function, which the trace does not see
    "parallel": {"inkling2_text"},  # its residual attends to earlier blocks; the trace takes that for a mixer
    "norm": {"inkling2_text", "roberta-prelayernorm"},  # likewise; and norms within the attention's own module
}
"""Traced facts that the code contradicts, with the reason."""


@pytest.fixture(scope="module")
def same_version(reference: Reference) -> Reference:
    """The version that the truth was made with."""
    if reference.version != VERSION:
        pytest.skip(f"the facts were made with transformers {VERSION}, here is {reference.version}")
    return reference


def real_configs(shared: Path, truth: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name, config, truth) of the configs on disk."""
    for name, told in truth.items():
        path = shared / "corpus/configs" / name / "config.json"
        if path.is_file():
            yield name, json.loads(path.read_text()), told


def test_real_configs(shared: Path, same_version: Reference) -> None:
    """Exact counts, and the order of operations."""
    counted = json.loads((shared / "arch/meta_counts.json").read_text())
    traces = json.loads((shared / "arch/introspect_real.json").read_text())
    wrong, otherwise, checked = [], {}, 0
    for name, config, told in real_configs(shared, counted):
        if "total" not in told:
            continue
        reading = same_version.read(config)
        assert reading is not None, name
        checked += 1
        if traces[name].get("kinds") and not traces[name].get("err"):
            found = differing(reading.facts, traces[name], str(config.get("model_type")))
            if found:
                otherwise[name] = found
        for ours, theirs in COUNTS.items():
            fact = reading.facts.get(f"parameters.{ours}")
            if fact is None or fact.value != told.get(theirs, 0) or not fact.certain:
                wrong.append((name, ours, fact, told.get(theirs)))
    assert wrong == []
    assert otherwise == {}
    assert checked >= 120


def layers_of(facts: Mapping[str, Fact], name: str) -> dict[int, Any]:
    """A fact of every layer, by its number."""
    found = {}
    for path, fact in facts.items():
        if path.startswith("layers[") and path.endswith(f"].{name}"):
            found[int(path[7 : path.index("]")])] = fact.value
    return found


def differing(facts: Mapping[str, Fact], traced: Mapping[str, Any], name: str) -> list[str]:
    """Which facts differ from what was traced in the layers that ran."""
    kinds = {index: kind for kind in traced["kinds"] for index in kind["layers"] or ()}
    norm, qk, gate = layers_of(facts, "norm"), layers_of(facts, "qk_norm"), layers_of(facts, "gate")
    rope = layers_of(facts, "rope")
    parallel = any(kind["parallel"] for kind in kinds.values())
    checks = {
        "norm": all(_placed(kind) in (None, _plain(norm[index])) for index, kind in kinds.items()),
        "qk": all(bool(qk[index]) == kind["qk_norm"] for index, kind in kinds.items()),
        "gate": all(bool(gate[index]) == bool(kind["sigmoid"]) for index, kind in kinds.items()),
        "parallel": facts["residual.parallel"].value == parallel,
        "rope": sorted(index for index, turned in rope.items() if turned) == traced["rope_layers"],
    }
    wrong = [fact for fact, same in checks.items() if not same]
    return [fact for fact in wrong if name not in SEEN_OTHERWISE.get(fact, set())]


def _placed(kind: Mapping[str, Any]) -> str | None:
    """The placement that both sublayers share; None when they differ or one was not traced."""
    labels = {_plain(PLACEMENTS.get(item, item)) for item in (kind["mixer_norm"], kind["ff_norm"])}
    return labels.pop() if len(labels) == 1 else None


def _plain(placement: str | None) -> str | None:
    return "none" if placement == "post" else placement


def test_order_of_operations_of_every_model_type(shared: Path, same_version: Reference) -> None:
    truth = json.loads((shared / "arch/introspect_defaults.json").read_text())
    wrong, counts, checked = {}, [], 0
    for name, traced in truth.items():
        if not traced.get("kinds") or traced.get("err"):
            continue
        reading = same_version.read({"model_type": name, "architectures": [traced["cls"]]})
        assert reading is not None, name
        checked += 1
        found = differing(reading.facts, traced, name)
        if found:
            wrong[name] = found
        total = reading.facts.get("parameters.total")
        if total is None or total.value != traced["count"]["total"]:
            counts.append((name, total, traced["count"]["total"]))
    assert counts == []
    assert checked >= 160
    assert len(wrong) <= 0.01 * checked, wrong
