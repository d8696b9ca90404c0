"""What deploy/ holds works, as far as this machine can show."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stage import Stage

from watcher.demo.models import model_files

DEPLOY = Path(__file__).parents[1] / "deploy"


def sh(*command: str, cwd: Path, **more: str) -> str:
    environment = os.environ | more
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_run_without_a_server_keeps_its_state_on_a_branch_of_its_own(stage: Stage, tmp_path: Path) -> None:
    """Two scheduled runs in fresh checkouts, with nothing between them but the remote repository."""
    remote = stage.git_remote()
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "watcher").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m watcher "$@"\n')
    (binaries / "watcher").chmod(0o755)
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    slack = stage.receivers.url("slack", "slack")
    config = (
        f'[hub]\nendpoint = "{stage.standin.url}"\ntoken = ""\n[watch]\norganizations = ["maker"]\ntasks = []\n'
        f'settle = "0s"\n[[channels]]\nname = "slack"\ntype = "slack"\nurl = "{slack}"\n'
    )
    seed = tmp_path / "seed"
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    sh("git", "clone", "-q", str(remote), str(seed), cwd=tmp_path)
    (seed / "config.toml").write_text(config)
    sh("git", "add", ".", cwd=seed)
    sh("git", *identity, "commit", "-qm", "config", cwd=seed)
    sh("git", "push", "-q", "origin", "HEAD:main", cwd=seed)
    script = str(DEPLOY / "github-actions" / "state.sh")
    for number in (1, 2, 3):
        checkout = tmp_path / f"run{number}"
        sh("git", "clone", "-q", "-b", "main", str(remote), str(checkout), cwd=tmp_path)
        now = stage.world.now.isoformat()
        sh("bash", script, "load", cwd=checkout, PATH=path)
        sh("watcher", "once", cwd=checkout, PATH=path, WATCHER_NOW=now)
        sh("bash", script, "save", cwd=checkout, PATH=path)
        sh("bash", script, "reports", cwd=checkout, PATH=path)
        if number == 1:
            stage.world.create("maker/Model", model_files("Qwen/Qwen3-32B"))
    assert len(stage.received()) == 1
    listed = sh("git", "-C", str(remote), "ls-tree", "-r", "--name-only", "main", cwd=tmp_path)
    assert "reports/maker/Model/" in listed
    assert sh("git", "-C", str(remote), "rev-list", "--count", "watcher-state", cwd=tmp_path).strip() == "1"


def test_the_systemd_unit_is_valid() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    unit = DEPLOY / "systemd" / "model-release-watcher.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "not executable" not in line and unit.name in line]
    assert said == []


def test_the_container_runs_what_the_package_has() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["watcher"]' in text
    assert "USER watcher" in text
    assert "[postgres]" in text


@pytest.mark.parametrize("name", ["state.sh"])
def test_scripts_parse(name: str) -> None:
    subprocess.run(["bash", "-n", str(DEPLOY / "github-actions" / name)], check=True)
