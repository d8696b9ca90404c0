"""The files a report becomes in an archive, and the archive's index, read from the pages themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watcher.publish import feed
from watcher.publish.interface import Outgoing, Payload
from watcher.report.escape import inline, link
from watcher.report.model import Report

INDEX = "README.md"
TITLE = "Model reports"
NEWEST = 500
"""How many reports the index lists."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the archive."""

    path: str
    date: str
    headline: str
    event: str
    verdict: str
    report: str = ""
    """The report's id; empty for a page that does not tell it."""


def page_payload(report: Report) -> Payload:
    """The page and its pictures, as an archive keeps them."""
    body = {"path": report.path, "markdown": report.markdown, "headline": report.headline}
    return Payload(body=body, pictures=tuple(report.pictures))


def page_files(outgoing: Outgoing) -> dict[str, bytes]:
    """Files by path below the archive's folder. Paths were made safe when the report was written."""
    body: Mapping[str, str] = outgoing.payload.body
    folder = body["path"].rpartition("/")[0]
    files = {body["path"]: body["markdown"].encode()}
    return files | {f"{folder}/{name}": data for name, data in outgoing.pictures.items()}


def entries(root: Path) -> list[Entry]:
    """Every page below a folder, newest first; a page without our front matter is left out."""
    found = [entry for path in root.glob("*/*/*.md") if (entry := _entry(path, root)) is not None]
    return sorted(found, key=lambda entry: (entry.date, entry.path), reverse=True)


def _entry(path: Path, root: Path) -> Entry | None:
    try:
        with open(path, encoding="utf-8") as handle:
            head = handle.read(8192)
    except (OSError, UnicodeDecodeError):
        return None
    return entry_of(head, path.relative_to(root).as_posix())


def entry_of(page: str, path: str) -> Entry | None:
    """A page's row in the index, from its front matter; None for a page without ours."""
    if not page.startswith("---\n"):
        return None
    values: dict[str, str] = {}
    for line in page[4:].partition("\n---\n")[0].splitlines():
        key, _, value = line.partition(": ")
        try:
            values[key] = str(json.loads(value))
        except ValueError:
            continue
    if "date" not in values or "headline" not in values:
        return None
    told = (values.get(key, "") for key in ("event", "verdict", "report"))
    return Entry(path, values["date"], values["headline"], *told)


def front_files(root: Path) -> dict[str, bytes]:
    """What stands before the pages of an archive: its index and its feeds, newest first."""
    return front_of(entries(root))


def front_of(found: Sequence[Entry]) -> dict[str, bytes]:
    """Index and feeds over these pages, newest first."""
    channel = feed.Channel(TITLE, home=INDEX)
    told = [
        feed.FeedEntry(entry.report or entry.path, entry.headline, entry.date, entry.path, entry.event)
        for entry in found
    ]
    return {
        INDEX: render_index(found).encode(),
        feed.ATOM: feed.atom(channel, told).encode(),
        feed.JSON_FEED: feed.json_feed(channel, told).encode(),
    }


def render_index(found: Iterable[Entry]) -> str:
    """The archive's front page: newest first, a table a month."""
    lines = [
        f"# {TITLE}",
        "",
        f"Made by Model Release Watcher; newest first. Feeds: [Atom]({feed.ATOM}), [JSON]({feed.JSON_FEED}).",
    ]
    month = ""
    for entry in list(found)[:NEWEST]:
        if entry.date[:7] != month:
            month = entry.date[:7]
            lines += ["", f"## {month}", "", "| date | report | event | verdict |", "|---|---|---|---|"]
        cells = (entry.date[:10], _local(entry), inline(entry.event), inline(entry.verdict))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _local(entry: Entry) -> str:
    return f"[{inline(entry.headline, 200)}]({entry.path})" if entry.path else link(entry.headline, "")
