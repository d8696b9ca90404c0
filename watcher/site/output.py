"""What a build writes, and what the last one wrote: only files that differ are touched, stale ones go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from watcher.errors import SourceError
from watcher.whole_file import write_whole

STATE = ".site-state.json"
"""Beside the pages: what was read and written. Deleting it makes the next build a full one."""


@dataclass(slots=True)
class State:
    """What the last build left."""

    edition: str = ""
    """Of program, templates and options; another one makes everything anew."""
    sources: dict[str, Any] = field(default_factory=dict)
    """Rows by source key."""
    pages: dict[str, Any] = field(default_factory=dict)
    """By slug: what the page was made from, and its files."""
    files: dict[str, str] = field(default_factory=dict)
    """Digest by path."""


def load_state(folder: Path, edition: str) -> State:
    """The last build's state; only its list of files where this program or its options are others."""
    try:
        data = json.loads((folder / STATE).read_bytes())
        files = {str(path): str(digest) for path, digest in data["files"].items() if _inside(str(path))}
        if data["edition"] != edition:
            return State(edition, files=files)
        return State(edition, dict(data["sources"]), dict(data["pages"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return State(edition)


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not path.startswith("/") and "\\" not in path


@dataclass(slots=True)
class Output:
    """The folder a site is built in."""

    folder: Path
    state: State
    written: int = 0
    removed: int = 0
    _kept: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file, unless it is there with these bytes already. Raises SourceError."""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        digest = hashlib.sha256(data).hexdigest()[:24]
        self._kept[path] = digest
        target = self.folder / path
        if self.state.files.get(path) == digest and target.is_file():
            return
        try:
            write_whole(target, data, sync=False)  # a site can be built again
        except OSError as error:
            raise SourceError(f"{target}: cannot be written: {error.strerror}; check the folder") from None
        self.written += 1

    def keep(self, paths: Iterable[str]) -> bool:
        """Let files of the last build stand; False if one of them is missing."""
        listed = list(paths)
        if not all(path in self.state.files and (self.folder / path).is_file() for path in listed):
            return False
        self._kept |= {path: self.state.files[path] for path in listed}
        return True

    def finish(self) -> None:
        """Remove what only earlier builds wrote, and keep the state for the next one. Raises SourceError."""
        for path in set(self.state.files) - set(self._kept):
            target = self.folder / path
            if target.is_file():
                target.unlink()
                self.removed += 1
        self.state.files = self._kept
        data = {key: getattr(self.state, key) for key in ("edition", "sources", "pages", "files")}
        try:
            text = json.dumps(data, separators=(",", ":"), sort_keys=True)
            write_whole(self.folder / STATE, text.encode(), sync=False)
        except OSError as error:
            raise SourceError(f"{self.folder}: cannot be written: {error.strerror}; check the folder") from None
