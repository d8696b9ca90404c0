"""config.toml, environment and secrets, and what is said about their mistakes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from watcher.configuration import load_settings
from watcher.errors import ConfigurationError

ROOT = Path(__file__).parents[1]


def load(folder: Path, text: str, **environment: str):  # type: ignore[no-untyped-def]
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(str(path), environment)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.watch.interval == timedelta(minutes=5)
    assert "deepseek-ai" in settings.watch.organizations
    assert settings.store_url == f"sqlite:///{tmp_path}/watcher.db"
    assert settings.reports_directory == tmp_path / "reports"


def test_the_example_is_complete_and_loads() -> None:
    settings = load_settings(str(ROOT / "config.example.toml"), {})
    assert {channel.type for channel in settings.channels} >= {"slack", "discord", "webhook", "git", "folder"}


def test_the_starter_loads(tmp_path: Path) -> None:
    from watcher.starter import write_starter

    write_starter(tmp_path / "config.toml")
    assert load_settings(str(tmp_path / "config.toml"), {}).watch.organizations
    with pytest.raises(ConfigurationError, match="exists already"):
        write_starter(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[watch]\ninterval = '5 minutes'", "watch.interval: '5 minutes' a duration is a number and a unit"),
        ("[watch]\nintervall = '5m'", "watch.intervall: unknown key; did you mean interval?"),
        ("[watsh]\n", "watsh: unknown key; did you mean watch?"),
        ("[watch]\norganizations = ['preset:frontier-lab']", "did you mean preset:frontier-labs"),
        ("[watch]\nexclude = ['re:(']", "not a regular expression"),
        ("[watch]\nmin_parameters = 'many'", "a parameter count is a number"),
        ("[hub]\nendpoint = 'huggingface.co'", "an address begins with https://"),
        ("[hub]\nshare = 2", "hub.share: 2 should be less than or equal to 1"),
        ("[[channels]]\nname = 'x'\ntype = 'slak'\nurl='http://x'", "slack"),
        ("[[channels]]\nname = 'x'\ntype = 'slack'", "channels.x.url: is missing"),
        ("[[channels]]\nname = 'x'\ntype = 'slack'\nurl = 'http://x'\nevents = ['release']", "channels.x.events"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_environment_overrides(tmp_path: Path) -> None:
    text = "[[channels]]\nname = 'my-team'\ntype = 'slack'\nurl = 'http://old'"
    settings = load(
        tmp_path,
        text,
        WATCHER_WATCH__INTERVAL="1m",
        WATCHER_WATCH__ORGANIZATIONS='["a", "b"]',
        WATCHER_CHANNELS__MY_TEAM__URL="http://new",
        WATCHER_NOW="ignored here",
        HF_ENDPOINT="http://127.0.0.1:1",
    )
    assert settings.watch.interval == timedelta(minutes=1)
    assert settings.watch.organizations == ["a", "b"]
    assert settings.hub.endpoint == "http://127.0.0.1:1"
    assert [secret.resolve() for _, secret in settings.channels[0].secrets()] == ["http://new"]


def test_a_missing_secret_is_named_and_its_value_never_shown(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("http://hooks/secret-part\n")
    text = (
        "[[channels]]\nname='a'\ntype='slack'\nurl='file:hook'\n[[channels]]\nname='b'\ntype='slack'\nurl='env:MISSING'"
    )
    settings = load(tmp_path, text)
    assert "secret-part" not in repr(settings) + str(settings)
    with pytest.raises(ConfigurationError, match=r"channels\.b\.url: the environment variable MISSING is not set"):
        settings.verify_secrets()


def test_the_token_is_the_one_that_may_be_unset(tmp_path: Path) -> None:
    assert load(tmp_path, "").hub.read_token() is None
    assert load(tmp_path, "", HF_TOKEN="hf_x\n").hub.read_token() == "hf_x"


def test_no_configuration_at_all_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="watcher init"):
        load_settings(None, {"HOME": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="no such file"):
        load_settings("nowhere.toml", {})
