"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The research folder: skipped where absent, an error where `WATCHER_SHARED` promises it."""
    promised = os.environ.get("WATCHER_SHARED")
    folder = Path(promised) if promised else Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        if promised:
            pytest.fail(f"WATCHER_SHARED is set to {promised!r}, which is not a folder")
        pytest.skip("no research folder: set WATCHER_SHARED")
    return folder
