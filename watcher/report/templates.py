"""The user's own wording: a folder of Jinja2 templates, rendered apart from this process; what fails falls back.

    headline.txt.j2     the headline, plain text
    NAME.md.j2          one section of the page, by its name (`changes`, `facts`, `fit` …); empty leaves it out
    page.md.j2          the page below its front matter: order, headings, whatever else

A page is also what chat messages are made from, so the wording of `headline` and `changes` is theirs too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watcher.errors import SourceError

HEADLINE, PAGE, SUFFIX = "headline", "page", ".j2"
LARGEST = 256 * 1024
"""Bytes of one template."""
MOST = 64
PATIENCE = 20.0
"""Seconds the process that renders may take, start included."""


@dataclass(frozen=True, slots=True)
class Templates:
    """The sources of a folder's templates, by file name."""

    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Files that could not be read."""

    def __bool__(self) -> bool:
        return bool(self.sources or self.problems)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of them."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """By what they are for: `headline`, `page`, or the name of a section."""
    problems: tuple[str, ...] = ()
    """What failed, a sentence each; the built-in text stands in its place."""


def own_templates(folder: Path | None) -> Templates | None:
    """The configured folder's, read anew for each report (a change needs no restart); None where none is named."""
    return read_templates(folder) if folder is not None else None


def read_templates(folder: Path) -> Templates:
    """The templates of a folder. A file that cannot be read is a problem to tell, never an error."""
    sources: dict[str, str] = {}
    problems: list[str] = []
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))[:MOST]
    except OSError as error:
        return Templates(problems=(f"the templates in {folder} cannot be read: {error.strerror}",))
    for path in found:
        try:
            sources[path.name] = _source(path)
        except (OSError, ValueError) as error:
            problems.append(f"the template {path.name} cannot be read: {error}")
    return Templates(sources, tuple(problems))


def read_template(path: Path) -> Templates:
    """One file, for a preview; a name of no section stands for the whole page. Raises SourceError."""
    try:
        return Templates({path.name if purpose(path.name) else f"{PAGE}.md{SUFFIX}": _source(path)})
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read as a template: {error}") from None


def _source(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024} KiB")
    return path.read_text("utf-8")


def purpose(name: str) -> str:
    """What a template's file name says it is for; empty for one that others include."""
    from watcher.report.contents import SECTIONS

    word = name.removesuffix(SUFFIX).removesuffix(".md").removesuffix(".txt")
    return word if word in (HEADLINE, PAGE, *(section for section, _ in SECTIONS)) else ""


def render(templates: Templates, values: Mapping[str, Any], *, patience: float = PATIENCE) -> Rendered:
    """Every template with a purpose, in a process of its own with bounds on time, memory and output."""
    wanted = {name: purpose(name) for name in templates.sources}
    order = sorted(filter(None, wanted.values()), key=lambda word: (word == PAGE, word))
    if not order:
        return Rendered(problems=templates.problems)
    names = {word: name for name, word in wanted.items() if word}
    task = {"sources": dict(templates.sources), "wanted": [(word, names[word]) for word in order], "values": values}
    command = [sys.executable, "-I", "-m", "watcher.report.template_worker"]
    try:
        done = subprocess.run(
            _importable(command), input=json.dumps(task, default=str).encode(), capture_output=True, timeout=patience
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        answer = None
    except (OSError, ValueError) as error:
        return Rendered(problems=(*templates.problems, f"templates cannot be rendered: {error}"))
    if answer is None:
        why = f"the templates took too long or too much memory; the built-in page stands ({', '.join(sorted(wanted))})"
        return Rendered(problems=(*templates.problems, why))
    return Rendered(answer["texts"], (*templates.problems, *answer["problems"]))


def _importable(command: list[str]) -> list[str]:
    """The command, with this package's place told, for `-I` leaves PYTHONPATH out."""
    place = str(Path(__file__).parents[2])
    start = f"import sys; sys.path.insert(0, {place!r}); from watcher.report.template_worker import main; main()"
    return [*command[:2], "-c", start]
