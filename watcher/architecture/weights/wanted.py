"""Whether the headers of the weights are worth their requests: only where a count is in doubt without them."""

from __future__ import annotations

from watcher.architecture.config_file import CONFIGS
from watcher.architecture.record import Architecture
from watcher.architecture.weights.files import main_set
from watcher.architecture.weights.tensors import weight_map
from watcher.architecture.witness import RepoFiles

SLACK, PACKED_SLACK = 0.01, 0.05
"""What buffers, and scales of packed weights, may add to a stored count, as a share."""

WORD = 32
"""Bits of the largest element that packed values come in."""


def weight_files(files: RepoFiles) -> tuple[str, ...]:
    """The files whose headers tell the model's tensors."""
    return main_set(files.sizes, weight_map(files))


def wanted(record: Architecture, files: RepoFiles) -> str | None:
    """Why headers should be read, a clause; None where they would tell nothing that is not known.

    `record` is what was read without them.
    """
    if files.headers or not any(path.endswith((".safetensors", ".gguf")) for path in files.sizes):
        return None
    names = weight_files(files)
    if names and names[0].endswith(".gguf"):
        return None if any(name in files.files for name in CONFIGS) else "a GGUF file is all that tells the model"
    return _count_in_doubt(record, sum(files.sizes[name] for name in names)) if names else None


def _count_in_doubt(record: Architecture, size: int) -> str | None:
    """`size`: bytes of the files with the weights, asked where nothing states how many elements they store."""
    counts, packed = record.parameters, record.quantization
    if counts.total is None:
        return "no witness counts the parameters"
    if packed is not None and packed.bits is None:
        return "nothing tells how the weights are packed"
    least, most = _elements(counts.total, record)
    if counts.stored is not None:
        if least <= counts.stored <= most:
            return None
        return f"{counts.stored:,} elements are stored where {counts.total:,} parameters are built"
    narrow, wide = (packed.bits / 8, 2) if packed is not None and packed.bits is not None else (2, 4)
    if counts.total * narrow * (1 - PACKED_SLACK) <= size <= most * wide:
        return None
    return f"{size:,} bytes are stored where {counts.total:,} parameters are built"


def _elements(total: int, record: Architecture) -> tuple[float, float]:
    """How many elements the files may store if the count is right; a tied head may be stored too."""
    packed = record.quantization
    share = packed.bits / WORD if packed is not None and packed.bits is not None and packed.bits < 8 else 1
    slack = SLACK if packed is None else PACKED_SLACK
    more = (record.parameters.embedding or 0) + _extra(record)
    return total * share * (1 - slack), total * (1 + slack) + more


def _extra(record: Architecture) -> float:
    """What prediction layers may add that were not counted: layers as large as the others, with tables of their own."""
    counts, extra = record.parameters, record.mtp_layers or 0
    if counts.mtp is not None or not record.layers.count:
        return counts.mtp or 0
    return 1.5 * extra / record.layers.count * (counts.text or 0) + 2 * (counts.embedding or 0) * bool(extra)
