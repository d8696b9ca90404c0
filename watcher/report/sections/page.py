"""What sections are given and how a section is made: shared by all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from watcher.report.escape import inline, short
from watcher.report.model import Draft


@dataclass(frozen=True, slots=True)
class Page:
    """One page in the making."""

    draft: Draft
    headline: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the model is called here, as Markdown."""
        return inline(short(self.draft.lead.repos[0].name)) if self.draft.lead.repos else "the model"

    @property
    def is_alert(self) -> bool:
        """Whether this is about the watcher itself: then there is no model to tell of."""
        return self.draft.event.value == "alert"


Section = Callable[[Page], Iterator[str]]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A GFM table; cells are Markdown already."""
    head = list(head)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def folded(title: str, body: str) -> str:
    """Folded away: the only raw HTML of a page."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
