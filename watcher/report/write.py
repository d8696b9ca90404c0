"""Draft → Report: the Markdown page, CommonMark with GFM tables, raw HTML only as details."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from watcher.architecture.record import Architecture
from watcher.compare.model import Significance
from watcher.report.escape import clean, code, fenced, inline, link
from watcher.report.headline import headline, short
from watcher.report.model import Draft, Report, Subject
from watcher.report.numbers import count, size, tokens

WHY = {
    Significance.BREAKING: "an engine needs new code",
    Significance.STRUCTURAL: "another structure out of known parts",
}
MAX_CHANGES = 7
ACCELERATORS = (
    ("24 GB", 24),
    ("80 GB", 80),
    ("141 GB", 141),
    ("192 GB", 192),
    ("8 × 80 GB", 640),
    ("8 × 141 GB", 1128),
)
"""Memory of common accelerators and nodes, in 10⁹ bytes."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def report_path(draft: Draft) -> str:
    """`<org>/<name>/<date>-<event>-<sha7>.md`, safe on every file system."""
    repo = draft.lead.repos[0] if draft.lead.repos else None
    org, _, name = (repo.name if repo else f"watcher/{draft.organization}").partition("/")
    sha = (repo.sha or "")[:7] if repo else ""
    tail = _segment(sha) if sha else draft.report_id[-7:]
    return f"{_segment(org)}/{_segment(name)}/{draft.created_at:%Y-%m-%d}-{draft.event.value}-{tail}.md"


def _segment(text: str) -> str:
    plain = _UNSAFE.sub("-", text)[:80].strip(".-") or "unnamed"
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def write_report(draft: Draft, *, pictures: Mapping[str, bytes] | None = None) -> Report:
    """The finished report; the same draft gives the same bytes."""
    lead = draft.lead
    told = headline(draft)
    path = report_path(draft)
    blocks = [block for section in SECTIONS for block in section(draft, path, pictures or {})]
    markdown = _front_matter(draft, told) + "\n\n".join([f"# {inline(told, 400)}", *blocks]) + "\n"
    top = (
        max((change.significance for change in lead.comparison.changes), key=lambda s: s.rank, default=None)
        if lead.comparison
        else None
    )
    return Report(
        report_id=draft.report_id,
        release_id=draft.release_id,
        event=draft.event,
        organization=draft.organization,
        created_at=draft.created_at,
        headline=told,
        significance=(top.value if top else "cosmetic") if lead.comparison else None,
        verdict=lead.comparison.verdict.value if lead.comparison else None,
        repos=tuple(repo for subject in (lead, *draft.members) for repo in subject.repos),
        path=path,
        markdown=markdown,
        pictures=dict(pictures or {}),
        record=lead.record.to_dict(),
        comparison=lead.comparison.to_dict() if lead.comparison else None,
        members=tuple(_member(subject) for subject in (lead, *draft.members)),
        hub_url=draft.hub_url,
    )


def _member(subject: Subject) -> dict[str, object]:
    return {
        "repos": [repo.to_dict() for repo in subject.repos],
        "record": subject.record.to_dict(),
        "comparison": subject.comparison.to_dict() if subject.comparison else None,
    }


def _front_matter(draft: Draft, told: str) -> str:
    """YAML whose every value is a JSON string: valid in both, whatever it holds."""
    values = {
        "report": draft.report_id,
        "event": draft.event.value,
        "date": draft.created_at.isoformat(),
        "organization": draft.organization,
        "headline": told,
        "repos": [repo.name for subject in (draft.lead, *draft.members) for repo in subject.repos][:100],
        "verdict": draft.lead.comparison.verdict.value if draft.lead.comparison else None,
        "baseline": draft.lead.baseline,
        "catalog": draft.catalog_version or None,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "---\n" + "\n".join(lines) + "\n---\n\n"


# --- sections --------------------------------------------------------------------------------------------------------


def _sketch(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    name = next((name for name in pictures if name.endswith(".svg") and not name.endswith("-dark.svg")), None)
    if name:
        subject = short(draft.lead.repos[0].name) if draft.lead.repos else "the model"
        yield f"![Sketch of {inline(subject)}'s architecture]({name})"


def _notes(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    if draft.earlier is not None:
        yield f"Continues {link(draft.earlier.label, draft.earlier.url)}."
    for note in draft.notes:
        yield f"> {inline(note, 500)}"


def _changes(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    comparison = draft.lead.comparison
    if comparison is None:
        return
    yield f"## What changed against {inline(draft.lead.baseline or 'the baseline')}"
    verdict = {"same-architecture": "The same architecture.", "scaled": "The same structure at other sizes."}
    said = verdict.get(comparison.verdict.value, f"Verdict: {comparison.verdict.value}.")
    yield f"{said} Similarity {comparison.similarity:.0%}."
    lines = [
        f"{position}. **{change.significance.value}**: {inline(change.sentence, 400)}{_why(change.significance)}"
        for position, change in enumerate(comparison.changes[:MAX_CHANGES], 1)
    ]
    if lines:
        yield "\n".join(lines)
    rest = len(comparison.changes) - MAX_CHANGES
    if rest > 0:
        yield f"And {rest} smaller {'change' if rest == 1 else 'changes'} in the record."


def _why(significance: Significance) -> str:
    """What a change means for whoever runs the model; sizes speak for themselves."""
    return f" ({WHY[significance]})" if significance.rank > Significance.SCALE.rank else ""


def facts(record: Architecture) -> dict[str, str]:
    """What a facts table shows of a record."""
    attention, moe = record.attention, record.moe
    heads = (
        f"{attention.num_attention_heads} / {attention.num_key_value_heads}"
        if attention.num_attention_heads
        else "none"
    )
    rows = {
        "decoder type": record.decoder_type or "unknown",
        "parameters": count(record.parameters.total or record.parameters.text),
        "active per token": count(record.parameters.active),
        "layers": str(record.layers.count or "unknown"),
        "layer mix": ", ".join(f"{item.count} {item.kind}" for item in record.layers.mix) or "unknown",
        "hidden size": f"{record.hidden_size:,}" if record.hidden_size else "unknown",
        "heads / KV heads": heads,
        "head size": str(attention.head_dim or "unknown"),
        "context": tokens(record.context_length),
        "vocabulary": f"{record.vocab_size:,}" if record.vocab_size else "unknown",
        "feed-forward": _feed_forward(record),
        "experts": f"{moe.num_experts}, {moe.num_experts_per_tok} per token, {moe.num_shared_experts} shared"
        if moe
        else "none",
        "expert size": str(moe.moe_intermediate_size) if moe else "none",
        "positions": ", ".join(record.position.kinds) or "unknown",
        "norm": f"{record.norm.kind or 'unknown'}, {record.norm.placement or 'unknown placement'}",
        "QK-norm": {True: "yes", False: "no", None: "unknown"}[attention.qk_norm],
        "KV cache per token": size(record.kv_cache.bytes_per_token),
        "KV cache per token, as tables count it": size(record.kv_cache.nominal_bytes_per_token),
        "constant state": size(record.kv_cache.state_bytes) if record.kv_cache.state_bytes else "none",
        "quantization": f"{record.quantization.method}, {record.quantization.bits or '?'} bit"
        if record.quantization
        else "none",
    }
    if record.layers.count is None:
        return {
            key: value for key, value in rows.items() if value not in ("none", "unknown") and "unknown" not in value
        }
    return rows


def _feed_forward(record: Architecture) -> str:
    part = record.feed_forward
    name = part.activation or "unknown activation"
    gated = {True: "gated ", False: "plain ", None: ""}[part.gated]
    width = f", {part.intermediate_size:,}" if part.intermediate_size else ""
    return f"{gated}{name}{width}"


def _facts(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    mine = facts(draft.lead.record)
    if draft.event.value == "alert" or not mine:
        return
    base = draft.lead.comparison.a if draft.lead.comparison else None
    its = facts(base) if base else {}
    name = short(draft.lead.repos[0].name) if draft.lead.repos else "model"
    yield "## Facts"
    head = f"| | {inline(name)} |" + (f" {inline(short(draft.lead.baseline or ''))} |" if its else "")
    rows = [head, "|---|---|" + ("---|" if its else "")]
    for key, value in mine.items():
        other = its.get(key, "unknown")
        shown = f"**{inline(value)}**" if its and other != value else inline(value)
        rows.append(f"| {key} | {shown} |" + (f" {inline(other)} |" if its else ""))
    yield "\n".join(rows)
    if draft.lead.record.layers.pattern:
        yield f"Layer pattern: {code(draft.lead.record.layers.pattern, 600)}"


def _practical(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    record = draft.lead.record
    weights = {name: value for name, value in record.memory.weights_bytes.items() if value}
    lengths = {length: value for length, value in record.kv_cache.at.items() if value is not None}
    if not weights and not lengths:
        return
    yield "## Will it fit"
    rows = ["| weights | bytes | fits in |", "|---|---|---|"]
    for name, value in weights.items():
        fits = next((label for label, limit in ACCELERATORS if value <= 0.9 * limit * 1e9), "more than one node of 8")
        rows.append(f"| {inline(name)} | {size(value)} | {fits} |")
    if weights:
        yield "\n".join(rows)
        yield "A part fits when the weights take at most nine tenths of the memory; the rest is for cache."
    if lengths:
        cells = ["| context | KV cache of one sequence, bf16 |", "|---|---|"]
        cells += [f"| {tokens(int(length))} | {size(value)} |" for length, value in lengths.items()]
        yield "\n".join(cells)


def _members(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    subjects = (draft.lead, *draft.members)
    repos = [(repo, subject) for subject in subjects for repo in subject.repos]
    if len(repos) < 2:
        return
    yield "## In this release"
    rows = ["| repo | variant | parameters | compared |", "|---|---|---|---|"]
    base = draft.hub_url.removesuffix(draft.lead.repos[0].name)
    for repo, subject in repos[:100]:
        verdict = subject.comparison.verdict.value if subject.comparison else subject.unreadable or "not compared"
        total = count(subject.record.parameters.total or subject.record.parameters.text)
        cells = (link(repo.name, base + repo.name), inline(repo.variant or "original"), total, inline(verdict))
        rows.append(f"| {' | '.join(cells)} |")
    yield "\n".join(rows)


def _doubt(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    record = draft.lead.record
    if draft.event.value == "alert":
        return
    if draft.lead.unreadable is not None:
        yield f"The architecture cannot be read: {inline(draft.lead.unreadable)}."
    elif record.unknown:
        yield "## Not known"
        by_reason: dict[str, list[str]] = {}
        for item in record.unknown:
            by_reason.setdefault(item.why, []).append(item.fact)
        yield "\n".join(
            f"- {', '.join(code(fact) for fact in facts_[:12])}: {inline(why)}" for why, facts_ in by_reason.items()
        )
    novel = [*record.novel.config_keys, *record.novel.tensor_names, *record.novel.classes]
    if novel:
        yield f"New to us, so any fact may depend on it: {', '.join(code(name, 80) for name in novel[:30])}"
    for found in record.disagreements:
        values = ", ".join(f"{inline(who)} says {inline(value)}" for who, value in found.values.items())
        yield f"Disagreement on {code(found.fact)}: {values}; {inline(found.taken)} was believed."


def _sources(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    if draft.event.value == "alert":
        return
    yield "## Sources"
    lines = [link(f"{draft.lead.repos[0].name if draft.lead.repos else 'model'} on the Hub", draft.hub_url)]
    lines += [link(source.label, source.url) for source in draft.sources]
    record = draft.lead.record
    reference = next((item.where for item in record.evidence.values() if item.witness == "reference"), None)
    if isinstance(reference, str):
        lines.append(f"implementation: {inline(reference)}")
    elif record.model.remote_code:
        lines.append("implementation: the repo's own modeling code")
    lines.append(f"license: {inline(record.model.license or 'not told')}; gated: {inline(draft.gated or 'no')}")
    if draft.published_at:
        seen = draft.first_seen_at or draft.created_at
        lines.append(
            f"created on the Hub {draft.published_at:%Y-%m-%d %H:%M} UTC, first seen {seen:%Y-%m-%d %H:%M} UTC"
        )
    if draft.catalog_version:
        lines.append(f"baselines: catalog {inline(draft.catalog_version)}")
    yield "\n".join(f"- {line}" for line in lines)


def _evidence(draft: Draft, path: str, pictures: Mapping[str, bytes]) -> Iterator[str]:
    found = {fact: item for fact, item in draft.lead.record.evidence.items() if not fact.startswith("layers.kinds.")}
    if found:
        rows = ["| fact | witness | where |", "|---|---|---|"]
        for fact, item in sorted(found.items())[:80]:
            where = item.where if isinstance(item.where, str) else ", ".join(item.where)
            rows.append(f"| {code(fact)} | {inline(item.witness)} | {inline(clean(where))} |")
        yield _folded("Evidence", "\n".join(rows))
    comparison = draft.lead.comparison
    if comparison and comparison.config_diff:
        yield _folded("Raw config diff", fenced(comparison.config_diff))


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


SECTIONS = (_sketch, _notes, _changes, _members, _facts, _practical, _doubt, _sources, _evidence)
"""The page from top to bottom; a new section is a function here."""
