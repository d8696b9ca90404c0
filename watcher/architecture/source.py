"""A folder or a config.json on disk → RepoFiles, within the same limits as files from the Hub."""

from __future__ import annotations

import struct
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from watcher.architecture.weights.wanted import weight_files
from watcher.architecture.witness import RepoFiles
from watcher.errors import SourceError

MB = 1024 * 1024

LIMITS: tuple[tuple[str, int], ...] = (
    ("*.safetensors.index.json", 32 * MB),
    ("*.py", 2 * MB),
    ("*config*.json", MB),
    ("params.json", MB),
    ("README.md", MB),
)
"""Files of a folder that are read, and how large each may be."""

HEADER_LIMIT = 100 * MB
GGUF_HEAD = 16 * MB
MAX_FILES = 2000
MOST_HEADERS = 500


def read_source_folder(path: Path) -> RepoFiles:
    """The files of a model on disk; `path` is its folder, or a JSON file that serves as its config.json.

    Raises SourceError for what cannot be read.
    """
    try:
        return _folder(path) if path.is_dir() else _single(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def _single(path: Path) -> RepoFiles:
    name = "params.json" if path.name == "params.json" else "config.json"
    if path.suffix == ".gguf":
        return RepoFiles(name=path.stem, headers={path.name: _head(path, GGUF_HEAD)}, sizes={path.name: _size(path)})
    if _size(path) > MB:
        raise SourceError(f"{path}: has more than 1 MB; a config.json is smaller")
    label = path.resolve().parent.name or path.stem
    return RepoFiles(name=label, files={name: path.read_bytes()})


def _folder(folder: Path) -> RepoFiles:
    root = folder.resolve()
    inside = [path for path in sorted(root.iterdir())[:MAX_FILES] if path.is_file() and _stays(path, root)]
    files = {path.name: path.read_bytes() for path in inside if _size(path) <= _limit(path.name)}
    if not files and not any(path.suffix in (".safetensors", ".gguf") for path in inside):
        raise SourceError(f"{folder}: holds no config.json, params.json, safetensors or GGUF file")
    sizes = {path.name: _size(path) for path in inside}
    found = RepoFiles(name=root.name, files=files, sizes=sizes)
    return replace(found, headers=_headers(found, root))


def _stays(path: Path, root: Path) -> bool:
    """Whether a link inside the folder leads to something inside it (or into a Hub cache's blobs beside it)."""
    target = path.resolve()
    return target.is_relative_to(root) or (
        root.parent.name == "snapshots" and target.is_relative_to(root.parent.parent)
    )


def _limit(name: str) -> int:
    return next((limit for pattern, limit in LIMITS if fnmatchcase(name, pattern)), -1)


def _size(path: Path) -> int:
    return path.stat().st_size


def _headers(folder: RepoFiles, root: Path) -> dict[str, bytes]:
    """The heads of the files that hold the weights; on a disk they cost nothing."""
    heads = {path: _safetensors_header(root / path) if path.endswith(".safetensors") else _head(root / path, GGUF_HEAD)
             for path in weight_files(folder)[:MOST_HEADERS]}  # fmt: skip
    return {name: data for name, data in heads.items() if data}


def _safetensors_header(path: Path) -> bytes:
    """The JSON header; empty for a file that has none."""
    with open(path, "rb") as handle:
        start = handle.read(8)
        if len(start) < 8:
            return b""
        (length,) = struct.unpack("<Q", start)
        return handle.read(length) if length <= min(HEADER_LIMIT, _size(path)) else b""


def _head(path: Path, length: int) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(length)
