"""What the tensors show, as a reading: per layer, of the model as a whole, and exact counts where shapes are known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watcher.architecture.config import Config
from watcher.architecture.weights.blocks import tell_blocks
from watcher.architecture.weights.counts import count
from watcher.architecture.weights.names import EMBEDDING, EXPERT, HEAD, Sorted, sort
from watcher.architecture.weights.packing import Quantized
from watcher.architecture.weights.tensors import Tensor, Tensors
from watcher.architecture.weights.unpack import Unpacker
from watcher.architecture.witness import Fact, Reading

Told = Iterator[tuple[str, Fact]]


def read_weights(tensors: Tensors, config: Config, packing: Quantized) -> Reading:
    """Facts of the tensors; `config` tells how deep the language model is and whether its head is tied."""
    unread = (("parameters.stored", tensors.problem),) if tensors.problem else ()
    if not tensors.items:
        return Reading(witness="weights", unread=unread)
    depth = config.get("layers")
    found = sort(tensors.items, depth if isinstance(depth, int) and not isinstance(depth, bool) and depth > 0 else None)
    tied = config.get("tied") is True
    facts = dict(_stored(tensors, config, packing))
    facts |= dict(tell_blocks(found, tensors))
    facts |= dict(_whole(found, tensors))
    facts |= dict(_file_type(tensors))
    if tensors.shaped and tensors.complete:
        try:
            facts |= dict(count(found, Unpacker(tensors.items, packing), tied=tied, where=tensors.items[0].file))
        except ValueError as error:
            unread = (*unread, ("parameters.total", str(error)))
    return Reading(witness="weights", facts=facts, unread=unread, novel={"tensor_names": _novel(found)})


def _stored(tensors: Tensors, config: Config, packing: Quantized) -> Told:
    """The stored count: stated by the index, or the sum of the shapes."""
    total = tensors.metadata.get("total_parameters")
    if isinstance(total, int) and not isinstance(total, bool) and 0 < total < 2**50:
        yield "parameters.stored", Fact(total, f"{tensors.items[0].file}: metadata.total_parameters")
    elif tensors.shaped and tensors.complete:
        yield "parameters.stored", Fact(sum(tensor.size for tensor in tensors.items), tensors.items[0].file)
    else:
        yield from _of_bytes(tensors, config, packing)


WIDTHS = {"bfloat16": 2, "float16": 2, "float32": 4}


def _of_bytes(tensors: Tensors, config: Config, packing: Quantized) -> Told:
    """From the bytes of weights that are all of one type; a few may be of another one, so it is not certain."""
    size, width = tensors.metadata.get("total_size"), WIDTHS.get(str(_dtype(config)))
    if isinstance(size, int) and width and not packing.method and 0 < size < 2**52:
        yield "parameters.stored", Fact(size // width, f"{tensors.items[0].file}: metadata.total_size", certain=False)


def _dtype(config: Config) -> object:
    named = (part.get(key) for part in (config.raw, config.text) for key in ("dtype", "torch_dtype"))
    return next((name for name in named if name is not None), None)


# --- the whole -------------------------------------------------------------------------------------------------------


def _whole(found: Sorted, tensors: Tensors) -> Told:
    file = tensors.items[0].file
    loose = found.parts.get("text", [])
    if found.blocks:
        last = max(found.blocks)
        if len(found.blocks) == last + 1:
            yield "layers.count", Fact(last + 1, f"{file}: {found.blocks[last].tensors[0].name}")
    yield from _bias(found, tensors)
    yield from _ends(loose, tensors)
    yield from _experts(found, file)
    yield from _router_bias(found, tensors)
    for part, modality in (("vision", "image"), ("audio", "audio")):
        if found.parts.get(part):
            yield f"towers.{modality}.modality", Fact(modality, f"{file}: {found.parts[part][0].name}")
    extra = found.parts.get("mtp")
    if extra:
        yield "mtp_layers", Fact(_extra_layers(extra), f"{file}: {extra[0].name}", certain=False)
    elif found.blocks and tensors.complete:
        yield "mtp_layers", Fact(0, f"{file}: {found.blocks[max(found.blocks)].tensors[0].name}", certain=False)
    layernorm = next((b.signs["norm_bias"] for b in found.blocks.values() if "norm_bias" in b.signs), None)
    if layernorm:
        yield "norm.kind", Fact("layernorm", f"{file}: {layernorm}")


def _bias(found: Sorted, tensors: Tensors) -> Told:
    biased = next((block.signs["bias"] for block in found.blocks.values() if "bias" in block.signs), None)
    projected = next((b.signs["projection"] for b in found.blocks.values() if "projection" in b.signs), None)
    if biased:
        yield "attention.bias", Fact(True, f"{tensors.items[0].file}: {biased}")
    elif projected and tensors.complete:
        yield "attention.bias", Fact(False, f"{tensors.items[0].file}: {projected}")


def _ends(loose: list[Tensor], tensors: Tensors) -> Told:
    """The embedding's rows, and whether there is an output matrix of its own."""
    embedding = next((tensor for tensor in loose if EMBEDDING.search(tensor.name)), None)
    head = next((tensor for tensor in loose if HEAD.search(tensor.name)), None)
    if embedding is None:
        return
    where = f"{embedding.file}: {embedding.name}"
    if embedding.shape and len(embedding.shape) == 2 and embedding.dtype not in ("U8", "I32", "U32"):
        yield "vocab_size", Fact(embedding.shape[0], where)
        yield "hidden_size", Fact(embedding.shape[1], where)
    if tensors.complete:
        own = f"{head.file}: {head.name}" if head else where
        yield "tied_embeddings", Fact(head is None, own, certain=head is None)


def _experts(found: Sorted, file: str) -> Told:
    """The number of experts: from their numbers, or the first dimension of a fused tensor."""
    best, where = 0, ""
    for block in found.blocks.values():
        for tensor in block.tensors if "experts" in block.signs else ():
            match = EXPERT.search(tensor.name)
            fused = tensor.shape[0] if tensor.shape and len(tensor.shape) == 3 and "exp" in tensor.name else 0
            number = int(match[1]) + 1 if match else fused
            if number > best:
                best, where = number, tensor.name
    if best:
        yield "moe.num_experts", Fact(best, f"{file}: {where}")


def _router_bias(found: Sorted, tensors: Tensors) -> Told:
    """The bias on the experts' scores; its absence is only as sure as that it is stored."""
    sparse = [block for block in found.blocks.values() if "experts" in block.signs]
    biased = next((block.signs["router_bias"] for block in sparse if "router_bias" in block.signs), None)
    if biased:
        yield "moe.router_bias", Fact(True, f"{tensors.items[0].file}: {biased}")
    elif sparse and tensors.complete:
        yield "moe.router_bias", Fact(False, f"{tensors.items[0].file}: {sparse[0].signs['experts']}", certain=False)


def _extra_layers(extra: list[Tensor]) -> int:
    numbers = {match[1] for tensor in extra if (match := re.search(r"\.(\d{1,4})\.", tensor.name))}
    return len(numbers) or 1


_BITS = re.compile(r"(?:IQ|TQ|Q|MXFP)(\d)")


def _file_type(tensors: Tensors) -> Told:
    """A GGUF file's quantisation: the type that most weights have."""
    if tensors.gguf is None:
        return
    sizes: dict[str, int] = {}
    for tensor in tensors.items:
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.size
    kind = max(sizes, key=lambda name: sizes[name])
    match = _BITS.match(kind)
    if match:
        sample = next(tensor for tensor in tensors.items if tensor.dtype == kind)
        yield "quantization.method", Fact("gguf", f"{sample.file}: {sample.name}")
        yield "quantization.bits", Fact(int(match[1]), f"{sample.file}: {sample.name}")


# --- novelty ---------------------------------------------------------------------------------------------------------

MAX_PATTERNS = 100


def _novel(found: Sorted) -> tuple[str, ...]:
    """Patterns of names inside the blocks that no known family has: numbers as N."""
    from watcher.architecture.weights.known import is_known

    patterns: dict[str, None] = {}
    for block in found.blocks.values():
        for tensor in block.tensors:
            if tensor.pattern not in patterns and not is_known(tensor.pattern):
                patterns[tensor.pattern] = None
        if len(patterns) > MAX_PATTERNS:
            break
    return tuple(patterns)[:MAX_PATTERNS]
