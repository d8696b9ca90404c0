"""Keeps the wheel of the reference implementation: the newest, through pip, with its SHA-256 checked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from watcher.architecture.reference import Reference
from watcher.errors import SourceError

PACKAGE = "transformers"
TIMEOUT = 900.0
"""Seconds that one call of pip may take."""

OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:")
Run = Callable[[list[str]], str]
"""Arguments for pip → what it printed. Raises SourceError."""


def keep(wheel: Path, cache: Path) -> Reference:
    """Take a wheel as the reference from now on. Raises SourceError for a file that is none."""
    found = Reference.of_wheel(wheel)
    target = cache / wheel.name
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if target.resolve() != wheel.resolve():
            staged = target.with_suffix(".part")
            shutil.copyfile(wheel, staged)
            os.replace(staged, target)
        for older in cache.glob(f"{PACKAGE}-*.whl"):
            if older != target:
                older.unlink()
    except OSError as error:
        raise SourceError(f"{cache}: the wheel cannot be kept there: {error.strerror}") from None
    return Reference(found.version, found.sources, str(target))


def fetch(cache: Path, run: Run | None = None) -> Reference:
    """The newest release of the package index that pip is configured for, checked against the index's SHA-256.

    Raises SourceError when pip or the index does not answer, or when what came is not what the index promised.
    """
    run = run or pip
    promised = _promised(run)
    with tempfile.TemporaryDirectory() as folder:
        run(["download", *OPTIONS, "--dest", folder, f"{PACKAGE}=={promised['version']}"])
        wheels = list(Path(folder).glob(f"{PACKAGE}-*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip brought no wheel of {PACKAGE} {promised['version']}; give one with --wheel FILE")
        _verify(wheels[0], promised["sha256"])
        return keep(wheels[0], cache)


def _promised(run: Run) -> Mapping[str, str]:
    """Version and SHA-256 of the newest release, as the index tells them."""
    text = run(["install", *OPTIONS, "--dry-run", "--ignore-installed", "--report", "-", PACKAGE])
    try:
        item: dict[str, Any] = json.loads(text)["install"][0]
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        return {"version": str(item["metadata"]["version"]), "sha256": str(digest)}
    except (ValueError, KeyError, IndexError, TypeError):
        raise SourceError(
            "the package index tells no SHA-256 of its newest release; give a wheel with --wheel FILE"
        ) from None


def _verify(wheel: Path, digest: str) -> None:
    with open(wheel, "rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != digest:
        raise SourceError(f"{wheel.name}: its SHA-256 is {found}, the index promised {digest}; nothing was kept")


def pip(arguments: list[str], instead: str = "give a wheel with --wheel FILE") -> str:
    """Run pip of this Python; what it printed. Raises SourceError with its last line, and what to do `instead`."""
    command = [sys.executable, "-m", "pip", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"pip does not answer ({type(error).__name__}); {instead}") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1].strip()[:300] if lines else f"exit code {done.returncode}"
        raise SourceError(f"pip could not fetch {arguments[-1]}: {why}; {instead}")
    return done.stdout
