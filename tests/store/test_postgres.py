"""The same whole way on a real PostgreSQL server, started for the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from stage import Stage

from watcher.demo.models import model_files

pytestmark = pytest.mark.postgres


def binaries() -> Path | None:
    """The folder with PostgreSQL's programs."""
    found = shutil.which("initdb") or shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").is_file()), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of an empty database on a server of our own."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server programs here")
    folder = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, env=environment, cwd=folder, capture_output=True, timeout=120)

    data = str(folder / "data")
    run(str(programs / "initdb"), "-D", data, "-U", "watcher", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run(str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://watcher@127.0.0.1:{port}/postgres"
    finally:
        run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_a_release_goes_all_the_way(server: str, stage: Stage) -> None:
    stage.store = {"url": server}
    stage.world.create("maker/Old", model_files("Qwen/Qwen3-4B"))
    stage.once()
    stage.world.create("maker/Model-32B", model_files("Qwen/Qwen3-32B"))
    stage.settle()
    assert len(stage.received()) == 1
    config = model_files("Qwen/Qwen3-4B", changed={"max_position_embeddings": 99})["config.json"]
    stage.world.upload("maker/Old", {"config.json": config})
    stage.settle()
    assert len(stage.received()) == 2
    assert stage.once(timedelta(hours=1)) == ["done: nothing new"]
