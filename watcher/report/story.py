"""Which comparison is told first, and the clauses that a headline is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from watcher.architecture.record import Architecture, MixEntry
from watcher.compare import mixes, words
from watcher.compare.model import Significance, Verdict
from watcher.report.model import Neighbour, Role, Subject
from watcher.report.neighbours import by_role, called
from watcher.report.ranking import NAMES, grouped, is_naming
from watcher.report.traits import also

NOTICEABLE = 1.25
"""A KV cache that is larger or smaller by this factor is worth a clause."""


def leading(subject: Subject) -> Neighbour | None:
    """The comparison that is told first.

    The predecessor's, when the model is more than a known architecture at another size; else the nearest's, which is
    the one the verdict is about.
    """
    if subject.comparison is None or subject.baseline is None:
        return None
    alone = Neighbour(role=Role.NEAREST, name=subject.baseline, comparison=subject.comparison)
    nearest = by_role(subject.neighbours, Role.NEAREST) or alone
    before = by_role(subject.neighbours, Role.PREDECESSOR)
    known = subject.comparison.verdict in (Verdict.SAME, Verdict.SCALED)
    return nearest if before is None or known or subject.own_past else before


def others(subject: Subject) -> list[Neighbour]:
    """The comparisons that are told after the leading one, in a few words each."""
    lead = leading(subject)
    beside = [item for item in subject.neighbours if item.role is not Role.PEER]
    return [item for item in beside if lead is not None and item.name != lead.name]


Clause = Callable[[Neighbour, Neighbour | None], str | None]


STRUCTURES, FEWEST, ENOUGH = 3, 3, 2
"""Clauses about structure at most; below so many in all, sizes of any kind are told; below so many what it has."""


def clauses(lead: Neighbour, nearest: Neighbour | None) -> list[str]:
    """What a headline says of a model: the attention that came, what else is structural, then the telling numbers."""
    attention = _attention(lead, nearest)
    said = [*([attention] if attention else []), *_structural(lead)][:STRUCTURES]
    said += [text for clause in TELLING if (text := clause(lead, nearest))]
    said += [text for clause in SIZES if (text := clause(lead, nearest))][: max(FEWEST - len(said), 0)]
    found = [*dict.fromkeys(said or _namings(lead))]
    if len(found) < ENOUGH and len(own := _own(lead)) > 1:
        found.append(words.listed(own))
    return found or [change.sentence for change in lead.comparison.changes if change.fact != "unknown"][:1]


def _own(lead: Neighbour) -> list[str]:
    """What is known of the model alone, where the comparison has little to say of a structure that it has news of."""
    sizes_known = lead.comparison.a.layers.count is not None
    if sizes_known and lead.comparison.verdict in (Verdict.SAME, Verdict.SCALED):
        return []
    told = {change.fact for change in lead.comparison.changes}
    return also(lead.comparison.a, lead.comparison.b, told)[:3]


def _attention(lead: Neighbour, nearest: Neighbour | None) -> str | None:
    """`DeepSeek-V3's MLA with DeepSeek Sparse Attention replaces GLM-4.7's GQA`."""
    before, after = (_mix(side) for side in (lead.comparison.a.layers.mix, lead.comparison.b.layers.mix))
    gained = [kind for kind in after if kind not in before and kind not in SUBLAYERS]
    lost = [kind for kind in before if kind not in after and kind not in SUBLAYERS]
    if not before or not after or not gained:
        return f"drops {words.listed([words.short(kind) for kind in lost])}" if before and after and lost else None
    ratio = mixes.in_brackets(lead.comparison.b, gained)
    text = words.listed(_shares(after, gained)) + ratio + _with_sparse(lead, nearest)
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
    """Sentences of what needs new code or changes the structure, without what the other clauses say; names last."""
    attention = _attention(lead, None) is not None
    for change in sorted(grouped(lead.comparison.changes), key=lambda change: change.fact.startswith(NAMES)):
        if change.significance.rank < Significance.STRUCTURAL.rank or change.fact in TOLD_ELSEWHERE:
            continue
        if is_naming(change) or change.sentence.startswith(OF_A_KIND) or (attention and change.fact in OF_ATTENTION):
            continue
        yield change.sentence


def _namings(lead: Neighbour) -> Iterator[str]:
    """Other names for encoders, where there is nothing else to tell."""
    return (change.sentence for change in lead.comparison.changes if is_naming(change))


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
    if before and after == 0:
        state = lead.comparison.b.kv_cache.state_bytes
        return f"no KV cache, {words.size(state)} of constant state per sequence" if state else "no KV cache"
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


TELLING: tuple[Clause, ...] = (_experts, _cache)
SIZES: tuple[Clause, ...] = (
    _instead("layer", lambda record: record.layers.count),
    _instead("attention head", lambda record: record.attention.num_attention_heads),
    _instead("token of context", lambda record: record.context_length, "tokens of context"),
)
"""The numbers a headline may end with, the most telling first."""
