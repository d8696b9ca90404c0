"""Config objects: class fields, then what is given, then what the class computes, as `transformers` 5 does it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watcher.architecture.code import classes
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.stops import FAILURES, NoAttribute
from watcher.architecture.code.values import UNKNOWN, ClassValue, ConfigValue, Env, Function

KINDS = {
    "mamba": "linear_attention",
    "attention": "full_attention",
    "deepseek_sparse_attention": "indexed_attention",
    "qwen_sparse_attention": "indexed_attention",
}
"""Older names of layer kinds that `transformers` 5 renames when it loads a config."""

BASE_DEFAULTS: Env = {
    "output_hidden_states": False,
    "output_attentions": False,
    "return_dict": True,
    "use_return_dict": True,
    "dtype": None,
    "torch_dtype": None,
    "chunk_size_feed_forward": 0,
    "is_encoder_decoder": False,
    "architectures": None,
    "problem_type": None,
    "num_labels": 2,
    "is_decoder": False,
    "add_cross_attention": False,
    "cross_attention_hidden_size": None,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "use_cache": True,
    "default_theta": 10000.0,
    "default_rope_type": "default",
}
"""What the base class of every config has."""

LISTS = ("layer_types", "layers_block_type", "mtp_layer_types")


def make_config(machine: Machine, cls: ClassValue, given: Env, args: list[Any] | None = None) -> ConfigValue:
    """A config object of this class for the keys of a config.json."""
    values = fields(machine, cls)
    aliases = values.get("$attribute_map")
    aliases = aliases if isinstance(aliases, dict) else {}
    values = {aliases.get(key, key): value for key, value in values.items()}
    given = {_key(aliases, key): _renamed(key, value) for key, value in given.items()}
    config = ConfigValue(values, cls, frozenset(given))
    beyond = {key: value for key, value in given.items() if key not in values}
    values |= given
    _complete(machine, config, given, beyond, args or [])
    if "tie_word_embeddings" not in values:
        values["tie_word_embeddings"] = _tied_by_default(machine, cls, given)
    for key in LISTS:
        if isinstance(values.get(key), (list, tuple)):
            values[key] = _renamed(key, list(values[key]))
    return config


def _tied_by_default(machine: Machine, cls: ClassValue, given: Env) -> bool:
    """What the base class says where neither the class nor the config does: tied before transformers 5, not since."""
    if not legacy(machine, cls):
        return False
    version = given.get("transformers_version")
    if not isinstance(version, str):
        machine.doubt("whether embeddings are tied is left to the version of transformers")
    return not (isinstance(version, str) and re.match(r"[5-9]\b", version))


def legacy(machine: Machine, cls: ClassValue) -> bool:
    """Whether a config class is written for transformers before 5: with an `__init__` of its own."""
    return isinstance(classes.find(machine, cls, "__init__")[0], Function)


def _key(aliases: dict[str, str], key: Any) -> str:
    found = aliases.get(key, key)
    return found if isinstance(found, str) else str(key)


def fields(machine: Machine, cls: ClassValue) -> Env:
    """Annotated fields with their defaults; plain class attributes under `$name`."""
    values: Env = {}
    for item in reversed([item for item in classes.order(machine, cls) if isinstance(item, ClassValue)]):
        for node in item.node.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                values[node.target.id] = _field(machine, node.value, item)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values[f"${node.targets[0].id}"] = _value(machine, node.value, item)
    return values


def _field(machine: Machine, node: ast.expr, cls: ClassValue) -> Any:
    """A field's default: the value itself, or what `field(default=…)` or any other function of fields is given."""
    value = _value(machine, node, cls)
    if value is not UNKNOWN or not isinstance(node, ast.Call):
        return value
    words = {word.arg: word.value for word in node.keywords}
    if "default" in words:
        return _value(machine, words["default"], cls)
    made = _value(machine, words["default_factory"], cls) if "default_factory" in words else UNKNOWN
    return machine.call(made, [], {}) if made is not UNKNOWN else UNKNOWN


def _value(machine: Machine, node: ast.expr, cls: ClassValue) -> Any:
    try:
        return machine.evaluate(node, {"__module__": cls.module})
    except FAILURES:
        return UNKNOWN


def _renamed(key: str, value: Any) -> Any:
    if key not in LISTS or not isinstance(value, list):
        return value
    return [KINDS.get(item, item) if isinstance(item, str) else item for item in value]


def _complete(machine: Machine, config: ConfigValue, given: Env, beyond: Env, args: list[Any]) -> None:
    """Run what the class itself computes: `__init__` of an older or a repo's class, else `__post_init__`."""
    cls = config.cls
    if cls is None:
        return
    made, where = classes.find(machine, cls, "__init__")
    if isinstance(made, Function):
        names = {item.arg for item in (*made.node.args.args, *made.node.args.kwonlyargs)}
        back = {value: key for key, value in config.aliases.items() if key in names and isinstance(value, str)}
        named = {back.get(key, key) if key not in names else key: value for key, value in given.items()}
        _attempt(machine, made, where, config, named, args)
        for key, value in given.items():
            config.values.setdefault(key, value)
        return
    post, where = classes.find(machine, cls, "__post_init__")
    if not isinstance(post, Function) or not _attempt(machine, post, where, config, beyond, []):
        standard(machine, config, beyond)


def _attempt(
    machine: Machine, function: Function, cls: ClassValue | None, config: ConfigValue, named: Env, args: list[Any]
) -> bool:
    try:
        machine.run(function, [config, *args], dict(named), cls)
    except FAILURES as error:
        name = config.cls.name if config.cls else "?"
        machine.doubt(f"{function.name} of {name}: {error or type(error).__name__}")
        return False
    return True


@dataclass(frozen=True, slots=True)
class SubConfig:
    """`SubConfigSpec(…)`: what a part of a composite config is by default."""

    cls: Any
    model_type: Any = None
    values: Any = None
    optional: Any = False


def sub_config(args: list[Any], named: Env) -> SubConfig:
    """From the arguments of `SubConfigSpec`."""
    names = ("config_class", "model_type", "init_kwargs", "optional")
    found = dict(zip(names, args, strict=False)) | named
    return SubConfig(*(found.get(name) for name in names))


def standard(machine: Machine, config: ConfigValue, beyond: Env, method: str = "__post_init__") -> None:
    """What the base class does: build the parts, keep other keys, and bring rope settings into one form."""
    values = config.values
    _parts(machine, config, beyond)
    for key, value in beyond.items():
        key = config.aliases.get(key, key)
        if method == "__init__" or key not in values:
            values[key] = value
    if "rope_parameters" in values:
        _rope(values)


def _parts(machine: Machine, config: ConfigValue, beyond: Env) -> None:
    if config.cls is None:
        return
    for table in ("sub_configs_defaults", "sub_configs"):
        parts = classes.value_of(machine, config.cls, table)
        for key, wanted in parts.items() if isinstance(parts, dict) else ():
            present = config.values.get(key, beyond.get(key))
            if isinstance(present, ConfigValue) or not isinstance(key, str):
                continue
            made = _part(machine, wanted, present)
            if made is not None:
                config.values[key] = made
                beyond.pop(key, None)


def _part(machine: Machine, wanted: Any, present: Any) -> ConfigValue | None:
    """One part, from its dict or from its defaults."""
    spec = wanted if isinstance(wanted, SubConfig) else SubConfig(wanted)
    given = present if isinstance(present, dict) else None
    if given is None and (present is not None or spec.optional is True):
        return None
    cls = spec.cls if isinstance(spec.cls, ClassValue) else None
    if cls is None:
        model_type = (given or {}).get("model_type") or spec.model_type
        cls = machine.config_class(model_type) if isinstance(model_type, str) else None
    if cls is None:
        return None
    values = given if given is not None else spec.values if isinstance(spec.values, dict) else {}
    return make_config(machine, cls, {key: value for key, value in values.items() if key not in SKIPPED})


SKIPPED = frozenset(("quantization_config", "auto_map", "architectures", "compression_config"))
"""Keys that bear on no class."""


def _rope(values: Env) -> None:
    scaling = values.get("rope_scaling")
    chosen = scaling if isinstance(scaling, dict) else values.get("rope_parameters")
    parameters: Env = dict(chosen) if isinstance(chosen, dict) else {}
    nested = [key for key, value in parameters.items() if isinstance(value, dict)]
    for key in nested:
        parameters[key] = dict(parameters[key])
    for part in [parameters[key] for key in nested] or [parameters]:
        part.setdefault("rope_theta", values.get("rope_theta", values.get("$default_theta", 10000.0)))
        part.setdefault("rope_type", part.get("type", "default"))
        if part["rope_type"] == "default" and isinstance(values.get("$default_rope_type"), str):
            part["rope_type"] = values["$default_rope_type"]
        if values.get("partial_rotary_factor") is not None:
            part.setdefault("partial_rotary_factor", values["partial_rotary_factor"])
    values["rope_parameters"] = parameters


def plain(machine: Machine, value: Any, depth: int = 0) -> Any:
    """A config as the dict that `to_dict` gives."""
    if not isinstance(value, ConfigValue) or depth > 8:
        return copied(machine, value)
    machine.spend(len(value.values))
    own = {key: plain(machine, item, depth + 1) for key, item in value.values.items() if not key.startswith("$")}
    kind = value.values.get("$model_type")
    return own | ({"model_type": kind} if isinstance(kind, str) else {})


def copied(machine: Machine, value: Any, depth: int = 0) -> Any:
    """A copy of a config, dict or list."""
    if depth > 8 or not isinstance(value, (ConfigValue, dict, list)):
        return value
    if isinstance(value, list):
        machine.spend(len(value))
        return list(value)
    items = value.values if isinstance(value, ConfigValue) else value
    machine.spend(len(items))
    made = {key: copied(machine, item, depth + 1) for key, item in items.items()}
    return ConfigValue(made, value.cls, value.given) if isinstance(value, ConfigValue) else made


TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")


def text_part(config: ConfigValue) -> ConfigValue:
    """The language model's own config."""
    for key in TEXT_PARTS:
        part = config.values.get(key)
        if isinstance(part, ConfigValue):
            return text_part(part)
    return config


class PerLayer:
    """`config.per_layer_config[i]`: the config with that layer's overrides."""

    def __init__(self, config: ConfigValue) -> None:
        self._config = config

    def at(self, index: Any) -> ConfigValue:
        """The config of layer `index` (or of the first layer of that type)."""
        values = self._config.values
        overrides = values.get("per_layer_config")
        types = values.get("layer_types") or []
        if isinstance(index, str):
            index = types.index(index) if index in types else None
        found = overrides.get(index, overrides.get(str(index))) if isinstance(overrides, dict) else None
        if not isinstance(found, dict):
            return self._config
        merged = {**values, **found}
        merged.pop("per_layer_config", None)
        return ConfigValue(merged, self._config.cls, self._config.given)


def get(machine: Machine, config: ConfigValue, name: str) -> Any:
    """`config.<name>` where it is a value, a property or a method's result. Raises NoAttribute."""
    key = config.aliases.get(name, name)
    if name == "per_layer_config":
        return PerLayer(config)
    if name == "__class__" and config.cls is not None:
        return config.cls
    if name == "__dict__":
        return {key: value for key, value in config.values.items() if not key.startswith("$")}
    if config.cls is not None:
        found, where = classes.find(machine, config.cls, key)
        if isinstance(found, Function) and found.decorated("property", "cached_property"):
            return machine.run(found, [config], {}, where)
    if key in config.values:
        return config.values[key]
    if f"${name}" in config.values:
        return config.values[f"${name}"]
    if name in ("_attn_implementation", "_attn_implementation_internal"):
        return "eager"
    if name == "_experts_implementation":
        return "batched_mm"
    if name in BASE_DEFAULTS:
        return BASE_DEFAULTS[name]
    raise NoAttribute(name)


def number(config: ConfigValue, keys: Iterable[str]) -> int | None:
    """The value of the first of these keys, in the config or in a part of it."""
    parts = [part for part in config.values.values() if isinstance(part, ConfigValue)]
    for part in (config, *parts):
        for key in keys:
            value = part.values.get(part.aliases.get(key, key))
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None
