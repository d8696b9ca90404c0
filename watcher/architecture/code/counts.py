"""Parameter counts by part, from the weights of a built model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watcher.architecture.code.build import AUDIO, EXPERTS, EXTRA, TOWER, Built, Placed
from watcher.architecture.code.configs import number
from watcher.architecture.code.evidence import Facts, Where, key_where
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.values import ModuleValue, Weight
from watcher.architecture.witness import Fact

HEAD = re.compile(r"(^|\.)(lm_head|embed_out|output_layer)\.weight$")


PERHAPS_HEAD = re.compile(r"(^|\.)(head|output|lm_head\.decoder|predictions\.decoder)\.weight$")
"""Output matrices where they have a row a word."""


EXPERT_KEYS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", "num_routed_experts")


CHOSEN_KEYS = (
    "num_experts_per_tok num_experts_per_token moe_topk moe_top_k top_k_experts moe_k num_selected_experts "
    "experts_per_token moe_router_topk router_topk"
).split()


def counts(built: Built, where: Where, certain: bool, unread: list[tuple[str, str]]) -> Facts:
    """Parameter counts by part; a part with a weight of unknown size, and what it enters, is not told."""
    if not built.weights:
        raise Undecided("it holds no weights")
    line = where(built.model.line)
    sums: dict[str, int | None] = dict.fromkeys(("text", "vision", "audio", "mtp", "experts"), 0)
    stacked = {path for path, module in built.model.walk() if STACKED.search(module.kind)}
    for path, placed in built.weights.items():
        for part in _parts(path, path.rpartition(".")[0] in stacked):
            before = sums[part]
            sums[part] = _plus(before, placed)
            if before is not None and sums[part] is None:
                unread.append((f"parameters.{part}", f"{line}: {path[:200]} has an unknown size"))
    embedding, head = _tables(built)
    sums["embedding"] = _plus(0, embedding)
    sums["lm_head"] = _plus(0, head)
    parts = [sums[part] for part in ("text", "vision", "audio")]
    sums["total"] = sum(part for part in parts if part is not None) if None not in parts else None
    sums |= _active(built, sums, head, line, unread)
    facts = {f"parameters.{name}": Fact(value, line, certain) for name, value in sums.items() if value is not None}
    tied = head is None and embedding is not None
    facts["tied_embeddings"] = Fact(tied, key_where(built, "tie_word_embeddings", where))
    return facts


def _plus(count: int | None, placed: Placed | None) -> int | None:
    if count is None or placed is None:
        return count
    try:
        return count + placed.count
    except Undecided:
        return None


STACKED = re.compile(r"Experts$")
"""Classes that hold all experts, whatever their attribute is called."""


def _parts(path: str, stacked: bool) -> tuple[str, ...]:
    part = _part(path)
    return (part, "experts") if part == "text" and (stacked or EXPERTS.search(path)) else (part,)


def _part(path: str) -> str:
    if EXTRA.search(path):
        return "mtp"
    if TOWER.search(path):
        return "audio" if AUDIO.search(path) else "vision"
    return "text"


def _tables(built: Built) -> tuple[Placed | None, Placed | None]:
    """(input embedding table, output matrix where it is one of its own)."""
    tables = [
        (path, module)
        for path, module in built.model.walk()
        if module.kind == "nn.Embedding" or _extends(module, "Embedding")
        if not TOWER.search(path) and not re.search(r"pos|per_layer|type|ngram|wpe", path.rpartition(".")[2])
    ]
    vocab = built.text.values.get("vocab_size")
    largest = max(tables, key=lambda item: _rows(item[1]) or 0, default=None)
    found = next((item for item in tables if (_rows(item[1]) or 0) == vocab), largest)
    table = built.weights.get(f"{found[0]}.weight") if found else None
    heads = [placed for path, placed in built.weights.items() if HEAD.search(path)]
    rows = [length for length in (vocab, _rows(found[1]) if found else None) if length is not None]
    heads += [item for path, item in built.weights.items() if PERHAPS_HEAD.search(path) and _first(item.weight) in rows]
    return table, heads[0] if heads else None


def _extends(module: ModuleValue, name: str) -> bool:
    return module.kind.endswith(name) and "weight" in module.weights


def _rows(module: ModuleValue) -> int | None:
    weight = module.weights.get("weight")
    return _first(weight) if weight is not None else None


def _first(weight: Weight) -> int | None:
    length = weight.shape[0] if weight.shape else None
    return length if isinstance(length, int) else None


def _active(
    built: Built, sums: Mapping[str, int | None], head: Placed | None, line: str, unread: list[tuple[str, str]]
) -> dict[str, int]:
    """What one text token multiplies with: with both embedding tables, and (`active`) without the input's."""
    text, experts, embedding = sums["text"], sums["experts"], sums["embedding"]
    if text is None or experts is None or embedding is None:
        return {}
    if experts:
        all_, chosen = number(built.text, EXPERT_KEYS), number(built.text, CHOSEN_KEYS)
        if not all_ or not chosen:
            unread += [(f"parameters.{name}", f"{line}: {NOT_TOLD}") for name in ("active", "active_with_embedding")]
            return {}
        text += experts * chosen // all_ - experts
    return {"active_with_embedding": text, "active": text - (embedding if head is not None else 0)}


NOT_TOLD = "no key says how many experts a token goes through"
