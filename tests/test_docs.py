"""The documentation is true: every command, setting, room and file it names exists, and the other way round."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from watcher.cli import VERBS
from watcher.publish.registry import CHANNELS
from watcher.releases.model import EventKind
from watcher.section import ChannelSettings
from watcher.settings import HubSettings, ReportSettings, StoreSettings, WatchSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
PAGES = [
    path
    for path in ROOT.rglob("*.md")
    if not {".venv", "reports", ".pytest_cache", "node_modules"} & set(path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_command_is_in_the_readme(verb: str) -> None:
    assert f"`{verb}`" in README


def test_the_two_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert {"demo", "test"} <= set(re.findall(r"make ([a-z-]+)", README))


SECTIONS = {"hub": HubSettings, "watch": WatchSettings, "store": StoreSettings, "reports": ReportSettings}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_names_every_key(section: str) -> None:
    body = EXAMPLE.partition(f"[{section}]")[2].partition("\n[")[0]
    for key in SECTIONS[section].model_fields:
        assert re.search(rf"^(# )?{key} = ", body, re.MULTILINE), f"{section}.{key}"


def test_the_example_names_every_channel_key_and_event() -> None:
    for key in ChannelSettings.model_fields:
        assert key in EXAMPLE, key
    for kind in EventKind:
        assert kind in (EventKind.ALERT, EventKind.DIGEST) or kind.value in EXAMPLE, kind


def test_every_channel_type_is_in_the_readme_and_the_example() -> None:
    types = {channel["type"] for channel in tomllib.loads(EXAMPLE)["channels"]}
    assert types == set(CHANNELS)
    assert all(name in README for name in CHANNELS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_room_has_a_guide_that_names_its_modules() -> None:
    for room in ("hub", "releases", "architecture", "baselines", "compare", "report", "publish", "store", "site"):
        assert (ROOT / "watcher" / room / "README.md").is_file(), room
        assert f"{room}/" in README


def test_every_module_says_first_what_it_is_for() -> None:
    for path in (ROOT / "watcher").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.strip() and "migrations" not in path.parts:
            assert text.startswith('"""'), path
            assert len(text.split('"""')[1].splitlines()[0]) > 20, path


def test_the_changelog_has_this_version_or_unreleased() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
