"""Pages over many releases: the digest and the month's trends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from drafts import draft, subject
from markdown_it import MarkdownIt

from watcher.architecture.record import Architecture
from watcher.baselines.catalog import load_catalog
from watcher.cli import main
from watcher.demo.models import baseline_of
from watcher.report.digest import digest_report
from watcher.report.formats import strip_front_matter
from watcher.report.trends import Model, merged, model_of, models_of_catalog, trends_report
from watcher.report.write import write_report
from watcher.store import archive
from watcher.store.engine import open_store

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_digest_has_one_table_and_a_paragraph_each() -> None:
    reports = [write_report(draft(subject(name, "2026-02-11"))) for name in ("zai-org/GLM-5", "Qwen/Qwen3-32B")]
    made = digest_report(reports, {}, channel="team", now=NOW)
    tables = [token for token in MarkdownIt("commonmark").enable("table").parse(strip_front_matter(made.markdown))
              if token.type == "table_open"]  # fmt: skip
    assert len(tables) == 1
    paragraphs = made.markdown.partition("## What they are")[2].strip().split("\n\n")
    assert len(paragraphs) == 2
    assert all("decoder with" in paragraph for paragraph in paragraphs)


def catalog() -> list[Model]:
    return models_of_catalog([(item.name, item.date, item.record) for item in load_catalog().baselines])


def test_trends_tell_shares_and_medians_beside_the_year_before() -> None:
    page = trends_report(date(2026, 4, 1), catalog(), NOW).markdown
    assert "# Architecture trends of April 2026: " in page
    assert "| of the models whose record tells | this month | the 12 months before |" in page
    assert "| GQA or MQA | " in page
    assert "## Models of the month" in page


def test_a_month_with_nothing_and_with_one() -> None:
    assert "Nothing whose architecture is known came out." in trends_report(date(1999, 1, 1), catalog(), NOW).markdown
    one = [Model("a/b", date(2020, 5, 3), baseline_of("zai-org/GLM-5").record, "new", "a headline", "https://e.org/")]
    made = trends_report(date(2020, 5, 1), one, NOW)
    assert made.headline == "Architecture trends of May 2020: 1 architecture, 1 of them new"
    assert "| MLA | 100% (1 of 1) | – |" in made.markdown
    assert "- a headline" in made.markdown


def test_what_no_record_tells_is_no_share() -> None:
    made = trends_report(date(2020, 5, 1), [Model("a/b", date(2020, 5, 3), Architecture())], NOW)
    assert "| QK-norm | – | – |" in made.markdown
    assert "| parameters | – | – |" in made.markdown


def test_a_model_in_store_and_catalog_counts_once() -> None:
    report = write_report(draft(subject("zai-org/GLM-5", "2026-02-11")))
    mine = model_of(report)
    assert mine is not None
    both = merged([mine], catalog())
    assert len([item for item in both if item.name == "zai-org/GLM-5"]) == 1
    assert mine in both


def test_the_verbs_read_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[watch]\norganizations = ["x"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WATCHER_NOW", "2026-11-25T00:00:00+00:00")
    assert main(["digest", "--since", "7d"]) == 0
    assert "no report since 7d" in capsys.readouterr().out
    with open_store(f"sqlite:///{tmp_path}/watcher.db") as store, store.begin() as connection:
        archive.keep_report(connection, write_report(draft(subject("zai-org/GLM-5", "2026-02-11"))))
    assert main(["digest", "--since", "2026-11-20", "-o", "week.md"]) == 0
    assert "1 report: 1 release" in (tmp_path / "week.md").read_text()
    assert main(["digest", "--since", "1h"]) == 0
    assert "no report" in capsys.readouterr().out
    assert main(["digest", "--since", "soon"]) == 2
    assert main(["trends", "--month", "2026-11", "--format", "text"]) == 0
    assert "Architecture trends of November 2026: 1 architecture" in capsys.readouterr().out
