"""A stand-in for the tests of the client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from watcher.hub.client import HubClient
from watcher.hub.standin import Standin, World

TOKEN = "hf_testtoken"


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A running stand-in with an empty world and one known token."""
    with Standin(World(datetime(2026, 11, 1, tzinfo=UTC)), tokens={TOKEN: "someone"}) as running:
        yield running


@pytest.fixture
def hub(standin: Standin) -> HubClient:
    """Our client, with a deadline that tests can wait for."""
    return HubClient(standin.url, deadline=2.0)
