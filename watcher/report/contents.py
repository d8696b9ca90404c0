"""What a page holds, from top to bottom: the table of its sections."""

from __future__ import annotations

from watcher.report.sections import changes, facts, opening, practical, sources
from watcher.report.sections.page import Section

SECTIONS: tuple[tuple[str, Section], ...] = (
    ("sketch", opening.sketch),
    ("notes", opening.notes),
    ("about", opening.about),
    ("changes", changes.changes),
    ("members", sources.members),
    ("facts", facts.beside),
    ("layers", opening.pattern),
    ("fit", practical.fit),
    ("runtimes", practical.known_by),
    ("licence", sources.licence),
    ("doubt", sources.doubt),
    ("sources", sources.sources),
    ("evidence", sources.evidence),
    ("config_diff", sources.config_diff),
)
"""The page from top to bottom, by name; a new section is a function and a row here."""
