"""The files of one repo at one revision → Architecture: the one door of this room.

Every witness gives a `Reading` (facts with their evidence); `belief.py` says whom to believe, fact by fact; `derive/`
works out what follows; `build.py` makes the record. What no witness tells is unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from watcher.architecture.belief import Beliefs
from watcher.architecture.build import build
from watcher.architecture.card import read_card, weigh
from watcher.architecture.config import Config
from watcher.architecture.config_file import find_config
from watcher.architecture.derive.counts import tell_counts
from watcher.architecture.derive.layers import kinds_of, layers_of, tell_layers
from watcher.architecture.derive.memory import kind_bytes, tell_cache, tell_memory
from watcher.architecture.derive.rest import tell_rest
from watcher.architecture.derive.whole import tell_modalities, tell_type, tell_whole
from watcher.architecture.doubt import mark
from watcher.architecture.fitting import followed, referred
from watcher.architecture.from_config import read_config
from watcher.architecture.from_hub import read_hub
from watcher.architecture.implementation import read_implementation
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.nothing import nothing_known
from watcher.architecture.novelty import novel_in
from watcher.architecture.record import Architecture
from watcher.architecture.sections.quantization import beside
from watcher.architecture.weights import read_weights
from watcher.architecture.weights.scheme import scheme
from watcher.architecture.weights.tensors import Tensors, read_tensors
from watcher.architecture.witness import Reading, RepoFiles

if TYPE_CHECKING:
    from watcher.architecture.reference import Reference

READER_VERSION = "3"
"""Raised when the same files give another record: what was read before is then read again."""


def read(files: RepoFiles, *, reference: Reference | None = None) -> Architecture:
    """Everything these files tell, with evidence; what they do not tell is listed as unknown, with the reason.

    With a reference, the implementation of the model's type is read too. Nothing of either is executed.
    """
    tensors = read_tensors(files)
    config, problem = find_config(files, tensors)
    if config is None:
        return nothing_known(files, problem or "there is no config.json")
    card, stated = read_card(files)
    readings = [*witnesses(files, config, tensors, reference), card]
    beliefs = Beliefs(readings, default_why=problem or _why(config, readings))
    derive(beliefs, config, files)
    novel = novel_in(config, readings)
    written = any(reading.witness == "code" and followed(reading) for reading in readings)
    weigh(beliefs, stated)
    mark(beliefs, config, novel.config_keys, novel.classes, read=written)
    return build(files, beliefs, novel, _remote_code(files, config.raw))


def _why(config: Config, readings: list[Reading]) -> str:
    """Why what only an implementation tells is not known: where its reading stopped, else that there was none."""
    tried = (reading.unread for reading in readings if reading.witness in IMPLEMENTED)
    stops = (why for unread in tried for fact, why in unread if fact == "*")
    return next(stops, f"the implementation of {config.model_type or 'this model'} was not read")


IMPLEMENTED = ("code", "reference")


def witnesses(files: RepoFiles, config: Config, tensors: Tensors, reference: Reference | None) -> list[Reading]:
    """What every witness says. What an implementation says of absent keys goes into what the config says."""
    written = implementations(files, config, reference)
    for reading in reversed(written):
        config.believe(reading)
    said, stack = read_config(config)
    side = Reading(witness="config", facts=dict(beside(files.files)))
    facts = {**side.facts, **said[0].facts}
    method, bits = (
        facts[name].value if name in facts else None for name in ("quantization.method", "quantization.bits")
    )
    weights = read_weights(tensors, config, scheme(config, method, bits))
    return [*said, side, weights, *written, read_implementation(config, stack), read_hub(files)]


def implementations(files: RepoFiles, config: Config, reference: Reference | None) -> list[Reading]:
    """The repo's own code, and the reference implementation of the model's type."""
    found = list(_implementations(files, config, reference))
    if not found:
        return []
    from watcher.architecture.code.mixers import adjusted

    return [adjusted(reading) for reading in found]


def _implementations(files: RepoFiles, config: Config, reference: Reference | None) -> Iterator[Reading]:
    """The interpreter is imported only where there is code to read: without, a record costs a third."""
    if any(path.endswith(".py") for path in files.files):
        from watcher.architecture.code.read import has_code, read_code

        if has_code(files, config.raw):
            yield read_code(files, config.raw, reference=reference.sources if reference else None)
    told = referred(config, reference) if reference is not None else None
    if told is not None:
        yield told


def derive(beliefs: Beliefs, config: Config, files: RepoFiles) -> None:
    """What follows from the facts."""
    layers = layers_of(beliefs)
    if layers:
        tell_type(beliefs, layers)
    tell_counts(beliefs, config, layers)
    tell_modalities(beliefs, config.file)
    if layers:
        layers = layers_of(beliefs)  # with the weights that were counted
        kinds = kinds_of(beliefs, layers)
        tell_layers(beliefs, kinds, kind_bytes(beliefs, config, kinds))
        tell_whole(beliefs, kinds)
    tell_rest(beliefs, config, bool(layers))
    tell_cache(beliefs, config, layers)
    tell_memory(beliefs, files.sizes)


def _remote_code(files: RepoFiles, raw: Mapping[str, Any]) -> bool:
    """Whether the repo brings its own modeling code."""
    names = files.sizes or files.files
    return bool(as_mapping(raw.get("auto_map"))) and any(path.endswith(".py") for path in names)
