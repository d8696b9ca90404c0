"""Counts of parameters: our closed forms beside what witnesses count, and what follows from either."""

from __future__ import annotations

from watcher.architecture.belief import Beliefs
from watcher.architecture.config import Absent, Config
from watcher.architecture.parameters import Counts, count
from watcher.architecture.stack import Layer

SOURCES = ("layers.kinds", "hidden_size", "vocab_size", "tied_embeddings")


def tell_counts(beliefs: Beliefs, config: Config, layers: list[Layer]) -> None:
    """Everything under `parameters`, as far as it can be told."""
    counts = _closed_form(beliefs, config, layers)
    if counts is not None:
        _claim(beliefs, counts, certain=config.doubt is None)
    _embedding(beliefs)
    _active(beliefs)
    _towers(beliefs)
    if not beliefs.get("mtp_layers") and not beliefs.why("mtp_layers", ""):
        beliefs.claim("parameters.mtp", 0, ("mtp_layers",))
    _reasons(beliefs)


def _closed_form(beliefs: Beliefs, config: Config, layers: list[Layer]) -> Counts | None:
    tied, family = beliefs.get("tied_embeddings"), config.family
    if not layers or family is None or not family.counted or not isinstance(tied, bool):
        return None
    if config.doubt and not family.granted:
        return None
    try:
        return count(config, layers, tied)
    except Absent as error:
        beliefs.unread.append(("parameters", str(error)))
    except (ArithmeticError, TypeError, ValueError):
        beliefs.unread.append(("parameters", f"{config.file} holds values that do not fit together"))
    return None


def _claim(beliefs: Beliefs, counts: Counts, *, certain: bool) -> None:
    beliefs.claim("parameters.text", counts.text, SOURCES, certain=certain)
    beliefs.claim("parameters.experts", counts.experts, ("layers.kinds", "moe"), certain=certain)
    beliefs.claim("parameters.active_experts", counts.active_experts, ("layers.kinds", "moe"), certain=certain)
    for index, weights in enumerate(counts.per_layer):
        if "parameters" not in beliefs.layers.get(index, {}):  # where a layer ends is the implementation's to say
            beliefs.claim(f"layers[{index}].parameters", weights, ("hidden_size", "layers.kinds"), certain=certain)


def _embedding(beliefs: Beliefs) -> None:
    vocab, hidden = beliefs.get("vocab_size"), beliefs.get("hidden_size")
    if "parameters.embedding" not in beliefs.told and vocab and hidden and "parameters.text" in beliefs.told:
        beliefs.claim("parameters.embedding", vocab * hidden, ("vocab_size", "hidden_size"))


def _active(beliefs: Beliefs) -> None:
    """Rule A leaves out the experts that a token does not use; rule B the input table too, unless it is the head."""
    if {"parameters.active", "parameters.active_with_embedding"} <= beliefs.told.keys():
        return
    text, embedding = beliefs.get("parameters.text"), beliefs.get("parameters.embedding")
    chosen = _chosen(beliefs)
    if text is None or embedding is None or chosen is None:
        return
    touched = text - chosen[0] + chosen[1]
    sources = ("parameters.text", "moe.num_experts_per_tok") if chosen[0] else ("parameters.text",)
    sure = beliefs.told["parameters.text"].evidence.doubt is None
    beliefs.claim("parameters.active_with_embedding", touched, sources, certain=sure)
    tied = beliefs.get("tied_embeddings")
    if isinstance(tied, bool):
        without = touched if tied else touched - embedding
        beliefs.claim(
            "parameters.active", without, ("parameters.active_with_embedding", "tied_embeddings"), certain=sure
        )


def _chosen(beliefs: Beliefs) -> tuple[int, int] | None:
    """(all routed experts, those of one token); None when it is not known."""
    experts = beliefs.get("parameters.experts")
    if beliefs.get("decoder_type") not in ("sparse-moe", "sparse-hybrid") and not experts:
        return (0, 0)
    if experts is None:
        return None
    if "parameters.active_experts" in beliefs.told:
        return experts, beliefs.get("parameters.active_experts")
    number, used = beliefs.get("moe.num_experts"), beliefs.get("moe.num_experts_per_tok")
    return (experts, experts * min(used, number) // number) if number and used else None


MODALITIES = (("vision", "image"), ("audio", "audio"))


def _projectors(beliefs: Beliefs) -> None:
    """A part that code counts under a modality without a tower is a tower, or else the projector of the only one."""
    counted = [(name, modality) for name, modality in MODALITIES if beliefs.get(f"parameters.{name}")]
    told = {modality for _, modality in MODALITIES if f"towers.{modality}.modality" in beliefs.told}
    for name, modality in counted:
        if modality in told:
            continue
        if not told:
            beliefs.claim(f"towers.{modality}.modality", modality, (f"parameters.{name}",))
            continue
        other = next(item for item, of in MODALITIES if of in told)
        whole = beliefs.get(f"parameters.{other}", 0) + beliefs.get(f"parameters.{name}")
        beliefs.settle(f"parameters.{other}", whole, ("parameters.total", "parameters.text"))
        beliefs.settle(f"parameters.{name}", 0, ("model.modalities",))


def _towers(beliefs: Beliefs) -> None:
    """The towers' share, and the total: everything that the implementation builds."""
    _projectors(beliefs)
    has = {modality for _, modality in MODALITIES if f"towers.{modality}.modality" in beliefs.told}
    for name, modality in MODALITIES:
        if modality not in has and not beliefs.why(f"parameters.{name}", ""):
            beliefs.claim(f"parameters.{name}", 0, ("model.modalities",))
        elif f"parameters.{name}" not in beliefs.told:
            has.add(modality)
    for name, modality in MODALITIES:
        if modality in has and beliefs.get(f"parameters.{name}"):
            beliefs.claim(f"towers.{modality}.parameters", beliefs.get(f"parameters.{name}"), (f"parameters.{name}",))
    parts = ["text", *(name for name, modality in MODALITIES if modality in has)]
    facts = tuple(f"parameters.{name}" for name in parts)
    if "parameters.total" not in beliefs.told and all(fact in beliefs.told for fact in facts):
        sure = all(beliefs.told[fact].evidence.doubt is None for fact in facts)
        beliefs.claim("parameters.total", sum(beliefs.get(fact) for fact in facts), facts, certain=sure)


def _reasons(beliefs: Beliefs) -> None:
    """Why what is not told is not known."""
    why = beliefs.why("parameters", f"{beliefs.default_why}, so its weights cannot be counted")
    for name in ("text", "active", "active_with_embedding", "embedding"):
        beliefs.lack(f"parameters.{name}", beliefs.why(f"parameters.{name}", why))
    towers = "the weights of the towers were not counted"
    beliefs.lack(
        "parameters.total", beliefs.why("parameters.total", towers if "parameters.text" in beliefs.told else why)
    )
    for name, _ in MODALITIES:
        beliefs.lack(f"parameters.{name}", beliefs.why(f"parameters.{name}", towers))
    beliefs.lack("parameters.mtp", "no witness counts the extra prediction layers")
    beliefs.lack("parameters.stored", "no safetensors metadata was given")
