"""`track` and `untrack`: the configuration is edited in place, by hand-like edits, or not at all."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import Stage

from watcher.cli import main
from watcher.configuration import load_settings
from watcher.errors import ConfigurationError
from watcher.presets import expand_presets
from watcher.tracking import plain_name, track, untrack

TEXT = """\
# who we watch
[watch]   # the heart
organizations = [
    "preset:small-models",   # laptops
    # ours
    "my-org",
]
exclude = ["*-GGUF"]  # no copies
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    return path


def organizations(path: Path) -> list[str]:
    return load_settings(str(path), {}).watch.organizations


def test_an_organization_is_added_on_a_line_of_its_own_and_comments_stay(config: Path) -> None:
    track(str(config), ["mistralai"], {})
    lines = config.read_text().splitlines()
    assert '    "mistralai",' in lines
    assert [line for line in TEXT.splitlines() if line not in lines] == []
    assert "mistralai" in organizations(config)


def test_adding_and_removing_again_leaves_the_file_as_it_was(config: Path) -> None:
    track(str(config), ["mistralai"], {})
    untrack(str(config), ["MistralAI"], {})
    assert config.read_text() == TEXT


def test_what_is_tracked_already_is_not_written_again(config: Path) -> None:
    assert track(str(config), ["MY-ORG", "Qwen"], {}) == ["MY-ORG: is tracked already", "Qwen: is tracked already"]
    assert config.read_text() == TEXT


def test_one_of_a_preset_is_left_out_and_taken_back(config: Path) -> None:
    untrack(str(config), ["google"], {})
    assert '"!google"' in config.read_text()
    assert "google" not in organizations(config)
    assert track(str(config), ["google"], {}) == ["google: tracked again"]
    assert config.read_text() == TEXT


def test_a_file_that_relied_on_the_default_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[hub]\nshare = 0.1\n")
    track(str(path), ["my-org"], {})
    assert tomllib.loads(path.read_text())["watch"]["organizations"] == ["preset:frontier-labs", "my-org"]
    assert "deepseek-ai" in organizations(path)


def test_people_paste_addresses() -> None:
    for text in ("https://huggingface.co/Qwen", "https://huggingface.co/Qwen/Qwen3-8B", "Qwen/Qwen3-8B", "@Qwen"):
        assert plain_name(text) == "Qwen"
    for text in ("a b", "", "preset:fronteir-labs", "https://huggingface.co/"):
        with pytest.raises(ConfigurationError):
            plain_name(text)


def test_a_link_is_followed_and_rights_are_kept(tmp_path: Path, config: Path) -> None:
    config.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    track(str(link), ["mistralai"], {})
    assert link.is_symlink()
    assert "mistralai" in organizations(config)
    assert stat.S_IMODE(config.stat().st_mode) == 0o640


def test_what_cannot_be_edited_is_one_clear_error(tmp_path: Path, config: Path) -> None:
    with pytest.raises(ConfigurationError, match="wins over the file"):
        track(str(config), ["x"], {"WATCHER_WATCH__ORGANIZATIONS": '["a"]'})
    for text, says in (("[watch]\norganizations = 3\n", "a list of names"), ("[watch\n", "is not TOML")):
        bad = tmp_path / "bad.toml"
        bad.write_text(text)
        with pytest.raises(ConfigurationError, match=says):
            track(str(bad), ["x"], {})
        assert bad.read_text() == text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_named(config: Path) -> None:
    config.parent.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        track(str(config), ["x"], {})
    config.parent.chmod(0o700)


NAMES = st.sampled_from(["Qwen", "google", "my-org", "mistralai", "preset:small-models", "preset:multimodal"])


@given(st.lists(st.tuples(st.booleans(), NAMES), max_size=8))
def test_any_row_of_edits_leaves_a_good_file_that_says_so(tmp_path_factory: pytest.TempPathFactory, edits) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("edits") / "config.toml"
    path.write_text(TEXT)
    for add, name in edits:
        (track if add else untrack)(str(path), [name], {})
        found = {item.lower() for item in organizations(path)}
        left_out = set(re.findall(r'"!([^"]+)"', path.read_text().lower()))
        members = {item.lower() for item in expand_presets([name])} - left_out
        assert members <= found if add else name.lower() not in found
    listed = tomllib.loads(path.read_text())["watch"]["organizations"]
    assert len(listed) == len({item.lower() for item in listed})
    assert "# who we watch" in path.read_text()
    assert "# no copies" in path.read_text()


def test_the_commands(stage: Stage, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HF_ENDPOINT", stage.standin.url)
    assert main(["track", "maker", "--config", str(config)]) == 0
    assert "maker: tracked from now on" in capsys.readouterr().out
    before = config.read_text()
    assert main(["track", "nobody", "--config", str(config)]) == 2
    assert "nobody: no organization or user of this name" in capsys.readouterr().err
    assert config.read_text() == before
    assert main(["untrack", "maker", "--config", str(config)]) == 0
    assert config.read_text() == TEXT
    assert main(["presets"]) == 0
    assert "preset:frontier-labs" in capsys.readouterr().out
