"""What a model is, in two or three sentences: a table of facts → clauses; what is not known is left out.

A clause says what the record has, never what it lacks, but for the few absences that an expert would remark on (no
shared expert, no positional encoding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare import mixes, stack, words
from watcher.report.numbers import tokens

Clause = Callable[[Architecture], str | None]

CLASSES = {
    "dense": "a dense decoder",
    "sparse-moe": "a sparse mixture-of-experts decoder",
    "dense-hybrid": "a dense hybrid of attention and recurrent mixers",
    "sparse-hybrid": "a sparse mixture-of-experts hybrid of attention and recurrent mixers",
    "recurrent": "a recurrent decoder without attention",
}


def summary(record: Architecture) -> str:
    """Sentences with capitals and full stops; empty for a record that knows nothing."""
    sentences = [", ".join(_said(record, group)) for group in SENTENCES]
    return " ".join(sentence[0].upper() + sentence[1:] + "." for sentence in sentences if sentence)


def in_short(record: Architecture) -> str:
    """The first of the sentences as a clause."""
    return ", ".join(_said(record, SENTENCES[0]))


def _said(record: Architecture, clauses: Iterable[Clause]) -> list[str]:
    return [text for clause in clauses if (text := clause(record))]


# The stack.


def _class(record: Architecture) -> str | None:
    kind = CLASSES.get(record.decoder_type or "")
    count = record.layers.count
    if kind is None:
        return f"a decoder of {words.counted(count, 'layer')}" if count else None
    return f"{kind} with {words.counted(count, 'layer')}" if count else kind


def _width(record: Architecture) -> str | None:
    return f"{words.number(record.hidden_size)} wide" if record.hidden_size else None


def mixers(record: Architecture) -> str | None:
    """`MLA in every layer`, `sliding-window attention in 5 of 6 layers`, `Mamba-2 in 23 layers, GQA in 6`."""
    mix = record.layers.mix
    whole = sum(item.count for item in mix)
    if not mix:
        return None
    if len(mix) == 1:
        return f"{words.short(mix[0].kind)} in every layer"
    said = [f"{words.short(item.kind)} in {words.number(item.count)}" for item in mix[:5]]
    said[0] += f" of {words.counted(whole, 'layer')}"
    return words.listed(said) + mixes.in_brackets(record)


def _heads(record: Architecture) -> str | None:
    heads, kv_heads = record.attention.num_attention_heads, record.attention.num_key_value_heads
    if not heads or not _softmax(record):
        return None
    if record.attention.mla is not None:
        return f"{words.counted(heads, 'head')}"
    if not kv_heads or kv_heads == heads:
        return words.counted(heads, "head")
    group = f" ({heads // kv_heads}:1)" if heads % kv_heads == 0 else ""
    single = "a single KV head" if kv_heads == 1 else words.counted(kv_heads, "KV head")
    return f"{words.counted(heads, 'query head')} on {single}{group}"


def _softmax(record: Architecture) -> list[LayerKind]:
    return [kind for kind in record.layers.kinds if kind.num_attention_heads and not kind.state_bytes]


def _window(record: Architecture) -> str | None:
    window = record.attention.sliding_window
    return f"a window of {words.counted(window, 'token')}" if window else None


def _mla(record: Architecture) -> str | None:
    mla = record.attention.mla
    return f"a latent of {words.number(mla.kv_lora_rank)} for keys and values" if mla and mla.kv_lora_rank else None


def _sparse(record: Architecture) -> str | None:
    sparse = record.attention.sparse
    if sparse is None:
        return None
    name = words.named(sparse.kind, words.SPARSE)
    top = f" of the top {words.number(sparse.index_topk)} tokens" if sparse.index_topk else ""
    return f"{name}{top}"


def _shared_kv(record: Architecture) -> str | None:
    count = record.attention.shared_kv_layers
    return f"{words.counted(count, 'layer')} on the keys and values of another" if count else None


def _flag(fact: Callable[[Architecture], object], text: str) -> Clause:
    return lambda record: text if fact(record) else None


# Feed-forward.


def _experts(record: Architecture) -> str | None:
    """`256 experts, 8 active and 1 shared per token`."""
    moe = record.moe
    if moe is None or not moe.num_experts:
        return None
    text = words.counted(moe.num_experts, "routed expert")
    if moe.zero_experts:
        text += f" and {words.counted(moe.zero_experts, 'identity expert')}"
    if moe.num_experts_per_tok:
        text += f", top-{moe.num_experts_per_tok} per token"
    if moe.num_shared_experts is None:
        return text
    if not moe.num_shared_experts:
        return f"{text}, no shared expert"
    return f"{text} plus {words.counted(moe.num_shared_experts, 'shared expert')}"


def _expert_size(record: Architecture) -> str | None:
    size = record.moe.moe_intermediate_size if record.moe else None
    return f"expert size {words.number(size)}" if size else None


def dense_layers(record: Architecture) -> str | None:
    """`a dense feed-forward in the first 3 layers`."""
    dense = record.moe.dense_layers if record.moe else None
    if not dense:
        return None
    if every := mixes.experts(record):
        return f"experts in {every}"
    ids = stack.expand(record.layers.sequence or "") or []
    feeds = {kind.id: kind.ff for kind in record.layers.kinds}
    prefix = [feeds.get(letter) for letter in ids[:dense]] == ["dense"] * dense
    if prefix and dense == 1:
        return "a dense feed-forward in the first layer"
    return f"a dense feed-forward in {'the first ' if prefix else ''}{words.counted(dense, 'layer')}"


def _router(record: Architecture) -> str | None:
    router = record.moe.router if record.moe else None
    hashed = record.moe.hash_layers if record.moe else None
    bias = " with an expert bias" if record.moe and record.moe.router_bias else ""
    parts = [
        f"{words.named(router, words.ROUTER)} routing{bias}" if router and (bias or router != "softmax") else None,
        f"hash routing in {words.counted(hashed, 'layer')}" if hashed else None,
    ]
    return ", ".join(part for part in parts if part) or None


def _groups(record: Architecture) -> str | None:
    groups = record.moe.groups if record.moe else None
    return f"group-limited over {words.counted(groups, 'expert group')}" if groups and groups > 1 else None


def _feed_forward(record: Architecture) -> str | None:
    """`SwiGLU feed-forward of 14,336`."""
    part = record.feed_forward
    if part.activation is None:
        return None
    size = f" of {words.number(part.intermediate_size)}" if part.intermediate_size else ""
    return f"{words.feed_forward(part.activation, part.gated)} feed-forward{size}"


# Norms, positions, the rest.


def _norm(record: Architecture) -> str | None:
    kind, placement = record.norm.kind, record.norm.placement
    if kind is None and placement is None:
        return None
    name = words.named(kind, words.NORM) if kind else "norms"
    return PLACED.get(placement or "", "{}").format(name)


PLACED = {
    "pre": "pre-norm {}",
    "post": "{} after each residual add (post-norm)",
    "post-inside": "{} after each sublayer, inside the residual (post-norm)",
    "sandwich": "{} before and after each sublayer (sandwich norm)",
    "mixed": "{} in mixed places",
    "none": "no norms around the sublayers",
}


def _qk_norm(record: Architecture) -> str | None:
    kinds = {kind.qk_norm for kind in record.layers.kinds if kind.qk_norm}
    if not record.attention.qk_norm:
        return None
    how = words.named(next(iter(kinds)), words.QK_NORM) if len(kinds) == 1 else ""
    return f"QK-norm {how}".strip()


def _positions(record: Architecture) -> str | None:
    kinds = record.position.kinds
    if not kinds:
        return None
    nope, where = record.position.nope_layers, mixes.nope(record)
    names = [words.named(kind, words.POSITION) for kind in kinds if kind != "nope"]
    if not names:
        return words.POSITION["nope"]
    said = words.listed(names)
    if record.position.scaling:
        said += f" with {words.named(record.position.scaling, words.SCALING)} scaling"
    return said + (f" and NoPE in {where or words.counted(nope, 'layer')}" if nope else "")


def _mtp(record: Architecture) -> str | None:
    count = record.mtp_layers
    return f"{words.counted(count, 'multi-token-prediction (MTP) layer')}" if count else None


def streams(record: Architecture) -> str | None:
    """`hyper-connections with 4 residual streams`."""
    kind, streams = record.residual.kind, record.residual.streams
    if kind in (None, "plain"):
        return None
    return f"{words.named(kind, {})} with {words.counted(streams, 'residual stream')}" if streams else kind


def encoders(record: Architecture) -> str | None:
    """`vision encoder`, `vision and audio encoders`."""
    names = list(dict.fromkeys({"image": "vision"}.get(tower.modality, tower.modality) for tower in record.towers))
    noun = "encoder" if len(names) == 1 else "encoders"
    return f"{words.listed([words.clean(name) for name in names])} {noun}" if names else None


def _inputs(record: Architecture) -> str | None:
    """`it takes text, images, video and audio`, where that is more than the encoders say."""
    names = {"image": "images"}
    kinds = [names.get(kind, kind) for kind in record.model.modalities]
    return f"it takes {words.listed([words.clean(kind) for kind in kinds])}" if len(kinds) > 1 else None


def _vocabulary(record: Architecture) -> str | None:
    return f"a vocabulary of {words.counted(record.vocab_size, 'token')}" if record.vocab_size else None


def _context(record: Architecture) -> str | None:
    return f"a context of {tokens(record.context_length)} tokens" if record.context_length else None


def _tied(record: Architecture) -> str | None:
    said = {True: "tied input and output embeddings", False: "untied input and output embeddings"}
    return said.get(bool(record.tied_embeddings)) if record.tied_embeddings is not None else None


SENTENCES: tuple[tuple[Clause, ...], ...] = (
    (_class, _width, mixers, _heads, _mla, _sparse, _window, _shared_kv,
     _flag(lambda record: record.attention.sinks, "attention sinks"),
     _flag(lambda record: record.attention.gated and "gated-attention" not in record.attention.kinds,
           "a gate on the attention output"),
     _flag(lambda record: record.attention.bias, "biases in the attention projections")),
    (_experts, _expert_size, dense_layers, _router, _groups, _feed_forward),
    (_norm, _qk_norm, _positions, streams,
     _flag(lambda record: record.residual.parallel, "attention and feed-forward in parallel"),
     _flag(lambda record: (record.residual.multiplier or 1) != 1, "scaling factors on the residual branches (muP)"),
     _mtp, encoders, _inputs),
    (_context, _vocabulary, _tied),
)  # fmt: skip
"""Sentence by sentence; a fact that should be told is a clause here."""
