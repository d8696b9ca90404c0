"""Draft → finished report: the sketch is drawn first, and a report never fails for want of a picture.

Its marks are against the model that the page tells the changes against.
"""

from __future__ import annotations

from watcher.report.model import Draft, Report
from watcher.report.sketch import sketch_pictures
from watcher.report.story import leading
from watcher.report.templates import Templates
from watcher.report.write import report_path, write_report


def with_pictures(draft: Draft, templates: Templates | None = None) -> Report:
    """The report with its sketch of the lead; without one when the architecture is not known."""
    lead = draft.lead
    if lead.unreadable is not None:
        return write_report(draft, templates=templates)
    stem = report_path(draft).rpartition("/")[2].removesuffix(".md")
    told = leading(lead)
    comparison = told.comparison if told else None
    pictures = sketch_pictures(
        stem, lead.record, comparison.a if comparison else None, comparison.changes if comparison else ()
    )
    return write_report(draft, pictures=pictures, templates=templates)
