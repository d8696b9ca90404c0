"""What a report is made from (a draft) and what it is (text, pictures and data, ready to deliver)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watcher.architecture.record import Architecture
from watcher.baselines.model import Baseline
from watcher.compare.model import Comparison
from watcher.releases.model import EventKind, RepoRef

if TYPE_CHECKING:
    from watcher.report.runtimes import RuntimeList


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place a reader can check."""

    label: str
    """config.json at 1a2b3c4, technical report, reference implementation …"""
    url: str


class Role(enum.StrEnum):
    """Why a model stands beside another one."""

    PREDECESSOR = "predecessor"
    """Of the same organization and family, earlier, and of a comparable size."""
    NEAREST = "nearest"
    """The least between them, whoever made it: the verdict is against this one."""
    PLAIN = "plain"
    """The plain decoder of its class: what is special is what differs from it."""
    PEER = "peer"
    """Of its class and size, by another maker, from the time before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One model to compare with."""

    role: Role
    name: str
    """`org/name`."""
    comparison: Comparison
    """The neighbour is A, the model is B."""
    origin: Baseline | None = None
    """Of the nearest: the earliest architecture that is about as near, to whom its ideas are credited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One distinct architecture in a release."""

    record: Architecture
    """With everything `unknown` when it could not be read."""
    repos: tuple[RepoRef, ...]
    """The repos that have it; the first one is the one that was read."""
    config: Mapping[str, Any] | None = None
    """The raw config.json (or params.json), if it could be read."""
    comparison: Comparison | None = None
    """Against `baseline`; None when nothing is there to compare with."""
    baseline: str | None = None
    """How to call what it was compared with: `deepseek-ai/DeepSeek-V3`, or `its own revision 1a2b3c4`."""
    neighbours: tuple[Neighbour, ...] = ()
    """Everything it is compared with, the predecessor first; `comparison` is the nearest's."""
    own_past: bool = False
    """Whether that is this very repo at an earlier revision."""
    unreadable: str | None = None
    """Why the architecture could not be read (`gated`, `config.json is not JSON: …`), one clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a report says, before it is written."""

    report_id: str
    release_id: str
    event: EventKind
    organization: str
    lead: Subject
    """The largest unquantised member: it names the report."""
    members: tuple[Subject, ...] = ()
    """The other distinct architectures of the release."""
    created_at: datetime
    """When this report is made."""
    first_seen_at: datetime | None = None
    published_at: datetime | None = None
    """The Hub's createdAt (it may lie for a repo that was private)."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """For a change of a repo: what was (`{"license": "mit"}`)."""
    after: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    earlier: Source | None = None
    """The report this one continues (a late size, a variant, a completion)."""
    gated: str | None = None
    notes: tuple[str, ...] = ()
    """Sentences a reader must know: old revision could not be had, read while still uploading …"""
    catalog_version: str = ""
    lineage: tuple[str, ...] = ()
    """What the reference's classes extend of other models: `GlmMoeDsaAttention extends DeepseekV32Attention`."""
    runtimes: tuple[RuntimeList, ...] | None = None
    """Lists of what runtimes know; None for the shipped ones."""
    hub_url: str = ""
    """The model's page on the Hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished report."""

    report_id: str
    release_id: str
    event: EventKind
    organization: str
    created_at: datetime
    headline: str
    """One plain-text sentence."""
    significance: str | None
    """Of the lead's most significant change; None when there is no comparison."""
    verdict: str | None
    repos: tuple[RepoRef, ...]
    path: str
    """Where the archive keeps it: `<org>/<name>/<date>-<event>-<sha7>.md`, safe on every file system."""
    markdown: str
    """CommonMark + GFM tables, with front matter; refers to its sketch as `<stem>.svg` beside it."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """By file name beside the page: `<stem>.svg`, `<stem>-dark.svg`, `<stem>.png`."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """The lead's record."""
    comparison: Mapping[str, Any] | None = None
    members: tuple[Mapping[str, Any], ...] = ()
    """`{"repos", "record", "comparison"}` of all distinct architectures, the lead's first."""
    hub_url: str = ""
    problems: tuple[str, ...] = ()
    """What went wrong in writing it (a template that failed), a sentence each; not kept."""

    @property
    def name(self) -> str:
        """The lead repo's name."""
        return self.repos[0].name if self.repos else self.organization
