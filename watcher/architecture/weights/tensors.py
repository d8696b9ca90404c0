"""Names, shapes and types of a repo's tensors: from safetensors headers, an index, or the head of a GGUF file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from watcher.architecture.jsonsafe import Unreadable, as_mapping, load_object
from watcher.architecture.weights.files import main_set
from watcher.architecture.weights.gguf import Gguf, read_gguf
from watcher.architecture.witness import RepoFiles

MB = 1024 * 1024
INDEX_LIMIT = 32 * MB
HEADER_LIMIT = 100 * MB
MAX_TENSORS = 400_000
MAX_DIMENSIONS = 8
BIGGEST = 2**48
LONGEST_NAME = 300

INDEXES = ("model.safetensors.index.json", "consolidated.safetensors.index.json", "pytorch_model.bin.index.json")


_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One stored tensor."""

    name: str
    file: str
    """Where it was read: the index or the file with the header."""
    shape: tuple[int, ...] | None = None
    """None where only an index tells the name."""
    dtype: str = ""
    pattern: str = field(init=False, repr=False, compare=False)
    """The name with its numbers as N: what layers and experts have in common is looked at once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", _NUMBER.sub("N", self.name))

    @property
    def size(self) -> int:
        """Stored elements."""
        return prod(self.shape) if self.shape is not None else 0

    @property
    def last(self) -> int:
        """The last dimension; 0 for a scalar and where none is known."""
        return self.shape[-1] if self.shape else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensors:
    """Every tensor that is known of a repo."""

    items: tuple[Tensor, ...] = ()
    complete: bool = False
    """Whether these are all: an index, or the header of the only file."""
    shaped: bool = False
    """Whether shapes are known."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The index's own: total_size, total_parameters."""
    problem: str | None = None
    """Why a file could not be read, a clause."""
    gguf: Gguf | None = None
    file: str = ""
    """The file with the GGUF metadata."""


def read_tensors(files: RepoFiles) -> Tensors:
    """What the files tell of tensors; empty when they tell nothing."""
    headers = {path: data for path, data in files.headers.items() if path.endswith(".safetensors")}
    ggufs = {path: data for path, data in files.headers.items() if path.endswith(".gguf")}
    index = next((name for name in INDEXES if name in files.files), None)
    if headers:
        whole = main_set(files.sizes or headers, weight_map(files))
        complete = bool(whole) and set(whole) <= set(headers)
        if complete or index is None:
            return _from_headers({path: headers[path] for path in whole} if complete else headers, complete)
    if index is not None:
        return _from_index(index, files.files[index])
    return _from_ggufs(ggufs) if ggufs else Tensors()


def weight_map(files: RepoFiles) -> Mapping[str, Any] | None:
    """Which file holds which tensor, by the index of safetensors files; None without one that can be read."""
    name = next((name for name in INDEXES if name in files.files and "safetensors" in name), None)
    try:
        found = load_object(files.files[name], limit=INDEX_LIMIT, items=2 * MAX_TENSORS) if name else {}
    except Unreadable:
        return None
    return as_mapping(found.get("weight_map")) or None


def _from_headers(headers: Mapping[str, bytes], complete: bool) -> Tensors:
    items: list[Tensor] = []
    for path, data in headers.items():
        try:
            items += _of_header(path, load_object(data, limit=HEADER_LIMIT, items=20 * MAX_TENSORS))
        except Unreadable as error:
            return Tensors(problem=f"the header of {path} {error}")
        if len(items) > MAX_TENSORS:
            return Tensors(problem=f"{path} lists more than {MAX_TENSORS:,} tensors")
    return Tensors(items=tuple(items), complete=complete, shaped=True)


def _of_header(path: str, header: Mapping[str, Any]) -> Iterator[Tensor]:
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shape, dtype = as_mapping(entry).get("shape"), as_mapping(entry).get("dtype")
        if not isinstance(shape, list) or not isinstance(dtype, str) or not _sensible(shape):
            raise Unreadable(f"has no sensible shape for {name[:80]}")
        if len(name) <= LONGEST_NAME:
            yield Tensor(name, path, tuple(shape), dtype[:16])


def _sensible(shape: list[Any]) -> bool:
    whole = all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item < BIGGEST for item in shape)
    return whole and len(shape) <= MAX_DIMENSIONS and prod(shape) < BIGGEST


def _from_index(name: str, data: bytes) -> Tensors:
    try:
        index = load_object(data, limit=INDEX_LIMIT, items=2 * MAX_TENSORS)
    except Unreadable as error:
        return Tensors(problem=f"{name} {error}")
    names = [item for item in as_mapping(index.get("weight_map")) if len(item) <= LONGEST_NAME]
    items = tuple(Tensor(item, name) for item in names[:MAX_TENSORS])
    return Tensors(items=items, complete=bool(items), metadata=as_mapping(index.get("metadata")))


def _from_ggufs(heads: Mapping[str, bytes]) -> Tensors:
    """One copy: its first part has the metadata, and every part its own tensors."""
    parts = {path: read_gguf(data) for path, data in heads.items()}
    first = next(iter(parts))
    items = (
        Tensor(name[:LONGEST_NAME], path, shape, kind)
        for path, part in parts.items()
        for name, shape, kind in part.tensors
    )
    kept = tuple(items)[:MAX_TENSORS]
    count = parts[first].metadata.get("split.count")
    whole = len(parts) >= (count if isinstance(count, int) else 1)
    problem = next((f"{path} {part.problem}" for path, part in parts.items() if part.problem is not None), None)
    return Tensors(
        items=kept,
        complete=whole and problem is None and bool(kept),
        shaped=True,
        problem=problem,
        gguf=parts[first],
        file=first,
    )
