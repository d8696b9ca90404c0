"""The model as a whole: its name and class, widths, context, norms, residual stream, feed-forward, extra layers."""

from __future__ import annotations

from watcher.architecture.concepts import TEXT_PARTS
from watcher.architecture.config import MAX_LAYERS, MAX_TAIL, Absent, Config
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.sections.notes import Notes
from watcher.architecture.stack import Stack

Told = Stack | None


def model(notes: Notes, stack: Told) -> None:
    """Family and class."""
    config = notes.config
    kind = next((item for item in (config.raw.get("model_type"), config.model_type) if isinstance(item, str)), None)
    outer = isinstance(config.raw.get("model_type"), str)
    notes.put("model.family", kind or None, f"{config.file}: {'' if outer else config.path}model_type")
    where = "architectures" if config.raw.get("architectures") else f"{config.path}architectures"
    notes.put("model.class", config.class_name, f"{config.file}: {where}")


def widths(notes: Notes, stack: Told) -> None:
    """Sizes of the whole."""
    notes.size("context_length", "context")
    notes.size("vocab_size", "vocab")
    notes.size("hidden_size", "hidden_size")
    if stack is not None:
        where = notes.config.where("layers")
        stated = notes.config.get("layers") == len(stack.layers)
        notes.put("layers.count", len(stack.layers), where if stated and where else stack.where)


def tied(notes: Notes, stack: Told) -> None:
    """Whether the output matrix is the embedding: the outermost key counts."""
    config = notes.config
    for part, path in ((config.raw, ""), (config.text, config.path)):
        for key in config.keys("tied"):
            if part.get(key) is None:
                continue
            where = f"{config.file}: {path}{config.inner.get(key, key)}"
            config.asked.add(key)
            if not isinstance(part[key], bool):
                raise Absent(f"{where} is neither true nor false")
            notes.put("tied_embeddings", part[key], where)
            return
    if config.told_flag("tied") is not None:
        # what the class of the text part says may not be what the whole model's class says
        notes.put("tied_embeddings", config.flag("tied"), config.where("tied"), certain=not config.path)
    elif config.file.endswith(".gguf"):
        notes.lack("tied_embeddings", f"{config.file} does not tell it in its metadata")


def norm(notes: Notes, stack: Told) -> None:
    """The norms' epsilon, and their kind where a key names it."""
    value = notes.config.number("eps", high=1)
    if value is not None:
        notes.put("norm.eps", float(value), notes.config.where("eps"))
    kinds = {"rmsnorm": "rmsnorm", "rms_norm": "rmsnorm", "layernorm": "layernorm", "layer_norm": "layernorm"}
    named = notes.config.word("normalization") or notes.config.word("norm_type") or ""
    notes.put("norm.kind", kinds.get(named.lower()), notes.config.where("normalization", "norm_type"))


def residual(notes: Notes, stack: Told) -> None:
    """Streams, multiplier, and a parallel block where a key names it."""
    config = notes.config
    streams = config.size("streams", high=1000)
    if streams is not None and streams > 1:
        notes.put("residual.streams", streams, config.where("streams"))
        notes.put("residual.kind", "hyper-connections", config.where("streams"))
    value = config.number("residual_multiplier")
    if value is not None and value != 1:
        notes.put("residual.multiplier", value, config.where("residual_multiplier"))
    for key in ("parallel_attn", "use_parallel_residual", "parallel_residual"):
        if config.has(key):
            notes.put("residual.parallel", config.told_flag(key), config.where(key))


def feed_forward(notes: Notes, stack: Told) -> None:
    """The dense feed-forward part."""
    notes.word("feed_forward.activation", "activation")
    gated = notes.config.told_flag("gated_linear_unit")
    if gated is not None:
        notes.put("feed_forward.gated", gated, notes.config.where("gated_linear_unit"))
    elif notes.config.word("activation") in ("swiglu", "geglu", "glu"):
        notes.put("feed_forward.gated", True, notes.config.where("activation"))
    layers = stack.layers if stack else []
    if any("dense" in (told.get("ff") or told["mixer"]).value or told["mixer"].value == "ffn" for told in layers):
        concepts = ("intermediate_size_mlp", "dense_intermediate_size", "intermediate_size")
        concept = next((item for item in concepts if notes.config.get(item) is not None), "intermediate_size")
        notes.size("feed_forward.intermediate_size", concept)


def mtp(notes: Notes, stack: Told) -> None:
    """Extra prediction layers: a key, or a list of layer types that is longer than the stack."""
    config = notes.config
    strange = next((key for key in TEXT_PARTS if not isinstance(config.raw.get(key) or {}, dict)), None)
    if strange is not None:
        raise Absent(f"{config.file}: {strange} is no object")
    if notes.size("mtp_layers", "mtp", low=0) is not None or config.get("mtp") is not None:
        return
    told = next((key for key in ("layer_types", "compress_ratios") if config.has(key)), None)
    types, count = config.items(told) if told else None, len(stack.layers) if stack else 0
    extra = len(types) - count if types and count else 0
    if 0 < extra <= MAX_TAIL:
        notes.put("mtp_layers", extra, config.where("layer_types", "compress_ratios"))


def count_of(config: Config, part: object, keys: tuple[str, ...], high: int = MAX_LAYERS) -> tuple[int, str] | None:
    """(value, key) of the first of these keys that holds a sensible count."""
    for key in keys:
        value = as_mapping(part).get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= high:
            return value, key
    return None
