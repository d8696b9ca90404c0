"""The command line as a user meets it: help, exit codes, errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stage import Stage

from watcher.cli import VERBS, build_parser, main
from watcher.demo.models import config_text, model_files

ROOT = Path(__file__).parents[1]
QWEN = "Qwen/Qwen3-32B"


def verbs() -> list[str]:
    (action,) = [
        item
        for item in build_parser()._actions
        if item.dest == "==SUPPRESS==" or (hasattr(item, "choices") and item.choices)
    ]
    return list(action.choices)  # type: ignore[arg-type]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_bytes(model_files(QWEN)["config.json"])  # type: ignore[arg-type]
    return folder


def test_every_verb_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(verbs()) == {verb.name for verb in VERBS}
    for verb in verbs():
        with pytest.raises(SystemExit) as caught:
            main([verb, "--help"])
        assert caught.value.code == 0
        assert "example:\n  watcher " in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    heavy = "sqlalchemy huggingface_hub deepdiff pydantic requests alembic apscheduler rich".split()
    code = f"import sys; from watcher.cli import main; main([]); print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["once", "--config", "/nowhere/config.toml"], 2),
        (["inspect", "/nowhere/model"], 2),
        (["inspect", "not a name"], 2),
        (["no-such-verb"], 2),
        (["notify", "--test", "nobody"], 2),
    ],
)
def test_wrong_usage_is_two_and_one_line(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text("")
    try:
        found = main(arguments)
    except SystemExit as error:
        found = int(error.code or 0)
    said = capsys.readouterr().err
    assert found == code
    assert "Traceback" not in said
    assert said.strip()


def test_init_check_once_status(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    assert main(["init", str(path)]) == 0
    slack = stage.receivers.url("slack", "slack")
    path.write_text(
        f'[hub]\nendpoint = "{stage.standin.url}"\n[watch]\norganizations = ["maker"]\n'
        f'[[channels]]\nname = "slack"\ntype = "slack"\nurl = "{slack}"\n'
    )
    config = ["--config", str(path)]
    assert main(["check", *config]) == 0
    assert "✓" in capsys.readouterr().out
    assert not stage.received(), "check sends nothing"
    assert main(["once", *config]) == 0
    assert main(["once", *config]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "done: nothing new"
    assert main(["status", "--json", *config]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["organizations"][0]["name"] == "maker"
    assert main(["status", *config]) == 0
    assert main(["notify", "--test", "slack", *config]) == 0
    assert len(stage.received()) == 1
    assert main(["deliveries", "--json", *config]) == 0


def test_check_says_when_a_refused_token_is_left_out(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    hub = f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = "hf_wrong"\nanonymous = true\n'
    path.write_text(f'{hub}[watch]\norganizations = ["maker"]\n')
    assert main(["check", "--config", str(path)]) == 0
    assert "going on without it" in " ".join(capsys.readouterr().out.split())
    path.write_text(path.read_text().replace("true", "false"))
    assert main(["check", "--config", str(path)]) == 1
    assert "does not accept hub.token" in " ".join(capsys.readouterr().out.split())


def test_check_names_what_is_wrong(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = "hf_wrong"\n'
        '[watch]\norganizations = ["maker", "nobody-here"]\n'
        '[[channels]]\nname = "s"\ntype = "slack"\nurl = "env:NOT_SET"\n'
    )
    assert main(["check", "--config", str(path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "✗" in said
    assert "NOT_SET" in said
    assert "hf_wrong" not in said


def test_check_tells_organizations_in_few_lines(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def organizations(endpoint: str) -> list[tuple[str, bool, str]]:
        path = tmp_path / "config.toml"
        hub = f'[hub]\nendpoint = "{endpoint}"\ntoken = ""\n'
        path.write_text(hub + '[watch]\norganizations = ["maker", "nobody-here"]\n')
        main(["check", "--json", "--config", str(path)])
        rows = json.loads(capsys.readouterr().out)
        return [(row["what"], row["ok"], row["says"]) for row in rows if row["what"].startswith("organization")]

    missing, found = organizations(stage.standin.url)
    assert missing[:2] == ("organization nobody-here", False)
    assert found[:2] == ("organizations", True)
    assert "1 of 2" in found[2]
    (unreachable,) = organizations("http://127.0.0.1:9")
    assert unreachable[1] is False
    assert "2 of 2 could not be verified" in unreachable[2]


def test_inspect_compare_report_and_baselines(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", str(model), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["layers"]["count"] == 64
    assert main(["inspect", str(model)]) == 0
    assert main(["inspect", str(model), "--layers"]) == 0
    assert main(["inspect", str(model), "--explain", "kv_cache.bytes_per_token"]) == 0
    assert "config.json" in capsys.readouterr().out
    assert main(["inspect", str(model), "--explain", "no.such.fact"]) == 2
    capsys.readouterr()
    assert main(["compare", str(model), str(model), "--json"]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert comparison["verdict"] == "same-architecture"
    assert set(comparison) == {"a", "b", "verdict", "similarity", "changes", "config_diff"}
    assert main(["compare", str(model), str(model)]) == 0
    page = tmp_path / "out" / "page.md"
    assert main(["report", str(model), "-o", str(page)]) == 0
    beside = {"page.svg", "page-dark.svg", "page.png", "page.json"}
    assert {path.name for path in page.parent.iterdir()} == {"page.md", *beside}
    assert "page.svg" in page.read_text()
    assert main(["report", str(model), "--against", str(model)]) == 0
    capsys.readouterr()
    assert main(["baselines", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 40
    (tmp_path / "config.toml").write_text("")
    assert main(["baselines", "add", str(model)]) == 0
    assert main(["presets", "--json"]) == 0


def test_a_source_on_the_hub(stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stage.world.create("maker/Remote", model_files(QWEN))
    old = stage.world.find("maker/Remote")[0].head.sha  # type: ignore[union-attr]
    stage.world.upload("maker/Remote", {"config.json": config_text({"num_hidden_layers": 2, "model_type": "llama"})})
    monkeypatch.setenv("HF_ENDPOINT", stage.standin.url)
    assert main(["inspect", f"maker/Remote@{old}", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["layers"]["count"], record["model"]["revision"]) == (64, old)
    assert main(["inspect", "maker/Nothing"]) == 1
    assert "does not exist, or it is private" in capsys.readouterr().err
    stage.world.create("maker/Gated", model_files(QWEN), gated="auto")
    assert main(["inspect", "maker/Gated"]) == 1
    assert "gated" in capsys.readouterr().err


def test_export_and_import_carry_the_whole_state(stage: Stage, tmp_path: Path) -> None:
    stage.once()
    stage.world.create("maker/Model", model_files(QWEN))
    stage.settle()
    path = tmp_path / "config.toml"
    path.write_text("")
    state = tmp_path / "state.jsonl"
    assert main(["export", str(state), "--config", str(path)]) == 0
    (tmp_path / "watcher.db").unlink()
    assert main(["import", str(state), "--config", str(path)]) == 0
    again = tmp_path / "again.jsonl"
    assert main(["export", str(again), "--config", str(path)]) == 0
    assert again.read_bytes() == state.read_bytes()
    assert stage.settle()[-1] == "done: nothing new"


def test_the_demo_tells_the_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert main(["demo", "-o", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "error" not in said
    assert "Kimi-K2-Instruct: released" in said
    assert said.count("released: Qwen3-Next") == 1, "six repos are one message"
    assert (folder / "reports" / "README.md").is_file()
    assert {path.name for path in (folder / "received").iterdir()} == {"slack", "discord", "webhook"}
    assert main(["demo", "-o", str(folder)]) == 2, "it never writes over anything"


def test_the_demo_takes_a_users_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[watch]\norganizations = ["zai-org", "elsewhere"]\nexclude = ["*-FP8"]\n'
        '[[channels]]\nname = "mine"\ntype = "slack"\nurl = "https://hooks.example.org/x"\n'
        'min_significance = "structural"\n'
    )
    assert main(["demo", "--config", str(path), "-o", str(tmp_path / "demo")]) == 0
    assert "GLM-5" in capsys.readouterr().out
    assert len(list((tmp_path / "demo/received/mine").glob("*.json"))) == 1
