"""A repo on the Hub (dataset, Space or model): page, sketch, index and feeds in one commit, through its library."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.pages import Entry, entry_of, front_of, page_files, page_payload
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TRIES = 5
DEADLINE = 120.0
LIST = "reports.json"
"""What the repo's index is made from: no commit has to read every page."""


class HubSettings(ChannelSettings):
    """Keys of a Hub channel."""

    archive: ClassVar[bool] = True

    type: Literal["hub"]
    repository: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
    """`org/name`; it must exist."""
    repo_type: Literal["dataset", "space", "model"] = "dataset"
    token: SecretField
    """A token that may write to it."""
    branch: str = "main"
    path: str = "reports"
    """Folder inside the repo."""
    endpoint: str = "https://huggingface.co"

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/") or not value.strip("/"):
            raise ValueError("a folder inside the repo, without ..: its front page is not overwritten")
        return value.strip("/")


class Hub:
    """A repo on the Hub."""

    def __init__(self, settings: HubSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: the Hub"

    def render(self, report: Report, links: Links) -> Payload:
        """The page as it is."""
        return page_payload(report)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Commit on top of the head we read; again when somebody else was faster."""
        commit = self._on_top(outgoing, keep=True)
        return Receipt(status=f"commit {commit[:7]}", reference=commit)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """A commit that removes the files."""
        self._on_top(outgoing, keep=False)
        return "removed by another commit"

    def _on_top(self, outgoing: Outgoing, *, keep: bool) -> str:
        with self._told() as api:
            for _ in range(TRIES):
                head = self._head(api)
                if commit := self._commit(api, head, outgoing, keep):
                    return commit
        raise DeliveryError(f"{self._what}: the repo moved on {TRIES} times while we committed; trying again later")

    def _commit(self, api: HfApi, head: str, outgoing: Outgoing, keep: bool) -> str | None:
        """Files, index and feeds in one commit; None when the repo has another head by now."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            done = api.create_commit(
                self.settings.repository,
                self._changes(api, head, outgoing, keep),
                commit_message=str(outgoing.payload.body["headline"])[:200],
                commit_description=f"Delivery: {outgoing.delivery_id}",
                repo_type=self.settings.repo_type,
                revision=self.settings.branch,
                parent_commit=head or None,
            )
        except HfHubHTTPError as error:
            if getattr(error.response, "status_code", 0) in (409, 412):
                return None
            raise
        return str(done.oid)

    def _changes(self, api: HfApi, head: str, outgoing: Outgoing, keep: bool) -> list[Any]:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        body, pages = outgoing.payload.body, page_files(outgoing)
        new = entry_of(body["markdown"], body["path"]) if keep else None
        others = [entry for entry in self._entries(api, head) if entry.path != body["path"]]
        entries = sorted([*others, *([new] if new else [])], key=lambda entry: (entry.date, entry.path), reverse=True)
        listed = json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=1).encode()
        files = {**(pages if keep else {}), **front_of(entries), LIST: listed}
        root = self.settings.path
        gone = [] if keep else [CommitOperationDelete(f"{root}/{path}") for path in pages]
        return [*gone, *(CommitOperationAdd(f"{root}/{path}", data) for path, data in sorted(files.items()))]

    def _entries(self, api: HfApi, head: str) -> list[Entry]:
        """The index as the repo has it; empty before the first report."""
        from huggingface_hub.errors import RemoteEntryNotFoundError

        with tempfile.TemporaryDirectory() as folder:
            try:
                path = api.hf_hub_download(
                    self.settings.repository,
                    f"{self.settings.path}/{LIST}",
                    repo_type=self.settings.repo_type,
                    revision=head,
                    local_dir=folder,
                )
                listed = json.loads(Path(path).read_text(encoding="utf-8"))
            except RemoteEntryNotFoundError:  # not the local one, which stands for a failed request
                return []
            except ValueError:
                raise DeliveryError(f"{self._what}: {self.settings.path}/{LIST} is no JSON; delete it there") from None
        keys = Entry.__dataclass_fields__.keys()
        return [Entry(**{key: str(item.get(key, "")) for key in keys}) for item in listed if isinstance(item, dict)]

    def _head(self, api: HfApi) -> str:
        info = api.repo_info(self.settings.repository, repo_type=self.settings.repo_type, revision=self.settings.branch)
        return str(info.sha or "")

    @contextmanager
    def _told(self) -> Iterator[HfApi]:
        """The library with our session under it; its errors as ours."""
        from watcher.hub.transport import deadline, session  # before the library: it sets what that reads

        import httpx2  # isort: skip
        from huggingface_hub import HfApi  # isort: skip
        from huggingface_hub.errors import HfHubHTTPError  # isort: skip

        session()
        api = HfApi(self.settings.endpoint, token=self.settings.token.resolve(), library_name="model-release-watcher")
        try:
            with deadline(DEADLINE):
                yield api
        except HfHubHTTPError as error:
            raise self._failure(error) from None
        except (OSError, httpx2.HTTPError) as error:
            why = type(error).__name__
            raise DeliveryError(f"{self._what} did not answer: {why}; trying again later") from None

    def _failure(self, error: Any) -> DeliveryError:
        status = int(getattr(error.response, "status_code", 0) or 0)
        short = f"{status} {error.response.headers.get('X-Error-Code', '')}".strip()
        if status in (401, 403, 404):
            remedy = (
                f"make {self.settings.repo_type} {self.settings.repository} and a token that may write to it, "
                f"set channels.{self.name}.token"
            )
            return DeliveryError(f"{self._what} says {short}; {remedy}", scope=Scope.REVOKED, status=short)
        scope = Scope.DELIVERY if status in (400, 413, 422) else Scope.CHANNEL
        after = error.response.headers.get("Retry-After", "")
        wait = float(after) if after.isdigit() else None
        return DeliveryError(f"{self._what} said {short}", scope=scope, status=short, retry_after=wait)

    def check(self) -> str:
        """Ask whose token it is and whether the repo is there."""
        with self._told() as api:
            user = api.whoami().get("name")
            self._head(api)
        return f"{self.settings.repo_type} {self.settings.repository} is there; the token is {user}'s"

    def report_url(self, report: Report) -> str | None:
        """The page in the repo."""
        kind = {"dataset": "datasets/", "space": "spaces/", "model": ""}[self.settings.repo_type]
        base = f"{self.settings.endpoint.rstrip('/')}/{kind}{self.settings.repository}"
        return f"{base}/blob/{self.settings.branch}/{self.settings.path}/{report.path}"
