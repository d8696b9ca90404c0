"""Sources → models → pages: builds the site in a folder, and again only what is new since the last time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin

from watcher import __version__
from watcher.baselines.catalog import Catalog, load_catalog
from watcher.publish import feed
from watcher.report.sketch import card, page
from watcher.report.sketch.describe import describe
from watcher.report.sketch.svg import svg
from watcher.site import data, pages
from watcher.site.lineage import Forest, forest
from watcher.site.model import Detail, Model, Row, Source
from watcher.site.output import Output, load_state
from watcher.site.render import Site, assets, edition, render
from watcher.site.rows import models as grouped
from watcher.site.sources import sources
from watcher.store.engine import Store

TITLE = "Model reports"


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    models: int
    pages: int
    """Model pages that were made anew."""
    written: int
    removed: int
    skipped: tuple[str, ...] = ()
    """Sources that could not be read, and why."""


@dataclass(slots=True)
class Reader:
    """Reads sources once, and only those whose rows are not known from the last build."""

    known: dict[str, list[Row]]
    sources: dict[str, Source] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _read: dict[str, list[Detail]] = field(default_factory=dict)

    def rows(self, found: Iterable[Source]) -> Iterator[Row]:
        """Every source's rows."""
        for source in found:
            self.sources[source.key] = source
            if source.key not in self.known:
                self.known[source.key] = [detail.row for detail in self.details(source.key)]
            yield from self.known[source.key]
        self.known = {key: rows for key, rows in self.known.items() if key in self.sources}

    def details(self, key: str) -> list[Detail]:
        """What a source tells in full. One odd source never costs the site; it is named."""
        if key not in self._read:
            try:
                told = self.sources[key].read()
                self._read[key] = [replace(detail, row=replace(detail.row, source=key)) for detail in told]
            except Exception as error:
                self.problems.append(f"{key}: {type(error).__name__}: {error}"[:300])
                self._read[key] = []
        return self._read[key]


def build(
    folder: Path,
    *,
    store: Store | None = None,
    reports: Path | None = None,
    catalog: Catalog | None = None,
    url: str = "",
    title: str = TITLE,
    say: Callable[[str], None] = lambda line: None,
) -> Built:
    """Build the site in `folder` from the store's reports, the reports folder and the shipped baselines.

    Raises SourceError when the folder cannot be written.
    """
    catalog = catalog or load_catalog()
    site = Site(title, url, __version__, catalog.version)
    state = load_state(folder, edition(title, url))
    output = Output(folder, state)
    reader = Reader({key: [Row.from_dict(row) for row in rows] for key, rows in state.sources.items()})
    models = grouped(reader.rows(sources(catalog, store, reports)))
    family = forest(models)
    made = sum([_model(output, site, model, reader, family) for model in models])
    _whole(output, site, models, family)
    state.sources = {key: [row.to_dict() for row in rows] for key, rows in reader.known.items()}
    output.finish()
    for problem in reader.problems:
        say(f"left out: {problem}")
    return Built(len(models), made, output.written, output.removed, tuple(reader.problems))


def _model(output: Output, site: Site, model: Model, reader: Reader, family: Forest) -> bool:
    """A model's page, pictures and data, unless the last build made them from the same; True when made anew."""
    key = _key(model, family)
    last = output.state.pages.get(model.slug)
    if last and last["key"] == key and output.keep(last["files"]):
        return False
    found = {row.source: row for row in model.rows}
    details = [detail for source in found for detail in reader.details(source) if detail.row in model.rows]
    if not details:
        return False
    files = list(_files(site, model, details, family))
    for path, content in files:
        output.write(path, content)
    output.state.pages[model.slug] = {"key": key, "files": [path for path, _ in files]}
    return True


def _key(model: Model, family: Forest) -> str:
    """What a model's page is made from."""
    relatives = [(each.slug, each.name) for each in (*family.chain(model.slug), *family.heirs(model.slug))]
    plain = json.dumps([[row.to_dict() for row in model.rows], model.date, relatives], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:24]


def _files(site: Site, model: Model, details: Sequence[Detail], family: Forest) -> Iterator[tuple[str, str]]:
    """Path and content of everything about one model."""
    detail = details[0]
    yield f"models/{model.slug}.html", pages.model(site, model, details, family)
    yield f"data/{model.slug}.js", data.one(model, detail.record)
    yield f"data/{model.slug}.json", data.as_json(model, detail.record)
    drawn = (
        ("", page.layout(detail.record, baseline=detail.baseline), describe(detail.record, detail.baseline)),
        ("-card", card.layout(detail.record), describe(detail.record)),
    )
    for stem, layout, (title, description) in drawn:
        yield f"pictures/{model.slug}{stem}.svg", svg(layout, title, description, "light")
        yield f"pictures/{model.slug}{stem}-dark.svg", svg(layout, title, description, "dark")


def _whole(output: Output, site: Site, models: Sequence[Model], family: Forest) -> None:
    """The pages about all models, the data for scripts, the feeds and the sitemap."""
    shards = data.how_many(models)
    output.write("index.html", pages.index(site, models, shards))
    output.write("compare.html", render("compare.html.j2", site, "compare.html", shards=shards))
    for make in (
        pages.timeline(site, models),
        pages.lineage(site, family),
        pages.chart_pages(site, models),
        data.shards(models),
        assets().items(),
    ):
        for path, content in make:
            output.write(path, content)
    output.write("data/facts.js", data.labels())
    channel = feed.Channel(site.title, site.url, "index.html")
    entries = _entries(models)
    output.write(feed.ATOM, feed.atom(channel, entries))
    output.write(feed.JSON_FEED, feed.json_feed(channel, entries))
    output.write("sitemap.xml", _sitemap(site, models))
    output.write(".nojekyll", "")


def _entries(models: Sequence[Model]) -> list[feed.FeedEntry]:
    """Every report once, under the model that leads it."""
    found: dict[str, feed.FeedEntry] = {}
    for model in models:
        for story in model.stories:
            path = f"models/{model.slug}.html"
            entry = feed.FeedEntry(story.id, story.headline or model.name, story.date, path, story.event)
            if story.id not in found or story.headline.startswith(model.short):
                found[story.id] = entry
    return list(found.values())


def _sitemap(site: Site, models: Sequence[Model]) -> str:
    """Every page for crawlers (the protocol's limit is 50,000 addresses); paths stay relative without an address."""
    from html import escape

    base = f"{site.url.rstrip('/')}/" if site.url else ""
    fixed = ["index.html", "timeline.html", "lineage.html", "charts.html", "compare.html"]
    paths = [*fixed, *(f"models/{model.slug}.html" for model in models)][:50_000]
    lines = [f"  <url><loc>{escape(urljoin(base, path))}</loc></url>" for path in paths]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return "\n".join([head, *lines, "</urlset>", ""])
