"""The sketch in words, for those who cannot see it: the SVG's title and description."""

from __future__ import annotations

from watcher.architecture.record import Architecture
from watcher.report.sketch import words


def describe(record: Architecture, baseline: Architecture | None = None) -> tuple[str, str]:
    """Title and description, plain text made of the record's facts."""
    placement = words.PLACEMENTS.get(record.norm.placement or "", "placement unknown")
    parallel = ", attention and feed-forward in parallel" if record.residual.parallel else ""
    parameters = record.parameters
    sentences = [
        f"{words.decoder(record)} with {words.whole(record.layers.count)} layers.",
        f"From bottom to top: token embedding of size {words.whole(record.hidden_size)}, {_stack(record)},",
        f"final {words.norm(record)}, linear output layer over {words.whole(record.vocab_size)} tokens.",
        f"Norms: {placement}{parallel}.",
        *_experts(record),
        f"Parameters: {words.count(parameters.total)} in total, {words.count(parameters.active)} active per token.",
        f"Context: {words.whole(record.context_length)} tokens.",
        f"KV cache per token: {words.size(record.kv_cache.bytes_per_token)}.",
    ]
    if baseline is not None:
        sentences.append(f"What differs from {words.short_name(baseline)} is marked in orange.")
    return f"Architecture of {words.short_name(record)}", " ".join(sentences)


def _stack(record: Architecture) -> str:
    kinds = record.layers.kinds[:12]
    if not kinds:
        return "blocks of unknown kind"
    return ", ".join(f"{words.whole(kind.count)} × {words.kind_name(kind)}" for kind in kinds)


def _experts(record: Architecture) -> list[str]:
    moe = record.moe
    if moe is None or moe.num_experts is None:
        return []
    shared = f" and {words.whole(moe.num_shared_experts)} shared" if moe.num_shared_experts else ""
    chosen = f"{words.whole(moe.num_experts_per_tok)} of {words.whole(moe.num_experts)}{shared} per token"
    return [f"Experts: {chosen}, each of size {words.whole(moe.moe_intermediate_size)}."]
