"""A folder: page and pictures written whole or not at all, with an index and feeds before them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar, Literal

from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt
from watcher.publish.pages import front_files, page_files, page_payload
from watcher.report.model import Report
from watcher.section import ChannelSettings
from watcher.whole_file import write_whole


class FolderSettings(ChannelSettings):
    """Keys of a folder channel."""

    archive: ClassVar[bool] = True

    type: Literal["folder"]
    path: str
    """Where to write; relative to config.toml."""


class Folder:
    """A folder on disk."""

    def __init__(self, settings: FolderSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self.root = folder / settings.path

    def render(self, report: Report, links: Links) -> Payload:
        """The page as it is."""
        return page_payload(report)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Write the files; writing the same again changes nothing."""
        try:
            for path, data in page_files(outgoing).items():
                write_whole(self.root / path, data)
            for path, data in front_files(self.root).items():
                write_whole(self.root / path, data)
        except OSError as error:
            raise DeliveryError(
                f"{self.name}: {self.root} cannot be written: {error.strerror}; check the folder and the free space"
            ) from None
        path = str(outgoing.payload.body["path"])
        return Receipt(status=f"wrote {path}", reference=path)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """Remove the files."""
        try:
            for path in page_files(outgoing):
                (self.root / path).unlink(missing_ok=True)
            for path, data in front_files(self.root).items():
                write_whole(self.root / path, data)
        except OSError as error:
            raise DeliveryError(f"{self.name}: {self.root} cannot be written: {error.strerror}") from None
        return "removed"

    def check(self) -> str:
        """Whether the folder can be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                return f"{self.root} can be written"
        except OSError as error:
            raise DeliveryError(f"{self.name}: {self.root} cannot be written: {error.strerror}") from None

    def report_url(self, report: Report) -> str | None:
        """A folder has no address; `reports.public_url` names one."""
        return None
