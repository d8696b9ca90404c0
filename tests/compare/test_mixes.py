"""How a mixed stack is told: the ratio, whatever stands at its ends, and the layers without positions."""

from __future__ import annotations

from types import ModuleType

import pytest

from watcher.architecture.record import Architecture
from watcher.compare import mixes, words

STACKS = (
    ("(A5 B)4", {"A": "sliding", "B": "gqa"}, "5:1 sliding-window/global attention"),
    ("B A4 (B A5)7 B", {"A": "sliding", "B": "gqa"}, "5:1 sliding-window/global attention"),
    ("(A B)12", {"A": "sliding", "B": "mha"}, "1:1 sliding-window/global attention"),
    ("(A3 B)12", {"A": "gated-deltanet", "B": "gated-attention"}, "3:1 Gated DeltaNet/gated attention"),
    ("(A7 B)10", {"A": "lightning", "B": "mla"}, "7:1 lightning attention/MLA"),
    ("A48", {"A": "gqa"}, None),
    ("A2 B A5 B A B A3 B", {"A": "kda", "B": "mla"}, None),
    ("(A B C)8", {"A": "sliding", "B": "csa", "C": "hca"}, None),
    ("(A B)4 C (A B)4 C", {"A": "mamba2", "B": "moe", "C": "gqa"}, None),
)


def stacked(
    models: ModuleType, sequence: str, mixers: dict[str, str], rope: dict[str, bool] | None = None
) -> Architecture:
    letters = [letter for letter in sequence if letter.isalpha()]
    kinds = [
        models.kind(letter, mixers[letter], "dense", 1, num_attention_heads=8, rope=(rope or {}).get(letter, True))
        for letter in dict.fromkeys(letters)
    ]
    made: Architecture = models.change(models.qwen3(48), layers=models.stack(kinds, sequence))
    return made


@pytest.mark.parametrize(("sequence", "mixers", "told"), STACKS)
def test_the_ratio_of_two_kinds(models: ModuleType, sequence: str, mixers: dict[str, str], told: str | None) -> None:
    found = mixes.ratio(stacked(models, sequence, mixers))
    assert (str(found) if found else None) == told


@pytest.mark.parametrize(
    ("sequence", "rope", "told"),
    [
        ("(A3 B)9", {"B": False}, "every 4th layer"),
        ("B A4 (B A5)7 B", {"B": False}, "the global layers"),
        ("A B A2", {"B": False}, "the global layers"),
        ("(A B)4", {}, None),
        ("A8", {"A": False}, None),
    ],
)
def test_the_layers_without_positions(
    models: ModuleType, sequence: str, rope: dict[str, bool], told: str | None
) -> None:
    assert mixes.nope(stacked(models, sequence, {"A": "sliding", "B": "gqa"}, rope)) == told


def test_ordinals() -> None:
    assert [words.ordinal(count) for count in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip


def test_mixers_side_by_side_and_unknown_ones() -> None:
    assert words.short("gqa+mamba2") == "GQA with Mamba-2 in parallel"
    assert words.mixer("gqa") == "grouped-query attention (GQA)"
    assert words.short("warp+gqa") == "“warp+gqa” layers"
