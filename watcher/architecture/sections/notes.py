"""What one witness has told so far: facts by path, and what it tried and could not tell."""

from __future__ import annotations

from typing import Any

from watcher.architecture.config import Absent, Config
from watcher.architecture.witness import Fact


class Notes:
    """Collects the facts that a config tells."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.facts: dict[str, Fact] = {}
        self.unread: list[tuple[str, str]] = []

    def put(self, path: str, value: Any, where: str | tuple[str, ...] | None, *, certain: bool = True) -> None:
        """A fact; None is told only by a key that says null, so it is left out here."""
        if value is not None:
            self.facts[path] = Fact(value, where if where is not None else self.config.file, certain)

    def lack(self, path: str, why: str) -> None:
        """A fact that this config tries to tell and cannot."""
        self.unread.append((path, why))

    def size(self, path: str, concept: str, *, low: int = 1) -> int | None:
        """A size by concept; a senseless value is unread with its key."""
        try:
            value = self.config.size(concept, low=low)
        except Absent as error:
            self.lack(path, str(error))
            return None
        self.put(path, value, self.config.where(concept))
        return value

    def word(self, path: str, concept: str) -> str | None:
        """A short word by concept."""
        value = self.config.word(concept)
        self.put(path, value, self.config.where(concept))
        return value
