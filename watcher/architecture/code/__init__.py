"""The code witness: modeling code read as a syntax tree and interpreted symbolically, never executed."""

from __future__ import annotations

from watcher.architecture.code.read import has_code, read_code

__all__ = ["has_code", "read_code"]
