"""The sketch in a real browser's own fonts: every text keeps to the room that was measured for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import chromium

from watcher.architecture.record import Architecture
from watcher.baselines.catalog import load_catalog
from watcher.report.sketch import draw, draw_pair
from watcher.report.sketch.card import draw_card

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
FONTS = ("Inter, sans-serif", "sans-serif", "serif", "monospace")
MEASURED = """
document.body.innerHTML = arguments[0];
const svg = document.querySelector("svg"), page = svg.viewBox.baseVal, found = [];
for (const font of arguments[1]) {
  svg.setAttribute("font-family", font);
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBBox(), room = Number(text.getAttribute("textLength"));
    if (Math.abs(box.width - room) > 2.5 || box.x < -1 || box.x + box.width > page.width + 1)
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
    browser.get("data:text/html,<!doctype html><body></body>")
    records = [item.record for item in load_catalog().baselines] + [Architecture()]
    for record, before in zip(records, [records[-1], *records], strict=False):
        for svg in (draw(record, baseline=before), draw_card(record), draw_pair(before, record)):
            assert browser.execute_script(MEASURED, svg, FONTS) == [], record.model.id
