"""The built site: complete, self-contained, small, harmless, and touched only where something is new."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from watcher.architecture.record import Layers
from watcher.cli import main
from watcher.errors import SourceError
from watcher.releases.model import EventKind
from watcher.site import data, pages
from watcher.site.build import Built, build
from watcher.site.lineage import forest
from watcher.site.model import Row, Story
from watcher.site.output import STATE
from watcher.site.render import Site, assets
from watcher.site.rows import models

from .conftest import Tell, blank, few, report_about

Make = Callable[..., Built]
HOSTILE = "x/<script>alert(1)</script>\"'&\u202e{{7*7}}{% raw %}]]>" + "W" * 500


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not match."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] in ("p", "li") and self.open[-1] != tag:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def catalog_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of baselines alone."""
    folder = tmp_path_factory.mktemp("catalog") / "site"
    build(folder, url="https://example.org/models/", catalog=few())
    return folder


def html_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_every_page_has_one_heading_a_language_and_a_policy(catalog_site: Path) -> None:
    for path in html_of(catalog_site):
        page = Page(path.read_text())
        assert [tag for tag, _ in page.tags].count("h1") == 1, path
        assert page.tags[0] == ("html", {"lang": "en"})
        policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
        assert "default-src 'none'" in (policy or "")
        assert "unsafe" not in (policy or "")


def test_every_link_leads_to_a_file_of_the_site(catalog_site: Path) -> None:
    for path in html_of(catalog_site):
        for tag, attrs in Page(path.read_text()).tags:
            target = attrs.get("href") or attrs.get("src")
            if not target or (tag == "a" and target.startswith("https://")):
                continue
            parts = urlsplit(target)
            assert (parts.scheme, parts.netloc, parts.path[:1] == "/") == ("", "", False), (path, target)
            assert not parts.path or (path.parent / unquote(parts.path)).is_file(), (path, target)


def test_pages_run_no_inline_script_and_are_small(catalog_site: Path) -> None:
    shared = sum(len(path.read_bytes()) for path in (catalog_site / "assets").iterdir())
    for path in html_of(catalog_site):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\s(on\w+|style)=", re.sub(r">[^<]*<", "><", text)), path
        assert len(text.encode()) + shared < 300_000, path


def test_a_report_becomes_a_page_with_its_story_sketch_and_data(tell: Tell, site: Make, tmp_path: Path) -> None:
    report = tell("acme/Rocket-1", day=3)
    assert not site().skipped
    text = (tmp_path / "site/models/acme--rocket-1.html").read_text()
    page = Page(text)
    told = " ".join(page.text)
    assert report.headline in told
    assert "adds DeepSeek Sparse Attention" in told
    assert "https://hub.example/acme/Rocket-1" in text
    hrefs = [attrs.get("href") for _, attrs in page.tags]
    assert "../compare.html#a=deepseek-ai--deepseek-v3&b=acme--rocket-1" in hrefs
    for name in ("", "-dark", "-card", "-card-dark"):
        ET.parse(tmp_path / f"site/pictures/acme--rocket-1{name}.svg")
    data = json.loads((tmp_path / "site/data/acme--rocket-1.json").read_text())
    assert data["record"]["layers"]["count"] == 78
    assert "acme--rocket-1" in (tmp_path / "site/index.html").read_text()


def test_one_new_report_touches_few_files(tell: Tell, site: Make, tmp_path: Path) -> None:
    for number in range(5):
        tell(f"acme/Rocket-{number}", day=1 + number)
    first = site()
    assert first.pages == first.models
    again = site()
    assert (again.pages, again.written, again.removed) == (0, 0, 0)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*") if path.is_file()}
    tell("acme/Rocket-9", day=20)
    after = site()
    assert after.pages == 2  # the model itself, and its parent in the lineage
    changed = {
        path.relative_to(tmp_path / "site").as_posix()
        for path in (tmp_path / "site").rglob("*")
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns
    }
    assert len(changed - {STATE}) == after.written <= 20
    assert "models/acme--rocket-3.html" not in changed


def test_the_same_reports_give_the_same_bytes(tell: Tell, site: Make, store: object, tmp_path: Path) -> None:
    tell("acme/Rocket-1")
    site()
    build(tmp_path / "other", store=store, catalog=few())  # type: ignore[arg-type]
    for path in (tmp_path / "site").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "other" / path.relative_to(tmp_path / "site")).read_bytes(), path


def test_a_config_change_joins_the_models_page(tell: Tell, site: Make, tmp_path: Path) -> None:
    tell("acme/Rocket-1", id_="rep_a", day=1)
    change = tell("acme/Rocket-1", id_="rep_b", day=9, event=EventKind.CONFIG_CHANGED)
    site()
    page = (tmp_path / "site/models/acme--rocket-1.html").read_text()
    assert page.count('<details class="report"') == 3  # two reports and the evidence
    assert change.headline in page


def test_hostile_names_and_texts_stay_text(tell: Tell, site: Make, tmp_path: Path) -> None:
    tell(HOSTILE, id_="rep_bad", decoder_type="<b>bold</b>")
    assert not site().skipped
    for path in html_of(tmp_path / "site"):
        page = Page(path.read_text())
        scripts = [attrs for tag, attrs in page.tags if tag == "script"]
        assert all(set(attrs) <= {"src", "defer"} and "/" in (attrs["src"] or "") for attrs in scripts)
        assert "49" not in [text for text in page.text if "raw" in text]
    for path in (tmp_path / "site").rglob("*.svg"):
        assert {item.tag.rpartition("}")[2] for item in ET.parse(path).iter()} <= {
            "svg", "title", "desc", "rect", "path", "text",
        }  # fmt: skip
    names = [path.name for path in (tmp_path / "site").rglob("*")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) for name in names)


def test_an_unreadable_model_has_a_page_and_says_so(store: object, site: Make, tmp_path: Path) -> None:
    from watcher.store import archive

    report = report_about("acme/Gated-1", against=None)
    lost = replace(report, members=({**report.members[0], "record": blank("acme/Gated-1").to_dict()},))
    with store.begin() as connection:  # type: ignore[attr-defined]
        archive.keep_report(connection, lost)
    assert not site().skipped
    assert "could not be read yet" in (tmp_path / "site/models/acme--gated-1.html").read_text()


def test_a_thousand_layers_and_odd_numbers_are_shown(tell: Tell, site: Make, tmp_path: Path) -> None:
    known = report_about("a/b").record["layers"]["kinds"]
    assert known
    tell("acme/Deep", context_length=10**400, vocab_size=-1, layers=Layers(count=1000, sequence="A500 B500"))
    assert not site().skipped
    assert (tmp_path / "site/models/acme--deep.html").is_file()


def test_an_odd_report_is_left_out_and_named(tell: Tell, store: object, site: Make) -> None:
    import sqlalchemy as sa

    from watcher.store.schema import reports

    tell("acme/Fine", id_="rep_fine")
    tell("acme/Odd", id_="rep_odd")
    with store.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.update(reports).where(reports.c.id == "rep_odd").values(data={"members": 5}))
    said: list[str] = []
    built = site(say=said.append)
    assert len(built.skipped) == 1
    assert "rep_odd" in said[0]


def test_the_reports_folder_alone_is_enough(tmp_path: Path) -> None:
    report = report_about("zai-org/GLM-5", against="moonshotai/Kimi-K2-Instruct")
    page = tmp_path / "reports" / report.path
    page.parent.mkdir(parents=True)
    page.write_text(report.markdown)
    (tmp_path / "reports/README.md").write_text("# index")
    built = build(tmp_path / "site", reports=tmp_path / "reports", catalog=few())
    assert not built.skipped
    assert report.headline in " ".join(Page((tmp_path / "site/models/zai-org--glm-5.html").read_text()).text)


def test_what_the_store_tells_is_not_told_again_from_the_folder(tell: Tell, site: Make, tmp_path: Path) -> None:
    report = tell("acme/Rocket-1", id_="rep_once")
    page = tmp_path / "reports" / report.path
    page.parent.mkdir(parents=True)
    page.write_text(report.markdown)
    site(reports=tmp_path / "reports")
    assert len(json.loads((tmp_path / "site/feed.json").read_text())["items"]) == 1


def test_only_files_of_earlier_builds_are_removed(tell: Tell, site: Make, store: object, tmp_path: Path) -> None:
    import sqlalchemy as sa

    from watcher.store.schema import reports

    tell("acme/Rocket-1")
    site()
    mine = tmp_path / "site/CNAME"
    mine.write_text("models.example.org")
    with store.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.delete(reports))
    assert site().removed == 7
    assert not (tmp_path / "site/models/acme--rocket-1.html").exists()
    assert mine.read_text() == "models.example.org"


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"edition": 1, "files": {"../outside": "x"}}', "{" * 9_999])
def test_a_broken_state_means_a_full_build(tmp_path: Path, state: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "site" / STATE).write_text(state)
    built = build(tmp_path / "site", catalog=few())
    assert built.pages == built.models == 4
    assert (tmp_path / "outside").read_text() == "mine"


def test_a_missing_file_is_made_again(catalog_site: Path) -> None:
    path = catalog_site / "models/zai-org--glm-5.html"
    path.unlink()
    assert build(catalog_site, url="https://example.org/models/", catalog=few()).pages == 1
    assert path.is_file()


def test_feeds_and_sitemap_name_the_public_address(tell: Tell, site: Make, tmp_path: Path) -> None:
    tell("acme/Rocket-1", id_="rep_1")
    site(url="https://example.org/models/")
    feed = ET.parse(tmp_path / "site/feed.xml").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    links = [item.get("href") for item in feed.iter(f"{atom}link")]
    assert "https://example.org/models/models/acme--rocket-1.html" in links
    for path in ("feed.xml", "sitemap.xml"):
        assert (tmp_path / "site" / path).read_text().startswith("<?xml")
    places = [item.text for item in ET.parse(tmp_path / "site/sitemap.xml").getroot().iter() if item.text]
    assert "https://example.org/models/models/acme--rocket-1.html" in places


def test_a_thousand_models_stay_below_the_limit_a_page() -> None:
    told = Story(id="r", event="released", date="2026-10-01T00:00:00+00:00", headline="A headline of words " * 20)
    rows = [
        Row(
            name=f"organization-{number % 60}/A-model-with-a-long-name-{number:04}-Instruct",
            origin="report",
            date=f"2026-{1 + number % 12:02}-11",
            decoder="sparse-moe",
            attention=("Gated DeltaNet", "Gated attention"),
            mix={"gated-deltanet": 36, "gated-attention": 12},
            total=10**9 + number * 10**9,
            active=10**9 + number * 10**7,
            cache=1024 * (number + 1),
            license="apache-2.0",
            baseline=f"organization-{(number // 3) % 60}/A-model-with-a-long-name-{number // 3:04}-Instruct",
            story=replace(told, id=f"r{number}"),
        )
        for number in range(1_000)
    ]
    found = models(rows)
    site, family = Site("Models", "", "1", "2026-11"), forest(found)
    made = [("index.html", pages.index(site, found, 1))]
    made += [*pages.timeline(site, found), *pages.lineage(site, family), *pages.chart_pages(site, found)]
    shared = sum(len(content) for content in assets().values())
    for path, page in made:
        assert len(page.encode()) + shared < 300_000, path
    assert "timeline-1.html" in dict(made)
    loaded = {path: len(content) for path, content in data.shards(found)}
    assert len(pages.index(site, found, 1)) + shared + loaded["data/models-0.js"] < 350_000  # once someone searches
    assert shared + loaded["data/names-0.js"] < 150_000  # the comparison


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(SourceError, match="cannot be written"):
        build(tmp_path / "site", catalog=few())


def test_the_command_builds_and_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["site", "build", "-o", "public", "--url", "https://example.org/x", "--title", "Ours & <theirs>"]) == 0
    assert "models" in capsys.readouterr().out
    assert "Ours &amp; &lt;theirs&gt;" in (tmp_path / "public/index.html").read_text()
    assert not (tmp_path / "watcher.db").exists()
    assert main(["site", "build", "--url", "javascript:alert(1)"]) == 2
    assert "is no address" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["site", "build", "-o", "file"]) == 2
