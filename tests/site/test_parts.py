"""The site's parts alone: file names, Markdown made harmless, lineage, charts, facts, the local server."""

from __future__ import annotations

import http.client
import re
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.architecture.record import Architecture, LayerKind, Layers, Model, Moe
from watcher.errors import ConfigurationError
from watcher.site import charts, facts
from watcher.site.families import family
from watcher.site.lineage import forest
from watcher.site.markup import to_safe_html
from watcher.site.model import Row, Story
from watcher.site.output import STATE
from watcher.site.rows import models, row, size_class, slug
from watcher.site.serve import open_server

from .conftest import report_about

RELAXED = settings(deadline=None, max_examples=50)

# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("zai-org/GLM-5", "zai-org--glm-5"), ("Qwen/Qwen2.5-7B_v2", "qwen--qwen2.5-7b_v2"), ("gpt2", "gpt2")],
)
def test_a_models_page_is_called_after_it(name: str, wanted: str) -> None:
    assert slug(name).startswith(wanted)


@RELAXED
@given(st.text(max_size=300))
def test_any_name_makes_a_safe_file_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_][a-z0-9._-]{0,170}", slug(name))


@RELAXED
@given(st.lists(st.text("ab-/._ ", min_size=1, max_size=8), unique_by=str.lower, min_size=2, max_size=8))
def test_different_names_have_different_pages(names: list[str]) -> None:
    assert len({slug(name) for name in names}) == len(names)


# --- Markdown --------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.closed: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)


ALLOWED = set(
    "p h3 h4 h5 h6 ul ol li table thead tbody tr th td strong em s code pre blockquote a hr br details summary".split()
)
snippets = st.sampled_from(
    ["<script>alert(1)</script>", "<details>", "</details>", "<summary>x</summary>", "\n\n", "# a",
     "| a |\n|:-:|\n| b |",
     "![x](https://example.org/x.png)", "[x](javascript:alert(1))", "[x](https://example.org)", "<img src=x onerror=y>",
     "<!--", "-->", "<style>", "```", "**b**", "<details open onclick=x>", "<![CDATA[", "text", "<https://example.org>"]
)  # fmt: skip


@RELAXED
@given(st.lists(st.one_of(snippets, st.text(max_size=20)), max_size=20).map(" ".join))
def test_no_report_brings_more_than_text(markdown: str) -> None:
    tags = Tags(to_safe_html(markdown))
    assert {tag for tag, _ in tags.found} <= ALLOWED
    for tag, attributes in tags.found:
        assert set(attributes) <= ({"href", "rel", "title"} if tag == "a" else {"class", "start"})
        assert (attributes.get("href") or "https://").startswith(("https://", "http://"))
    assert [tag for tag, _ in tags.found].count("details") == tags.closed.count("details")


def test_a_report_keeps_its_tables_and_folds() -> None:
    html = to_safe_html(
        "---\ntitle: 1\n---\n\n# Head\n\n## What changed\n\n![s](s.svg)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
        "<details><summary>Raw config diff</summary>\n\n```json\n{}\n```\n\n</details>\n"
    )
    assert "Head" not in html
    assert "<h4>What changed</h4>" in html
    assert "<img" not in html
    assert "style=" not in html
    assert html.count("<details>") == html.count("</details>") == 1


# --- lineage ---------------------------------------------------------------------------------------------------------


def a(name: str, date: str, baseline: str | None = None, **more: object) -> Row:
    return Row(name=name, origin="catalog", date=date, baseline=baseline, **more)  # type: ignore[arg-type]


def test_each_model_stands_under_its_nearest_earlier_one() -> None:
    found = forest(
        models([a("x/1", "2024-01"), a("x/2", "2024-06", "x/1"), a("x/3", "2025", "X/2"), a("y/1", "2025", "x/1")])
    )
    assert [model.name for model in found.chain("x--3")] == ["x/1", "x/2"]
    assert [model.name for model in found.heirs("x--1")] == ["x/2", "y/1"]
    assert [(depth, model.name) for depth, model in found.walk("x--1")] == [
        (0, "x/1"),
        (1, "x/2"),
        (2, "x/3"),
        (1, "y/1"),
    ]


@RELAXED
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["2024", "2025", ""]), st.integers(0, 9)), max_size=20, unique=True
    )
)
def test_lineage_has_no_circles_and_loses_nobody(pairs: list[tuple[int, str, int]]) -> None:
    found = models(a(f"x/{name}", date, f"x/{base}") for name, date, base in pairs)
    family = forest(found)
    walked = [model.slug for root in family.roots() for _, model in family.walk(root.slug)]
    assert sorted(walked) == sorted(model.slug for model in found)


def test_a_model_stands_under_an_alias_of_its_baseline() -> None:
    found = forest(models([a("x/base", "2024", aliases=("x/copy",)), a("x/new", "2025", "x/copy")]))
    assert found.parent == {"x--new": "x--base"}


def test_a_change_of_a_model_leaves_its_place_in_the_lineage() -> None:
    changed = Story(id="r", event="config_changed", date="2025-05-01", headline="x/b changed its config")
    later = Row(name="x/b", origin="report", date="2025-05-01", baseline="x/b", story=changed)
    found = forest(models([a("x/a", "2024"), a("x/b", "2025", "x/a"), later]))
    assert found.parent == {"x--b": "x--a"}
    assert found.models["x--b"].row is later


def test_what_could_be_read_is_shown_before_what_could_not() -> None:
    told = Story(id="r", event="released", date="2025-01-02T00:00:00+00:00", headline="out")
    gated = a("x/m", "2025-01-02", known=False, story=told)
    (model,) = models([gated, a("x/m", "2024-12", total=7)])
    assert (model.row.total, model.date, model.headline) == (7, "2024-12", "out")


def test_the_evidence_that_the_page_has_already_is_not_told_twice() -> None:
    report = report_about("acme/Rocket-1")
    assert "<summary>Evidence" in report.markdown
    html = to_safe_html(report.markdown)
    assert "<summary>Evidence" not in html
    assert html.count("<details>") == html.count("</details>") == report.markdown.count("<details>") - 1


# --- rows, facts and charts ------------------------------------------------------------------------------------------


def test_a_row_says_what_a_card_shows() -> None:
    kinds = (LayerKind(id="A", mixer="mla", ff="moe", count=3), LayerKind(id="B", mixer="moe", count=1))
    made = row(
        Architecture(layers=Layers(count=4, kinds=kinds), moe=Moe(num_experts=8)), name="x/y", origin="report", date=""
    )
    assert made.attention == ("MLA",)
    assert made.mix == {"mla": 3, "moe": 1}
    assert Row.from_dict(made.to_dict()) == made
    assert size_class(made) == "unknown"


def test_every_fact_is_told_unknown_or_absent() -> None:
    assert set(facts.told(Architecture())) <= {facts.NONE, facts.UNKNOWN, "text", "no", "1", "plain", "0 B", "0"}
    odd = Architecture(model=Model(modalities=(5,)), context_length="many", hidden_size=float("inf"))  # type: ignore
    assert len(facts.told(odd)) == len(facts.FACTS)


@RELAXED
@given(
    st.lists(
        st.tuples(st.floats(1, 1e15) | st.none(), st.floats(0, 1e9) | st.none(), st.text(max_size=40)), max_size=30
    )
)
def test_any_models_make_a_chart(points: list[tuple[float | None, float | None, str]]) -> None:
    found = models(
        a(f"x/{name}{index}", "2025-03", total=int(total) if total else None, cache=cache, mix={"gqa": 1})
        for index, (total, cache, name) in enumerate(points)
    )
    for make in (charts.cache_by_size, charts.active_by_size, charts.adoption):
        chart = make(found)
        numbers = [float(value) for value in re.findall(r'\b(?:cx|cy|x|y)="(-?[\d.]+)"', chart.svg)]
        assert all(-1 <= value <= charts.WIDE + 1 for value in numbers)


def test_a_model_counts_as_its_most_special_layers() -> None:
    assert family(a("x/y", "", mix={"gqa": 9, "sliding": 40})) == "window"
    assert family(a("x/y", "", mix={"mla": 9}, sparse="dsa")) == "compressed"
    assert family(a("x/y", "", mix={"mamba2": 9, "moe": 1, "gqa": 2})) == "linear"
    assert family(a("x/y", "")) == "other"


# --- the local server ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", None, 200),
        ("/index.html?x", None, 200),
        ("/missing.html", None, 404),
        ("/models/", None, 404),
        (f"/{STATE}", None, 404),
        ("/../secret", None, 404),
        ("/%2e%2e/secret", None, 404),
        ("/", "evil.example", 421),
    ],
)
def test_the_server_shows_the_folder_and_nothing_else(tmp_path: Path, path: str, host: str | None, status: int) -> None:
    site = tmp_path / "site"
    (site / "models").mkdir(parents=True)
    (site / "index.html").write_text("hello")
    (site / STATE).write_text("{}")
    (tmp_path / "secret").write_text("secret")
    with open_server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", int(server.server_address[1]), timeout=10)
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        assert (answer.status, b"secret" in answer.read()) == (status, False)
        connection.close()
        server.shutdown()


def test_a_port_that_is_taken_is_one_error(tmp_path: Path) -> None:
    with (
        open_server(tmp_path, 0) as server,
        pytest.raises(ConfigurationError, match=r"--port \d+: cannot be opened"),
        open_server(tmp_path, int(server.server_address[1])),
    ):
        pass
    with pytest.raises(ConfigurationError):
        open_server(tmp_path, 99_999)
