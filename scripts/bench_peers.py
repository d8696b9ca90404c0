"""A record beside `transformers` on the meta device and `hf-mem`: CPU time and memory, each in a process of its own.

Part of `make bench`. What others need is installed into the environment of `scripts/conformance.py`; where that cannot
be done, the row says why. `hf-mem` asks our stand-in of the Hub, on this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import conformance

from watcher.demo.models import baseline_of, config_text, model_files
from watcher.hub.standin import Standin, World

MODELS = ("deepseek-ai/DeepSeek-V3", "Qwen/Qwen3-Next-80B-A3B-Instruct")
LIMITS = {"record": "limit 10 ms", "code": "limit 300 ms, 50 MB"}
CHILD = Path(__file__).with_name("bench_peers_child.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process used."""

    seconds: float
    """CPU, of the work alone, done for the first time in a process."""
    again: float
    """CPU, of the same work done a second time."""
    starting: float
    """CPU until the work could begin: the interpreter and its imports."""
    megabytes: float
    """By which the memory in use grew at the most during the work."""


def main() -> None:
    """The rows."""
    peers = _peers()
    for name in MODELS:
        sys.stdout.write(f"{name}\n")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            path.write_bytes(config_text(baseline_of(name).config))
            ours = {kind: _measured(sys.executable, kind, str(path)) for kind in LIMITS}
            _row("record from the config alone", ours["record"], LIMITS["record"])
            _row("record with the reference's code read", ours["code"], LIMITS["code"])
            _row("transformers on the meta device", _peer(peers, "meta", str(path)), _against(ours))
            with _serving(name) as standin:
                _row("hf-mem, asking our stand-in", _peer(peers, "hf-mem", standin.url, name), _against(ours))


def _serving(name: str) -> Standin:
    world = World(datetime(2026, 11, 1, tzinfo=UTC))
    world.create(name, model_files(name))
    return Standin(world)


def _peers() -> Path | str:
    """The Python that has the others; why there is none."""
    try:
        return conformance.install(conformance.ENVIRONMENT, [conformance.CPU_TORCH, "transformers", "hf-mem"])
    except (OSError, subprocess.CalledProcessError) as error:
        return f"cannot be installed here: {str(error)[:120]}"


def _peer(python: Path | str, kind: str, *arguments: str) -> Cost | str:
    return python if isinstance(python, str) else _measured(str(python), kind, *arguments)


def _measured(python: str, kind: str, *arguments: str) -> Cost | str:
    """What the work costs in a fresh process; why it does not work."""
    command: Sequence[str] = [python, str(CHILD), kind, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it ended with an error"])[-1][:150]
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def _against(ours: Mapping[str, Cost | str]) -> Cost | None:
    return ours["code"] if isinstance(ours["code"], Cost) else None


def _row(what: str, cost: Cost | str, than: Cost | str | None) -> None:
    """One measure: beside ours with code, or beside its limit."""
    if isinstance(cost, str):
        sys.stdout.write(f"  {what:40} skipped: {cost}\n")
        return
    beside = than if isinstance(than, str) else ""
    if isinstance(than, Cost):
        beside = f"{cost.seconds / than.seconds:.1f} × ours with code (imports {cost.starting / than.starting:.1f} ×)"
    first, again, starting = (f"{1000 * value:.1f}" for value in (cost.seconds, cost.again, cost.starting))
    costs = f"{first:>8} ms, again {again:>8} ms, {cost.megabytes:6.1f} MB, imports {starting:>7} ms"
    sys.stdout.write(f"  {what:38} {costs}  {beside}\n")


if __name__ == "__main__":
    main()
