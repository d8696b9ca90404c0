"""One report in the form someone asked for, as text or as files: what `watcher report` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

from watcher.errors import SourceError
from watcher.publish import discord, slack
from watcher.publish.document import parse
from watcher.publish.folder import write_whole
from watcher.publish.interface import Links
from watcher.publish.text import plain_text
from watcher.report.formats import report_json, to_html
from watcher.report.model import Report


def render(report: Report, kind: str) -> str:
    """md, html, json, text, slack or discord."""
    links = Links(report=report.hub_url)
    makers = {
        "md": lambda: report.markdown,
        "html": lambda: to_html(report.markdown),
        "text": lambda: plain_text(parse(report.markdown)),
        "json": lambda: _json(report_json(report)),
        "slack": lambda: _json(slack.message(report, links)),
        "discord": lambda: _json(discord.message(report, links, None)),
    }
    return makers[kind]()


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def write_files(report: Report, output: Path, kind: str) -> list[Path]:
    """Write the page where it was asked for, its pictures beside it; what was written. Raises SourceError."""
    stem = report.path.rpartition("/")[2].removesuffix(".md")
    text = render(report, kind)
    written = [output]
    try:
        if kind in ("md", "html"):
            for name, data in report.pictures.items():
                path = output.with_name(name.replace(stem, output.stem))
                write_whole(path, data)
                written.append(path)
            text = text.replace(f"{stem}.svg", f"{output.stem}.svg")
        write_whole(output, text.encode())
    except OSError as error:
        raise SourceError(f"{output}: cannot be written: {error.strerror}") from None
    return written
