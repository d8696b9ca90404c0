"""What is new, ranked: which comparison leads, its changes worth telling, and the clauses a headline is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from watcher.architecture.record import Architecture, MixEntry
from watcher.compare import words
from watcher.compare.model import Change, Comparison, Significance, Verdict
from watcher.report.model import Neighbour, Role, Subject
from watcher.report.neighbours import by_role, called

MOST = 7
"""Changes that are told; what is smaller stays in the record."""
NOTICEABLE = 1.25
"""A KV cache that is larger or smaller by this factor is worth a clause."""


def leading(subject: Subject) -> Neighbour | None:
    """The comparison that is told first.

    The predecessor's, when the model is more than a known architecture at another size; else the nearest's, which is
    the one the verdict is about.
    """
    if subject.comparison is None or subject.baseline is None:
        return None
    nearest = Neighbour(role=Role.NEAREST, name=subject.baseline, comparison=subject.comparison)
    before = by_role(subject.neighbours, Role.PREDECESSOR)
    known = subject.comparison.verdict in (Verdict.SAME, Verdict.SCALED)
    return nearest if before is None or known or subject.own_past else before


def others(subject: Subject) -> list[Neighbour]:
    """The comparisons that are told after the leading one, in a few words each."""
    lead = leading(subject)
    return [item for item in subject.neighbours if lead is not None and item.name != lead.name]


def ranked(comparison: Comparison) -> tuple[list[Change], list[Change]]:
    """At most seven changes, the weightiest first, cosmetic ones only where there is nothing else; and the rest."""
    changes = sorted(grouped(comparison.changes), key=_weight)
    weighty = [change for change in changes if change.significance.rank > 0]
    told = (weighty or [change for change in changes if change.fact != "unknown"])[:MOST]
    return told, [change for change in changes if change not in told]


def _weight(change: Change) -> tuple[int, int]:
    """By significance; sizes then by what a reader asks for first, everything else in the order of the rules."""
    place = SIZES.index(change.fact) if change.fact in SIZES else len(SIZES)
    return (-change.significance.rank, place if change.significance is Significance.SCALE else 0)


SIZES = (
    "parameters",
    "moe.num_experts",
    "kv_cache.nominal_bytes_per_token",
    "kv_cache.bytes_per_token",
    "kv_cache.state_bytes",
    "context_length",
    "layers.count",
    "moe.num_experts_per_tok",
    "moe.num_shared_experts",
    "moe.moe_intermediate_size",
    "attention.num_attention_heads",
    "attention.num_key_value_heads",
    "attention.sliding_window",
    "hidden_size",
    "feed_forward.intermediate_size",
    "vocab_size",
)
"""Facts about size, those a reader asks for first at the front."""


def grouped(changes: Iterable[Change]) -> list[Change]:
    """The changes, config keys that no reference knows as one."""
    found = list(changes)
    keys = [
        change for change in found if change.fact.startswith("config.") and change.significance is Significance.BREAKING
    ]
    if len(keys) < 2:
        return found
    names = [change.fact.removeprefix("config.") for change in keys]
    sentence = f"{words.counted(len(keys), 'config key')} that no reference knows: {words.keys_listed(names, most=6)}"
    whole = Change(fact=NOVEL_KEYS, before=None, after=names, significance=keys[0].significance, sentence=sentence)
    return [whole if change is keys[0] else change for change in found if change is keys[0] or change not in keys]


NOVEL_KEYS = "novel.config_keys"


# Clauses of a headline.

Clause = Callable[[Neighbour, Neighbour | None], str | None]


def clauses(lead: Neighbour, nearest: Neighbour | None, most: int = 4) -> list[str]:
    """What a headline says of a model: the attention that came, what else is structural, then the telling numbers."""
    said: dict[str, None] = {}
    structural = [_attention(lead, nearest), *_structural(lead)]
    for text in (*structural, *(clause(lead, nearest) for clause in NUMBERS)):
        if text and len(said) < most:
            said.setdefault(text)
    return [*said] or [change.sentence for change in lead.comparison.changes if change.fact != "unknown"][:1]


def _attention(lead: Neighbour, nearest: Neighbour | None) -> str | None:
    """`DeepSeek-V3's MLA with DeepSeek Sparse Attention replaces GLM-4.7's GQA`."""
    before, after = (_mix(side) for side in (lead.comparison.a.layers.mix, lead.comparison.b.layers.mix))
    gained = [kind for kind in after if kind not in before and kind not in SUBLAYERS]
    lost = [kind for kind in before if kind not in after and kind not in SUBLAYERS]
    if not before or not after or not gained:
        return f"drops {words.listed([words.short(kind) for kind in lost])}" if before and after and lost else None
    text = words.listed(_shares(after, gained)) + _with_sparse(lead, nearest)
    owner = _owner(lead, nearest, gained)
    if not lost:
        return f"adds {owner}{text}"
    verb = "replaces" if len(gained) == 1 else "replace"
    return f"{owner}{text} {verb} {called(lead.name)}'s {words.listed([words.short(kind) for kind in lost])}"


def _shares(mix: dict[str, int], kinds: list[str]) -> list[str]:
    """`Gated DeltaNet in 36 of 48 layers`, `gated attention in 12`; the kind alone where it is in every layer."""
    whole = sum(mix.values())
    shares = ["" if mix[kind] == whole else f" in {mix[kind]}" for kind in kinds]
    if shares[0]:
        shares[0] += f" of {words.counted(whole, 'layer')}"
    return [f"{words.short(kind)}{share}" for kind, share in zip(kinds, shares, strict=True)]


def _mix(mix: Iterable[MixEntry]) -> dict[str, int]:
    return {item.kind: item.count for item in mix}


def _owner(lead: Neighbour, nearest: Neighbour | None, gained: list[str]) -> str:
    """Whose the attention is, when the nearest architecture has it already: the earliest one like it."""
    if nearest is None or nearest.name == lead.name or nearest.origin is None:
        return ""
    theirs = _mix(nearest.origin.record.layers.mix)
    return f"{called(nearest.origin.name)}'s " if all(kind in theirs for kind in gained) else ""


def _with_sparse(lead: Neighbour, nearest: Neighbour | None) -> str:
    """` with DeepSeek Sparse Attention`; ` plus` it, where the architecture that the rest is from has it not."""
    sparse = lead.comparison.b.attention.sparse
    if sparse is None or lead.comparison.a.attention.sparse is not None or sparse.kind in _kinds(lead.comparison.b):
        return ""
    origin = nearest.origin.record if nearest is not None and nearest.origin is not None else None
    word = "plus" if origin is not None and origin.attention.sparse is None else "with"
    return f" {word} {words.named(sparse.kind, words.SPARSE)}"


def _kinds(record: Architecture) -> set[str | None]:
    return {kind.mixer for kind in record.layers.kinds}


def _structural(lead: Neighbour) -> Iterator[str]:
    """Sentences of what needs new code or changes the structure, without what the other clauses say."""
    attention = _attention(lead, None) is not None
    for change in sorted(grouped(lead.comparison.changes), key=_is_naming):
        if change.significance.rank < Significance.STRUCTURAL.rank or change.fact in TOLD_ELSEWHERE:
            continue
        if (attention and change.fact in OF_ATTENTION) or change.sentence.startswith(OF_A_KIND):
            continue
        yield change.sentence


def _is_naming(change: Change) -> bool:
    """Whether this is no more than another name for an encoder: the last thing to tell."""
    return change.fact == "towers" and " instead of " in change.sentence


SUBLAYERS = ("moe", "ffn")
"""Mixer words of stacks whose entries are single sublayers: no attention."""
TOLD_ELSEWHERE = ("decoder_type", "unknown", "model.modalities")
OF_A_KIND = ("adds layers of the kind", "drops the layers of the kind")
"""Sentences about one kind of layer, which the facts that set it apart tell better."""
OF_ATTENTION = ("layers.mix", "layers.pattern", "attention.sparse", "attention.mla")


def _experts(lead: Neighbour, nearest: Neighbour | None) -> str | None:
    before, after = lead.comparison.a.moe, lead.comparison.b.moe
    if before is None or after is None or not before.num_experts or not after.num_experts:
        return None
    if before.num_experts == after.num_experts:
        return None
    return f"{words.counted(after.num_experts, 'expert')} instead of {words.number(before.num_experts)}"


def _cache(lead: Neighbour, nearest: Neighbour | None) -> str | None:
    """`nominal KV cache per token down from 368 to 88 KiB`."""
    before, after = (side.kv_cache.nominal_bytes_per_token for side in (lead.comparison.a, lead.comparison.b))
    if not before or not after or max(before, after) < NOTICEABLE * min(before, after):
        return None
    old, new = _whole(before), _whole(after)
    if old.split(" ")[-1] == new.split(" ")[-1]:
        old = old.rsplit(" ", 1)[0]
    return f"nominal KV cache per token {'down' if after < before else 'up'} from {old} to {new}"


def _whole(value: float) -> str:
    """A size as prose has it: without a decimal from ten up."""
    amount, unit = words.size(value).rsplit(" ", 1)
    number = float(amount.replace(",", ""))
    return f"{round(number):,} {unit}" if number >= 10 else f"{amount} {unit}"


def _instead(noun: str, get: Callable[[Architecture], int | None], plural: str = "") -> Clause:
    def clause(lead: Neighbour, nearest: Neighbour | None) -> str | None:
        before, after = get(lead.comparison.a), get(lead.comparison.b)
        if not before or not after or before == after:
            return None
        return f"{words.counted(after, noun, plural)} instead of {words.number(before)}"

    return clause


NUMBERS: tuple[Clause, ...] = (
    _experts,
    _cache,
    _instead("layer", lambda record: record.layers.count),
    _instead("attention head", lambda record: record.attention.num_attention_heads),
    _instead("token of context", lambda record: record.context_length, "tokens of context"),
)
"""The numbers a headline may end with, the most telling first."""
