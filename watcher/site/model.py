"""What the site knows of a model: a row for the lists, and everything for the model's own page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.record import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One report of a model, as lists and feeds name it."""

    id: str
    """The report's id: it never changes, so feeds build theirs on it."""
    event: str
    date: str
    """ISO 8601."""
    headline: str
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model as one source tells it; plain data, kept between builds so that a source is read once."""

    name: str
    """`org/name`."""
    source: str = ""
    """The key of the source it was read from; set by the build."""
    origin: str
    """report, page (of the reports folder) or catalog."""
    date: str
    """`YYYY-MM` or `YYYY-MM-DD`; empty when it is not known."""
    decoder: str | None = None
    attention: tuple[str, ...] = ()
    """What its layers mix tokens with, as people call it: MLA, GQA, Gated DeltaNet …"""
    mix: Mapping[str, int] = field(default_factory=dict)
    """Layers by mixer kind, in the record's words."""
    sparse: str | None = None
    """The record's word for sparse attention."""
    total: int | None = None
    active: int | None = None
    cache: float | None = None
    """Bytes of KV cache per token."""
    context: int | None = None
    license: str | None = None
    known: bool = True
    """Whether the architecture could be read."""
    baseline: str | None = None
    """`org/name` of what it was compared with."""
    aliases: tuple[str, ...] = ()
    """Other models of the same architecture."""
    story: Story | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Row:
        """Back from plain data. Raises TypeError or KeyError for what is none."""
        story = Story(**data["story"]) if data["story"] else None
        return cls(**{**data, "story": story, **{key: tuple(data[key]) for key in ("attention", "aliases")}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One model as one source tells it, in full."""

    row: Row
    record: Architecture
    baseline: Architecture | None = None
    changes: Sequence[Mapping[str, Any]] = ()
    """As a comparison's JSON has them."""
    similarity: float | None = None
    markdown: str = ""
    """The report, where there is one."""
    hub_url: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that tells of models: a report, a page, a baseline."""

    key: str
    """Changes when what would be read changes."""
    read: Callable[[], list[Detail]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the site: all rows about it, the most telling one first."""

    slug: str
    """Its page is `models/<slug>.html`; depends on the name alone, so links stay."""
    rows: tuple[Row, ...]
    date: str

    @property
    def row(self) -> Row:
        """The row whose record is shown."""
        return self.rows[0]

    @property
    def name(self) -> str:
        """`org/name`."""
        return self.row.name

    @property
    def organization(self) -> str:
        """Who made it."""
        return self.name.partition("/")[0]

    @property
    def short(self) -> str:
        """Its name without the organization."""
        return self.name.rpartition("/")[2]

    @property
    def stories(self) -> list[Story]:
        """Its reports, newest first."""
        found = {row.story.id: row.story for row in self.rows if row.story}
        return sorted(found.values(), key=lambda story: (story.date, story.id), reverse=True)

    @property
    def baseline(self) -> str | None:
        """`org/name` of the nearest earlier architecture; a report of a change compares with the model's own past."""
        told = (row.baseline for row in self.rows if row.baseline and row.baseline.lower() != self.name.lower())
        return next(told, None)

    @property
    def headline(self) -> str:
        """What its newest release report says; empty for a catalogued model."""
        told = [story for story in self.stories if story.event in ("released", "recreated")] or self.stories
        return told[0].headline if told else ""
