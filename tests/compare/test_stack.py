"""The order of layers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.compare.stack import MAX_LAYERS, expand, order, written


@pytest.mark.parametrize(
    ("sequence", "layers"),
    [("A", 1), ("A3 B58", 61), ("(A3 B)12", 48), ("(A5 B)10 A2", 62), ("(A (B C)2 D)3", 18), ("AA2 AB", 3)],
)
def test_a_sequence_is_expanded(sequence: str, layers: int) -> None:
    assert len(expand(sequence) or []) == layers


WRONG = ["A(", "))", "(A", "3", "A-B", f"A{MAX_LAYERS + 1}", "(A999 B999)999", "((((((((A"]


@pytest.mark.parametrize("sequence", WRONG)
def test_what_is_malformed_or_too_long_is_not_expanded(sequence: str) -> None:
    assert expand(sequence) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A3 B58", "A1 B77"),
        ("(A3 B)12", "(A3 B)20"),
        ("(A5 B)10 A2", "(A5 B)5 A4"),
        ("(A5 B)10 A2", "(A5 B)8"),
        ("A32", "A80"),
        ("A (A3 B)6", "A (A3 B)12"),
        ("(A3 B)6 A2 B", "(A3 B)9 A2 B"),
    ],
)
def test_depth_does_not_change_the_order(first: str, second: str) -> None:
    assert order(expand(first) or []) == order(expand(second) or [])


@pytest.mark.parametrize(("first", "second"), [("(A3 B)12", "(A5 B)12"), ("A3 B58", "B61"), ("A B A2 B3", "(A B)4")])
def test_another_mix_is_another_order(first: str, second: str) -> None:
    assert order(expand(first) or []) != order(expand(second) or [])


def test_the_order_reads_as_prefix_unit_and_tail() -> None:
    assert str(order(expand("A3 B58") or [])) == "A… B…"
    assert str(order(expand("(A5 B)10 A2") or [])) == "(5×A B)…"
    assert str(order(expand("(A3 B)6 A2 B") or [])) == "(3×A B)… B"


@given(st.lists(st.sampled_from("ABC"), max_size=60))
def test_any_stack_has_an_order_and_is_written_back(layers: list[str]) -> None:
    assert str(order(layers)) or not layers
    assert [name for run in written(layers).split() for name in _repeat(run)] == layers


def _repeat(run: str) -> list[str]:
    count, _, name = run.rpartition("×")
    return [name] * int(count or 1)


@given(st.text("AB()23 ", max_size=30))
def test_any_text_is_answered(sequence: str) -> None:
    layers = expand(sequence)
    assert layers is None or len(layers) <= MAX_LAYERS
