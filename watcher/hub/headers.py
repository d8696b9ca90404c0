"""The headers of weight files by range request, at exactly one revision, bounded in requests and bytes: one door."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from watcher.architecture.weights.wanted import weight_files
from watcher.architecture.witness import RepoFiles
from watcher.hub.model import Hub, HubError, HubProblem, TreeFile

MB = 1024 * 1024

MAX_FILES = 500
"""Shards of one model whose headers are read; MiniMax-M1 has 413."""

MAX_BYTES = 64 * MB
"""Bytes of all headers of one model together."""

HEADER_LIMIT = 100 * MB
FIRST_RANGE = 100_000
"""Bytes asked for first: the headers of most safetensors files are smaller."""

GGUF_RANGE = 16 * MB
GGUF_REST = 2 * MB
"""Bytes of the first GGUF file, which holds the tokenizer, and of each further part."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where headers are kept by name, so that a retry goes on where it was cut off and nothing is asked for twice."""

    get: Callable[[str], bytes | None] = lambda name: None
    put: Callable[[str, bytes], None] = lambda name, data: None


def read_headers(
    hub: Hub, files: RepoFiles, revision: str, tree: Iterable[TreeFile], kept: Kept | None = None
) -> RepoFiles:
    """The files with the headers of all that hold the model's weights, or as they are where these cannot all be had.

    Raises HubError for what may be answered later.
    """
    kept, by_path = kept or Kept(), {file.path: file for file in tree}
    chosen = [by_path[path] for path in weight_files(files) if path in by_path]
    if not 0 < len(chosen) <= MAX_FILES:
        return files
    found: dict[str, bytes] = {}
    for file in chosen:
        try:
            left = MAX_BYTES - sum(map(len, found.values()))
            found[file.path] = _bring(hub, files.name, revision, file, kept, left=left, first=not found)
        except HubError as error:
            if error.transient:
                raise
            return files
    return replace(files, headers=found)


def _bring(hub: Hub, name: str, revision: str, file: TreeFile, kept: Kept, *, left: int, first: bool) -> bytes:
    """One header. That of a GGUF file is large, holds a tokenizer, and is not kept."""
    if file.path.endswith(".gguf"):
        return read_header(hub, name, revision, file, limit=GGUF_RANGE if first else GGUF_REST)
    known = kept.get(kept_as(file))
    if known is not None:
        return known
    data = read_header(hub, name, revision, file, limit=min(left, HEADER_LIMIT))
    kept.put(kept_as(file), data)
    return data


def kept_as(file: TreeFile) -> str:
    """The name of a file's header, from its blob id."""
    return f"head:{file.oid}"


def read_header(hub: Hub, name: str, revision: str, file: TreeFile, *, limit: int = HEADER_LIMIT) -> bytes:
    """A safetensors file's JSON header, or the leading bytes of a GGUF file.

    Raises HubError: REFUSED for a file without a header, TOO_LARGE for one of more than `limit` bytes.
    """
    if file.path.endswith(".gguf"):
        return hub.read_range(name, revision, file.path, 0, min(limit, GGUF_RANGE, file.size))
    first = hub.read_range(name, revision, file.path, 0, min(FIRST_RANGE, file.size))
    if len(first) < 8:
        raise HubError(HubProblem.REFUSED, f"{name}: {file.path} is too short to be a safetensors file")
    (length,) = struct.unpack("<Q", first[:8])
    if length > min(limit, max(file.size - 8, 0)):
        raise HubError(HubProblem.TOO_LARGE, f"{name}: {file.path} claims a header of {length:,} bytes; not read")
    header = first[8 : 8 + length]
    if len(header) < length:
        header += hub.read_range(name, revision, file.path, len(first), length - len(header))
    return header
