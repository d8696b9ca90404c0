"""Where code comes from: files by path in one virtual tree, parsed within limits; a repo's own and the reference's."""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from watcher.architecture.code.values import ClassValue, Function, SourceModule

FILE_LIMIT = 2 * 1024 * 1024
UNCOUNTED = 300_000
"""A file this small cannot hold a dangerous number of nodes."""

MAX_TOKENS = 150_000
TOKEN = re.compile(rb"\w+|[^\w\s]")
REFERENCE = "transformers"
"""Root of the reference implementation in the tree."""

REPO = "repo"
"""Root of a model repository's own files in the tree."""


class Sources(Protocol):
    """Files by path."""

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None when there is none."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of the files directly in a folder, sorted."""
        ...


class FileSources:
    """Files at hand: a repo's own code."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {f"{REPO}/{path}": data for path, data in files.items() if path.endswith(".py")}

    def read(self, path: str) -> bytes | None:
        """A file of the repo."""
        return self._files.get(path)

    def names(self, folder: str) -> list[str]:
        """Names of the files of a folder of the repo."""
        return _directly(self._files, folder)


class ZipSources:
    """A wheel or another archive that holds `transformers/…`, read as it is asked for; never imported."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._names = frozenset(self._archive.namelist())

    def read(self, path: str) -> bytes | None:
        """A file of the archive; nothing for one that is too large."""
        if path not in self._names or self._archive.getinfo(path).file_size > FILE_LIMIT:
            return None
        try:
            return self._archive.read(path)
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
            return None

    def names(self, folder: str) -> list[str]:
        """Names of the files of a folder of the archive."""
        return _directly(self._names, folder)


class TreeSources:
    """An installed package on disk: `root` is the folder that holds `transformers/`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        """A file of the package."""
        file = self._root / path
        try:
            return file.read_bytes() if file.stat().st_size <= FILE_LIMIT else None
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """Names of the files of a folder of the package."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir() if path.is_file())
        except OSError:
            return []


class JoinedSources:
    """Several sources as one; the first that has a file gives it."""

    def __init__(self, *sources: Sources) -> None:
        self._sources = sources

    def read(self, path: str) -> bytes | None:
        """The file from the first source that has it."""
        return next((data for data in (source.read(path) for source in self._sources) if data is not None), None)

    def names(self, folder: str) -> list[str]:
        """Names of the files of a folder of any source."""
        return sorted({name for source in self._sources for name in source.names(folder)})


def _directly(paths: Iterable[str], folder: str) -> list[str]:
    prefix = f"{folder}/"
    return sorted(path[len(prefix) :] for path in paths if path.startswith(prefix) and "/" not in path[len(prefix) :])


def parse(data: bytes) -> ast.Module:
    """A file's syntax tree. Raises ValueError, with the reason, for one that is none, too deep, or too large."""
    if len(data) > FILE_LIMIT:
        raise ValueError("larger than 2 MB")
    if len(data) > UNCOUNTED and sum(1 for _ in TOKEN.finditer(data)) > MAX_TOKENS:
        raise ValueError(f"more than {MAX_TOKENS} words")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno or '?'}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"cannot be parsed: {type(error).__name__}") from None


def load(path: str, sources: Sources) -> SourceModule:
    """A file as a module: its classes and functions by name, imports and assignments to be evaluated when asked for."""
    module = SourceModule(path)
    data = sources.read(path)
    if data is None:
        return module
    try:
        tree = parse(data)
    except ValueError as error:
        module.problem = str(error)
        return module
    _collect(tree.body, module)
    return module


def _collect(body: list[ast.stmt], module: SourceModule) -> None:
    """What a file defines; of two ways to define a name, the one that is taken."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            _define(module, node.name, ClassValue(node, module))
        elif isinstance(node, ast.FunctionDef):
            _define(module, node.name, Function(node, module))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                _later(module, alias.asname or alias.name, (node.level, node.module or "", alias.name))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                _later(module, alias.asname or name, (-1, name, ""))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    _later(module, target.id, node.value)
        elif isinstance(node, ast.If):
            last, first = (node.orelse, node.body) if _taken(node.test) is False else (node.body, node.orelse)
            _collect(first, module)
            _collect(last, module)
        elif isinstance(node, ast.Try):
            for handler in node.handlers:
                _collect(handler.body, module)
            _collect(node.body, module)


def _define(module: SourceModule, name: str, value: ClassValue | Function) -> None:
    module.names[name] = value
    module.lazy.pop(name, None)


def _later(module: SourceModule, name: str, value: ast.AST | tuple[int, str, str]) -> None:
    if name == "*" and isinstance(value, tuple):
        module.stars.append(value[:2])
        return
    module.lazy[name] = value
    module.names.pop(name, None)


def _taken(test: ast.expr) -> bool | None:
    """Whether a condition around imports holds: PyTorch is there, other packages and type checkers are not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _taken(test.operand)
        return None if inner is None else not inner
    name = test.func if isinstance(test, ast.Call) else test
    word = getattr(name, "id", getattr(name, "attr", ""))
    if word == "TYPE_CHECKING" or re.fullmatch(r"is_\w+_available", word):
        return word in ("is_torch_available", "TYPE_CHECKING", "is_torchvision_available")
    return None


def worth(path: str) -> bool:
    """Whether a file is looked into: a repo's own, and the model folders of the reference."""
    inside = path.startswith(REFERENCE + "/")
    return not inside or ("/models/" in path and "/models/auto/" not in path)


def candidates(module: SourceModule, level: int, name: str) -> list[str]:
    """Paths of the file that `from <dots><name> import …` may mean, seen from `module`."""
    parts = name.split(".") if name else []
    if level > 0:
        base = posixpath.dirname(module.path).split("/")
        base = base[: max(len(base) - (level - 1), 0)]
        return _files([*base, *parts])
    if parts[:1] == [REFERENCE]:
        return _files(parts)
    if module.path.startswith(REPO + "/"):
        return [*_files([REPO, *parts]), *_files([*posixpath.dirname(module.path).split("/"), *parts])]
    return []


def _files(parts: list[str]) -> list[str]:
    return ["/".join(parts) + ".py", "/".join(parts) + "/__init__.py"]
