"""A sketch of two models as a file that a command was asked for: SVG, or PNG by its name."""

from __future__ import annotations

from pathlib import Path

from watcher.architecture.record import Architecture
from watcher.errors import ConfigurationError, SourceError
from watcher.report.png import to_png_isolated
from watcher.report.sketch.pair import draw_pair


def write_pair(a: Architecture, b: Architecture, path: Path) -> Path:
    """Draw both side by side, dark where the name ends in `-dark`.

    Raises ConfigurationError for a name that says no format, SourceError when the file cannot be made.
    """
    suffix = path.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise ConfigurationError(f"--sketch {path}: name a file that ends in .svg or .png")
    drawn = draw_pair(a, b, theme="dark" if path.stem.endswith("-dark") else "light")
    content = drawn.encode()
    if suffix == ".png":
        picture = to_png_isolated(drawn)
        if picture.png is None:
            raise SourceError(f"{path}: {picture.reason}")
        content = picture.png
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from None
    return path
