"""The small values a configuration is written in: durations, parameter counts, addresses, patterns and secrets."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from watcher.errors import ConfigurationError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SCALES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
SECRET_LIMIT = 65_536
"""Bytes read of a secret file; a key or a token is far smaller."""


def duration(text: str) -> timedelta:
    """`30s`, `5m`, `6h`, `2d` as a time span; ValueError says what is allowed."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhd])", text.strip())
    if match is None:
        raise ValueError("a duration is a number and a unit: 30s, 5m, 6h, 2d")
    try:
        return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    except OverflowError:
        raise ValueError("this duration is longer than a calendar") from None


def parameter_count(text: str) -> int:
    """`7B`, `350M`, `1.5T` or a plain number as a count of parameters; ValueError says what is allowed."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([KMBT]?)", text.strip().upper())
    if match is None:
        raise ValueError("a parameter count is a number with K, M, B or T: 350M, 7B, 1.5T")
    return round(float(match[1]) * _SCALES[match[2]])


_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]*)):(?P<port>\d{1,5})")


def listen_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8790`, `[::1]:8790` or `:8790` (every interface) as host and port; ValueError says what is allowed."""
    match = _LISTEN.fullmatch(text.strip())
    if match is None or int(match["port"]) > 65_535:
        raise ValueError("an address to listen on is host:port, for example 127.0.0.1:8790 or [::1]:8790")
    return match["six"] or match["host"] or "0.0.0.0", int(match["port"])


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob over `org/name`, or a regular expression when it begins with `re:`; case does not matter."""

    text: str

    def __post_init__(self) -> None:
        if self.text.startswith("re:"):
            try:
                re.compile(self.text[3:])
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None

    def matches(self, name: str) -> bool:
        """Whether the pattern covers the whole name (a glob) or is found in it (a regular expression)."""
        if self.text.startswith("re:"):
            return re.search(self.text[3:], name, re.IGNORECASE) is not None
        return fnmatch.fnmatchcase(name.lower(), self.text.lower())


def first_match(patterns: Iterable[Pattern], name: str) -> Pattern | None:
    """The first pattern that covers the name."""
    return next((pattern for pattern in patterns if pattern.matches(name)), None)


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A reference to a secret: `env:NAME`, `file:PATH`, or the value itself. Printing it never shows a value."""

    reference: str = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = field(default=Path(), repr=False)
    """What a relative `file:` path starts from: the folder of config.toml."""

    @property
    def source(self) -> str:
        """Where the value comes from, safe to print."""
        kind = self.reference.partition(":")[0]
        return self.reference if kind in ("env", "file") else "config.toml"

    def resolve(self) -> str:
        """The value, without trailing newlines. Raises ConfigurationError that names the variable or the file."""
        kind, _, rest = self.reference.partition(":")
        if kind == "env":
            value = self.environment.get(rest, "").strip()
            if not value:
                raise ConfigurationError(f"the environment variable {rest} is not set; set it, or use file:PATH")
            return value
        return self._read_file(rest) if kind == "file" else self.reference.strip()

    def _read_file(self, path: str) -> str:
        try:
            with open(self.folder / path, "rb") as handle:
                value = handle.read(SECRET_LIMIT).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ConfigurationError(f"the secret file {path} cannot be read: {reason}") from None
        if not value:
            raise ConfigurationError(f"the secret file {path} is empty")
        return value

    def __str__(self) -> str:
        return f"<secret from {self.source}>"
