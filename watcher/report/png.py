"""SVG → PNG with the bundled font only, so that a picture looks the same on a machine without fonts.

The rasteriser (resvg) is native code that can abort a process, so the daemon runs it in one of its own: `raster.py`.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from watcher.errors import WatcherError
from watcher.report import raster

MAX_SIDE: Final = 8_192
"""Pixels of the finished picture's longer side; beyond, the scale is lowered."""
MAX_SVG: Final = 4_000_000
"""Bytes of SVG that are rasterised at all."""
TIMEOUT: Final = 20.0
"""Seconds a process may take for one picture."""
_SIZE = re.compile(r"""<svg\b[^>]*?\bwidth="(\d{1,7}(?:\.\d{1,3})?)"[^>]*?\bheight="(\d{1,7}(?:\.\d{1,3})?)\"""")


class PictureError(WatcherError):
    """A picture cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What came out of rasterising."""

    png: bytes | None
    reason: str | None = None
    """Why there is no picture."""


def to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """The picture at `scale` pixels per unit, less where that would exceed MAX_SIDE. Raises PictureError."""
    zoom, size = bounded(svg, scale)
    _package()
    try:
        return raster.rasterise(svg, zoom, size, _fonts())
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":  # where its panics come from
            raise
        raise PictureError(f"no PNG: {type(error).__name__}: {str(error)[:200]}") from None


def bounded(svg: str, scale: float) -> tuple[float, tuple[int, int]]:
    """The scale at which the picture stays within MAX_SIDE, and its size in pixels; read from the document's first tag
    before it is drawn."""
    if len(svg) > MAX_SVG:
        raise PictureError(f"no PNG: the SVG has {len(svg):,} characters, more than {MAX_SVG:,}")
    found = _SIZE.match(svg, svg.find("<svg"))
    if found is None:
        raise PictureError("no PNG: the SVG states no width and height")
    wide, tall = float(found[1]), float(found[2])
    if not wide or not tall or not scale > 0:
        raise PictureError("no PNG: the SVG or the scale is empty")
    zoom = min(scale, MAX_SIDE / max(wide, tall))
    return zoom, (math.ceil(wide * zoom), math.ceil(tall * zoom))


@functools.cache
def _package() -> str:
    """The folder that the rasteriser's package is in."""
    found = importlib.util.find_spec("resvg")
    if found is None or found.origin is None:
        raise PictureError("no PNG: the package resvg is not installed")
    return str(Path(found.origin).parents[1])


@functools.cache
def _fonts() -> list[str]:
    folder = resources.files("watcher.report").joinpath("fonts")
    return [str(folder.joinpath(f"Inter-{weight}.ttf")) for weight in (400, 600)]


def to_png_isolated(svg: str, *, scale: float = 2.0, timeout: float = TIMEOUT) -> Picture:
    """`to_png` in a short-lived process: whatever happens there, the caller gets a picture or a reason."""
    try:
        zoom, (wide, tall) = bounded(svg, scale)
        command = [*_INTERPRETER, str(zoom), str(wide), str(tall), _package(), *_fonts()]
        done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=timeout, env=_environment())
    except PictureError as error:
        return Picture(None, str(error))
    except subprocess.TimeoutExpired:
        return Picture(None, f"no PNG: not drawn within {timeout:g} s")
    except (OSError, ValueError) as error:
        return Picture(None, f"no PNG: {error}")
    if done.returncode == 0 and done.stdout.startswith(b"\x89PNG"):
        return Picture(done.stdout)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    why = said[-1][:300] if said else f"the rasteriser ended with code {done.returncode}"
    return Picture(None, f"no PNG: {why}")


_INTERPRETER: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("raster.py")))
"""Isolated and without `site`: no environment and no start-up file has a say, and it starts faster."""


def _environment() -> dict[str, str]:
    """Nothing but what starts the interpreter: no secret is handed on."""
    return {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
