"""What comes in to a receiver, what it answers, and what every platform may do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Answer = tuple[int, str, bytes] | tuple[int, str, bytes, Mapping[str, str]]
"""Status, content type, body, and more headers."""


@dataclass(frozen=True, slots=True)
class Message:
    """What came in one request."""

    body: Any
    """The JSON in it, or the fields of a form; None when it is neither."""
    raw: bytes
    """The JSON as it came."""
    files: Mapping[str, bytes]
    headers: Mapping[str, str]
    method: str = "POST"
    path: str = ""
    """What comes after the channel in the address."""


class Keeper(Protocol):
    """Where accepted messages go."""

    shelf: dict[str, bytes]
    """What is uploaded and not posted yet."""

    def keep(self, channel: str, raw: bytes, files: Mapping[str, bytes], headers: Mapping[str, str]) -> int:
        """Keep one accepted message; its number."""
        ...

    def url(self, kind: str, channel: str) -> str:
        """The address of one channel."""
        ...
