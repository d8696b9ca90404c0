"""The reference: facts about `transformers` model types, shipped with us and made by `scripts/make_families.py`."""

from __future__ import annotations

from pathlib import Path

from watcher.architecture.families import family


class Reference:
    """What is known of the reference implementation."""

    @classmethod
    def default(cls, cache: Path) -> Reference:
        """The best reference at hand."""
        return cls()

    def describe(self) -> str:
        """Which version the facts come from, in one line."""
        known = family("llama")
        return f"shipped facts of {known.source.rpartition(' ')[0]}" if known else "no reference facts"
