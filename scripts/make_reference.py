"""Makes watcher/architecture/data/reference.zip from a wheel of `transformers`: what ships for reading without one.

Of the modeling and configuration files only the code is kept, line by line where it stood: docstrings and comments are
blanked, so that evidence names the same lines as in the release. The files are under the Apache License 2.0; its notice
is in the archive. Nothing of them is ever imported: `reference.py` reads them as syntax trees.

    python scripts/make_reference.py transformers-X.Y.Z-py3-none-any.whl
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import zipfile
from pathlib import Path

OUT = Path(__file__).parents[1] / "watcher/architecture/data/reference.zip"
KEPT = re.compile(
    r"transformers/(models/[^/]+/(modeling|configuration)_\w+\.py|models/auto/\w+\.py|integrations/\w+\.py|"
    r"(modeling_\w+|configuration_utils|activations|masking_utils|cache_utils|pytorch_utils)\.py)"
)
LEFT_OUT = re.compile(r"modeling_(tf|flax)_|tokenization|processing|image_processing|video_processing")
WHEN = (2026, 1, 1, 0, 0, 0)
"""The same date in every archive, so that the same wheel gives the same bytes."""


def main() -> int:
    """Write the archive."""
    if len(sys.argv) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    wheel = Path(sys.argv[1])
    version = wheel.name.split("-")[1]
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(OUT, "w", zipfile.ZIP_LZMA) as target:
        licence = next(name for name in source.namelist() if name.endswith("/LICENSE"))
        _write(target, "VERSION", version)
        _write(target, "LICENSE", source.read(licence).decode())
        names = [name for name in source.namelist() if KEPT.fullmatch(name) and not LEFT_OUT.search(name)]
        for name in sorted(names):
            _write(target, name, bare(source.read(name).decode()))
    sys.stdout.write(f"{OUT.name}: transformers {version}, {len(names)} files, {OUT.stat().st_size:,} bytes\n")
    return 0


def _write(target: zipfile.ZipFile, name: str, text: str) -> None:
    target.writestr(zipfile.ZipInfo(name, WHEN), text, zipfile.ZIP_LZMA)


def bare(text: str) -> str:
    """The code alone, every statement on its line."""
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for first, last, column in docstrings(ast.parse(text)):
        lines[first - 1 : last] = [" " * column + "pass"] + [""] * (last - first)
    return "\n".join(lines)


def docstrings(tree: ast.AST) -> list[tuple[int, int, int]]:
    """(first line, last line, column) of every docstring."""
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(node, clean=False) is not None
        ):
            expression = node.body[0]
            found.append((expression.lineno, expression.end_lineno or expression.lineno, expression.col_offset))
    return found


if __name__ == "__main__":
    sys.exit(main())
