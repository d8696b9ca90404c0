"""The words of this room: events, and the releases they belong to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watcher.hub.model import TreeFile


class EventKind(enum.StrEnum):
    """A difference between two sightings that someone may want to know."""

    RELEASED = "released"
    APPEARED = "appeared"
    """Just there, nothing to read yet."""
    EARLY = "early"
    """A release at first sight, before it has settled: a note about it, never drawn from a sighting."""
    VARIANT_ADDED = "variant_added"
    CONFIG_CHANGED = "config_changed"
    CODE_CHANGED = "code_changed"
    WEIGHTS_CHANGED = "weights_changed"
    TOKENIZER_CHANGED = "tokenizer_changed"
    """Tokenizer, chat template or generation config."""
    CARD_CHANGED = "card_changed"
    LICENSE_CHANGED = "license_changed"
    GATED_CHANGED = "gated_changed"
    DISABLED_CHANGED = "disabled_changed"
    RENAMED = "renamed"
    DISAPPEARED = "disappeared"
    """Deleted or made private: the Hub does not tell which."""
    RESTORED = "restored"
    RECREATED = "recreated"
    ALERT = "alert"
    """About the watcher itself."""
    DIGEST = "digest"
    """Several reports in one message: made for a channel that asks for it, never drawn from a sighting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a repo."""

    hub_id: str
    kind: EventKind
    version: int
    """The repo row's version that this event was drawn at; with `hub_id` and `kind` it is unique."""
    at: datetime
    name: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoRef:
    """One repo of a release as a report names it."""

    hub_id: str
    name: str
    sha: str | None
    variant: str | None = None
    """fp8, gguf, instruct …; None for an original."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the Hub's own key `_id`."""
        return {"_id": self.hub_id, "id": self.name, "sha": self.sha, "variant": self.variant}


class RepoState(enum.StrEnum):
    """Where a repo stands with us."""

    SILENT = "silent"
    """Was there at the first look at its organization: known, never announced."""
    CANDIDATE = "candidate"
    """New, but a filter cannot be decided yet."""
    IGNORED = "ignored"
    """New, and a filter drops it."""
    ACTIVE = "active"
    """New and wanted: announced, or on its way."""
    GONE = "gone"


class ReleaseState(enum.StrEnum):
    """Where a release stands."""

    SILENT = "silent"
    """Older than our tracking: never announced, but later copies can join it."""
    OPEN = "open"
    """Waiting until it is quiet."""
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A repo as last seen: one row of the store."""

    hub_id: str
    name: str
    organization: str
    """Lower case."""
    stem: str
    """Family and version out of the name; see `watcher.naming.names`."""
    version: int = 0
    """Raised by every T1 from the one it read."""
    state: RepoState
    because: str | None = None
    """The rule that kept or dropped it."""
    first_seen_at: datetime
    changed_at: datetime
    sha: str | None = None
    last_modified: datetime | None = None
    created_at: datetime | None = None
    gated: str | None = None
    disabled: bool = False
    license: str | None = None
    pipeline_tag: str | None = None
    library_name: str | None = None
    tags: tuple[str, ...] = ()
    base_models: tuple[tuple[str, str], ...] = ()
    """(relation, id)."""
    stored_parameters: int | None = None
    looked_sha: str | None = None
    """The revision whose files were compared last."""
    tree: tuple[TreeFile, ...] | None = None
    """Its files; None when only the name was recorded."""
    readable: bool = False
    whole: bool = False
    read_sha: str | None = None
    record_key: str | None = None
    unreadable: str | None = None
    release_id: str | None = None
    missing_since: datetime | None = None
    retry_at: datetime | None = None
    failures: int = 0
    error: str | None = None

    @property
    def quiet_since(self) -> datetime:
        """Since when nothing has been uploaded, as the Hub tells it; never later than when we saw the change."""
        return min(self.last_modified, self.changed_at) if self.last_modified else self.first_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A group of repos an organization put out together: one row of the store."""

    id: str
    organization: str
    stem: str
    state: ReleaseState
    opened_at: datetime
    out_at: datetime | None = None
    report_id: str | None = None
