"""One report in the form someone asked for, as text or as files: what `watcher report` prints and writes."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from watcher.errors import SourceError
from watcher.publish.document import parse
from watcher.publish.interface import Links
from watcher.publish.text import plain_text
from watcher.report.formats import report_json, to_html
from watcher.report.model import Report
from watcher.whole_file import write_whole

FORMS = ("md", "html", "json", "text")
"""Forms of the page; every platform's message comes on top of them."""

MESSAGES: dict[str, tuple[str, dict[str, object]]] = {
    "slack": ("slack", {}),
    "discord": ("discord", {"picture": None}),
    "teams": ("teams", {}),
    "mattermost": ("mattermost", {}),
    "telegram": ("telegram", {"photo": False}),
    "matrix": ("matrix", {}),
    "ntfy": ("ntfy", {}),
    "email": ("email", {"picture": False}),
}
"""Platform → (module of this room, options of its `message()`)."""


def render(report: Report, kind: str) -> str:
    """The report in one of FORMS, or as the message that one of MESSAGES is sent."""
    makers: dict[str, Callable[[], str]] = {
        "md": lambda: report.markdown,
        "html": lambda: to_html(report.markdown),
        "text": lambda: plain_text(parse(report.markdown)),
        "json": lambda: _json(report_json(report)),
    }
    return makers.get(kind, partial(_message, report, kind))()


def _message(report: Report, kind: str) -> str:
    module, options = MESSAGES[kind]
    made = importlib.import_module(f"watcher.publish.{module}").message(report, Links(report=report.hub_url), **options)
    return _json(made)


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
                text = text.replace(name, path.name)
        write_whole(output, text.encode())
    except OSError as error:
        raise SourceError(f"{output}: cannot be written: {error.strerror}") from None
    return written
