"""What the labels of a card mean: label → fact, as a table, and how its value is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watcher.architecture.card.quantity import Quantity, quantities


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a card says of one fact."""

    fact: str
    amounts: tuple[Quantity, ...]
    """What it may mean; the first is what it says."""
    line: int
    quote: str
    remark: str = ""
    """What it says beside: `non-embedding`, `natively`."""
    extended: Quantity | None = None
    """A context length that is reached by other means than training."""


Reader = Callable[[str, str], Iterator[tuple[str, tuple[Quantity, ...], Quantity | None]]]
"""(fact, value) → facts with what they may be, and an extension."""

Read = tuple[str, tuple[Quantity, ...], Quantity | None]


_ACTIVE = re.compile(r"\s*(?:param(?:eter)?s?\s+)?(?:are\s+)?activ(?:e|ated)\b", re.IGNORECASE)


def _count(fact: str, value: str) -> Iterator[Read]:
    """Numbers of parameters: `80B in total and 3B activated`; `2.3B effective (5.1B with embeddings)` may be either."""
    if re.search(r"\d\s*[x×]\s*\d|tokens", value):
        return
    found = [item for item in quantities(value) if item.value >= 10**6]
    active = tuple(item for item in found if _ACTIVE.match(value, item.end))
    rest = tuple(item for item in found if item not in active)
    if rest:
        yield fact, rest, None
    if active:
        yield "parameters.active", active, None


EXTENSION = re.compile(
    r"yarn|exten[ds]|expand|extrapol|scal(ed|ing|able)|with rope|\bntk\b|longrope|self-?extend|dual chunk",
    re.IGNORECASE,
)


def _tokens(fact: str, value: str) -> Iterator[Read]:
    """A length in tokens, and the longer one that a method of extension reaches."""
    found = [item for item in quantities(value, tokens=True) if 512 <= item.value <= 10**9]
    if not found or re.search(r"\b(output|generat|respon|patch|image|frame)\w*", value, re.IGNORECASE):
        return
    first, *rest = found
    longer = max(rest, key=lambda item: item.value, default=None)
    if longer is not None and longer.value > first.value:
        if EXTENSION.search(value):
            yield fact, (first,), longer
        return  # lengths of several sizes or modes: whose is not told
    if not (EXTENSION.search(value[: first.end]) and len(found) == 1):
        yield fact, (first,), None


_WHOLE = re.compile(r"\D{0,2}(\d[\d,]*)(?![\d.,]*\s?[kKmMbBtT%]\b)(?!\.\d)")


def _whole(fact: str, value: str) -> Iterator[Read]:
    """A plain number at the front of the value; what follows explains it."""
    match = _WHOLE.match(value)
    if match and match[1] and not re.match(r"\s*(?:[-–~]|to|or|/)\s*\d", value[match.end() :]):
        number = int(match[1].replace(",", "")[:12] or 0)
        if number > 0:
            yield fact, (Quantity(match[1], number, (number,), 0),), None


_PART = re.compile(r"(\d{1,6})\s*(?:\(|for |as )?\s*(q(?:uer\w+)?|kv|k/v|key[- /]values?)\b", re.IGNORECASE)
HEADS = {"q": "attention.num_attention_heads", "k": "attention.num_key_value_heads"}


def _heads(fact: str, value: str) -> Iterator[Read]:
    """`32 for Q and 8 for KV`, or one number."""
    parts = _PART.findall(value)
    for number, part in parts:
        yield HEADS[part[0].lower()], (Quantity(number, int(number), (int(number),), 0),), None
    if not parts and len(re.findall(r"\d+", value)) == 1:
        yield from _whole(fact, value)


_EXPERTS = re.compile(r"(\d{1,5})\s*(active|activated|total|routed|shared)", re.IGNORECASE)
EXPERTS = {
    "active": "moe.num_experts_per_tok",
    "activated": "moe.num_experts_per_tok",
    "total": "moe.num_experts",
    "shared": "moe.num_shared_experts",
}


def _experts(fact: str, value: str) -> Iterator[Read]:
    """`8 active / 128 total and 1 shared`, or one number; `10 routed + 1 shared` is of what the label says."""
    for number, word in _EXPERTS.findall(value):
        named = EXPERTS.get(word.lower(), fact)
        yield named, (Quantity(number, int(number), (int(number),), 0),), None
    if not _EXPERTS.search(value):
        yield from _whole(fact, value)


def _rows(fact: str, value: str) -> Iterator[Read]:
    """The size of a vocabulary, written out or in K."""
    found = next((item for item in quantities(value, tokens=True) if 1000 <= item.value <= 10**7), None)
    if found is not None:
        yield fact, (found,), None


PHRASES: tuple[tuple[str, Reader, str], ...] = (
    ("parameters.total", _count, "parameters; model parameters; all parameters; model size; 参数量; 总参数量"),
    ("parameters.active", _count, "active parameters; parameters active; 激活参数; 激活参数量"),
    ("context_length", _tokens, "context length; context window; context size; sequence length; position embeddings"),
    ("context_length", _tokens, "model context length; input context length; 上下文长度"),
    ("layers.count", _whole, "layers; hidden layers; transformer layers; decoder layers; 层数"),
    ("moe.dense_layers", _whole, "dense layers"),
    ("vocab_size", _rows, "vocabulary size; vocabulary; 词表大小"),
    ("hidden_size", _whole, "hidden size; attention hidden size; model hidden size; embedding size; d model"),
    ("moe.moe_intermediate_size", _whole, "moe hidden size; moe intermediate size; expert size; expert hidden size"),
    ("moe.moe_intermediate_size", _whole, "expert intermediate size"),
    ("attention.num_attention_heads", _heads, "attention heads; query heads; q heads; heads"),
    ("attention.num_key_value_heads", _heads, "kv heads; key value heads"),
    ("attention.head_dim", _whole, "attention head size"),
    ("attention.sliding_window", _tokens, "sliding window; sliding window size"),
    ("moe.num_experts", _experts, "experts; expert; routed experts; 专家数"),
    ("moe.num_experts_per_tok", _experts, "active experts; selected experts; experts active; moe topk; moe top k"),
    ("moe.num_shared_experts", _whole, "shared experts"),
)
"""Fact, how its value is read, and the labels that state it, as `_phrase` leaves them."""

SYNONYMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"[_/#|-]+", " "),
        (r"\bparam(et|at)?(er)?s?\b", "parameters"),
        (r"\bactivated\b", "active"),
        (r"\b(dim(ension)?s?|width)\b", "size"),
        (r"\bvocab\b", "vocabulary"),
        (r"(?<!active )(?<!selected )\bexperts per token\b", "active experts"),
        (r"\b(per (token|expert)|num(ber)?|no\.|total|max(imum)?|native|count|of|used|in)(?!\w)", " "),
    )
)
"""What the words of a label are replaced with, in this order: the last row drops what tells nothing apart."""

LABELS: dict[str, tuple[str, Reader]] = {}
for _fact, _reader, _phrases in PHRASES:
    for _one in _phrases.split("; "):
        LABELS.setdefault(_one, (_fact, _reader))

_REMARK = re.compile(r"\(([^)]*)\)")


def meaning(label: str) -> tuple[str, Reader] | None:
    """(fact, how its value is read) of a label; None for one that means nothing here."""
    phrase = _REMARK.sub(" ", label).lower()
    for pattern, word in SYNONYMS:
        phrase = pattern.sub(word, phrase)
    return LABELS.get(" ".join(phrase.split()))


def read_label(label: str, value: str, line: int) -> Iterator[Said]:
    """What a label with its value says."""
    found = meaning(label)
    if found is None:
        return
    fact, reader = found
    remark = f"{' '.join(_REMARK.findall(label))} {value}".lower()[:200]
    for told, amounts, extended in reader(fact, value):
        yield Said(told, amounts, line, f"{label}: {value}"[:120], remark, extended)
