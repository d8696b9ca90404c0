"""A repo's own modeling code → a Reading: the code witness's door.

The classes that `auto_map` names are read from the repo's files and interpreted; where they build on `transformers`,
its implementation is read too when one is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from watcher.architecture.code import classes, modular
from watcher.architecture.code import facts as facts_of
from watcher.architecture.code.build import build
from watcher.architecture.code.configs import SKIPPED, make_config
from watcher.architecture.code.library import Library
from watcher.architecture.code.machine import Interpreter
from watcher.architecture.code.source import REPO, FileSources, JoinedSources, Sources
from watcher.architecture.code.stops import FAILURES, Exhausted, Undecided
from watcher.architecture.code.values import ClassValue, ConfigValue
from watcher.architecture.witness import Fact, Reading, RepoFiles

MODELS = ("AutoModelForCausalLM", "AutoModelForImageTextToText", "AutoModelForConditionalGeneration", "AutoModel")
"""Entries of `auto_map` that name the whole model, in look-up order."""


def has_code(files: RepoFiles, config: Mapping[str, Any]) -> bool:
    """Whether a repo brings modeling code of its own."""
    return _named(config) is not None and any(path.endswith(".py") for path in files.files)


def read_code(files: RepoFiles, config: Mapping[str, Any], *, reference: Sources | None = None) -> Reading:
    """What the repo's own code says; every failure is an entry of `unread` with the line where reading stopped.

    `reference` holds the files of `transformers`, for classes that the code takes from there. The facts are those
    that `facts` lists, with evidence `modeling_x.py:LINE`. A repo without code gives a Reading without facts.
    """
    named = _named(config)
    if named is None:
        return Reading(witness="code", unread=(("*", "config.json names no code (auto_map)"),))
    own = FileSources(files.files)
    machine = Interpreter(JoinedSources(own, reference) if reference is not None else own)
    found: dict[str, Fact] = {}
    try:
        unread = _read(machine, named, config, reference, found)
    except (*FAILURES, Exhausted) as error:
        unread = [("*", stopped(machine, error))]
    found |= _lineage(files)
    problems = [
        ("*", f"{path.rpartition('/')[2]}: {module.problem[:200]}")
        for path, module in machine.modules.items()
        if module.problem is not None
    ]
    return Reading(witness="code", facts=found, unread=tuple(dict.fromkeys([*problems, *unread])))


def stopped(machine: Interpreter, error: BaseException) -> str:
    """Where and why a reading ended."""
    where = getattr(error, "where", "") or machine.place()
    return f"{where}: {str(error)[:200] or 'nested too deeply'}"


def _named(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `auto_map` that names a model class."""
    for part in (config, *(value for value in config.values() if isinstance(value, Mapping))):
        table = part.get("auto_map")
        if isinstance(table, Mapping) and any(isinstance(table.get(name), (str, list)) for name in MODELS):
            return table
    return None


def _read(
    machine: Interpreter,
    named: Mapping[str, Any],
    config: Mapping[str, Any],
    reference: Sources | None,
    found: dict[str, Fact],
) -> list[tuple[str, str]]:
    library = Library(reference) if reference is not None else None
    machine.library = library
    machine.auto = lambda value, name: _sub_model(machine, library, value, name)
    top = _class(machine, next(named[name] for name in MODELS if name in named))
    made = _config(machine, named, top, config)
    built = build(machine, made, top)
    facts, unread = facts_of.read_facts(built, lambda line: line)
    found |= facts
    return unread


def _class(machine: Interpreter, entry: Any) -> ClassValue:
    """The class of an `auto_map` entry such as `modeling_x.XForCausalLM`. Raises Undecided."""
    entry = next((item for item in entry if isinstance(item, str)), None) if isinstance(entry, list) else entry
    match = (
        re.fullmatch(r"(?:[\w./-]+--)?([\w.]+)\.(\w+)", entry) if isinstance(entry, str) and len(entry) < 300 else None
    )
    if match is None:
        raise Undecided("config.json: auto_map names no class")
    module = machine.load(f"{REPO}/{match[1].replace('.', '/')}.py")
    machine.at, machine.line = module.path, 1
    value = machine.lookup(module, match[2])
    if not isinstance(value, ClassValue):
        raise Undecided(module.problem or f"there is no class {match[2]}")
    return value


def _config(machine: Interpreter, named: Mapping[str, Any], top: ClassValue, config: Mapping[str, Any]) -> ConfigValue:
    """The config object: of the class that `auto_map` names, else of the one the model class names, else as it is."""
    given = {key: value for key, value in config.items() if key not in SKIPPED}
    entry = named.get("AutoConfig")
    cls = None
    if entry is not None:
        try:
            cls = _class(machine, entry)
        except Undecided as error:
            machine.doubt(str(error))
    if cls is None:
        value = classes.value_of(machine, top, "config_class")
        cls = value if isinstance(value, ClassValue) else None
    if cls is None:
        return ConfigValue(dict(given), None, frozenset(given))
    return make_config(machine, cls, given)


def _sub_model(machine: Interpreter, library: Library | None, config: Any, wanted: str) -> ClassValue | None:
    """What `AutoModel.from_config` builds: from the repo's own `auto_map` of that part, else the reference's."""
    table = config.values.get("auto_map") if isinstance(config, ConfigValue) else None
    for name in (wanted, *MODELS):
        if isinstance(table, Mapping) and isinstance(table.get(name), str):
            try:
                return _class(machine, table[name])
            except Undecided:
                return None
    return library.automatic(machine, config, wanted) if library is not None else None


def _lineage(files: RepoFiles) -> dict[str, Fact]:
    """What the repo's classes extend of models in `transformers`."""
    found: dict[str, Fact] = {}
    for path, data in files.files.items():
        if re.search(r"(^|/)(modeling|modular)_\w+\.py$", path):
            try:
                found |= lineage_facts(modular.lineage(data), partial("{}:{}".format, path.rpartition("/")[2]))
            except ValueError:
                continue
    return found


def lineage_facts(found: Mapping[str, tuple[str, str, int]], where: Any) -> dict[str, Fact]:
    """`lineage[Class]` for each class, and `lineage.models`, the most extended first."""
    facts = {f"lineage[{name}]": Fact(f"{name} extends {base}", where(line)) for name, (base, _, line) in found.items()}
    counts: dict[str, int] = {}
    for _, model, _ in found.values():
        counts[model] = counts.get(model, 0) + 1
    if counts:
        ranked = tuple(sorted(counts, key=lambda model: (-counts[model], model)))
        lines = tuple(where(line) for _, _, line in found.values())
        facts["lineage.models"] = Fact(ranked, lines[:50])
    return facts
