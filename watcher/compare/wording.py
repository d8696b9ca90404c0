"""One plain sentence for each kind of difference: no capital, no full stop, made of facts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watcher.architecture.record import Architecture
from watcher.compare import mixes, words
from watcher.compare.facts import UNKNOWN
from watcher.compare.rules import Say, Side, Told

# Attention.


def mixers(told: Told) -> str:
    """What the stack is mixed of: what comes, what goes, what replaces what."""
    before, after = told.before or {}, told.after or {}
    new, old = ([word for word in one if word not in other] for one, other in ((after, before), (before, after)))
    parts = [word for word in new if word in mixes.SUBLAYERS]
    if parts and len(new) > len(parts):  # they replace no attention
        new = [word for word in new if word not in mixes.SUBLAYERS]
    gained = _with_counts(new, told.b)
    lost = [words.mixer(word) for word in old if not gained or word not in mixes.SUBLAYERS]
    mixed = mixes.in_brackets(told.b.record, new) if gained else ""
    if gained and lost:
        verb = "replaces" if len(gained) == 1 else "replace"
        return f"{words.listed(gained)}{mixed} {verb} {words.listed(lost)}"
    return f"adds {words.listed(gained)}{mixed}" if gained else f"drops {words.listed(lost)}"


def _with_counts(kinds: list[str], side: Side) -> list[str]:
    """`Gated DeltaNet in 36 of 48 layers`, `gated attention in 12`; without a count where all layers have it."""
    layers = side.record.layers.kinds
    whole = sum(kind.count for kind in layers)
    written: list[str] = []
    for word in kinds:
        count = sum(kind.count for kind in layers if kind.mixer == word)
        name = words.mixer(word)
        if word in mixes.SUBLAYERS:
            written.append(f"{name} ({words.number(count)} of {words.number(whole)})")
            continue
        of_all = f" of {words.counted(whole, 'layer')}" if not written else ""
        written.append(name if count == whole else f"{name} in {words.number(count)}{of_all}")
    return written


def order(told: Told) -> str:
    """`5:1 sliding-window/global attention instead of 1:1`, or the patterns themselves."""
    before, after = (mixes.Mix(side.record) for side in (told.a, told.b))
    if before.ratio and after.ratio and before.ratio.numbers != after.ratio.numbers:
        kinds = "" if before.ratio.kinds == after.ratio.kinds else f" {before.ratio.kinds}"
        return f"{after.ratio} instead of {before.ratio.numbers}{kinds}"
    if before.nope != after.nope:
        return f"no positional encoding (NoPE) in {after.nope}" if after.nope else "positions in every attention layer"
    if after.ratio:
        return f"{after.ratio} as before, in another order"
    return f"layers in the order {_arranged(told.b)} instead of {_arranged(told.a)}"


def _arranged(side: Side) -> str:
    return words.clean(side.record.layers.pattern or "unknown", 120)


def sparse_gained(told: Told) -> str:
    """`adds DeepSeek Sparse Attention: new config keys index_n_heads, index_head_dim, index_topk`."""
    sparse = told.b.record.attention.sparse
    name = words.named(sparse.kind if sparse else None, words.SPARSE)
    found = _config_keys(told.b, "attention.sparse.")
    if found:
        return f"adds {name}: new config {'key' if len(found) == 1 else 'keys'} {words.keys_listed(found)}"
    parts = []
    if sparse and sparse.index_n_heads and sparse.index_head_dim:
        parts.append(f"{words.counted(sparse.index_n_heads, 'index head')} of {words.number(sparse.index_head_dim)}")
    if sparse and sparse.index_topk:
        parts.append(f"the top {words.number(sparse.index_topk)} tokens are read")
    return f"adds {name}" + (f" ({', '.join(parts)})" if parts else "")


def sparse_lost(told: Told) -> str:
    """`drops DeepSeek Sparse Attention`."""
    return f"drops {words.named(at_kind(told.before), words.SPARSE)}"


def at_kind(group: Any) -> Any:
    """The `kind` of a group of facts."""
    return group.get("kind") if isinstance(group, Mapping) else None


def _config_keys(side: Side, prefix: str) -> list[str]:
    """The config keys in which the facts under `prefix` were read, in the record's order."""
    found: dict[str, None] = {}
    for fact, evidence in side.record.evidence.items():
        if fact.startswith(prefix) and not fact.endswith((".kind", ".layers")):
            where = evidence.where if isinstance(evidence.where, str) else ""
            if evidence.witness == "config" and ": " in where:
                found[where.split(": ", 1)[1].split(" ")[0].split(".")[-1]] = None
    return [*found]


# Mixture of experts.


def moe_gained(told: Told) -> str:
    """`adds a mixture of experts: 256 experts, 8 active per token, 1 shared expert`."""
    moe = {name: None if value == UNKNOWN else value for name, value in (told.after or {}).items()}
    parts = [words.counted(moe["num_experts"], "expert")] if moe.get("num_experts") else []
    if moe.get("num_experts_per_tok"):
        parts.append(f"{words.number(moe['num_experts_per_tok'])} active per token")
    shared = told.b.record.moe.num_shared_experts if told.b.record.moe else None
    if shared is not None:
        parts.append(words.counted(shared, "shared expert", "shared experts" if shared else "shared expert"))
    return "a mixture of experts replaces the dense feed-forward" + (f": {', '.join(parts)}" if parts else "")


def moe_lost(told: Told) -> str:
    """What stands in the place of the experts, if anything does."""
    dense = any(kind.ff == "dense" or kind.mixer == "ffn" for kind in told.b.record.layers.kinds)
    return "a dense feed-forward replaces the mixture of experts" if dense else "drops the mixture of experts"


def feed_forward_order(told: Told) -> str:
    """Which layers have experts: `starts with 3 dense layers`."""
    dense = told.b.record.moe.dense_layers if told.b.record.moe else None
    if told.after == "dense… moe…" and told.before == "moe…":
        return f"starts with {words.counted(dense, 'dense layer')}" if dense else "starts with dense layers"
    if told.before == "dense… moe…" and told.after == "moe…":
        return "experts in every layer, no dense layers at the start"
    if every := mixes.experts(told.b.record):
        return f"experts in {every}"
    if "none" in str(told.after).split("…")[0].split() and "none" not in str(told.before):
        return "feed-forward parts are layers of their own"
    return f"feed-forward parts in the order {words.clean(told.after)} instead of {words.clean(told.before)}"


# Sizes and memory.


def parameters(told: Told) -> str:
    """`671B → 744B parameters, 36.6B → 40.2B active`."""
    before, after = told.a.record.parameters, told.b.record.parameters
    sparse = told.a.record.moe is not None or told.b.record.moe is not None
    pairs = [
        ("parameters", before.total, after.total),
        ("active", before.active if sparse else None, after.active if sparse else None),
    ]
    if (before.text, after.text) != (before.total, after.total):
        pairs.append(("in the language part", before.text, after.text))
    parts = [
        f"{words.parameters(old)} → {words.parameters(new)} {label}"
        for label, old, new in pairs
        if old and new and words.parameters(old) != words.parameters(new)
    ]
    moved = parts[:2] if parts and parts[0].endswith(" parameters") else parts
    return ", ".join(moved) if moved else "parameter counts differ"


NOMINAL = "nominal KV cache per token"
"""As published tables count it: every window and every shared layer in full."""


def memory(label: str) -> Say:
    """`KV cache per token: 68.6 → 87.8 KiB, +28 %`; nominal only where that is not what the cache grows by."""

    def say(told: Told) -> str:
        before, after = told.before or 0, told.after or 0
        old, new = words.size(before), words.size(after)
        name = "KV cache per token" if label == NOMINAL and _really(told.a) and _really(told.b) else label
        if not before or not after:
            return f"{name}: {new}, none before" if after else f"no {name} ({old} before)"
        if old.split(" ")[-1] == new.split(" ")[-1]:
            old = old.rsplit(" ", 1)[0]
        return f"{name}: {old} → {new}{words.percent(before, after)}"

    return say


def _really(side: Side) -> bool:
    cache = side.record.kv_cache
    return cache.bytes_per_token == cache.nominal_bytes_per_token


# The rest.


def positions(told: Told) -> str:
    """`partial RoPE instead of RoPE`, `adds RoPE`, `drops RoPE`: only what comes and goes; NoPE by its layers."""
    before, after = ([*(group or {})] for group in (told.before, told.after))
    gained, lost = (
        [word for word in mine if word not in theirs and word != "nope"]
        for mine, theirs in ((after, before), (before, after))
    )
    if after == ["nope"]:
        return f"{words.POSITION['nope']} instead of {_named_positions(lost)}" if lost else words.POSITION["nope"]
    said = [f"{_named_positions(gained)} instead of {_named_positions(lost)}"] if gained and lost else []
    said += [f"adds {_named_positions(gained)}"] if gained and not lost else []
    said += [f"drops {_named_positions(lost)}"] if lost and not gained else []
    if ("nope" in after) != ("nope" in before):
        lost_all = "positions in every attention layer" if after else "no attention layers, and so no positions"
        said.append(without_positions(told.b.record) if "nope" in after else lost_all)
    return ", ".join(said)


def without_positions(record: Architecture) -> str:
    """`no positional encoding (NoPE) in every 4th layer (9 of 36)`."""
    count, where = record.position.nope_layers, mixes.nope(record)
    some = words.counted(count, "layer") if count else "some layers"
    if where is None or where == some:
        return f"no positional encoding (NoPE) in {some}"
    return f"no positional encoding (NoPE) in {where} ({words.number(count)} of {words.number(record.layers.count)})"


def _named_positions(found: list[str], names: dict[str, str] = words.POSITION) -> str:
    return words.listed([words.named(word, names) for word in found])


def scaling(told: Told) -> str:
    """`YaRN scaling of RoPE instead of linear`, `adds YaRN scaling of RoPE`, `drops the YaRN scaling of RoPE`."""
    before, after = (words.named(value, words.SCALING) for value in (told.before, told.after))
    if told.before is None or told.after is None:
        return f"adds {after} scaling of RoPE" if told.before is None else f"drops the {before} scaling of RoPE"
    return f"{after} scaling of RoPE instead of {before}"


def modalities(told: Told) -> str:
    """`takes video as well`, `no longer takes audio`."""
    before, after = ([*(group or {})] for group in (told.before, told.after))
    gained, lost = [kind for kind in after if kind not in before], [kind for kind in before if kind not in after]
    said = [f"takes {words.listed([words.word(kind) for kind in gained])} as well"] if gained else []
    said += [f"no longer takes {words.listed([words.word(kind) for kind in lost])}"] if lost else []
    return ", ".join(said)


_TOWERS = {"image": "vision"}


def tower_gained(told: Told) -> str:
    """`adds a vision tower (27 layers)`."""
    name = words.named(told.name, _TOWERS)
    layers = told.after.get("layers") if isinstance(told.after, Mapping) else None
    size = f" ({words.counted(layers, 'layer')})" if layers and layers != UNKNOWN else ""
    return f"adds {'an' if name[:1].lower() in 'aeiou' else 'a'} {name} tower{size}"


def tower(say: Say) -> Say:
    """The same, said of a tower."""
    return lambda told: f"{words.named(told.name, _TOWERS)} tower: {say(told)}"


def tower_lost(told: Told) -> str:
    """`drops the vision tower`."""
    return f"drops the {words.named(told.name, _TOWERS)} tower"


def quantization(told: Told) -> str:
    """`published as fp8 (8 bits) instead of unquantised`."""
    return f"published {_quantized(told.after)} instead of {_quantized(told.before)}"


def _quantized(group: Any) -> str:
    if not isinstance(group, Mapping):
        return "unquantised"
    bits = group.get("bits")
    method = words.clean("an unknown method" if group["method"] == UNKNOWN else group["method"])
    return f"in {method}" + (f" ({words.counted(bits, 'bit')})" if bits and bits != UNKNOWN else "")


def novel(noun: str, plural: str) -> Say:
    """`tensor indexer.wk, which no reference knows`."""

    def say(told: Told) -> str:
        names = [name for name in told.after or {} if name not in (told.before or {})]
        gone = [name for name in told.before or {} if name not in (told.after or {})]
        if not names:
            return f"without the {noun if len(gone) == 1 else plural} {words.keys_listed(gone)}"
        return unheard_of(names, noun, plural)

    return say


def unheard_of(names: Sequence[str], noun: str, plural: str) -> str:
    """`config keys mega_ratio and mega_size, which no reference knows`."""
    shown = words.listed([words.word(name) for name in names], most=6)
    return f"{noun if len(names) == 1 else plural} {shown}, which no reference knows"


def novel_key(told: Told) -> str:
    """`config key mega_ratio, which no reference knows`."""
    return unheard_of([told.name], "config key", "config keys")


def generic(told: Told) -> str:
    """Any fact that no row of the table tells."""
    return f"{words.clean(told.name)}: {words.number(told.before)} → {words.number(told.after)}"
