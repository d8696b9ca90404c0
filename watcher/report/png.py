"""SVG → PNG with the bundled font only, so that a picture looks the same on a machine without fonts.

The rasteriser is native code that can abort a process, so the daemon runs it in one of its own:
`python -m watcher.report.png < sketch.svg > sketch.png`.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from watcher.errors import WatcherError

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
    zoom = bounded(svg, scale)
    try:
        import resvg_py

        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg,
                zoom=zoom,
                skip_system_fonts=True,
                font_files=_fonts(),
                font_family="Inter",
                sans_serif_family="Inter",
            )
        )
    except ImportError:
        raise PictureError("no PNG: the package resvg_py is not installed") from None
    except Exception as error:
        raise PictureError(f"no PNG: {type(error).__name__}: {str(error)[:200]}") from None


def bounded(svg: str, scale: float) -> float:
    """The scale at which the picture stays within MAX_SIDE, read from the document's first tag before it is drawn."""
    if len(svg) > MAX_SVG:
        raise PictureError(f"no PNG: the SVG has {len(svg):,} characters, more than {MAX_SVG:,}")
    found = _SIZE.match(svg, svg.find("<svg"))
    if found is None:
        raise PictureError("no PNG: the SVG states no width and height")
    longer = max(float(found[1]), float(found[2]))
    if not longer or not scale > 0:
        raise PictureError("no PNG: the SVG or the scale is empty")
    return min(scale, MAX_SIDE / longer)


@functools.cache
def _fonts() -> list[str]:
    folder = resources.files("watcher.report").joinpath("fonts")
    return [str(folder.joinpath(f"Inter-{weight}.ttf")) for weight in (400, 600)]


def to_png_isolated(svg: str, *, scale: float = 2.0, timeout: float = TIMEOUT) -> Picture:
    """`to_png` in a short-lived process: whatever happens there, the caller gets a picture or a reason."""
    command = [sys.executable, "-m", __name__, str(scale)]
    try:
        done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=timeout, env=_environment())
    except subprocess.TimeoutExpired:
        return Picture(None, f"no PNG: not drawn within {timeout:g} s")
    except (OSError, ValueError) as error:
        return Picture(None, f"no PNG: {error}")
    if done.returncode == 0 and done.stdout.startswith(b"\x89PNG"):
        return Picture(done.stdout)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return Picture(None, said[-1][:300] if said else f"no PNG: the rasteriser ended with code {done.returncode}")


def _environment() -> dict[str, str]:
    """Nothing but what finds the interpreter's modules: no secret is handed on."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])}


def main() -> int:
    """SVG from stdin, PNG to stdout; one line on stderr and exit code 1 if it cannot be made."""
    try:
        svg = sys.stdin.buffer.read(MAX_SVG + 1).decode()
        picture = to_png(svg, scale=float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
    except (PictureError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
