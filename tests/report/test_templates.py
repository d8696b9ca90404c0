"""The user's own templates: what they may say, what they cannot do, and that a broken one loses no report."""

from __future__ import annotations

from pathlib import Path

import pytest
from drafts import draft, subject

from watcher.demo.models import baseline_of
from watcher.errors import SourceError
from watcher.releases.model import EventKind, RepoRef
from watcher.report.contents import SECTIONS
from watcher.report.model import Draft, Report, Subject
from watcher.report.template_worker import render_all
from watcher.report.templates import Templates, purpose, read_template, read_templates, render
from watcher.report.write import write_report


@pytest.fixture(scope="module")
def glm() -> Draft:
    return draft(subject("zai-org/GLM-5", "2026-02-11"))


def written(made: Draft, **sources: str) -> Report:
    return write_report(
        made, templates=Templates({f"{name.replace('__', '.')}.j2": text for name, text in sources.items()})
    )


def test_headline_section_and_page_are_the_users(glm: Draft) -> None:
    report = written(
        glm,
        headline__txt="{{ name }} has {{ record.parameters.total | count }} parameters",
        changes__md="## News\n{% for item in changes[:2] %}\n- {{ item.sentence }}\n{% endfor %}",
        facts__md="",
        page__md="# {{ headline }}\n\n{{ sections.changes }}\n\nThe end of {{ organization }}.",
    )
    assert report.problems == ()
    assert report.headline == "zai-org/GLM-5 has 744B parameters"
    body = report.markdown.partition("\n---\n\n")[2]
    assert body.startswith("# zai-org/GLM-5 has 744B parameters\n\n## News\n")
    assert "- multi-head latent attention" in body
    assert body.endswith("The end of x.\n")
    assert "## Facts" not in body


def test_an_empty_section_is_left_out(glm: Draft) -> None:
    report = written(glm, facts__md="{# nothing #}")
    assert "## Facts" not in report.markdown
    assert "## Will it fit" in report.markdown


def test_a_section_can_start_from_the_built_in_text(glm: Draft) -> None:
    report = written(glm, licence__md="{{ built_in }}\n\nAsk *legal*.")
    assert "## Licence and access" in report.markdown
    assert "Ask *legal*." in report.markdown


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing_of_that_name }}",
        "{% for %}",
        "{{ name.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ range(10**9) | list }}",
        "{% include '/etc/passwd' %}",
        "{{ 1 / 0 }}",
        "{% for a in range(90000) %}{{ a }} and then some more words to write out{% endfor %}",
        "{{ name | attr('format') }}",
        "{{ ('%' ~ '9' * 9 ~ 'd') | format(1) }}",
        "{{ record.clear() }}",
    ],
)
def test_a_broken_or_hostile_template_falls_back_and_says_so(glm: Draft, text: str) -> None:
    built_in = write_report(glm)
    report = written(glm, changes__md=text)
    assert report.headline == built_in.headline
    assert "## What changed against" in report.markdown
    assert len(report.problems) == 1
    assert "changes.md.j2" in report.problems[0]
    assert "> the template changes.md.j2 failed" in report.markdown
    assert "root:" not in report.markdown


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{{ 'a' * 10**12 }}",
    ],
)
def test_time_and_memory_are_bounded(glm: Draft, text: str) -> None:
    own = render(Templates({"changes.md.j2": text}), {"sections": {}}, patience=4)
    assert "changes" not in own.texts
    assert own.problems
    assert write_report(glm).markdown


def test_what_a_template_prints_is_escaped() -> None:
    values = {"name": "<script>*x*</script>\u202e", "sections": {}}
    texts, problems = render_all(
        {"about.md.j2": "{{ name }} {{ name | code }}", "headline.txt.j2": "{{ name }}"},
        [("about", "about.md.j2"), ("headline", "headline.txt.j2")],
        values,
    )
    assert problems == []
    assert texts["about"] == r"\<script\>\*x\*\</script\> `<script>*x*</script>`"
    assert texts["headline"] == "<script>*x*</script>"


def test_names_say_what_a_template_is_for() -> None:
    assert [purpose(f"{name}.j2") for name in ("headline.txt", "page.md", "changes.md", "partial")] == [
        "headline", "page", "changes", "",
    ]  # fmt: skip
    assert all(purpose(f"{name}.md.j2") == name for name, _ in SECTIONS)


def test_a_folder_of_templates(tmp_path: Path, glm: Draft) -> None:
    (tmp_path / "headline.txt.j2").write_text("{% include 'word.j2' %} {{ verdict }}")
    (tmp_path / "word.j2").write_text("Verdict:")
    (tmp_path / "facts.md.j2").write_bytes(b"\xff\xfe")
    (tmp_path / "notes.txt").write_text("not one")
    found = read_templates(tmp_path)
    assert sorted(found.sources) == ["headline.txt.j2", "word.j2"]
    assert len(found.problems) == 1
    report = write_report(glm, templates=found)
    assert report.headline == f"Verdict: {report.verdict}"
    assert report.problems == found.problems


def test_a_folder_that_is_not_there_is_told_and_loses_nothing(tmp_path: Path, glm: Draft) -> None:
    report = write_report(glm, templates=read_templates(tmp_path / "none"))
    assert "cannot be read" in report.problems[0]
    assert "## What changed against" in report.markdown


def test_a_preview_names_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.j2"):
        read_template(tmp_path / "none.j2")
    (tmp_path / "mine.j2").write_text("x")
    assert list(read_template(tmp_path / "mine.j2").sources) == ["page.md.j2"]


def test_a_report_without_a_comparison_can_be_templated() -> None:
    record = baseline_of("openai-community/gpt2-xl").record
    made = draft(Subject(record=record, repos=(RepoRef(hub_id="1", name="a/b", sha=None),)))
    report = written(made, headline__txt="{{ name }}: {{ changes | length }} changes, {{ verdict }}")
    assert report.headline == "a/b: 0 changes,"
    assert report.event is EventKind.RELEASED
