"""Exact counts from shapes: what is stored, by part of the model, packed tensors unpacked, prediction layers apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watcher.architecture.weights.names import EMBEDDING, HEAD, SIGNS, Sorted
from watcher.architecture.weights.packing import parameters
from watcher.architecture.weights.tensors import Tensor
from watcher.architecture.witness import Fact

EXPERTS = dict(SIGNS)["experts"]
SHARED = dict(SIGNS)["shared"]


@dataclass(frozen=True, slots=True)
class Quantized:
    """How the config says that the weights are packed."""

    method: str = ""
    bits: float | int | None = None


@dataclass(slots=True)
class _Sum:
    """Parameters of some tensors; None once one of them cannot be counted."""

    packing: Quantized

    def of(self, tensors: Iterable[Tensor]) -> int:
        """Raises ValueError for a tensor that is packed in an unknown way."""
        total = 0
        for tensor in tensors:
            found = parameters(tensor, self.packing.method, self.packing.bits)
            if found is None:
                raise ValueError(f"{tensor.file}: {tensor.name} is packed in a way that is not known")
            total += found
        return total


def count(found: Sorted, packing: Quantized, *, tied: bool, where: str) -> Iterator[tuple[str, Fact]]:
    """Facts under `parameters` and the weights of each layer. Raises ValueError for what cannot be unpacked."""
    sums = _Sum(packing)
    loose = found.parts.get("text", [])
    head = [tensor for tensor in loose if HEAD.search(tensor.name)]
    embedding = [tensor for tensor in loose if EMBEDDING.search(tensor.name)]
    blocks = {index: sums.of(block.tensors) for index, block in found.blocks.items()}
    twice = sums.of(head) if tied and embedding else 0
    text = sum(blocks.values()) + sums.of(loose) - twice
    parts = {name: sums.of(found.parts.get(name, ())) for name in ("vision", "audio", "other", "mtp")}
    yield "parameters.text", Fact(text, where)
    yield "parameters.total", Fact(text + parts["vision"] + parts["audio"] + parts["other"], where)
    for name in ("vision", "audio", "mtp"):
        if parts[name]:
            yield f"parameters.{name}", Fact(parts[name], where)
    if len(embedding) == 1:
        yield "parameters.embedding", Fact(sums.of(embedding), f"{where}: {embedding[0].name}")
    experts = sums.of(_experts(found))
    if experts:
        yield "parameters.experts", Fact(experts, where)
    for index, weights in blocks.items():
        yield f"layers[{index}].parameters", Fact(weights, where)


def _experts(found: Sorted) -> Iterator[Tensor]:
    for block in found.blocks.values():
        for tensor in block.tensors:
            if EXPERTS.search(tensor.name) and not SHARED.search(tensor.name):
                yield tensor
