"""A model repo of the stand-in: its files, revisions and switches. Plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

LFS_SUFFIXES = (".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx", ".msgpack", ".h5", ".tar.gz", ".zip")
LFS_NAMES = ("tokenizer.json", "tokenizer.model")
LFS_FROM = 10 * 1024 * 1024
"""What the Hub keeps in LFS: these suffixes and names, and whatever is larger than git takes."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A large file that exists by its size: its beginning is real, the rest is zeros made on demand."""

    size: int
    head: bytes = b""
    """A safetensors header with its length prefix, the beginning of a GGUF file …"""

    @property
    def sha256(self) -> str:
        """A stable name for content that is never written out."""
        return hashlib.sha256(b"%d " % self.size + self.head).hexdigest()

    def part(self, start: int, end: int) -> bytes:
        """Bytes from `start` up to, not including, `end`."""
        end = min(end, self.size)
        real = self.head[start:end]
        return real + bytes(max(0, end - max(start, len(self.head))))


Content = bytes | Weights


@dataclass(frozen=True, slots=True)
class File:
    """One file at one revision."""

    content: Content
    lfs: bool

    @property
    def size(self) -> int:
        """Of the real content."""
        return self.content.size if isinstance(self.content, Weights) else len(self.content)

    @property
    def sha256(self) -> str:
        """Of the real content."""
        return self.content.sha256 if isinstance(self.content, Weights) else hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git holds of a file in LFS."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @property
    def oid(self) -> str:
        """Git blob sha1 of what git holds."""
        data = self.pointer if self.lfs or isinstance(self.content, Weights) else self.content
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def part(self, start: int, end: int) -> bytes:
        """Bytes from `start` up to, not including, `end`."""
        return self.content.part(start, end) if isinstance(self.content, Weights) else self.content[start:end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One revision."""

    sha: str
    at: datetime
    title: str
    files: Mapping[str, File]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRepo:
    """One model repository; replaced whole whenever something happens to it."""

    hub_id: str
    name: str
    created_at: datetime
    commits: tuple[Commit, ...] = ()
    """Oldest first; empty for a repo without any commit."""
    private: bool = False
    gated: str | bool = False
    disabled: bool = False
    overrides: Mapping[str, object] = field(default_factory=dict)
    """Fields of the API's answer that are set by hand: odd items, lagging derived fields."""

    @property
    def head(self) -> Commit | None:
        """The newest revision of main."""
        return self.commits[-1] if self.commits else None

    @property
    def organization(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]


def file_at(path: str, content: Content) -> File:
    """A file as the Hub keeps it: in git, or in LFS."""
    name = path.rpartition("/")[2]
    large = isinstance(content, Weights) or len(content) > LFS_FROM
    return File(content, large or name.endswith(LFS_SUFFIXES) or name in LFS_NAMES)
