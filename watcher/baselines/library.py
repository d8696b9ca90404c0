"""Everything to compare with: the shipped catalog, and the architectures that the watcher has read itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from watcher.architecture.record import Architecture
from watcher.baselines.catalog import Catalog, load_catalog
from watcher.baselines.model import Baseline
from watcher.baselines.nearest import nearest
from watcher.releases.model import Repo
from watcher.store import archive
from watcher.store.engine import Store


class Library:
    """The catalog and the store's own baselines, loaded when they are first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def _catalog(self) -> Catalog:
        return load_catalog()

    @property
    def version(self) -> str:
        """The catalog's version, as reports name it."""
        return self._catalog.version
