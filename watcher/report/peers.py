"""How a model stands beside others of its size: deeper, wider, with a smaller cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watcher.architecture.record import Architecture
from watcher.compare import words
from watcher.compare.model import Comparison

Number = Callable[[Architecture], int | float | None]
Pair = Callable[[int | float, int | float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """One row: a number, what more and less of it is called, and from which factor on it is worth telling."""

    get: Number
    more: str
    less: str
    said: Pair
    factor: float = 1.15


def _numbers(noun: str = "") -> Pair:
    """`40 layers against 62`."""
    return lambda mine, theirs: (
        f"{words.counted(mine, noun) if noun else words.number(mine)} against {words.number(theirs)}"
    )


def _bytes(mine: int | float, theirs: int | float) -> str:
    """`160 against 496 KiB`."""
    one, other = words.size(mine), words.size(theirs)
    alike = one.rsplit(" ", 1)[1] == other.rsplit(" ", 1)[1]
    return f"{one.rsplit(' ', 1)[0] if alike else one} against {other}"


def _parameters(mine: int | float, theirs: int | float) -> str:
    return f"{words.parameters(mine)} against {words.parameters(theirs)}"


SCALES: tuple[Scale, ...] = (
    Scale(lambda record: record.layers.count, "deeper", "shallower", _numbers("layer")),
    Scale(lambda record: record.hidden_size, "wider", "narrower", _numbers()),
    Scale(lambda record: record.kv_cache.nominal_bytes_per_token, "a larger nominal KV cache per token",
          "a smaller nominal KV cache per token", _bytes, 1.25),
    Scale(lambda record: record.parameters.active if record.moe else None, "more active parameters",
          "fewer active parameters", _parameters, 1.25),
    Scale(lambda record: record.moe.num_experts if record.moe else None, "more experts", "fewer experts", _numbers()),
    Scale(lambda record: record.vocab_size, "a larger vocabulary", "a smaller vocabulary", _numbers(), 1.25),
    Scale(lambda record: record.attention.num_attention_heads, "more attention heads", "fewer attention heads",
          _numbers()),
)  # fmt: skip
"""The most telling first; a new number is a row here."""
MOST = 3


def beside(comparison: Comparison) -> list[str]:
    """`shallower (40 layers against 62)`, a clause a number that is far enough apart."""
    return [text for scale in SCALES if (text := _told(scale, comparison))][:MOST]


def _told(scale: Scale, comparison: Comparison) -> str | None:
    theirs, mine = scale.get(comparison.a), scale.get(comparison.b)
    if not theirs or not mine or max(theirs, mine) < scale.factor * min(theirs, mine):
        return None
    return f"{scale.more if mine > theirs else scale.less} ({scale.said(mine, theirs)})"
