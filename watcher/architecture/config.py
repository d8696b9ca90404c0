"""Values of one config.json or params.json by concept, with where each was read: the text part, then class defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watcher.architecture.concepts import ALIASES, KINDS_OF_PARTS, TEXT_PARTS
from watcher.architecture.families import Family, default_source, family, family_of_class, family_of_form, stranger
from watcher.architecture.jsonsafe import SENSELESS, as_mapping
from watcher.architecture.witness import Fact, Reading

BIG = 2**40
MAX_LAYERS = 2000
MAX_TAIL = 9
"""Entries that a list may have beyond the stack: those of extra prediction layers."""

PER_LAYER = frozenset("intermediate_size heads kv_heads expert_size shared_experts shared_size top_k experts".split())
"""Sizes that may be a list with one item a layer."""

MAY_BE_NULL = frozenset(
    """q_lora_rank head_dim kv_heads v_head_dim sliding_window window experts top_k shared_experts shared_size groups
    limited_groups mtp latent zero_experts hash_layers context no_rope_layer_interval num_kv_shared_layers streams
    hidden_size_per_layer_input num_global_key_value_heads attention_chunk_size vocab_size_per_layer_input
    intermediate_size_mlp dense_intermediate_size swa_num_key_value_heads swa_num_attention_heads swa_head_dim
    swa_v_head_dim full_attention_interval sliding_window_pattern _sliding_window_pattern global_attn_every_n_layers
    layer_group_size num_nextn_predict_layers expert_layer_period attn_layer_period max_window_layers
    decoder_sparse_step interleave_moe_layer_step moe_layer_freq moe_every_n_layers""".split()
)
"""Sizes that are null when the model has none, or when they follow from others."""

MAY_BE_EMPTY = frozenset({"no_rope_layers"})
"""Lists with one item a layer that stand for the class's own pattern when they are empty (Llama 4)."""

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
    stranger: bool = field(init=False, default=False)
    """Whether the class is none of the model type's: what the type's implementation says is then no fact of it."""
    model_type: str | None = field(init=False, default=None)
    defaults: Mapping[str, Fact] = field(init=False, default_factory=dict)
    """What the class says for keys that are absent."""
    asked: set[str] = field(init=False, default_factory=set)
    _found: dict[str, Found | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        part, self.path = _text_part(self.raw)
        self.text, self.inner = _flattened(part)
        outer, inner = self.raw.get("model_type"), part.get("model_type")
        self.model_type = next((item for item in (inner, outer) if isinstance(item, str) and is_word(item)), None)
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
                    self._check_class()
                    return
        name = self.model_type or "this config"
        self.family = family_of_class(self.class_name)
        if self.family is not None and self.class_name:
            self.doubt = f"{name} is not a known model type; read as its class {self.class_name} is written"
        elif self.model_type is None:
            self.family = family_of_form(self.text)
            if self.family is not None:
                self.doubt = f"{self.file} names no model type; its keys are those of {self.family.name}"

    def _check_class(self) -> None:
        """A config may borrow a model type that is not its class's."""
        name = self.raw.get("model_type")
        self.stranger = isinstance(name, str) and stranger(name, self.class_name)
        if self.stranger:
            self.doubt = f"{self.file}: architectures names {self.class_name}, which is no class of {name}"
            self.family = None

    @property
    def class_name(self) -> str | None:
        """The first of `architectures`, outermost first."""
        for part in (self.raw, self.text):
            names = part.get("architectures")
            if isinstance(names, list) and names and isinstance(names[0], str) and names[0]:
                return names[0]
        return None

    def part_of_text(self) -> Mapping[str, Any]:
        """The language model's own part as it stands in the file."""
        return _text_part(self.raw)[0]

    def believe(self, reading: Reading | None) -> None:
        """Take the class defaults that the implementation itself tells instead of the shipped ones."""
        told = {} if reading is None else {k[9:]: v for k, v in reading.facts.items() if k.startswith("defaults.")}
        if told and not self.stranger:
            self.doubt = None
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
            self._refuse_null(concept, found)
            return None
        value, where = found
        if concept in PER_LAYER and isinstance(value, list) and self._one_a_layer(value):
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Absent(f"{where} is {_short(value)}, which is no count")
        return value

    def _refuse_null(self, concept: str, found: Found | None) -> None:
        """Raises Absent where null is written for a size that the class cannot do without."""
        usual = [self.defaults[key].value for key in self.keys(concept) if key in self.defaults]
        needed = usual and isinstance(usual[0], int) and not isinstance(usual[0], bool) and usual[0] > 0
        if found is not None and needed and concept not in MAY_BE_NULL:
            raise Absent(f"{found[1]} is null, which is no count")

    def _one_a_layer(self, values: list[Any]) -> bool:
        """Whether a list says the same of every layer."""
        return len(values) > 1 and len(values) == self.get("layers") and all(item == values[0] for item in values)

    def need(self, concept: str) -> int:
        """A size that must be there. Raises Absent."""
        value = self.size(concept)
        if value is None:
            raise Absent(f"{self.file} does not tell {self.keys(concept)[0]}")
        return value

    def number(self, concept: str, low: float = 0, high: float = 1e18) -> float | int | None:
        """A number between `low` and `high`, both excluded. None when absent; raises Absent for anything else."""
        value = self.get(concept)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and low < value < high):
            return value
        raise self._senseless(concept, "number that could be")

    def flag(self, concept: str, default: bool = False) -> bool:
        """A boolean, or the default when absent. Raises Absent for anything else."""
        value = self.told_flag(concept)
        return default if value is None else value

    def told_flag(self, concept: str) -> bool | None:
        """A boolean, or None when absent. Raises Absent for anything else."""
        value = self.get(concept)
        if value is None or isinstance(value, bool):
            return value
        raise self._senseless(concept, "true or false")

    def word(self, concept: str) -> str | None:
        """A short word, or None when absent. Raises Absent for anything else."""
        value = self.get(concept)
        if value is None:
            return None
        if is_word(value):
            return str(value)
        raise self._senseless(concept, "word")

    def part(self, key: str) -> Mapping[str, Any]:
        """A nested object, empty when there is none. Raises Absent for anything else but false."""
        value = self.get(key)
        if value is None or value is False or isinstance(value, dict):
            return as_mapping(value)
        raise self._senseless(key, "object")

    def items(self, key: str) -> list[Any] | None:
        """A list, bounded; None when absent or empty. Raises Absent for anything else."""
        value = self.get(key)
        if value is None or isinstance(value, list):
            return value[: 4 * MAX_LAYERS] if value else None
        raise self._senseless(key, "list")

    def row(self, key: str, count: int) -> list[Any] | None:
        """A list with one item a layer; what is beyond the stack is cut. Raises Absent when it is too short."""
        items = self.items(key)
        if self.get(key) == [] and key not in MAY_BE_EMPTY:
            raise Absent(f"{self.where(key)} has no entry for {count} layers")
        if items is not None and len(items) < count:
            raise Absent(f"{self.where(key)} has {len(items)} entries for {count} layers")
        if items is not None and len(items) > count + MAX_TAIL:
            raise Absent(f"{self.where(key)} has {len(items)} entries for {count} layers")
        return items[:count] if items else None

    def _senseless(self, concept: str, wanted: str) -> Absent:
        found = self.find(concept)
        value, where = found if found else (None, self.file)
        return Absent(f"{where} is {_short(value)}, which is no {wanted}")

    def has(self, key: str) -> bool:
        """Whether the file itself says something under this very key."""
        self.asked.add(key)
        return self.text.get(key) is not None

    def has_own(self, key: str) -> bool:
        """Whether the file or its class has this very key."""
        return key in self.text or key in self.defaults

    def has_any(self, concept: str) -> bool:
        """Whether the file itself has a key of this concept, whatever it says."""
        return any(key in self.text for key in self.keys(concept))

    def where(self, *concepts: str) -> str | None:
        """The evidence of the first of these that is told."""
        for concept in concepts:
            found = self.find(concept)
            if found is not None and found[0] is not None:
                return found[1]
        return None


def is_word(value: object) -> bool:
    """Whether a value is a short text that names something."""
    named = isinstance(value, str) and len(value) <= 40 and any(letter.isalpha() for letter in value)
    return named and value not in SENSELESS


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
