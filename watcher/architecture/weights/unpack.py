"""Counts the parameters that stored tensors stand for, by the rows of `packing.py`; names are looked at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from watcher.architecture.weights.packing import (
    BUFFERS,
    BYTES,
    COMPANIONS,
    FLOATS,
    HELPERS,
    INTEGERS,
    MAINS,
    MOST_VALUES,
    PACKINGS,
    WORDS,
    Packed,
    Packing,
    Quantized,
)
from watcher.architecture.weights.tensors import Tensor


@dataclass(frozen=True, slots=True)
class _Named:
    """What a name says by itself, its numbers as N: worked out once for all layers and experts."""

    counts: bool
    """False for helpers and buffers."""
    companion: str
    """How it ends if it is a helper beside the tensor that it unpacks; empty if it is none."""
    rows: tuple[tuple[Packing, str], ...]
    """The ways of packing that its name fits, with the end that is not its neighbours'."""


@lru_cache(maxsize=65_536)
def _named(pattern: str) -> _Named:
    companion = COMPANIONS.match(pattern)
    fits = ((row, match[0]) for row in PACKINGS if (match := row.pattern.search(pattern)) is not None)
    return _Named(
        counts=not HELPERS.search(pattern) and not BUFFERS.search(pattern),
        companion=pattern[companion.end("stem") :] if companion else "",
        rows=tuple(fits),
    )


class Unpacker:
    """Counts the parameters that the tensors of one checkpoint stand for."""

    def __init__(self, tensors: Iterable[Tensor], quantized: Quantized) -> None:
        self._names = {tensor.name: tensor for tensor in tensors}
        self._quantized = quantized

    def count(self, tensor: Tensor) -> int:
        """Parameters that a tensor stands for. Raises ValueError for one that is packed in a way nobody knows."""
        if self.is_helper(tensor):
            return 0
        found = self._packed(tensor)
        if found is None:
            return self._plain(tensor)
        packing, packed = found
        values = next((told for teller in packing.tellers if (told := teller(packed)) is not None), None)
        if values is None or values > MOST_VALUES:
            raise ValueError(f"{tensor.file}: {tensor.name} is packed ({packing.name}), and nothing tells how")
        return round(tensor.size * values)

    def is_helper(self, tensor: Tensor) -> bool:
        """Whether a tensor is no parameter: a buffer, or of use only to unpack another one."""
        named = _named(tensor.pattern)
        if not named.counts or not named.companion:
            return not named.counts
        stem = tensor.name.removesuffix(named.companion)
        return any(stem + main in self._names for main in MAINS)

    def row(self, tensor: Tensor) -> Packing | None:
        """The way in which a tensor is packed."""
        found = self._packed(tensor)
        return found[0] if found else None

    def _packed(self, tensor: Tensor) -> tuple[Packing, Packed] | None:
        """The first row that fits the name, the type, the config's method and the neighbours."""
        for packing, end in _named(tensor.pattern).rows if tensor.shape else ():
            if tensor.dtype not in packing.dtypes or packing.method not in self._quantized.method:
                continue
            packed = Packed(tensor, tensor.name.removesuffix(end), self._names, self._quantized)
            if not packing.beside or packed.beside(*packing.beside) is not None:
                return packing, packed
        return None

    def _plain(self, tensor: Tensor) -> int:
        """A tensor that no row knows: values of a float type as they are, integers of a quantised copy by its bits."""
        if tensor.dtype in FLOATS or tensor.file.endswith(".gguf"):
            return tensor.size
        if tensor.dtype not in INTEGERS:
            raise ValueError(f"{tensor.file}: {tensor.name} is stored as {tensor.dtype}, a type that is not known")
        method, bits = self._quantized.method, self._quantized.bits
        if not method or tensor.dtype not in WORDS | BYTES:
            return tensor.size
        if tensor.dtype in BYTES and bits in (4, 8):
            return tensor.size * 8 // int(bits)
        raise ValueError(f"{tensor.file}: {tensor.name} is packed in a way that is not known")
