"""Atom and JSON Feed: valid, stable ids, the same bytes for the same entries, whatever the titles hold."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.publish.feed import NEWEST, Channel, FeedEntry, atom, json_feed, moment, stable_id
from watcher.publish.pages import front_files

ATOM = "{http://www.w3.org/2005/Atom}"
ENTRY = FeedEntry("rep_1", "GLM-5 is out", "2026-02-11T08:00:00+02:00", "zai-org/GLM-5/x.md", "released")
entries = st.lists(
    st.builds(
        FeedEntry, id=st.text(max_size=20), title=st.text(max_size=40), date=st.text(max_size=12), path=st.text()
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=50)
@given(entries, st.sampled_from(["", "https://example.org/r/"]))
def test_any_titles_make_valid_feeds(found: list[FeedEntry], base: str) -> None:
    channel = Channel("Reports & <more>", base, "README.md")
    root = ET.fromstring(atom(channel, found).encode())
    for entry in [root, *root.iter(f"{ATOM}entry")]:
        assert entry.find(f"{ATOM}id") is not None
        assert entry.find(f"{ATOM}title") is not None
        updated = entry.find(f"{ATOM}updated")
        assert updated is not None
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", updated.text or "")
    data = json.loads(json_feed(channel, found))
    assert data["version"] == "https://jsonfeed.org/version/1.1"
    assert len(data["items"]) == len(found)


def test_an_entrys_id_depends_on_the_report_alone() -> None:
    first, moved = (atom(Channel("a", base), [ENTRY]) for base in ("", "https://elsewhere.example/"))
    ids = [ET.fromstring(text).find(f"{ATOM}entry/{ATOM}id") for text in (first, moved)]
    assert {item.text for item in ids if item is not None} == {stable_id("rep_1")}


def test_the_newest_come_first_and_old_ones_go() -> None:
    many = [FeedEntry(f"r{day}", "x", f"2026-01-01T00:{day % 60:02}:{day // 60:02}Z", "p") for day in range(70)]
    items = json.loads(json_feed(Channel("a"), many))["items"]
    assert len(items) == NEWEST
    dates = [datetime.fromisoformat(item["date_published"]) for item in items]
    assert dates == sorted(dates, reverse=True)


def test_moments_are_in_utc() -> None:
    assert moment("2026-02-11T08:00:00+02:00") == "2026-02-11T06:00:00Z"
    assert moment("2026-02") == "2026-02-01T00:00:00Z"
    assert moment("never") == moment("9999-12-31T23:59:59-10:00") == "1970-01-01T00:00:00Z"


def test_an_archive_has_feeds_of_its_pages(tmp_path: Path) -> None:
    page = tmp_path / "zai-org/GLM-5/2026-02-11-released-abc.md"
    page.parent.mkdir(parents=True)
    page.write_text(
        '---\nreport: "rep_1"\nevent: "released"\ndate: "2026-02-11"\nheadline: "GLM-5 is out"\n---\n\n# x\n'
    )
    files = front_files(tmp_path)
    assert set(files) == {"README.md", "feed.xml", "feed.json"}
    item = json.loads(files["feed.json"])["items"][0]
    assert item["id"] == stable_id("rep_1")
    assert item["url"] == "zai-org/GLM-5/2026-02-11-released-abc.md"
    assert files == front_files(tmp_path)
