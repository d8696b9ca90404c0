"""Where it is from and how sure it is: evidence, disagreements, licence, sources, what is not known."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.architecture.record import Disagreement
from watcher.compare import words
from watcher.report.escape import clean, code, fenced, inline, link
from watcher.report.numbers import count
from watcher.report.sections.page import Page, folded, table

MOST_REPOS = 100
OF_FILES = ("parameters.stored", "memory.weights_bytes.published")
"""Facts about the files and not the model: unknown wherever only a config was given, and no doubt about anything."""
MOST_CLASSES = 10
"""Classes whose inheritance is told."""


def members(page: Page) -> Iterator[str]:
    """Every repo of the release."""
    draft = page.draft
    repos = [(repo, subject) for subject in (draft.lead, *draft.members) for repo in subject.repos]
    if len(repos) < 2:
        return
    base = draft.hub_url.removesuffix(draft.lead.repos[0].name)
    rows = []
    for repo, subject in repos[:MOST_REPOS]:
        verdict = subject.comparison.verdict.value if subject.comparison else subject.unreadable or "not compared"
        total = count(subject.record.parameters.total or subject.record.parameters.text)
        rows.append((link(repo.name, base + repo.name), inline(repo.variant or "original"), total, inline(verdict)))
    yield "## In this release"
    yield table(("repo", "variant", "parameters", "compared"), rows)
    if len(repos) > MOST_REPOS:
        yield f"And {words.counted(len(repos) - MOST_REPOS, 'more repo')}."


def doubt(page: Page) -> Iterator[str]:
    """Disagreements of the witnesses, what is new to us, what is not known and why."""
    record = page.draft.lead.record
    if page.is_alert:
        return
    if page.draft.lead.unreadable is not None:
        yield f"The architecture cannot be read: {inline(page.draft.lead.unreadable)}."
        return
    novel = [*record.novel.config_keys, *record.novel.tensor_names, *record.novel.classes]
    if any(item.fact not in OF_FILES for item in record.unknown) or record.disagreements or novel:
        yield "## Not known, not certain"
    if novel:
        yield f"New to us, so any fact may depend on it: {', '.join(code(name, 80) for name in novel[:30])}"
    if record.disagreements:
        rows = [
            (code(item.fact), ", ".join(_said(item, who) for who in item.values),
             inline(item.taken + (f" ({item.note})" if item.note else "")))
            for item in record.disagreements[:40]
        ]  # fmt: skip
        yield table(("the witnesses disagree on", "what they say", "believed"), rows)
    by_reason: dict[str, list[str]] = {}
    for unknown in record.unknown:
        if unknown.fact in OF_FILES:
            continue
        by_reason.setdefault(unknown.why, []).append(unknown.fact)
    if by_reason:
        yield "\n".join(
            f"- {', '.join(code(fact) for fact in found[:12])}{' …' if len(found) > 12 else ''}: {inline(why)}"
            for why, found in list(by_reason.items())[:40]
        )


def _said(item: Disagreement, who: str) -> str:
    """What one witness says, and where it stands; a derived fact stands nowhere by itself."""
    where = item.where.get(who)
    place = f" ({code(where, 100)})" if isinstance(where, str) else ""
    return f"{inline(who)}: {inline(item.values[who])}{place}"


def sources(page: Page) -> Iterator[str]:
    """Where a reader can check."""
    draft = page.draft
    if page.is_alert:
        return
    yield "## Sources"
    name = draft.lead.repos[0].name if draft.lead.repos else "model"
    lines = [link(f"{name} on the Hub", draft.hub_url)] if draft.hub_url else []
    lines += [link(source.label, source.url) for source in draft.sources]
    lines += _implementation(page)
    if draft.published_at:
        seen_at = draft.first_seen_at or draft.created_at
        created, seen = f"{draft.published_at:%Y-%m-%d %H:%M}", f"{seen_at:%Y-%m-%d %H:%M}"
        lines.append(f"created on the Hub {created} UTC, first seen {seen} UTC")
    if draft.catalog_version:
        names = ", ".join(dict.fromkeys(item.name for item in draft.lead.neighbours))
        lines.append(f"baselines: catalog {inline(draft.catalog_version)}{inline(f' ({names})' if names else '', 600)}")
    yield "\n".join(f"- {line}" for line in lines)


def _implementation(page: Page) -> Iterator[str]:
    """The reference's modeling file, or the repo's own code."""
    record = page.draft.lead.record
    found = {
        item.where.split(":")[0].strip()
        for item in record.evidence.values()
        if item.witness == "reference" and isinstance(item.where, str)
    }
    modeling = sorted(found, key=lambda where: ("modeling" not in where, where))
    if modeling:
        yield f"reference implementation: {inline(modeling[0])}"
    if page.draft.lineage:
        told = "; ".join(page.draft.lineage[:MOST_CLASSES])
        more = f" and {len(page.draft.lineage) - MOST_CLASSES} more" if len(page.draft.lineage) > MOST_CLASSES else ""
        yield f"its classes by inheritance: {inline(told + more, 900)}"
    if record.model.remote_code:
        yield "the repo's own modeling code"


def licence(page: Page) -> Iterator[str]:
    """Licence and gating, in one line of words."""
    if page.is_alert:
        return
    record, gated = page.draft.lead.record, page.draft.gated
    yield "## Licence and access"
    license_ = inline(record.model.license) if record.model.license else "not told"
    access = {
        None: "open: no request needed",
        "auto": "gated: granted at once on request",
        "manual": "gated: each request is decided by the maker",
        "not told": "gating not told",
    }
    yield f"Licence: {license_}. Access: {access.get(gated) or 'gated: ' + inline(gated)}."


def evidence(page: Page) -> Iterator[str]:
    """Every fact's source, folded."""
    record = page.draft.lead.record
    found = {fact: item for fact, item in record.evidence.items() if not fact.startswith("layers.kinds.")}
    if not found or page.is_alert:
        return
    rows = []
    for fact, item in sorted(found.items())[:120]:
        where = item.where if isinstance(item.where, str) else "from " + ", ".join(item.where)
        doubted = f" (in doubt: {item.doubt})" if item.doubt else ""
        rows.append((code(fact), inline(item.witness), inline(clean(where + doubted))))
    yield folded("Evidence for every fact", table(("fact", "witness", "where"), rows))


def config_diff(page: Page) -> Iterator[str]:
    """The two raw configs, as deepdiff sees them, folded."""
    comparison = page.draft.lead.comparison
    if comparison and comparison.config_diff:
        yield folded("Raw config diff", fenced(comparison.config_diff))
