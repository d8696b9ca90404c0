"""What changed: the leading comparison ranked with reasons, the others in a sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from watcher.compare import words
from watcher.compare.model import Change, Comparison, Significance, Verdict
from watcher.releases.model import EventKind
from watcher.report.escape import inline
from watcher.report.model import Neighbour, Role, Subject
from watcher.report.neighbours import by_role, called
from watcher.report.peers import beside
from watcher.report.ranking import grouped, ranked
from watcher.report.sections.page import Page, folded
from watcher.report.story import leading, others
from watcher.report.traits import shared_and_own, traits
from watcher.report.why import why

VERDICTS = {
    Verdict.SAME: "The same architecture.",
    Verdict.SCALED: "The same structure at other sizes.",
    Verdict.VARIANT: "A variant: known parts, put together differently.",
    Verdict.NEW: "New: an engine needs new code.",
}


def changes(page: Page) -> Iterator[str]:
    """Against the leading neighbour, then the others."""
    lead = leading(page.draft.lead)
    if lead is None:
        yield from _without_baseline(page)
        return
    comparison = lead.comparison
    yield f"## What changed against {inline(lead.name if page.draft.lead.own_past else called(lead.name))}"
    yield _opening(lead, own_past=page.draft.lead.own_past)
    told, rest = ranked(comparison)
    nearest = by_role(page.draft.lead.neighbours, Role.NEAREST)
    if told:
        yield "\n".join(f"{position}. {_told(change, lead, nearest)}" for position, change in enumerate(told, 1))
    yield from _traits(comparison, told)
    for item in others(page.draft.lead):
        yield _in_short(item, {change.sentence for change in told})
    yield from _at_its_size(page.draft.lead)
    if rest:
        body = "\n".join(f"- {inline(change.sentence, 400)}" for change in rest[:100])
        yield folded(words.counted(len(rest), "smaller change"), body)


def _traits(comparison: Comparison, told: list[Change]) -> Iterator[str]:
    """`**Kept**: MLA, 1 shared expert and 61 layers.` and what else it has that no change of those told says."""
    for title, said in shared_and_own(comparison, told).items():
        yield f"**{title}**: {inline(words.listed(said, most=len(said)), 900)}."


def _at_its_size(subject: Subject) -> Iterator[str]:
    """`**At its size**: shallower (40 layers against 62) than gemma-3-27b-it.`"""
    found = [(item, beside(item.comparison)) for item in subject.neighbours if item.role is Role.PEER]
    said = [f"beside {called(item.name)} {words.listed(clauses)}" for item, clauses in found if clauses]
    if said:
        yield f"**At its size**: {inline('; '.join(said), 900)}."


def _opening(lead: Neighbour, *, own_past: bool) -> str:
    """Who that is; and the verdict, where it is the nearest (a predecessor's news may be old to an engine)."""
    similar = f"Similarity {_percent(lead.comparison)}."
    if lead.role is Role.PREDECESSOR:
        return f"Its predecessor. {similar}"
    about = "" if own_past else f"The nearest known architecture{_line(lead)}. "
    return f"{about}{VERDICTS[lead.comparison.verdict]} {similar}"


def _line(nearest: Neighbour) -> str:
    """`, in the line of DeepSeek-V3`: the earliest of another maker that is about as near, where it is near."""
    origin = nearest.origin.name if nearest.origin else nearest.name
    same = origin.partition("/")[0].lower() == nearest.name.partition("/")[0].lower()
    near = nearest.comparison.similarity >= OF_A_LINE and nearest.comparison.verdict not in (
        Verdict.SAME,
        Verdict.SCALED,
    )
    return f", in the line of {inline(called(origin))}" if near and not same else ""


OF_A_LINE = 0.85


def _without_baseline(page: Page) -> Iterator[str]:
    """What a model is made of that nothing earlier is known to compare with."""
    found = [text for _, text in traits(page.draft.lead.record)]
    if page.draft.event is EventKind.RELEASED and found:
        yield "## What it is made of"
        made_of = inline(words.listed(found, most=len(found)), 900)
        yield f"Nothing earlier is known to compare it with. It has {made_of}."


def _percent(comparison: Comparison) -> str:
    """A similarity; not 100 % for what is only nearly the same."""
    shown = f"{comparison.similarity:.0%}"
    return "over 99%" if shown == "100%" and comparison.similarity < 1 else shown


def _told(change: Change, lead: Neighbour, nearest: Neighbour | None) -> str:
    """`**breaking**: adds DeepSeek Sparse Attention — each query reads only …`."""
    reason = why(change, lead.comparison)
    told = f"**{change.significance.value}**: {inline(change.sentence + _known_from(change, lead, nearest), 500)}"
    return f"{told} — {reason}" if reason else told


def _known_from(change: Change, lead: Neighbour, nearest: Neighbour | None) -> str:
    """` (known from DeepSeek-V3)`: what is new after the predecessor may be what the nearest architecture has."""
    if nearest is None or nearest.name == lead.name or change.significance.rank < Significance.STRUCTURAL.rank:
        return ""
    least = Significance.STRUCTURAL
    if any(other.fact == change.fact and other.significance.at_least(least) for other in nearest.comparison.changes):
        return ""
    return f" (known from {called(nearest.origin.name if nearest.origin else nearest.name)})"


def _near_in_size(comparison: Comparison) -> bool:
    sizes = [side.parameters.total or side.parameters.text or 0 for side in (comparison.a, comparison.b)]
    return 0 < max(sizes) <= COMPARABLE * min(sizes)


COMPARABLE = 2.5
"""Factor of size up to which depth and width are compared with a plain decoder's."""
TITLES = {
    Role.PREDECESSOR: "Its predecessor",
    Role.NEAREST: "Nearest by any maker",
    Role.PLAIN: "Against a plain decoder of its class",
}


def _in_short(item: Neighbour, told: Collection[str]) -> str:
    """`**Nearest by any maker**, DeepSeek-V3 (similarity 91%): adds DeepSeek Sparse Attention.`

    Sentences told already are counted, not told again.
    """
    comparison, plain = item.comparison, item.role is Role.PLAIN
    least = Significance.SCALE if plain else Significance.COSMETIC
    weighty = [change.sentence for change in grouped(comparison.changes) if change.significance.rank > least.rank]
    clauses = [text for text in weighty if text not in told][: 6 if plain else 4]
    if plain and _near_in_size(comparison):
        clauses += beside(comparison)[:2]
    again = sum(text in told for text in weighty)
    if again:
        clauses.append(f"and {words.counted(again, 'of the changes above', 'of the changes above')}")
    same = "the same architecture" if comparison.verdict is Verdict.SAME else "the same structure at other sizes"
    name, percent = inline(called(item.name)), _percent(comparison)
    verdict = f", {comparison.verdict.value}" if item.role is Role.NEAREST else ""
    told_now = "; ".join(clauses) or same
    return f"**{TITLES[item.role]}**, {name} (similarity {percent}{verdict}): {inline(told_now, 900)}."
