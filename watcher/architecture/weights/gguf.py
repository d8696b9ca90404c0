"""The head of a GGUF file: metadata and tensor infos, from as many bytes as there are, every length distrusted.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

MAGIC = b"GGUF"
MAX_ENTRIES = 4096
"""Metadata entries; real files have some dozens."""
MAX_TENSORS = 100_000
MAX_NAME = 1024
MAX_VALUE = 100_000
KEPT_ITEMS = 4096
"""Longer arrays (a tokenizer's words) are skipped; their length is kept."""
BIGGEST = 2**48

SCALARS: dict[int, str] = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
STRING, ARRAY = 8, 9

TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
"""ggml's tensor types by number."""

Info = tuple[str, tuple[int, ...], str]
"""Name, shape, type of a tensor. GGUF writes shapes with the fastest dimension first; here it is last, as elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gguf:
    """What the head of a GGUF file says."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    """How many items the arrays have."""
    tensors: tuple[Info, ...] = ()
    problem: str | None = None
    """Why not all of it could be read, a clause."""


class _Broken(ValueError):
    """The bytes end or make no sense."""


def read_gguf(data: bytes) -> Gguf:
    """Metadata and tensors as far as the bytes go; `problem` says why it ended early."""
    reader = _Reader(data)
    metadata: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    tensors: list[Info] = []
    try:
        count, entries = reader.start()
        for _ in range(entries):
            key = reader.text(MAX_NAME)
            metadata[key], length = reader.value(reader.number("<I"))
            if length is not None:
                lengths[key] = length
        tensors.extend(reader.tensor() for _ in range(count))
    except _Broken as error:
        return Gguf(metadata=metadata, lengths=lengths, tensors=tuple(tensors), problem=str(error))
    return Gguf(metadata=metadata, lengths=lengths, tensors=tuple(tensors))


class _Reader:
    """A cursor over bytes that come from a stranger."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise _Broken("ends before its header does")
        self.at, start = end, self.at
        return self.data[start:end]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def start(self) -> tuple[int, int]:
        """(tensors, metadata entries)."""
        if self.take(4) != MAGIC:
            raise _Broken("is no GGUF file")
        if self.number("<I") not in (2, 3):
            raise _Broken("has a version of GGUF that is not known")
        count, entries = self.number("<Q"), self.number("<Q")
        if count > MAX_TENSORS or entries > MAX_ENTRIES:
            raise _Broken("claims more entries than a model has")
        return count, entries

    def text(self, limit: int) -> str:
        length = self.number("<Q")
        if length > limit:
            raise _Broken("has a text that is too long")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int) -> tuple[Any, int | None]:
        """(value, items of an array)."""
        if kind == STRING:
            length = self.number("<Q")
            text = self.take(length)
            return (text.decode("utf-8", "replace") if length <= MAX_VALUE else None), None
        if kind == ARRAY:
            inner, length = self.number("<I"), self.number("<Q")
            return self.array(inner, length), length
        if kind not in SCALARS:
            raise _Broken("has a value of a type that is not known")
        return self.number(SCALARS[kind]), None

    def array(self, kind: int, length: int) -> list[Any] | None:
        """The items, or None when they are too many to be facts."""
        if kind == STRING:
            for _ in range(length):
                self.take(self.number("<Q"))
            return None
        if kind not in SCALARS:
            raise _Broken("has an array of a type that is not known")
        size = struct.calcsize(SCALARS[kind])
        if length > len(self.data):
            raise _Broken("ends before its header does")
        items = self.take(size * length)
        if length > KEPT_ITEMS:
            return None
        return [item[0] for item in struct.iter_unpack(SCALARS[kind], items)]

    def tensor(self) -> Info:
        name, dimensions = self.text(MAX_NAME), self.number("<I")
        if dimensions > 8:
            raise _Broken("has a tensor with too many dimensions")
        shape = tuple(self.number("<Q") for _ in range(dimensions))
        kind = TYPES.get(self.number("<I"), "unknown")
        self.number("<Q")
        if prod(shape) >= BIGGEST:
            raise _Broken("has a tensor of a senseless size")
        return name, shape[::-1], kind
