"""The user's own wording in the whole way: what it says arrives, and what is broken in it loses no release."""

from __future__ import annotations

from pathlib import Path

from stage import Stage

from watcher.demo.models import model_files

QWEN = "Qwen/Qwen3-32B"


def templates(stage: Stage, **sources: str) -> None:
    folder = Path(stage.folder) / "mine"
    folder.mkdir()
    for name, text in sources.items():
        (folder / f"{name.replace('__', '.')}.j2").write_text(text)
    stage.reports["templates"] = "mine"


def test_the_users_words_reach_chat_and_archive(stage: Stage) -> None:
    templates(stage, headline__txt="Neu: {{ name }}", changes__md="## What changed, says the house\n\n- nothing at all")
    stage.once()
    stage.world.create("maker/Model-32B", model_files(QWEN))
    stage.settle()
    assert stage.headlines() == ["Neu: maker/Model-32B"]
    assert "nothing at all" in str(stage.received())
    (page,) = [text for path, text in stage.pages().items() if "Model-32B" in path]
    assert "# Neu: maker/Model-32B" in page


def test_a_broken_template_is_told_and_the_release_goes_out_in_the_built_in_words(stage: Stage) -> None:
    templates(stage, headline__txt="{{ nothing.of.that }}", facts__md="{% for %}")
    stage.once()
    stage.world.create("maker/Model-32B", model_files(QWEN))
    said = stage.settle()
    assert len(stage.headlines()) == 1
    assert stage.headlines()[0].startswith("Model-32B (32.8B")
    assert len({line for line in said if "the built-in text stands in its place" in line}) == 2
    (page,) = [text for path, text in stage.pages().items() if "Model-32B" in path]
    assert "## Facts" in page


def test_a_missing_folder_of_templates_loses_nothing(stage: Stage) -> None:
    stage.reports["templates"] = "nowhere"
    stage.once()
    stage.world.create("maker/Model-32B", model_files(QWEN))
    said = stage.settle()
    assert len(stage.headlines()) == 1
    assert any("nowhere cannot be read" in line for line in said)
