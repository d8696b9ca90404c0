"""The sketch in a real browser's own fonts: every text keeps to the room that was measured for it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from browser import chromium

from watcher.architecture.record import Architecture
from watcher.baselines.catalog import load_catalog
from watcher.report.sketch import draw, draw_pair
from watcher.report.sketch.card import draw_card

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
NS = "{http://www.w3.org/2000/svg}"
FONTS = ("Inter, sans-serif", "sans-serif", "serif", "monospace")
MEASURED = """
document.body.innerHTML = arguments[0];
const svg = document.querySelector("svg"), found = [];
for (const font of arguments[1]) {
  svg.setAttribute("font-family", font);
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBBox(), room = Number(text.getAttribute("textLength"));
    if (Math.abs(box.width - room) > 2.5)
      found.push(`${font}: ${text.textContent} takes ${box.width.toFixed(1)} of ${room}`);
  }
}
return found;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_texts_keep_to_their_room_in_every_font(browser: Any) -> None:
    """Every text of every drawing, each sort once: where it stands changes nothing about its width."""
    records = [item.record for item in load_catalog().baselines] + [Architecture()]
    sorts: dict[tuple[str, ...], ET.Element] = {}
    for record, before in zip(records, [records[-1], *records], strict=False):
        for svg in (draw(record, baseline=before), draw_card(record), draw_pair(before, record)):
            for text in ET.fromstring(svg).iter(NS + "text"):
                sort = (text.text or "", text.get("font-size", ""), text.get("font-weight", ""))
                sorts.setdefault((*sort, text.get("textLength", "")), text)
    sheet = ET.Element(NS + "svg")
    sheet.extend(sorts.values())
    assert len(sorts) > 1_000
    browser.get("data:text/html,<!doctype html><body></body>")
    ET.register_namespace("", NS[1:-1])
    assert browser.execute_script(MEASURED, ET.tostring(sheet, encoding="unicode"), FONTS) == []
