"""The picture files of one report: light and dark SVG and a PNG, never at the price of the report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from watcher.architecture.record import Architecture
from watcher.compare.model import Change
from watcher.report.png import Picture, to_png_isolated
from watcher.report.sketch.page import draw

_log = logging.getLogger(__name__)


def sketch_pictures(
    stem: str,
    record: Architecture,
    baseline: Architecture | None = None,
    changes: Sequence[Change] = (),
    *,
    rasterise: Callable[[str], Picture] | None = to_png_isolated,
) -> dict[str, bytes]:
    """`<stem>.svg`, `<stem>-dark.svg` and, where it can be made, `<stem>.png`; without `rasterise` no PNG."""
    try:
        light = draw(record, baseline=baseline, changes=changes)
        dark = draw(record, baseline=baseline, changes=changes, theme="dark")
    except Exception as error:  # a picture that cannot be drawn must not lose the report it belongs to
        _log.warning("sketch.failed %s: %s", stem, error, exc_info=True)
        return {}
    pictures = {f"{stem}.svg": light.encode(), f"{stem}-dark.svg": dark.encode()}
    picture = rasterise(light) if rasterise else None
    if picture and picture.png:
        pictures[f"{stem}.png"] = picture.png
    elif picture:
        _log.warning("sketch.no_png %s: %s", stem, picture.reason)
    return pictures
