"""What a card says, weighed against what was read: what differs beyond rounding is a disagreement, not a belief."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from watcher.architecture.belief import Beliefs
from watcher.architecture.card.labels import Said
from watcher.architecture.card.witness import CARD

Get = Callable[[str], Any]

VENDOR = 0.06
"""How far a vendor's round number of parameters is from the count at most (ARCH: Kimi Linear says 48, has 49.1)."""
TOKENS = 0.02
PADDED = 0.005
"""A matrix may have more rows than the tokenizer has words."""


def _whole(get: Get) -> Iterator[Any]:
    """Total counts that vendors state: with and without towers, prediction layers, embeddings."""
    total, text, mtp = get("parameters.total"), get("parameters.text"), get("parameters.mtp") or 0
    for count in (total, text):
        if count is not None:
            yield from (count, count + mtp)
    yield get("parameters.stored")


def _without_embedding(get: Get) -> Iterator[Any]:
    text, table = get("parameters.text"), get("parameters.embedding")
    if text is not None and table is not None:
        yield from (text - table, text - 2 * table)


def _active(get: Get) -> Iterator[Any]:
    """The three rules of vendors: all that a token touches, without the input table, without both tables."""
    with_table, table = get("parameters.active_with_embedding"), get("parameters.embedding") or 0
    yield get("parameters.active")
    if with_table is not None:
        yield from (with_table, with_table - table, with_table - 2 * table)


def _plus(fact: str, *more: str) -> Callable[[Get], Iterator[Any]]:
    """The fact, and the fact with others that some count in."""

    def values(get: Get) -> Iterator[Any]:
        value = get(fact)
        if isinstance(value, int):
            yield value
            yield from (value + (get(other) or 0) for other in more)

    return values


MEANT: dict[str, Callable[[Get], Iterator[Any]]] = {
    "parameters.total": _whole,
    "parameters.active": _active,
    "layers.count": _plus("layers.count", "mtp_layers"),
    "moe.num_experts": _plus("moe.num_experts", "moe.num_shared_experts", "moe.zero_experts"),
    "moe.num_experts_per_tok": _plus("moe.num_experts_per_tok", "moe.num_shared_experts"),
}
"""Fact → the values of ours that a card may mean by it; any other fact is itself alone."""

SLACK = {"parameters.total": VENDOR, "parameters.active": VENDOR, "context_length": TOKENS, "vocab_size": PADDED}


def weigh(beliefs: Beliefs, statements: Iterable[Said]) -> None:
    """List what the card says differently, a fact at most once; one statement that agrees speaks for the card."""
    by_fact: dict[str, list[Said]] = {}
    for said in statements:
        by_fact.setdefault(said.fact, []).append(said)
    _tell_context(beliefs, by_fact.get(CONTEXT, []))
    for fact, told in by_fact.items():
        if not isinstance(beliefs.get(fact), (int, float)):
            continue
        differing = [said for said in told if not _agrees(beliefs, said)]
        extended = next((said for said in told if said.extended and not _reaches(beliefs, said)), None)
        if len(differing) == len(told):
            said = differing[0]
            beliefs.contradict(fact, "card", said.amounts[0].value, _where(said), _note(said))
        elif extended is not None and extended.extended is not None:
            value = extended.extended.value
            beliefs.contradict(fact, "card", value, _where(extended), "only the card extends it")


CONTEXT = "context_length"


def _tell_context(beliefs: Beliefs, told: list[Said]) -> None:
    """A context length that nobody else tells, where the card says one and the same: in doubt, for cards round."""
    lengths = {said.amounts[0].value for said in told}
    if CONTEXT not in beliefs.told and len(lengths) == 1:
        beliefs.claim(CONTEXT, lengths.pop(), _where(told[0]), witness="card", certain=False)


def _where(said: Said) -> str:
    return f"{CARD}:{said.line}: {said.quote}"


def _note(said: Said) -> str | None:
    return f"the card extends it to {said.extended.value:,}" if said.extended else None


def _agrees(beliefs: Beliefs, said: Said) -> bool:
    """Whether the card may mean what is believed, or anything that is counted beside it."""
    meant = _without_embedding if _is_without(said) else MEANT.get(said.fact, _plus(said.fact))
    ours = [value for value in meant(beliefs.get) if isinstance(value, int) and value > 0]
    slack, rounded = SLACK.get(said.fact, 0.0), said.fact != "context_length"
    fits = any(item.near(value, slack=slack, rounded=rounded) for item in said.amounts for value in ours)
    return fits or not ours or _reaches(beliefs, said)


WITHOUT = ("non-embedding", "without embed", "excluding embed", "不含")


def _is_without(said: Said) -> bool:
    return said.fact == "parameters.total" and any(word in said.remark for word in WITHOUT)


def _reaches(beliefs: Beliefs, said: Said) -> bool:
    """Whether the config already has the extended length."""
    value = beliefs.get(said.fact)
    return (
        said.extended is not None and isinstance(value, int) and said.extended.near(value, slack=TOKENS, rounded=False)
    )
