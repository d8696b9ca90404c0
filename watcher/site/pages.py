"""The pages: a function each, from models to HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from watcher.report.sketch.describe import describe
from watcher.site import charts, facts
from watcher.site.lineage import Forest
from watcher.site.markup import to_safe_html
from watcher.site.model import Detail, Model
from watcher.site.render import Site, render
from watcher.site.rows import UNKNOWN_LICENSE, decoder, size_class

SHOWN = 48
"""Cards on the front page before someone asks for more."""
NEWS = 4
PART = 900
"""Lines of a list on one page."""
MAX_CHANGES = 7
MAX_REPORTS = 12
HUB = "https://huggingface.co/"
CHARTS = (
    ("charts.html", "Adoption of attention kinds", charts.adoption),
    ("charts-cache.html", "KV cache per token", charts.cache_by_size),
    ("charts-active.html", "Active parameters", charts.active_by_size),
)


def index(site: Site, models: Sequence[Model], shards: int) -> str:
    """The gallery: the newest cards, and the filters over all of them."""
    told = [(model, story) for model in models for story in model.stories]
    newest = sorted(told, key=lambda pair: (pair[1].date, pair[1].id), reverse=True)
    return render(
        "index.html.j2",
        site,
        "index.html",
        models=models,
        shown=SHOWN,
        shards=shards,
        organizations=len({model.organization.lower() for model in models}),
        reports=len({story.id for _, story in told}),
        stories=list({story.id: (model, story) for model, story in reversed(newest)}.values())[::-1][:NEWS],
        filters=list(filters(models)),
    )


def filters(models: Sequence[Model]) -> Iterator[tuple[str, str, list[tuple[str, int]]]]:
    """Key, label, and the values with how many models each has: the fullest first, classes of size in their order."""
    yield "organization", "Organization", _counted(model.organization for model in models)
    yield "decoder", "Decoder", _counted(decoder(model.row) for model in models)
    yield "attention", "Attention", _counted(word for model in models for word in model.row.attention)
    sizes = Counter(size_class(model.row) for model in models)
    order = ["below 4B", "4B to 15B", "15B to 70B", "70B to 300B", "300B and more", "unknown"]
    yield "size", "Size", [(label, sizes[label]) for label in order if sizes[label]]
    years = Counter(model.date[:4] or "unknown" for model in models)
    yield "year", "Year", sorted(years.items(), reverse=True)
    yield "license", "Licence", _counted(model.row.license or UNKNOWN_LICENSE for model in models)


def _counted(values: Any) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0].lower()))[:200]


def model(site: Site, model: Model, details: Sequence[Detail], family: Forest) -> str:
    """A model's own page."""
    detail = details[0]
    record, base = detail.record, detail.baseline
    against = _against(model) if base else ""
    columns = [facts.told(record), *([facts.told(base)] if base else [])]
    changes = [change for change in detail.changes if change["significance"] != "cosmetic"]
    return render(
        "model.html.j2",
        site,
        f"models/{model.slug}.html",
        model=model,
        decoder=decoder(model.row),
        description=describe(record, base)[1],
        hub=detail.hub_url or _hub(model.name),
        chain=family.chain(model.slug),
        heirs=family.heirs(model.slug),
        against=against,
        changes=changes[:MAX_CHANGES],
        more_changes=max(0, len(detail.changes) - len(changes[:MAX_CHANGES])),
        facts=facts.groups(columns),
        unknown=_unknown(detail),
        evidence=_evidence(detail),
        reports=_reports(model, details),
        open_first=False,
    )


def _against(model: Model) -> str:
    """What its page compares a model with."""
    name = model.row.baseline or "its baseline"
    return "its earlier revision" if name.lower() == model.name.lower() else name.rpartition("/")[2]


def _hub(name: str) -> str:
    return HUB + quote(name) if name.count("/") == 1 and not name.startswith("local/") else ""


def _unknown(detail: Detail) -> list[tuple[str, list[str]]]:
    """Unknown facts by reason."""
    reasons: dict[str, list[str]] = {}
    for item in detail.record.unknown[:200]:
        reasons.setdefault(item.why, []).append(item.fact)
    return [(why, paths[:12]) for why, paths in list(reasons.items())[:20]]


def _evidence(detail: Detail) -> list[tuple[str, str, str]]:
    """Where each fact was read; of a layer kind only in the record's JSON."""
    found = [(path, item) for path, item in sorted(detail.record.evidence.items()) if not path.startswith("layers.k")]
    return [
        (path, item.witness, item.where if isinstance(item.where, str) else ", ".join(item.where))
        for path, item in found[:120]
    ]


def _reports(model: Model, details: Sequence[Detail]) -> list[tuple[Any, Any]]:
    """Its reports in full, newest first, while the page stays small."""
    from markupsafe import Markup

    bodies = {detail.row.story.id: detail.markdown for detail in details if detail.row.story}
    found, room = [], 160_000
    for story in model.stories[:MAX_REPORTS]:
        html = to_safe_html(bodies.get(story.id, ""))
        room -= len(html)
        found.append((story, Markup(html) if room > 0 else ""))  # made harmless by to_safe_html
    return found


def timeline(site: Site, models: Sequence[Model]) -> Iterator[tuple[str, str]]:
    """Path and page: every model by month, the newest first; parts are counted from the oldest, so they stay."""
    parts = _parts(models)
    for number, found in enumerate(parts, start=1):
        months = [(month, list(group)) for month, group in groupby(found, lambda each: each.date[:7] or "Unknown date")]
        path = _part_path("timeline", number, len(parts))
        yield (
            path,
            render(
                "timeline.html.j2",
                site,
                path,
                months=months,
                part=number,
                parts=len(parts),
                path=lambda each: _part_path("timeline", each, len(parts)),
            ),
        )


def _parts(models: Sequence[Any]) -> list[Sequence[Any]]:
    """A list, newest first, cut into parts; the first part is the oldest and full ones never change."""
    many = max(1, -(-len(models) // PART))
    ends = [len(models) - PART * number for number in range(many)]
    return [models[max(0, end - PART) : end] for end in ends]


def _part_path(stem: str, number: int, parts: int) -> str:
    """The newest part has the plain name."""
    return f"{stem}.html" if number == parts else f"{stem}-{number}.html"


def lineage(site: Site, family: Forest) -> Iterator[tuple[str, str]]:
    """Path and page: the forest, trees with the most descendants first."""
    trees = [root for root in family.roots() if family.children.get(root.slug)]
    alone = [root for root in family.roots() if not family.children.get(root.slug)]
    walked = [pair for root in trees for pair in family.walk(root.slug)]
    chunks = [walked[start : start + PART] for start in range(0, len(walked), PART)] or [[]]
    for number, chunk in enumerate(chunks, start=1):
        path = "lineage.html" if number == 1 else f"lineage-{number}.html"
        lines, last = _nested(chunk)
        yield (
            path,
            render(
                "lineage.html.j2",
                site,
                path,
                lines=lines,
                last=last,
                alone=alone[:PART] if number == len(chunks) else [],
                part=number,
                parts=len(chunks),
                path=lambda each: "lineage.html" if each == 1 else f"lineage-{each}.html",
            ),
        )


def _nested(chunk: Sequence[tuple[int, Model]]) -> tuple[list[tuple[int, int, Model]], int]:
    """Lists to open and to close before each line, and to close at the end."""
    lines, depth = [], -1
    base = chunk[0][0] if chunk else 0
    for level, each in chunk:
        wanted = max(level - base, 0)
        step = min(wanted - depth, 1)
        lines.append((max(step, 0), max(-step, 0), each))
        depth += step
    return lines, depth + 1


def chart_pages(site: Site, models: Sequence[Model]) -> Iterator[tuple[str, str]]:
    """Path and page of each chart."""
    from markupsafe import Markup

    tabs = [(path, title) for path, title, _ in CHARTS]
    for path, _, make in CHARTS:
        chart = make(models)
        drawn = {"title": chart.title, "about": chart.about, "svg": Markup(chart.svg), "legend": chart.legend}
        pages = chart.pages or ("",) * len(chart.table)
        table = {"head": chart.head, "table": [*zip(pages, chart.table, strict=True)]}
        flags = {"interactive": chart.interactive, "whole": len(chart.table) < charts.MAX_LINES}
        told = {**drawn, **table, **flags}
        yield path, render("chart.html.j2", site, "charts.html", path=path, chart=told, charts=tabs)
