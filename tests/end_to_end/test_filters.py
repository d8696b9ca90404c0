"""Filters and policies on the whole way, and what `check --explain` says of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from stage import Stage

from watcher.cli import main
from watcher.demo.models import card_text, model_files, quantised_files

QWEN = "Qwen/Qwen3-32B"


def derived(name: str, base: str, relation: str) -> dict[str, bytes]:
    card = f"---\nbase_model: {base}\nbase_model_relation: {relation}\npipeline_tag: text-generation\n---\n# {name}\n"
    files = quantised_files(QWEN, name, "fp8", 8) if relation == "quantized" else model_files(QWEN)
    return files | {"README.md": card.encode()}


def test_another_organizations_model_requantised_is_told_quietly(stage: Stage) -> None:
    stage.world.organizations.add("other")
    stage.watch["organizations"] = ["maker", "other"]
    stage.channels.append(stage.channel("discord", events=["variant_added"]))
    stage.once()
    stage.world.create("maker/Own-32B", model_files(QWEN))
    stage.world.create("other/Own-32B-FP8", derived("Own-32B-FP8", "maker/Own-32B", "quantized"))
    stage.settle()
    assert len(stage.received("slack")) == 1
    assert "other/" not in json.dumps(stage.received("slack"))
    (message,) = stage.received("discord")
    assert "Own-32B-FP8" in json.dumps(message)


def test_a_policy_reports_or_ignores_what_others_made_first(stage: Stage) -> None:
    stage.watch["policies"] = {"maker": {"quantized": "report", "finetune": "ignore"}}
    stage.once()
    stage.world.create("maker/Their-32B-FP8", derived("Their-32B-FP8", "stranger/Their-32B", "quantized"))
    stage.world.create("maker/Tuned-32B", derived("Tuned-32B", "stranger/Base", "finetune"))
    stage.settle()
    assert len(stage.received()) == 1
    assert "Their-32B-FP8" in stage.headlines()[0]


def test_a_finetune_of_another_organizations_model_is_a_release(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Tuned-32B", derived("Tuned-32B", "stranger/Base", "finetune"))
    stage.settle()
    assert len(stage.received()) == 1


def test_created_after_drops_what_the_hub_dates_before(stage: Stage) -> None:
    stage.watch["created_after"] = stage.world.now - timedelta(days=1)
    stage.once()
    stage.world.create("maker/Old-32B", model_files(QWEN), at=stage.world.now - timedelta(days=30))
    stage.world.create("maker/Young-32B", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1
    assert "Young" in stage.headlines()[0]


def write_config(stage: Stage, more: str = "") -> Path:
    path = stage.folder / "config.toml"
    path.write_text(f'[hub]\nendpoint = "{stage.standin.url}"\n[watch]\norganizations = ["maker"]\n{more}')
    return path


def test_explain_names_the_rule(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.world.create("maker/A-7B-GGUF", {"README.md": card_text("maker/A-7B-GGUF")})
    config = write_config(stage, 'exclude = ["*-gguf"]\n')
    assert main(["check", "--config", str(config), "--explain", "maker/A-7B-GGUF"]) == 0
    out = capsys.readouterr().out
    assert "maker/A-7B-GGUF: dropped; watch.exclude: '*-gguf' covers it" in out
    assert "watch.tasks" in out
    assert "by its name: family a, size 7b, variant gguf" in out
    assert main(["check", "--config", str(config), "--explain", "maker/A-7B-GGUF", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["answer"] == "no"
    assert {"rule": "watch.include", "answer": "yes", "because": "not set"} in told["rules"]


def test_explain_knows_untracked_and_missing(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.world.organizations.add("other")
    stage.world.create("other/B-7B", model_files(QWEN))
    config = write_config(stage)
    assert main(["check", "--config", str(config), "--explain", "other/B-7B"]) == 0
    assert "dropped; other is not in watch.organizations" in capsys.readouterr().out
    assert main(["check", "--config", str(config), "--explain", "other/Nothing"]) == 1
    assert "Traceback" not in capsys.readouterr().err
