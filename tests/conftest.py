"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings
from stage import Stage, open_stage

settings.register_profile("calm", deadline=None)  # a busy machine is no fault
settings.load_profile("calm")


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


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the user's configuration, token or proxies."""
    for name in list(os.environ):
        if name.startswith(("HF_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")) or (
            name.startswith("WATCHER_") and name != "WATCHER_SHARED"
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "nowhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "nowhere"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The stand-in, receivers and a clock; see `tests/stage.py`."""
    with open_stage(tmp_path) as opened:
        yield opened
