"""The Hub stand-in: a real HTTP server that speaks the Hub's protocol over a small world of repos."""

from __future__ import annotations

from watcher.hub.standin.faults import Fault
from watcher.hub.standin.repo import Weights
from watcher.hub.standin.server import Standin
from watcher.hub.standin.world import World

__all__ = ["Fault", "Standin", "Weights", "World"]
