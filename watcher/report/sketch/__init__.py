"""The picture of an architecture, drawn from its record alone."""

from __future__ import annotations

from watcher.report.sketch.page import draw

__all__ = ["draw"]
