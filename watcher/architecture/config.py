"""Values of one config.json or params.json by concept, with where each was read: the text part, then class defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.concepts import ALIASES, KINDS_OF_PARTS, TEXT_PARTS
from watcher.architecture.families import Family, default_source, family, family_of_class, family_of_form
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.witness import Fact, Reading

BIG = 2**40
MAX_LAYERS = 2000

PER_LAYER = frozenset({"intermediate_size", "heads", "kv_heads"})
"""Sizes that may be a list with one item a layer."""

Found = tuple[Any, str]
"""A value and its evidence."""


class Absent(LookupError):
    """A concept that neither the config nor the class defaults tell; the text says why."""


@dataclass(slots=True)
class Config:
    """One config with its text part. Remembers which keys were asked for and where values came from."""

    raw: Mapping[str, Any]
    file: str = "config.json"
    names: Mapping[str, str] = field(default_factory=dict)
    """What evidence calls a key when the file has another name for it (GGUF metadata)."""
    text: Mapping[str, Any] = field(init=False)
    path: str = field(init=False, default="")
    """Dotted path of the text part, with its last dot."""
    inner: dict[str, str] = field(init=False, default_factory=dict)
    """Keys that stand in an object of the text part, with their dotted path in it."""
    family: Family | None = field(init=False, default=None)
    doubt: str | None = field(init=False, default=None)
    """Why the family is not certain, when the model type itself does not tell it."""
    model_type: str | None = field(init=False, default=None)
    defaults: Mapping[str, Fact] = field(init=False, default_factory=dict)
    """What the class says for keys that are absent."""
    asked: set[str] = field(init=False, default_factory=set)
    _found: dict[str, Found | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        part, self.path = _text_part(self.raw)
        self.text, self.inner = _flattened(part)
        outer, inner = self.raw.get("model_type"), part.get("model_type")
        self.model_type = next((item for item in (inner, outer) if isinstance(item, str) and item), None)
        self._find_family()
        if self.family is not None:
            source = self.family
            self.defaults = {key: Fact(value, default_source(source, key)) for key, value in source.defaults.items()}

    def _find_family(self) -> None:
        for name in (self.text.get("model_type"), self.raw.get("model_type")):
            if isinstance(name, str):
                found = (family(f"{name}_text") if self.path else None) or family(name)
                if found is not None and (found.defaults or found.counted):
                    self.family = found
                    return
        name = self.model_type or "this config"
        self.family = family_of_class(self.class_name)
        if self.family is not None and self.class_name:
            self.doubt = f"{name} is not a known model type; read as its class {self.class_name} is written"
        elif self.model_type is None:
            self.family = family_of_form(self.text)
            if self.family is not None:
                self.doubt = f"{self.file} names no model type; its keys are those of {self.family.name}"

    @property
    def class_name(self) -> str | None:
        """The first of `architectures`, outermost first."""
        for part in (self.raw, self.text):
            names = part.get("architectures")
            if isinstance(names, list) and names and isinstance(names[0], str) and names[0]:
                return names[0]
        return None

    def believe(self, reading: Reading | None) -> None:
        """Take the class defaults that the implementation itself tells instead of the shipped ones."""
        told = {} if reading is None else {k[9:]: v for k, v in reading.facts.items() if k.startswith("defaults.")}
        if told:
            self.defaults = {**self.defaults, **told}
            self._found.clear()

    def keys(self, concept: str) -> tuple[str, ...]:
        """The spellings of a concept, with those that the config class renames."""
        plain = ALIASES.get(concept, (concept,))
        renamed = self.family.renamed if self.family else {}
        more = [other for key, other in renamed.items() if key in plain] + [
            key for key, other in renamed.items() if other in plain
        ]
        return (*plain, *(key for key in more if key not in plain))

    def find(self, concept: str) -> Found | None:
        """(value, evidence) under any spelling: the config first, an explicit null counts, then the class default."""
        if concept not in self._found:
            self._found[concept] = self._look(concept)
        return self._found[concept]

    def _look(self, concept: str) -> Found | None:
        keys = self.keys(concept)
        self.asked.update(keys)
        spelled = [key for key in keys if key in self.text]
        key = next((key for key in spelled if self.text[key] is not None), spelled[0] if spelled else None)
        if key is not None:
            return self.text[key], self.name(key)
        told = next((self.defaults[key] for key in keys if key in self.defaults), None)
        return None if told is None else (told.value, str(told.where))

    def name(self, key: str) -> str:
        """How evidence names a key of the text part."""
        return f"{self.file}: {self.names.get(key) or self.path + self.inner.get(key, key)}"

    def get(self, concept: str, default: Any = None) -> Any:
        """The value alone."""
        found = self.find(concept)
        return default if found is None or found[0] is None else found[0]

    def size(self, concept: str, *, low: int = 1, high: int = BIG) -> int | None:
        """A count or width. None when it is null or absent; raises Absent when it is there and makes no sense."""
        found = self.find(concept)
        if found is None or found[0] is None:
            return None
        value, where = found
        if concept in PER_LAYER and isinstance(value, list) and self._one_a_layer(value):
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Absent(f"{where} is {_short(value)}, which is no count")
        return value

    def _one_a_layer(self, values: list[Any]) -> bool:
        """Whether a list says the same of every layer."""
        return len(values) > 1 and len(values) == self.get("layers") and all(item == values[0] for item in values)

    def need(self, concept: str) -> int:
        """A size that must be there. Raises Absent."""
        value = self.size(concept)
        if value is None:
            raise Absent(f"{self.file} does not tell {self.keys(concept)[0]}")
        return value

    def number(self, concept: str) -> float | int | None:
        """A number of any kind; anything else counts as absent."""
        value = self.get(concept)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def flag(self, concept: str, default: bool = False) -> bool:
        """A boolean; anything else counts as absent."""
        value = self.get(concept)
        return value if isinstance(value, bool) else default

    def word(self, concept: str) -> str | None:
        """A short word; anything else counts as absent."""
        value = self.get(concept)
        return value if isinstance(value, str) and 0 < len(value) <= 40 else None

    def part(self, key: str) -> Mapping[str, Any]:
        """A nested object, empty when there is none."""
        return as_mapping(self.get(key))

    def items(self, key: str) -> list[Any] | None:
        """A list, bounded, or None."""
        value = self.get(key)
        return value[: 4 * MAX_LAYERS] if isinstance(value, list) and value else None

    def has(self, key: str) -> bool:
        """Whether the file itself says something under this very key."""
        self.asked.add(key)
        return self.text.get(key) is not None

    def where(self, *concepts: str) -> str | None:
        """The evidence of the first of these that is told."""
        for concept in concepts:
            found = self.find(concept)
            if found is not None and found[0] is not None:
                return found[1]
        return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _text_part(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The language model's own part and its dotted path."""
    part, path = raw, ""
    for _ in range(4):
        key = next((key for key in TEXT_PARTS if isinstance(part.get(key), dict) and part[key]), None)
        if key is None:
            return part, path
        part, path = part[key], f"{path}{key}."
    return part, path


def _flattened(part: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The part with the keys of its inner objects beside its own, and where those stand."""
    inner: dict[str, str] = {}
    flat = dict(part)
    for name in KINDS_OF_PARTS:
        for key, value in as_mapping(part.get(name)).items():
            if key not in flat:
                flat[key], inner[key] = value, f"{name}.{key}"
    return flat, inner
