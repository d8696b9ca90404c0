"""The one sentence a person would write; sentences are made from facts only."""

from __future__ import annotations

from collections.abc import Callable

from watcher.architecture.record import Architecture
from watcher.compare.model import Comparison, Verdict
from watcher.releases.model import EventKind
from watcher.report.escape import clean, short
from watcher.report.model import Draft, Neighbour, Role
from watcher.report.neighbours import by_role, called
from watcher.report.numbers import count
from watcher.report.story import clauses, leading
from watcher.report.summary import in_short


def headline(draft: Draft) -> str:
    """Plain text, one line."""
    told = EVENTS.get(draft.event, _released)
    return clean(told(draft), 400)


def sized(draft: Draft) -> str:
    """`GLM-5 (744B, 40.8B active)`; the sizes are left out when they are unknown."""
    repos = draft.lead.repos
    name = short(repos[0].name) if repos else draft.organization
    numbers = _sizes(draft.lead.record)
    return f"{name} ({numbers})" if numbers else name


def _sizes(record: Architecture) -> str:
    total = record.parameters.total or record.parameters.text or record.parameters.stored
    active = record.parameters.active
    if total is None:
        return ""
    sparse = record.moe is not None and active is not None
    return f"{count(total)}, {count(active)} active" if sparse else count(total)


def _released(draft: Draft) -> str:
    lead = draft.lead
    if lead.unreadable is not None:
        return _unreadable(draft)
    comparison = lead.comparison
    if comparison is None or lead.baseline is None:
        return f"{sized(draft)} is out: {in_short(lead.record) or 'nothing known to compare with'}"
    if comparison.verdict is Verdict.SAME:
        return f"{sized(draft)}: same architecture as {called(lead.baseline)}, {_weights(comparison)}"
    nearest = by_role(lead.neighbours, Role.NEAREST)
    first = leading(lead) or Neighbour(role=Role.NEAREST, name=lead.baseline, comparison=comparison)
    told = _fitting(clauses(first, nearest))
    if f"{called(first.name)}'s " in told[0]:
        return f"{sized(draft)}: {'; '.join(told)}"
    return f"{sized(draft)}{_relation(first, comparison.verdict)}: {'; '.join(told)}"


def _weights(comparison: Comparison) -> str:
    """`new weights`, or how a copy of another precision is stored."""
    quantized = comparison.b.quantization
    if quantized is None or quantized == comparison.a.quantization:
        return "new weights"
    bits = f" ({quantized.bits:g} bits)" if quantized.bits else ""
    return f"weights in {clean(quantized.method, 40)}{bits}"


LONGEST = 240
"""Characters of the clauses together; further ones are left to the page."""


ALIKE, FAR_APART = 1.02, 3
"""Factors: sizes this near are not another size; a predecessor this far in size is named with it."""


def _fitting(told: list[str]) -> list[str]:
    kept = told[:1]
    for text in told[1:]:
        if sum(map(len, kept)) + len(text) <= LONGEST:
            kept.append(text)
    return kept


def _relation(first: Neighbour, verdict: Verdict) -> str:
    base, comparison = called(first.name), first.comparison
    sizes = [side.parameters.total or side.parameters.text or 0 for side in (comparison.a, comparison.b)]
    if first.role is Role.PREDECESSOR and verdict is not Verdict.SCALED:
        apart = min(sizes) and max(sizes) >= FAR_APART * min(sizes)
        return f", after {base} ({count(sizes[0])})" if apart else f", after {base}"
    if verdict is Verdict.SCALED and max(sizes) < ALIKE * min(sizes):
        return f", {base}'s architecture"
    relations = {
        Verdict.SCALED: f", {base}'s architecture at another size",
        Verdict.VARIANT: f", a variant of {base}",
        Verdict.NEW: f", a new architecture nearest to {base}",
    }
    return relations.get(verdict, f", against {base}")


def _unreadable(draft: Draft) -> str:
    reason = draft.lead.unreadable or ""
    name = clean(draft.lead.repos[0].name, 120) if draft.lead.repos else draft.organization
    if reason in ("gated", "disabled"):
        return f"{name} is out, {reason}: its architecture cannot be read yet"
    return f"{name} is out; its architecture cannot be read: {reason}"


def _variants(draft: Draft) -> str:
    names = [repo.variant or short(repo.name) for repo in draft.lead.repos]
    listed = ", ".join(dict.fromkeys(names))
    return f"{short(draft.lead.repos[0].name)}: {len(names)} {'copy' if len(names) == 1 else 'copies'} added ({listed})"


def _changed(what: str) -> Callable[[Draft], str]:
    def told(draft: Draft) -> str:
        comparison = draft.lead.comparison
        name = clean(draft.lead.repos[0].name, 120)
        changes = [change.sentence for change in comparison.changes][:3] if comparison else []
        if changes and draft.lead.baseline and not draft.lead.own_past:
            base = short(draft.lead.baseline)
            return f"{name} changed its {what}; what it was before cannot be had. Against {base}: {'; '.join(changes)}"
        return f"{name} changed its {what}" + (f": {'; '.join(changes)}" if changes else "")

    return told


def _value(key: str, what: str) -> Callable[[Draft], str]:
    def told(draft: Draft) -> str:
        before, after = draft.before.get(key), draft.after.get(key)
        name = clean(draft.lead.repos[0].name, 120)
        change = f"{name}: {what} {_said(before)} → {_said(after)}" if before != after else name
        return f"{change}; now it can be read. {_released(draft)}" if draft.lead.comparison else change

    return told


def _said(value: object) -> str:
    words = {None: "none", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else clean(value, 80)


def _plain(words: str) -> Callable[[Draft], str]:
    return lambda draft: f"{clean(draft.lead.repos[0].name, 120)} {words}"


def _renamed(draft: Draft) -> str:
    return f"{clean(draft.before.get('name'), 120)} is now called {clean(draft.after.get('name'), 120)}"


EVENTS: dict[EventKind, Callable[[Draft], str]] = {
    EventKind.RELEASED: _released,
    EventKind.EARLY: lambda draft: f"First look: {_released(draft)}",
    EventKind.RECREATED: lambda draft: f"Made anew under the same name: {_released(draft)}",
    EventKind.VARIANT_ADDED: _variants,
    EventKind.CONFIG_CHANGED: _changed("config"),
    EventKind.CODE_CHANGED: _changed("modeling code"),
    EventKind.WEIGHTS_CHANGED: _changed("weights"),
    EventKind.TOKENIZER_CHANGED: _changed("tokenizer, chat template or generation config"),
    EventKind.CARD_CHANGED: _changed("card"),
    EventKind.LICENSE_CHANGED: _value("license", "license"),
    EventKind.GATED_CHANGED: _value("gated", "gating"),
    EventKind.DISABLED_CHANGED: _value("disabled", "disabled"),
    EventKind.RENAMED: _renamed,
    EventKind.DISAPPEARED: _plain("has disappeared: deleted, or made private"),
    EventKind.RESTORED: _plain("is back"),
    EventKind.APPEARED: _plain("appeared; there is nothing to read in it yet"),
    EventKind.ALERT: lambda draft: f"Model Release Watcher: {clean(draft.after.get('alert', 'alert'), 300)}",
}
"""Event → its sentence. A new kind of event is a row here."""
