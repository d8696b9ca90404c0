"""The reference implementation as a tree of files: model type → its folder, its config class and its model classes.

The tables of `models/auto` are read as text, and only the folders that a model needs are parsed.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from watcher.architecture.code import modular
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.source import REFERENCE, Sources
from watcher.architecture.code.values import ClassValue, ConfigValue

AUTO = f"{REFERENCE}/models/auto"
PAIR = re.compile(r"""["']([\w.-]+)["']\s*[,:]\s*\(?\s*["'](\w+)["']""")
WHOLE = re.compile(r"\b([A-Z_]+_NAMES)\.items\(\)")
"""Another table that one takes in."""

CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
SAME_CODE = {"kimi_k2": "deepseek_v3", "gpt-sw3": "gpt2", "kimi_k25": "deepseek_v3", "mimo_v2": "mimo_v2_flash"}
"""Model types without a folder of their own whose makers say that they use another's code."""

CAUSAL, IMAGE_TEXT = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES"
MULTIMODAL, BASE = "MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES", "MODEL_MAPPING_NAMES"


AUTO_CLASSES = {
    "AutoModelForCausalLM": CAUSAL,
    "AutoModelForImageTextToText": IMAGE_TEXT,
    "AutoModelForMultimodalLM": MULTIMODAL,
}
"""`Auto…` class → its table; any other stands for the base model."""


class Library:
    """What `transformers` has, as far as its own tables tell."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._folders: dict[str, dict[str, str]] = {}

    def _text(self, path: str) -> str:
        return (self.sources.read(path) or b"").decode("utf-8", "replace")

    @cached_property
    def _tables(self) -> dict[str, dict[str, str]]:
        """Name of a table → its pairs."""
        names = ("auto_mappings.py", "configuration_auto.py", "modeling_auto.py")
        text = "\n".join(self._text(f"{AUTO}/{name}") for name in names)
        found: dict[str, dict[str, str]] = {}
        for part in re.split(r"^(?=[A-Z_]+(?: = OrderedDict\(|\.update\())", text, flags=re.MULTILINE):
            name = re.match(r"[A-Z_]+", part)
            if name:
                body = re.split(r"^(?=\w)", part[name.end() :], maxsplit=1, flags=re.MULTILINE)[0]
                table = found.setdefault(name[0], {})
                for key, value in PAIR.findall(body):
                    table.setdefault(key, value)
                for other in WHOLE.findall(body):
                    table |= {key: value for key, value in found.get(other, {}).items() if key not in table}
        return found

    def names(self, table: str) -> dict[str, str]:
        """One of the auto tables: model type → class."""
        return self._tables.get(table, {})

    def folder(self, model_type: str) -> str:
        """The folder of a model type."""
        name = self.names("SPECIAL_MODEL_TYPE_TO_MODULE_NAME").get(model_type, model_type.replace("-", "_"))
        return f"{REFERENCE}/models/{name}"

    def where(self, folder: str, cls: str) -> str | None:
        """The file of a folder that defines a class."""
        if folder not in self._folders:
            self._folders[folder] = self._index(folder)
        return self._folders[folder].get(cls)

    def _index(self, folder: str) -> dict[str, str]:
        name = folder.rpartition("/")[2]
        names = self.sources.names(folder)
        listed = [name[:-3] for name in names if re.fullmatch(r"(?:configuration|modeling)_\w+\.py", name)]
        files = dict.fromkeys([f"configuration_{name}", f"modeling_{name}", *listed, f"modular_{name}"])
        found: dict[str, str] = {}
        for file in files:
            path = f"{folder}/{file}.py"
            for cls in CLASS.findall(self._text(path)):
                found.setdefault(cls, path)
        return found

    def known(self, model_type: str) -> str | None:
        """The model type whose code is meant, or None for one that it does not have."""
        for name in (model_type, SAME_CODE.get(model_type, "")):
            if name and self.names("CONFIG_MAPPING_NAMES").get(name):
                return name
        return None

    def config_class(self, machine: Machine, model_type: str) -> ClassValue | None:
        """The config class of a model type."""
        name = self.names("CONFIG_MAPPING_NAMES").get(model_type)
        return self._class(machine, model_type, name)

    def model_class(self, machine: Machine, model_type: str, table: str) -> ClassValue | None:
        """The model class that a table names for a model type."""
        return self._class(machine, model_type, self.names(table).get(model_type))

    def _class(self, machine: Machine, model_type: str, name: str | None) -> ClassValue | None:
        if not name:
            return None
        path = self.where(self.folder(model_type), name) or self._elsewhere(model_type, name)
        if path is None:
            return None
        module = machine.load(path)
        if "/modular_" in path:
            modular.apply(machine, module)
        found = machine.lookup(module, name)
        return found if isinstance(found, ClassValue) else None

    def _elsewhere(self, model_type: str, name: str) -> str | None:
        """The file of a class that a model type borrows from another."""
        configs = self.names("CONFIG_MAPPING_NAMES")
        others = [key for key, value in configs.items() if value == configs.get(model_type) and key != model_type]
        for table in (CAUSAL, BASE, IMAGE_TEXT):
            others += [key for key, value in self.names(table).items() if value == name and key != model_type]
        return next((found for key in others if (found := self.where(self.folder(key), name))), None)

    def automatic(self, machine: Machine, config: Any, name: str) -> ClassValue | None:
        """What `AutoModel.from_config`, or that of another `Auto…` class, builds for a config."""
        model_type = config.values.get("$model_type") if isinstance(config, ConfigValue) else None
        if not isinstance(model_type, str) or not model_type:
            model_type = config.values.get("model_type") if isinstance(config, ConfigValue) else None
        if not isinstance(model_type, str):
            return None
        model_type = self.known(model_type) or model_type
        return self.model_class(machine, model_type, AUTO_CLASSES.get(name, BASE))

    def by_architecture(self, name: str) -> str | None:
        """The model type of a class name such as `DeepseekV3ForCausalLM`."""
        for table in (CAUSAL, IMAGE_TEXT, MULTIMODAL, BASE):
            for model_type, cls in self.names(table).items():
                if cls == name:
                    return model_type
        return None
