"""Evidence of facts that code tells: how lines, keys and attributes of classes are named."""

from __future__ import annotations

from collections.abc import Callable

from watcher.architecture.code.build import Built
from watcher.architecture.code.values import ConfigValue
from watcher.architecture.witness import Fact

Facts = dict[str, Fact]


Where = Callable[[str], str]
"""A line as evidence names it."""


def attribute_where(config: ConfigValue, key: str, where: Where) -> str:
    """A class attribute of a config, as evidence names it."""
    if config.cls is None:
        return where(key)
    file = config.cls.module.path.rpartition("/")[2]
    return f"{where(file)}: {config.cls.name}.{key}"


def key_where(built: Built, key: str, where: Where) -> str:
    """A key of config.json where it is given, else the class attribute."""
    for config in (built.config, built.text):
        if key in config.given:
            return f"config.json: {key}"
    return attribute_where(built.text, key, where)
