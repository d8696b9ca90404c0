"""Tables of `transformers` that code looks things up in: activations, attentions, configs, rope functions."""

from __future__ import annotations

from typing import Any

from watcher.architecture.code.values import (
    UNKNOWN,
    ConfigValue,
    ModuleValue,
    Space,
    Tensor,
    Weight,
)


class ActivationTable:
    """`ACT2FN`: name → activation; `ACT2CLS`: name → its class."""

    def __init__(self, classes: bool) -> None:
        self.classes = classes

    def at(self, name: Any) -> Any:
        """The activation of a name, or its class."""
        if self.classes:
            return Space(f"activation.{name}") if isinstance(name, str) and name.isidentifier() else UNKNOWN
        return self.make(name)

    def make(self, name: Any) -> ModuleValue:
        """The activation module; two of them have weights."""
        name = name[0] if isinstance(name, tuple) and name else name
        made = ModuleValue(f"Act:{name if isinstance(name, str) else '?'}")
        if name == "xielu":
            made.weights = {"alpha_p": Weight((1,)), "alpha_n": Weight((1,))}
        elif name == "prelu":
            made.weights = {"weight": Weight((1,))}
        return made


class AttentionTable:
    """`ALL_ATTENTION_FUNCTIONS`: the eager one is taken, which is written in the file itself."""


ACTIVATIONS, ATTENTIONS = ActivationTable(classes=False), AttentionTable()


class ConfigTable:
    """`CONFIG_MAPPING`: model type → config class."""


class RopeTable:
    """`ROPE_INIT_FUNCTIONS`: name → function of a config that gives the frequencies and a factor."""


def frequencies(config: Any = None, *args: Any, **named_: Any) -> tuple[Tensor, float]:
    """What such a function gives: a frequency for every two of the dimensions that are rotated."""
    values = config.values if isinstance(config, ConfigValue) else {}
    rope = values.get("rope_parameters")
    rope = rope if isinstance(rope, dict) else {}
    rope = rope.get(named_.get("layer_type"), rope)
    part = rope.get("partial_rotary_factor", values.get("partial_rotary_factor")) if isinstance(rope, dict) else None
    size, width, heads = (values.get(key) for key in ("head_dim", "hidden_size", "num_attention_heads"))
    if size is None and isinstance(width, int) and isinstance(heads, int) and heads > 0:
        size = width // heads
    part = 1 if part is None else part
    if not isinstance(size, int) or not isinstance(part, (int, float)) or not 0 < part <= 1:
        return Tensor((UNKNOWN,)), 1.0
    return Tensor((int(size * part) // 2,)), 1.0


CONFIGS = ConfigTable()


TABLES = {
    "ROPE_INIT_FUNCTIONS": RopeTable(),
    "CONFIG_MAPPING": CONFIGS,
    "ACT2FN": ACTIVATIONS,
    "ACT2CLS": ActivationTable(classes=True),
    "ALL_ATTENTION_FUNCTIONS": ATTENTIONS,
}


def named(path: str) -> Any:
    """An imported name: a table of ours, or the dotted name itself."""
    return TABLES.get(path.rpartition(".")[2]) or Space(path)
