"""PNG from SVG: the bundled font only, bounded size, and a process of its own that cannot take the caller down."""

from __future__ import annotations

import struct
import zlib

import pytest

from watcher.architecture.record import Architecture
from watcher.report import png
from watcher.report.png import PictureError, to_png, to_png_isolated
from watcher.report.sketch import draw
from watcher.report.sketch.svg import FONTS


def svg(inner: str = "", width: int = 120, height: int = 40) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return f"{head}{inner}</svg>"


def size(picture: bytes) -> tuple[int, int]:
    wide, tall = struct.unpack(">II", picture[16:24])
    return wide, tall


def ink(picture: bytes) -> int:
    """How many different bytes the pixels are made of: one or two for an empty picture."""
    data, at = b"", 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        if picture[at + 4 : at + 8] == b"IDAT":
            data += picture[at + 8 : at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(data)))


def test_a_sketch_becomes_a_picture_twice_as_large() -> None:
    drawn = draw(Architecture())
    picture = to_png(drawn)
    assert picture.startswith(b"\x89PNG")
    assert size(picture)[0] == 1920
    assert to_png(drawn) == picture


def test_text_is_drawn_with_the_bundled_font() -> None:
    text = '<text x="5" y="25" font-size="20" font-weight="{}" font-family="FONTS">Waves →⊕</text>'
    text = text.replace("FONTS", FONTS)
    empty, regular, bold = (to_png(svg(inner)) for inner in ("", text.format(400), text.format(600)))
    assert ink(regular) > 10 * ink(empty)
    assert regular != bold


def test_large_pictures_are_made_smaller_before_they_are_drawn() -> None:
    assert max(size(to_png(svg(width=100_000, height=100)))) <= png.MAX_SIDE + 1
    assert png.bounded(svg(), 2.0) == (2.0, (240, 80))


@pytest.mark.parametrize(
    "broken",
    ["", "not svg", "<svg width='1' height='1'>", '<svg width="10" height="10">', svg(width=0, height=0), "<svg/>"],
)
def test_what_cannot_be_drawn_says_why(broken: str) -> None:
    with pytest.raises(PictureError, match="no PNG"):
        to_png(broken)


def test_a_document_beyond_all_measure_is_refused() -> None:
    with pytest.raises(PictureError, match="characters"):
        to_png(svg("<g/>" * (png.MAX_SVG // 4)))


def test_its_own_process_makes_the_same_picture() -> None:
    made = to_png_isolated(svg("<rect width='9' height='9'/>"))
    assert made.reason is None
    assert made.png == to_png(svg("<rect width='9' height='9'/>"))


def test_its_own_process_reports_what_went_wrong() -> None:
    made = to_png_isolated("not svg")
    assert made.png is None
    assert made.reason == "no PNG: the SVG states no width and height"


def test_its_own_process_is_given_up_in_time() -> None:
    made = to_png_isolated(svg(), timeout=0.001)
    assert made.png is None
    assert made.reason is not None
    assert "not drawn within" in made.reason
