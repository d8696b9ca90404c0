"""A runtime's wheel, sdist folder or installed package → the architectures it names; read as syntax, never imported.

The three sources: vLLM's `model_executor/models/registry.py` (dicts of class names), SGLang's `srt/models/*.py`
(`EntryClass`), and `gguf/constants.py` (`MODEL_ARCH_NAMES`), which is llama.cpp's own list.
"""

from __future__ import annotations

import ast
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watcher.errors import SourceError

LIMIT = 4 * 1024 * 1024
"""Bytes of one source file."""
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)
"""What reading an archive may end in, hostile ones included."""
_VLLM_TABLES = ("_TEXT_GENERATION_MODELS", "_MULTIMODAL_MODELS", "_TRANSFORMERS_SUPPORTED_MODELS")


@dataclass(frozen=True, slots=True)
class Runtime:
    """How the list of one runtime is read."""

    name: str
    package: str
    by: str
    files: re.Pattern[str]
    read: Callable[[ast.Module], Iterator[str]]


def _vllm(tree: ast.Module) -> Iterator[str]:
    for target, value in _assigned(tree):
        if target in _VLLM_TABLES and isinstance(value, ast.Dict):
            yield from (key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _sglang(tree: ast.Module) -> Iterator[str]:
    for target, value in _assigned(tree):
        if target == "EntryClass":
            items = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
            yield from (item.id for item in items if isinstance(item, ast.Name))


def _gguf(tree: ast.Module) -> Iterator[str]:
    for target, value in _assigned(tree):
        if target == "MODEL_ARCH_NAMES" and isinstance(value, ast.Dict):
            yield from (
                item.value for item in value.values if isinstance(item, ast.Constant) and isinstance(item.value, str)
            )


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


RUNTIMES = (
    Runtime("vLLM", "vllm", "class", re.compile(r"(^|/)vllm/model_executor/models/registry\.py$"), _vllm),
    Runtime("SGLang", "sglang", "class", re.compile(r"(^|/)sglang/srt/models/[^/]+\.py$"), _sglang),
    Runtime("llama.cpp", "gguf", "architecture", re.compile(r"(^|/)gguf/constants\.py$"), _gguf),
)
"""A new runtime is a row here."""


def read_list(path: Path, date: str) -> tuple[str, dict[str, Any]]:
    """(runtime, its list) of a wheel, or of the folder of a package. Raises SourceError for anything else."""
    try:
        if path.is_file():
            with zipfile.ZipFile(path) as archive:
                return read_archive(archive, path.name, date)
        found = dict(_folder(path))
    except (*BROKEN, OSError) as error:
        raise SourceError(f"{path}: cannot be read as a runtime's wheel or folder: {error}") from None
    return _listed(found, str(path), date, lambda package: _installed_version(path, package))


def read_archive(
    archive: zipfile.ZipFile, name: str, date: str, digests: Mapping[str, bytes] | None = None
) -> tuple[str, dict[str, Any]]:
    """(runtime, its list) of an open wheel called `name`; with `digests` its members are checked against them.

    Raises SourceError for anything else.
    """
    found = dict(_members(archive))
    for member, text in found.items():
        if digests is not None and hashlib.sha256(text).digest() != digests.get(member):
            raise SourceError(f"{name}: {member} is not what the wheel's RECORD says")
    return _listed(found, name, date, lambda package: _wheel_version(name, package))


def _listed(
    found: Mapping[str, bytes], where: str, date: str, version: Callable[[str], str]
) -> tuple[str, dict[str, Any]]:
    """The list in the files found."""
    try:
        trees = {name: ast.parse(text) for name, text in sorted(found.items())}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"{where}: cannot be read as a runtime's wheel or folder: {error}") from None
    for runtime in RUNTIMES:
        mine = [tree for name, tree in trees.items() if runtime.files.search(name)]
        names = sorted({name for tree in mine for name in runtime.read(tree)})
        if names:
            gguf = "gguf " if runtime.package == "gguf" else ""
            return runtime.name, {
                "version": gguf + version(runtime.package),
                "date": date,
                "by": runtime.by,
                "names": names,
            }
    raise SourceError(f"{where}: holds no list of vLLM, SGLang or gguf; give a wheel, or the package's folder")


def installed() -> list[Path]:
    """The folders of those runtimes that are installed beside us; found, not imported."""
    from importlib.util import find_spec

    found = []
    for runtime in RUNTIMES:
        spec = find_spec(runtime.package)
        found += [Path(place) for place in (spec.submodule_search_locations or ())][:1] if spec else []
    return found


def _wanted(name: str) -> bool:
    return any(runtime.files.search(name) for runtime in RUNTIMES)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for item in archive.infolist():
        if _wanted(item.filename) and item.file_size <= LIMIT:
            yield item.filename, archive.read(item)


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*.py")):
        name = file.relative_to(path.parent).as_posix()
        if _wanted(name) and file.stat().st_size <= LIMIT:
            yield name, file.read_bytes()


def _wheel_version(name: str, package: str) -> str:
    """From a wheel's name."""
    match = re.match(rf"{package}-([0-9][^-]*)-", name)
    return match[1] if match else "unversioned"


def _installed_version(path: Path, package: str) -> str:
    """From the metadata beside an installed package."""
    beside = sorted(path.parent.glob(f"{package}-*.dist-info"))
    return beside[-1].name.removeprefix(f"{package}-").removesuffix(".dist-info") if beside else "unversioned"
