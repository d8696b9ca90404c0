"""What the stack comes to as a whole: decoder type, attention over all layers, positions, the norm's placement."""

from __future__ import annotations

from collections.abc import Callable

from watcher.architecture.belief import Beliefs
from watcher.architecture.derive.layers import Kind
from watcher.architecture.mixers import HALVES, KNOWN, NO_MIXER, RECURRENT
from watcher.architecture.stack import Layer

FROM_KINDS = ("layers.kinds",)


def tell_modalities(beliefs: Beliefs, file: str) -> None:
    """Text, and what the towers bring, where no witness says more."""
    paths = [f"towers.{name}.modality" for name in ("image", "audio")]
    towers = [path for path in paths if path in beliefs.told]
    told = beliefs.get("model.modalities", ())
    modalities = ("text", *(beliefs.get(path) for path in towers))
    if not set(modalities) <= set(told):
        beliefs.settle("model.modalities", modalities, tuple(towers) or file)


def tell_whole(beliefs: Beliefs, kinds: list[Kind]) -> None:
    """Everything that follows from the layers."""
    attending = [kind for kind in kinds if kind.layer.mixer not in RECURRENT | HALVES | {NO_MIXER}]
    _attention(beliefs, attending, [kind for kind in kinds if kind.layer.mixer not in HALVES])
    _sizes(beliefs, attending)
    _positions(beliefs, attending)
    _placement(beliefs, kinds)


def tell_type(beliefs: Beliefs, layers: list[Layer]) -> None:
    """The decoder type, where every mixer is one that is known."""
    strange = {part for layer in layers for part in (layer.mixer or "").split("+")} - KNOWN
    if strange:
        beliefs.lack("decoder_type", f"what a {min(strange)} layer is is not known")
    else:
        beliefs.claim("decoder_type", decoder_type(layers), FROM_KINDS)


def decoder_type(layers: list[Layer]) -> str:
    """dense, sparse-moe, dense-hybrid, sparse-hybrid or recurrent."""
    mixers = {part for layer in layers for part in (layer.mixer or "").split("+")} - HALVES - {NO_MIXER}
    sparse = any("moe" in (layer.ff, layer.mixer) for layer in layers)
    linear, full = mixers & RECURRENT, mixers - RECURRENT
    if linear and not full:
        return "recurrent"
    return f"{'sparse' if sparse else 'dense'}-hybrid" if linear else "sparse-moe" if sparse else "dense"


ANY_LAYER: tuple[tuple[str, str, Callable[[Layer], bool]], ...] = (
    ("attention.qk_norm", "qk_norm", lambda layer: bool(layer.qk_norm)),
    ("attention.sinks", "sinks", lambda layer: bool(layer.sinks)),
)
"""Facts of the whole that are true when any attention layer has the property."""


def _attention(beliefs: Beliefs, attending: list[Kind], mixing: list[Kind]) -> None:
    if not attending:
        for fact in ("qk_norm", "bias", "sinks", "gated"):
            beliefs.claim(f"attention.{fact}", False, FROM_KINDS)
        beliefs.claim("attention.shared_kv_layers", 0, FROM_KINDS)
        return
    kinds = tuple(dict.fromkeys(kind.layer.mixer or "unknown" for kind in attending))
    beliefs.claim("attention.kinds", kinds, FROM_KINDS)
    for fact, attribute, has in ANY_LAYER:
        _any(beliefs, fact, attribute, attending, has)
    _any(beliefs, "attention.gated", "gate", mixing, lambda layer: bool(layer.gate))
    shared = sum(len(kind.indices) for kind in attending if kind.layer.shared_kv_from is not None)
    beliefs.claim("attention.shared_kv_layers", shared, FROM_KINDS)


def _any(beliefs: Beliefs, fact: str, attribute: str, kinds: list[Kind], has: Callable[[Layer], bool]) -> None:
    known = [kind for kind in kinds if attribute not in kind.unknown]
    if any(has(kind.layer) for kind in known):
        beliefs.claim(fact, True, tuple(f"layers.kinds.{kind.id}.{attribute}" for kind in known if has(kind.layer)))
    elif len(known) == len(kinds):
        beliefs.claim(fact, False, FROM_KINDS)


SIZES = (
    ("attention.num_attention_heads", "heads", "num_attention_heads"),
    ("attention.num_key_value_heads", "kv_heads", "num_key_value_heads"),
    ("attention.head_dim", "qk_dim", "qk_dim"),
)


def _sizes(beliefs: Beliefs, attending: list[Kind]) -> None:
    """Heads and sizes of the first layer that sees everything; the first window."""
    if not attending:
        return
    main = next((kind for kind in attending if kind.layer.window is None), attending[0])
    for fact, attribute, name in SIZES:
        _same_as(beliefs, fact, main, attribute, name)
    windowed = next((kind for kind in attending if kind.layer.window), None)
    if windowed is not None:
        _same_as(beliefs, "attention.sliding_window", windowed, "window", "window")


def _same_as(beliefs: Beliefs, fact: str, kind: Kind, attribute: str, name: str) -> None:
    told, value = beliefs.told.get(f"layers.kinds.{kind.id}.{name}"), getattr(kind.layer, attribute)
    if told is not None and value is not None and fact not in beliefs.told:
        beliefs.told[fact] = told


def _positions(beliefs: Beliefs, attending: list[Kind]) -> None:
    """The kinds of position, and the layers without; learned positions and ALiBi are told by their witness."""
    share = beliefs.get("position.partial_rotary_factor")
    if share == 1:
        del beliefs.told["position.partial_rotary_factor"]
    if not attending:
        for fact in [path for path in beliefs.told if path.startswith("position.")]:
            del beliefs.told[fact]
        beliefs.settle("position.kinds", (), FROM_KINDS)
        beliefs.settle("position.nope_layers", 0, FROM_KINDS)
        return
    if set(beliefs.get("position.kinds", ())) - {"rope", "nope"}:
        beliefs.settle("position.nope_layers", 0, ("position.kinds",))
        return
    unread = [beliefs.why(f"position.{part}", "") for part in ("partial_rotary_factor", "scaling")]
    if any("rope" in kind.unknown for kind in attending) or any(unread):
        beliefs.told.pop("position.kinds", None)
        beliefs.lack("position.kinds", next((why for why in unread if why), beliefs.default_why))
        return
    beliefs.told.pop("position.kinds", None)
    beliefs.told.pop("position.nope_layers", None)
    nope = sum(len(kind.indices) for kind in attending if not kind.layer.rope)
    roped = any(kind.layer.rope for kind in attending)
    paths = tuple(f"layers.kinds.{kind.id}.rope" for kind in attending)
    beliefs.settle("position.kinds", ((_rotary(beliefs),) if roped else ()) + (("nope",) if nope else ()), paths)
    beliefs.settle("position.nope_layers", nope, paths)
    if not roped:
        for fact in ("rope_theta", "partial_rotary_factor", "scaling"):
            beliefs.told.pop(f"position.{fact}", None)


def _rotary(beliefs: Beliefs) -> str:
    if beliefs.get("position.scaling") == "proportional":
        return "p-rope"
    if beliefs.get("position.partial_rotary_factor"):
        return "partial-rope"
    return "mrope" if beliefs.get("position.sections") else "rope"


def _placement(beliefs: Beliefs, kinds: list[Kind]) -> None:
    """The placement that all layers share, else `mixed`."""
    if any("norm" in kind.unknown for kind in kinds):
        return
    places = {kind.layer.norm for kind in kinds}
    if "norm.placement" not in beliefs.told and places:
        paths = tuple(f"layers.kinds.{kind.id}.norm" for kind in kinds)
        beliefs.claim("norm.placement", places.pop() if len(places) == 1 else "mixed", paths)
