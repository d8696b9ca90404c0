"""Exact counts from shapes: what is stored, by part of the model, packed tensors unpacked, prediction layers apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from watcher.architecture.weights.names import EMBEDDING, HEAD, SIGNS, Sorted
from watcher.architecture.weights.tensors import Tensor
from watcher.architecture.weights.unpack import Unpacker
from watcher.architecture.witness import Fact

EXPERTS = dict(SIGNS)["experts"]
SHARED = dict(SIGNS)["shared"]


def count(found: Sorted, unpacker: Unpacker, *, tied: bool, where: str) -> Iterator[tuple[str, Fact]]:
    """Facts under `parameters` and the weights of each layer. Raises ValueError for what cannot be unpacked."""

    def total(tensors: Iterable[Tensor]) -> int:
        return sum(unpacker.count(tensor) for tensor in tensors)

    loose = found.parts.get("text", [])
    head = [tensor for tensor in loose if HEAD.search(tensor.name)]
    embedding = [tensor for tensor in loose if EMBEDDING.search(tensor.name)]
    blocks = {index: total(block.tensors) for index, block in found.blocks.items()}
    twice = total(head) if tied and embedding else 0
    text = sum(blocks.values()) + total(loose) - twice
    parts = {name: total(found.parts.get(name, ())) for name in ("vision", "audio", "other", "mtp")}
    yield "parameters.text", Fact(text, where)
    yield "parameters.total", Fact(text + parts["vision"] + parts["audio"] + parts["other"], where)
    for name in ("vision", "audio", "mtp"):
        if parts[name]:
            yield f"parameters.{name}", Fact(parts[name], where)
    if len(embedding) == 1:
        yield "parameters.embedding", Fact(total(embedding), f"{where}: {embedding[0].name}")
    experts = total(_experts(found))
    if experts:
        yield "parameters.experts", Fact(experts, where)
    for index, weights in blocks.items():
        yield f"layers[{index}].parameters", Fact(weights, where)


def _experts(found: Sorted) -> Iterator[Tensor]:
    """The weights of routed experts."""
    return (tensor for block in found.blocks.values() for tensor in block.tensors if _is_routed(tensor.pattern))


@lru_cache(maxsize=65_536)
def _is_routed(pattern: str) -> bool:
    return EXPERTS.search(pattern) is not None and SHARED.search(pattern) is None
