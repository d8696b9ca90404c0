"""Odd items of listings: each is said once for as long as it stays, and none hides or invents a release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from watcher.context import Context
from watcher.store import notes

KEY = "odd "
MOST = 100
"""Oddities of one listing that are remembered."""

FIRST_LOOKS = 3
"""Looks at an organization that is new to us, before items that say neither name nor `_id` are taken as lasting."""


class Oddities:
    """By organization: what was said already, and the names that its first look could not read."""

    def __init__(self, known: dict[str, dict[str, Any]]) -> None:
        self._known = known

    @classmethod
    def recall(cls, connection: Connection) -> Oddities:
        """As the store remembers them."""
        keys = notes.keys(connection, KEY)
        return cls({key.removeprefix(KEY): notes.recall(connection, key) for key in keys})

    def hidden(self, organization: str) -> frozenset[str]:
        """Names and `_id`s that the first look could not read: whatever they are, they were there before."""
        return frozenset(self._known.get(organization, {}).get("hidden", ()))

    def say(self, context: Context, organization: str, prefix: str, oddities: Sequence[str]) -> None:
        """Journal those that were not odd at the last look."""
        found = list(dict.fromkeys(oddities))[:MOST]
        said = self._known.get(organization, {}).get("said", [])
        for oddity in found:
            if oddity not in said:
                context.journal.error(f"{prefix}{oddity}")
        if found != said:
            self._keep(context, organization, said=found)

    def hide(self, context: Context, organization: str, names: Sequence[str]) -> None:
        """Remember names and `_id`s that a first look could not read."""
        self._keep(context, organization, hidden=list(names))

    def is_first_look_over(self, context: Context, organization: str) -> bool:
        """Whether a first look counts although it held items that nobody could tell apart later: the last try does."""
        tries = self._known.get(organization, {}).get("tries", 0) + 1
        self._keep(context, organization, tries=tries if tries < FIRST_LOOKS else 0)
        return bool(tries >= FIRST_LOOKS)

    def _keep(self, context: Context, organization: str, **values: list[str] | int) -> None:
        note = {"said": [], "hidden": []} | self._known.get(organization, {}) | values
        self._known[organization] = note
        with context.store.begin() as connection:
            notes.note(connection, f"{KEY}{organization}", note if any(note.values()) else None)
