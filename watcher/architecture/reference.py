"""The reference: what the implementation of a model type in `transformers` says.

Read, in this order, from a cached wheel (as an archive, never imported), from an installed package's files, or from
facts that ship with us and were made by the same reader (`scripts/make_families.py`).
"""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watcher.architecture.code import facts as facts_of
from watcher.architecture.code import modular
from watcher.architecture.code.build import build_reference
from watcher.architecture.code.library import CAUSAL, Library
from watcher.architecture.code.machine import Interpreter
from watcher.architecture.code.read import lineage_facts, stopped
from watcher.architecture.code.source import Sources, TreeSources, ZipSources
from watcher.architecture.code.stops import FAILURES, Exhausted
from watcher.architecture.witness import Fact, Reading
from watcher.errors import SourceError

SHIPPED = Path(__file__).parent / "data/reference.zip"

WHEEL = re.compile(r"transformers-(\d[\w.]*)-py3-none-any\.whl")


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of the reference implementation; without sources, the facts that ship with us."""

    version: str | None = None
    sources: Sources | None = None
    place: str = "shipped facts"
    """Where it was found, in words."""

    @classmethod
    def default(cls, cache: Path) -> Reference:
        """The best reference at hand: the newest cached wheel, else an installed package, else the shipped facts."""
        wheels = (
            sorted(cache.glob("transformers-*.whl"), key=lambda path: _numbers(path.name)) if cache.is_dir() else []
        )
        for wheel in reversed(wheels):
            try:
                return cls.of_wheel(wheel)
            except SourceError:
                continue
        return _installed() or cls.shipped()

    @classmethod
    def shipped(cls) -> Reference:
        """The code that ships with us (`data/reference.zip`, made by `scripts/make_reference.py`)."""
        try:
            sources = ZipSources(SHIPPED)
        except (OSError, ValueError, RuntimeError):
            return cls()
        return cls((sources.read("VERSION") or b"?").decode().strip(), sources, "shipped with this program")

    @classmethod
    def of_wheel(cls, path: Path) -> Reference:
        """The reference in a wheel. Raises SourceError for a file that is none."""
        match = WHEEL.fullmatch(path.name)
        try:
            sources = ZipSources(path)
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(f"{path}: cannot be read as a wheel: {why}") from None
        if match is None or sources.read("transformers/models/auto/modeling_auto.py") is None:
            raise SourceError(f"{path}: is no wheel of transformers (transformers-VERSION-py3-none-any.whl)")
        return cls(match[1], sources, str(path))

    def describe(self) -> str:
        """Which version is in use, and where it is, in one line."""
        if self.sources is None:
            from watcher.architecture.families import shipped_version

            return f"transformers {shipped_version()} (shipped facts; `watcher reference update` reads the code itself)"
        return f"transformers {self.version} ({self.place})"

    def read(self, config: Mapping[str, Any]) -> Reading | None:
        """What the implementation says about this config, or None when it has none for it.

        The facts are those that `code.facts` lists, with evidence `transformers VERSION modeling_x.py:LINE`; a class
        default is `transformers VERSION configuration_x.py: XConfig.key`.
        """
        if self.sources is None:
            return None
        library = Library(self.sources)
        model_type = self.model_type(config, library)
        if model_type is None:
            return None
        machine = Interpreter(self.sources)
        found: dict[str, Fact] = {}
        try:
            built = build_reference(machine, library, model_type, config, _table(config, library, model_type))
            found, unread = facts_of.read_facts(built, self._where)
        except (*FAILURES, Exhausted) as error:
            unread = [("*", self._where(stopped(machine, error)))]
        found |= self._lineage(library, model_type)
        return Reading(witness="reference", facts=found, unread=tuple(dict.fromkeys(unread)))

    def lineage(self, config: Mapping[str, Any]) -> dict[str, Fact]:
        """What the implementation states its classes extend: `lineage[Class]` and `lineage.models`; read, not run."""
        if self.sources is None:
            return {}
        library = Library(self.sources)
        model_type = self.model_type(config, library)
        return self._lineage(library, model_type) if model_type is not None else {}

    def model_type(self, config: Mapping[str, Any], library: Library | None = None) -> str | None:
        """The model type whose code is meant: the config's own, else that of the class it names."""
        if self.sources is None:
            return None
        library = library or Library(self.sources)
        own = config.get("model_type")
        known = library.known(own) if isinstance(own, str) else None
        if known is not None:
            return known
        names = config.get("architectures")
        for name in names[:3] if isinstance(names, list) else ():
            found = library.by_architecture(name) if isinstance(name, str) else None
            if found is not None and library.known(found):
                return found
        return None

    def _where(self, line: str) -> str:
        return f"transformers {self.version} {line}"

    def _lineage(self, library: Library, model_type: str) -> dict[str, Fact]:
        folder = library.folder(model_type)
        file = f"modular_{folder.rpartition('/')[2]}.py"
        data = self.sources.read(f"{folder}/{file}") if self.sources is not None else None
        if data is None:
            return {}
        try:
            return lineage_facts(modular.lineage(data), lambda line: self._where(f"{file}:{line}"))
        except ValueError:
            return {}


def _table(config: Mapping[str, Any], library: Library, model_type: str) -> str | None:
    """The auto table to look in first: that of the class the config names."""
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else None
    return CAUSAL if isinstance(first, str) and library.names(CAUSAL).get(model_type) == first else None


def _numbers(name: str) -> tuple[int, ...]:
    match = WHEEL.fullmatch(name)
    return tuple(int(part) for part in re.findall(r"\d+", match[1])) if match else ()


def _installed() -> Reference | None:
    """The files of an installed package, found without importing it."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = next(iter(folder.parent.glob("transformers-*.dist-info")), None)
    version = found.name.removeprefix("transformers-").removesuffix(".dist-info") if found else "?"
    return Reference(version, TreeSources(folder.parent), str(folder))
