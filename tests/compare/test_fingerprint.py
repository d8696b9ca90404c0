"""Two models share a fingerprint exactly when nothing between them is above cosmetic."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.architecture.record import Architecture
from watcher.compare.compare import compare, same_architecture
from watcher.compare.fingerprint import fingerprint
from watcher.compare.model import Verdict

WORDS = st.sampled_from(
    ["gqa", "mla", "sliding", "gated-deltanet", "moe", "rope", "nope", "pre", "sandwich", "sigmoid", "hash", "dsa",
     "rmsnorm", "plain", "hyper-connections", "silu", "dense", "A3 B33", "(A B)18", "image", "odd.word", ""]
)  # fmt: skip
NUMBERS = st.one_of(st.integers(0, 5), st.sampled_from([61, 128.0, 1.5, 10**45, -1]))
PICK = st.tuples(st.integers(0, 400), WORDS, NUMBERS, st.sampled_from([True, False, None]))
LEFT = ("schema", "evidence", "disagreements", "unknown", "memory")
Picks = list[tuple[int, str, float, bool | None]]


def leaves(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], str]]:
    """Every single value of a record: its path and its annotation."""
    if isinstance(part, tuple):
        return [leaf for index, item in enumerate(part) for leaf in leaves(item, (*path, index))]
    if not dataclasses.is_dataclass(part):
        return []
    found = []
    for field in dataclasses.fields(part):
        if path or field.name not in LEFT:
            below = leaves(getattr(part, field.name), (*path, field.name))
            found += below or [((*path, field.name), str(field.type))]
    return found


def replaced(part: Any, path: tuple[Any, ...], value: Any) -> Any:
    head, *rest = path
    if isinstance(part, tuple):
        return tuple(replaced(item, tuple(rest), value) if index == head else item for index, item in enumerate(part))
    return dataclasses.replace(part, **{head: replaced(getattr(part, head), tuple(rest), value) if rest else value})


def mutated(record: Architecture, picks: Picks) -> Architecture:
    """The record with some of its values set to others of their type, whatever they mean."""
    for pick, word, number, flag in picks:
        plain = ("int", "float", "str", "bool", "tuple[str,")
        found = [leaf for leaf in leaves(record) if leaf[1].split(" ")[0] in plain]
        path, kind = found[pick % len(found)]
        values = {"int": number, "float": number, "str": word, "bool": flag, "tuple[str,": (word, "text")}
        value = values[kind.split(" ")[0]]
        record = replaced(record, path, None if flag is None and kind.endswith("None") else value)
    return record


def agree(first: Architecture, second: Architecture) -> None:
    same = compare(first, second).verdict is Verdict.SAME
    assert (fingerprint(first) == fingerprint(second)) is same
    assert same_architecture(first, second) is same
    if same:
        assert compare(first, second).similarity == 1


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 5), st.lists(PICK, min_size=1, max_size=4), st.data())
def test_the_fingerprint_agrees_with_the_verdict(
    models: ModuleType, which: int, picks: Picks, data: st.DataObject
) -> None:
    makers = (
        models.qwen3, models.deepseek_v3, models.glm_5, models.qwen3_next, models.gemma3, models.kimi_k2,
    )  # fmt: skip
    base = makers[which]()
    changed = mutated(base, picks)
    agree(base, changed)
    again = data.draw(st.lists(PICK, max_size=2))
    agree(changed, mutated(changed, again))


@settings(max_examples=60, deadline=None)
@given(st.lists(PICK, max_size=6))
def test_every_sentence_is_one_plain_line(models: ModuleType, picks: Picks) -> None:
    for change in compare(models.deepseek_v3(), mutated(models.qwen3_next(), picks)).changes:
        assert change.sentence == change.sentence.strip()
        assert "\n" not in change.sentence
        assert "UNKNOWN" not in change.sentence.upper() or change.fact == "unknown"
        assert "  " not in change.sentence


def test_the_same_model_has_the_same_fingerprint_under_another_name(models: ModuleType) -> None:
    assert fingerprint(models.deepseek_v3()) == fingerprint(models.deepseek_v3("deepseek-ai/DeepSeek-R1"))


@pytest.mark.parametrize("numbers", [(10000, 10000.0), (1_000_000, 1e6)])
def test_numeric_noise_is_no_difference(models: ModuleType, numbers: tuple[float, float]) -> None:
    first, second = (models.change(models.qwen3(), position__rope_theta=value) for value in numbers)
    assert fingerprint(first) == fingerprint(second)
    assert compare(first, second).changes == ()


def test_the_letters_of_the_kinds_do_not_matter(models: ModuleType) -> None:
    base = models.gemma3()
    kinds = [models.change(kind, id={"A": "X", "B": "Y"}[kind.id]) for kind in base.layers.kinds]
    other = models.change(base, layers=models.stack(kinds, "(X5 Y)10 X2"))
    assert fingerprint(base) == fingerprint(other)
    assert compare(base, other).changes == ()
