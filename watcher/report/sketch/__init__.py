"""The picture of an architecture, drawn from its record alone; `page.py` is the one to read first."""

from __future__ import annotations

from watcher.report.sketch.page import draw
from watcher.report.sketch.pair import draw_pair
from watcher.report.sketch.pictures import sketch_pictures

__all__ = ["draw", "draw_pair", "sketch_pictures"]
