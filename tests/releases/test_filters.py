"""Filters and policies: yes, no, or not decided yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from watcher.hub.model import BaseModel, Sighting
from watcher.releases.filters import RULES, Answer, answers, decide, treat
from watcher.releases.policy import Treatment
from watcher.settings import WatchSettings

FULL = Sighting(
    hub_id="1",
    name="org/Model-7B",
    pipeline_tag="text-generation",
    library_name="transformers",
    license="apache-2.0",
    stored_parameters=7_000_000_000,
    created_at=datetime(2025, 6, 1, tzinfo=UTC),
)
BARE = Sighting(hub_id="1", name="org/Model-7B")


def answer(sighting: Sighting, **watch: Any) -> tuple[Answer, str]:
    settings = {"organizations": ["org", "maker"], "tasks": [], **watch}
    decision = decide(WatchSettings.model_validate(settings), sighting)
    return decision.answer, decision.because


@pytest.mark.parametrize(
    ("watch", "keeps"),
    [
        ({"include": ["org/*-7b"]}, True),
        ({"include": ["re:-13B$"]}, False),
        ({"exclude": ["*-7B"]}, False),
        ({"exclude": ["re:(awq|gptq)$"]}, True),
        ({"tasks": ["text-generation"]}, True),
        ({"tasks": ["image-text-to-text"]}, False),
        ({"libraries": ["transformers"]}, True),
        ({"libraries": ["mlx"]}, False),
        ({"licenses": ["MIT"]}, False),
        ({"licenses": ["Apache-2.0"]}, True),
        ({"gated": False}, True),
        ({"gated": True}, False),
        ({"min_parameters": "1B"}, True),
        ({"min_parameters": "8B"}, False),
        ({"max_parameters": "8B"}, True),
        ({"max_parameters": "1B"}, False),
        ({"created_after": "2025-01-01"}, True),
        ({"created_after": "2025-12-01"}, False),
    ],
)
def test_each_rule_keeps_and_drops_and_names_its_key(watch: dict[str, Any], keeps: bool) -> None:
    found, because = answer(FULL, **watch)
    assert found is (Answer.YES if keeps else Answer.NO)
    assert keeps or next(iter(watch)) in because


@pytest.mark.parametrize(
    "watch",
    [
        {"tasks": ["text-generation"]},
        {"libraries": ["transformers"]},
        {"licenses": ["mit"]},
        {"min_parameters": "1B"},
        {"max_parameters": "1B"},
        {"created_after": "2025-01-01"},
    ],
)
def test_what_the_hub_has_not_said_is_not_no(watch: dict[str, Any]) -> None:
    assert answer(BARE, **watch)[0] is Answer.UNDECIDED


def test_a_no_counts_more_than_what_is_not_decided() -> None:
    assert answer(BARE, tasks=["text-generation"], exclude=["org/*"])[0] is Answer.NO


def test_every_rule_answers_by_its_key() -> None:
    assert [key for key, _ in answers(WatchSettings(), FULL)] == list(RULES)


def made_from(relation: str, base: str, name: str = "maker/Copy-7B") -> Sighting:
    return replace(BARE, name=name, base_models=(BaseModel(relation=relation, id=base),))


def test_a_base_without_a_relation_is_a_copys_where_the_name_says_so() -> None:
    watch = WatchSettings.model_validate({"organizations": ["org", "maker"]})
    for name, treatment in (("maker/Model-7B-GGUF", Treatment.QUIET), ("maker/Model-7B", None)):
        treated = treat(watch, name, [("base", "org/Model-7B")])
        assert (treated.treatment if treated else None) is treatment


@pytest.mark.parametrize(
    ("relation", "base", "policies", "treatment"),
    [
        ("quantized", "org/Model", {}, Treatment.QUIET),
        ("quantized", "stranger/Model", {}, Treatment.REPORT),
        ("quantized", "maker/Model", {}, None),
        ("finetune", "org/Model", {}, Treatment.REPORT),
        ("adapter", "org/Model", {"*": {"adapter": "ignore"}}, Treatment.IGNORE),
        ("quantized", "org/Model", {"Maker": {"quantized": "report"}}, Treatment.REPORT),
        ("quantized", "org/Model", {"maker": {"finetune": "quiet"}, "*": {"quantized": "ignore"}}, Treatment.IGNORE),
        ("finetune", "stranger/Model", {"maker": {"finetune": "quiet"}}, Treatment.QUIET),
        ("base", "org/Model", {"*": {"finetune": "ignore"}}, None),
    ],
)
def test_policies(relation: str, base: str, policies: dict[str, Any], treatment: Treatment | None) -> None:
    watch = WatchSettings.model_validate({"organizations": ["org", "maker"], "tasks": [], "policies": policies})
    sighting = made_from(relation, base)
    treated = treat(watch, sighting.name, [(relation, base)])
    assert (treated.treatment if treated else None) is treatment
    assert (decide(watch, sighting).answer is Answer.NO) is (treatment is Treatment.IGNORE)
