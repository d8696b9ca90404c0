"""Reading small repos with code of their own, and the reference implementation where one is at hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny import CONFIG, CONFIGURATION, MODEL

from watcher.architecture.code import read_code
from watcher.architecture.reference import Reference
from watcher.architecture.witness import Reading, RepoFiles
from watcher.runtime import cache_directory

Read = Callable[..., Reading]


@pytest.fixture
def read() -> Read:
    """Read a repo's code: the modeling file's text, changes of the config, other files."""

    def run(model: str = MODEL, config: Mapping[str, Any] | None = None, **files: str) -> Reading:
        given = {"modeling_tiny.py": model, "configuration_tiny.py": CONFIGURATION}
        given |= {f"{name}.py": text for name, text in files.items()}
        repo = RepoFiles(name="org/tiny", files={name: text.encode() for name, text in given.items()})
        return read_code(repo, {**CONFIG, **(config or {})})

    return run


@pytest.fixture(scope="session")
def reference() -> Reference:
    """The `transformers` wheel in the cache, or an installed package; skipped where there is neither."""
    found = Reference.default(cache_directory(os.environ))
    if found.sources is None:
        pytest.skip("no transformers: watcher reference update")
    return found
