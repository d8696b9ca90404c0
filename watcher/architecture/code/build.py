"""A config and a model class → the module tree that its `__init__` makes, with exact counts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.code import classes
from watcher.architecture.code.configs import SKIPPED, legacy, make_config, text_part
from watcher.architecture.code.library import BASE, CAUSAL, IMAGE_TEXT, MULTIMODAL, Library
from watcher.architecture.code.machine import Interpreter
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.values import ClassValue, ConfigValue, Function, ModuleValue, Weight

TOWER = re.compile(
    r"(^|\.)(vision\w*|visual|vision_tower|audio\w*|multi_modal_projector|mm_projector|embed_vision|embed_audio|vit_\w+|"
    r"image_newline|connector|aligner|merger|speech\w*|modality_projector|sound\w*|img_\w+|perception\w*)(\.|$)"
)
"""Paths of what belongs to other modalities."""

AUDIO = re.compile(r"(^|\.)(audio\w*|embed_audio|speech\w*|sound\w*)(\.|$)")
EXPERTS = re.compile(r"(^|\.)(experts|local_experts|routed_experts)(\.|$)")
EXTRA = re.compile(r"(^|\.)(mtp\w*|nextn\w*)(\.|$)")


@dataclass(slots=True)
class Built:
    """What was built."""

    machine: Interpreter
    config: ConfigValue
    model: ModuleValue
    tied: bool
    """Whether input and output embeddings are one."""
    weights: dict[str, Placed] = field(default_factory=dict)
    """By dotted path; tied ones once."""

    @property
    def text(self) -> ConfigValue:
        """The language part's config."""
        return text_part(self.config)


@dataclass(frozen=True, slots=True)
class Placed:
    """A weight in the tree."""

    weight: Weight
    times: int
    """How many equal copies stand for it."""

    @property
    def count(self) -> int:
        """Elements. Raises Undecided."""
        return self.weight.count() * self.times


def build_reference(
    machine: Interpreter, library: Library, model_type: str, given: Mapping[str, Any], table: str | None = None
) -> Built:
    """The reference's model for a config. Raises Undecided when it has none or it cannot be followed."""
    machine.library = library
    machine.auto = lambda config, name: library.automatic(machine, config, name)
    cls = library.config_class(machine, model_type)
    if cls is None:
        raise Undecided(f"there is no config class for {model_type}")
    config = make_config(machine, cls, {key: value for key, value in given.items() if key not in SKIPPED})
    for name in (table,) if table else (IMAGE_TEXT, CAUSAL, MULTIMODAL, BASE):
        top = library.model_class(machine, model_type, name)
        if top is not None:
            return build(machine, config, top)
    raise Undecided(f"there is no model class for {model_type}")


def build(machine: Interpreter, config: ConfigValue, top: ClassValue) -> Built:
    """The model of a class for a config object."""
    model = machine.call(top, [_wanted(machine, config, top)], {})
    if not isinstance(model, ModuleValue):
        raise Undecided(f"{top.name} is no module")
    model.line = f"{top.module.path.rpartition('/')[2]}:{top.node.lineno}"
    for path, module in model.walk():
        module.path = path
    built = Built(machine, config, model, _ties(config))
    built.weights = dict(_weights(machine, model))
    return built


def _wanted(machine: Interpreter, config: ConfigValue, top: ClassValue) -> ConfigValue:
    """The whole config, or its text part for a class that takes only that."""
    text = text_part(config)
    if text is config or text.cls is None:
        return config
    return text if text.cls.name in re.findall(r"\w+", _annotations(machine, top)) else config


def _annotations(machine: Interpreter, top: ClassValue) -> str:
    """The config class that a model class says it takes: of its `__init__`, else of the nearest class that says so."""
    made, _ = classes.find(machine, top, "__init__")
    if isinstance(made, Function):
        for item in made.node.args.args:
            if item.arg == "config" and item.annotation is not None:
                return ast.unparse(item.annotation)
    for cls in classes.order(machine, top):
        for node in cls.node.body if isinstance(cls, ClassValue) else ():
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "config":
                return ast.unparse(node.annotation)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "config_class":
                return ast.unparse(node.value)
    return ""


def _ties(config: ConfigValue) -> bool:
    own, text = config.values.get("tie_word_embeddings"), text_part(config).values.get("tie_word_embeddings")
    return own is True if own is not None else text is True


def _weights(machine: Interpreter, model: ModuleValue) -> Iterator[tuple[str, Placed]]:
    """Every weight by path, shared ones once, and without those that are tied to another."""
    found: dict[str, Placed] = {}
    seen: set[int] = set()
    _collect(model, "", 1, found, seen)
    dropped: set[str] = set()
    for path, module in model.walk():
        config = module.attributes.get("config")
        if isinstance(config, ConfigValue) and config.values.get("tie_word_embeddings") is True and module.cls:
            dropped |= _tied(_tied_keys(machine, module), f"{path}." if path else "", found)
    return ((path, placed) for path, placed in found.items() if path not in dropped)


def _collect(module: ModuleValue, path: str, times: int, found: dict[str, Placed], seen: set[int]) -> None:
    if id(module) in seen:
        return
    seen.add(id(module))
    for name, weight in module.weights.items():
        if id(weight) not in seen:
            seen.add(id(weight))
            found[f"{path}.{name}" if path else name] = Placed(weight, times)
    for name, child in module.children.items():
        _collect(child, f"{path}.{name}" if path else name, times * module.copies, found, seen)


def _tied_keys(machine: Interpreter, module: ModuleValue) -> Any:
    """What a model says is tied: {weight or pattern: the one it is}."""
    own = module.attributes.get("_tied_weights_keys")
    found = (
        own if own is not None else classes.value_of(machine, module.cls, "_tied_weights_keys") if module.cls else None
    )
    if isinstance(found, (list, tuple)):  # before transformers 5: names only
        return {name: "" for name in found if isinstance(name, str) and OUTPUT.search(name)}
    if found is None and module.cls is not None and _legacy(machine, module):
        head = classes.find(machine, module.cls, "get_output_embeddings")[0]
        return {"lm_head.weight": ""} if isinstance(head, Function) else {}
    return found if isinstance(found, dict) else {}


OUTPUT = re.compile(r"(^|\.)(lm_head|output_layer|embed_out|output|decoder)\.weight$")


def _legacy(machine: Interpreter, module: ModuleValue) -> bool:
    config = module.attributes.get("config")
    return isinstance(config, ConfigValue) and config.cls is not None and legacy(machine, config.cls)


def _tied(keys: dict[Any, Any], prefix: str, found: dict[str, Placed]) -> set[str]:
    """Paths of the weights that are another's."""
    dropped: set[str] = set()
    for target, source in keys.items():
        if not isinstance(target, str) or not isinstance(source, str):
            continue
        sources = set(_matching(source, prefix, found)) if source else set()
        if source and not sources:
            continue
        for path in _matching(target, prefix, found):
            if path not in sources and (not sources or len(dropped) < 100_000):
                dropped.add(path)
    return dropped


SAFE = re.compile(
    r"(?:[\w.^$-]|\\[.d]\+?|\(\?![\[\]\w\\.]+\)|\(\?:\[\^\.\]\+\\\.\)\*|\[[\d-]+\]\+?|"
    r"\.\*(?!.*\.\*)|\(\w+(?:\|\w+)*\))*"
)
"""Patterns that no text makes slow."""


def _matching(name: str, prefix: str, found: dict[str, Placed]) -> list[str]:
    """Weights whose path below `prefix` begins with a name or a pattern."""
    if prefix + name in found:
        return [prefix + name]
    if len(name) > 200 or not SAFE.fullmatch(name):
        return []
    try:
        pattern = re.compile("^" + name)
    except re.error:
        return []
    return [path for path in found if path.startswith(prefix) and pattern.search(path[len(prefix) :])]


def total(built: Built) -> int:
    """All parameters. Raises Undecided."""
    return sum(placed.count for placed in built.weights.values())
