"""The config witness: everything that one config.json or params.json says, as a reading."""

from __future__ import annotations

from collections.abc import Callable

from watcher.architecture.config import Absent, Config
from watcher.architecture.sections.attention import bias, mla, sparse
from watcher.architecture.sections.experts import experts
from watcher.architecture.sections.notes import Notes
from watcher.architecture.sections.position import position
from watcher.architecture.sections.quantization import quantization
from watcher.architecture.sections.towers import towers
from watcher.architecture.sections.whole import feed_forward, model, mtp, norm, residual, tied, widths
from watcher.architecture.stack import Stack, read_stack
from watcher.architecture.witness import Fact, Reading

Section = Callable[[Notes, Stack | None], None]

SECTIONS: tuple[tuple[str, Section], ...] = (
    ("model", model),
    ("layers.count", widths),
    ("tied_embeddings", tied),
    ("norm", norm),
    ("residual", residual),
    ("feed_forward", feed_forward),
    ("mtp_layers", mtp),
    ("attention.mla", mla),
    ("attention.sparse", sparse),
    ("attention.bias", bias),
    ("position", position),
    ("moe", experts),
    ("towers", towers),
    ("quantization", quantization),
)
"""Every part of the record that a config bears on, and the function that reads it; a new part is a row."""

STACK_FACTS = ("layers", "decoder_type", "attention.kinds")


def read_config(config: Config) -> tuple[list[Reading], Stack | None]:
    """What the config says, what its class says for keys it omits, and the stack (None when it cannot be told)."""
    notes = Notes(config)
    stack = _stack(notes)
    for path, section in SECTIONS:
        _read(path, section, notes, stack)
    if stack is not None:
        for index, told in enumerate(stack.layers):
            notes.facts |= {f"layers[{index}].{name}": fact for name, fact in told.items()}
        notes.put("layers.pattern", "", stack.where)
    defaults = {path: fact for path, fact in notes.facts.items() if is_default(fact)}
    stated = {path: fact for path, fact in notes.facts.items() if path not in defaults}
    if config.doubt is not None:
        defaults = {path: Fact(fact.value, fact.where, certain=False) for path, fact in defaults.items()}
    said = Reading(witness="config", facts=stated, unread=tuple(notes.unread))
    return [said, Reading(witness="reference", facts=defaults)], stack


def is_default(fact: Fact) -> bool:
    """Whether a fact stands in a class of `transformers` and not in the file."""
    return isinstance(fact.where, str) and fact.where.startswith("transformers ")


def _stack(notes: Notes) -> Stack | None:
    try:
        return read_stack(notes.config)
    except Absent as error:
        why = str(error)
    except (ArithmeticError, TypeError, ValueError, LookupError):
        why = f"{notes.config.file} holds values that do not fit together"
    for fact in STACK_FACTS:
        notes.lack(fact, why)
    return None


def _read(path: str, section: Section, notes: Notes, stack: Stack | None) -> None:
    try:
        section(notes, stack)
    except Absent as error:
        notes.lack(path, str(error))
    except (ArithmeticError, TypeError, ValueError, LookupError):
        notes.lack(path, f"{notes.config.file} holds values that do not fit together")
