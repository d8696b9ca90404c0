"""What the Hub says, as data, and the one error for when it does not."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from watcher.errors import WatcherError


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """A relation a repo declares to another one."""

    relation: str
    """quantized, finetune, adapter, merge, or `base` when only `base_model:<id>` is given."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one look said about one repo at one moment."""

    hub_id: str
    """The Hub's `_id`: survives a rename, changes on re-creation."""
    name: str
    """`org/name` as it is now."""
    sha: str | None = None
    """Head of main; None while the repo has no commit."""
    last_modified: datetime | None = None
    created_at: datetime | None = None
    gated: str | None = None
    """auto, manual, or None for open."""
    disabled: bool = False
    private: bool = False
    tags: tuple[str, ...] = ()
    license: str | None = None
    """From the tag `license:…`."""
    pipeline_tag: str | None = None
    library_name: str | None = None
    base_models: tuple[BaseModel, ...] = ()
    stored_parameters: int | None = None
    """Sum over `safetensors.parameters` (its `total` is sometimes wrong)."""

    @property
    def organization(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One look at many repos."""

    sightings: tuple[Sighting, ...]
    complete: bool
    """False when a page failed: absence then says nothing."""
    oddities: tuple[str, ...] = ()
    """What could not be read or used, one sentence each."""
    odd_names: tuple[str, ...] = ()
    """Repos among them that can be asked for by themselves."""
    odd_ids: tuple[str, ...] = ()
    """`_id`s of those among them without a usable name."""
    nameless: int = 0
    """How many of them said neither."""
    rest: str | None = None
    """Where a listing goes on that was cut off, by its limit of pages or by a page that failed."""
    requests: int = 1
    etag: str | None = None
    """What a later look can ask with, if this one was a single page."""
    unchanged: bool = False
    """The Hub says that nothing is new since the look with that etag; there are no sightings then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """One file of a repo at a revision."""

    path: str
    oid: str
    """Git blob sha1 of what is in git (for an LFS file: of its pointer)."""
    size: int
    lfs_sha256: str | None = None
    """Set for files in LFS/Xet: the sha256 of the real content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """What the Hub's rate-limit headers said last, by bucket."""

    bucket: str
    remaining: int
    quota: int | None
    resets_at: datetime
    """End of the fixed window."""


class HubProblem(enum.StrEnum):
    """Why there is no answer. Told apart by status and `X-Error-Code`, never by a client's exception class."""

    NOT_FOUND = "not-found"
    """Missing, or private to us: the Hub does not tell which."""
    NO_ENTRY = "no-entry"
    """The repo is there, the file is not."""
    NO_REVISION = "no-revision"
    GATED = "gated"
    DISABLED = "disabled"
    BAD_TOKEN = "bad-token"
    REFUSED = "refused"
    """Another 4xx."""
    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"
    """5xx, time-out, reset, cut off, not reachable."""
    INVALID = "invalid"
    """An answer that is not what was asked for (HTML, half a JSON, wrong blob)."""
    TOO_LARGE = "too-large"


class HubError(WatcherError):
    """A request to the Hub did not bring an answer: by itself it says nothing about the repo."""

    def __init__(
        self,
        problem: HubProblem,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = problem
        self.status = status
        self.retry_after = retry_after
        """Seconds, when the Hub said when to come back."""

    @property
    def transient(self) -> bool:
        """Whether asking again later may bring an answer without anything being changed by someone."""
        return self.problem in (HubProblem.RATE_LIMITED, HubProblem.UNAVAILABLE, HubProblem.INVALID)


class Hub(Protocol):
    """The one door to the Hub. Every method raises HubError and nothing else; none sleeps, each has a deadline."""

    def list_organization(self, organization: str, *, etag: str | None = None, first: bool = False) -> Listing:
        """Every public model repo of an organization (or user), all pages; `etag` asks whether anything is new.

        `first`: nothing is known of it yet, so what is not listed now would be taken for new later.
        """
        ...

    def list_global(
        self, sort: str, *, until: datetime | None = None, pages: int = 1, start: str | None = None
    ) -> Listing:
        """The newest (`createdAt`), last modified (`lastModified`) or trending (`trendingScore`) repos of the Hub.

        Reads on until a page ends before `until`, at most `pages`; complete when it got there.
        """
        ...

    def info(self, name: str) -> Sighting:
        """One repo, by its present or a former name (compare `hub_id`)."""
        ...

    def tree(self, name: str, revision: str) -> tuple[TreeFile, ...]:
        """Every file at a revision."""
        ...

    def read(self, name: str, revision: str, file: TreeFile, *, limit: int) -> bytes:
        """A whole file at a 40-hex revision, at most `limit` bytes, checked against its blob id."""
        ...

    def read_range(self, name: str, revision: str, path: str, start: int, length: int) -> bytes:
        """`length` bytes of a file from `start`; fewer only at the end of the file."""
        ...

    def organization_exists(self, organization: str) -> bool:
        """Whether an organization or user of this name answers."""
        ...

    def whoami(self) -> str | None:
        """The account the token belongs to; None without a token."""
        ...

    @property
    def requests(self) -> int:
        """Requests sent so far, redirects included."""
        ...

    def uncounted(self) -> int:
        """Requests sent since this was last asked."""
        ...

    @property
    def rates(self) -> Mapping[str, RateState]:
        """What the rate-limit headers said last."""
        ...

    @property
    def token_refused(self) -> bool:
        """Whether the Hub did not accept the token and everything since was asked without one."""
        ...
