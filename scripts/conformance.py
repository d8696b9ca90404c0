"""Compares our parameter counts with `transformers` on the meta device, for every model type. `make conformance`.

Installs `transformers` and a CPU build of torch into an environment of its own, builds every causal language model
there at its default config, reads the same implementation as text with our reader, and lists each model type whose
counts differ or that only one of the two can build. Ends with 1 when something differs.

    python scripts/conformance.py [--torch SPEC] [--transformers SPEC] [--table NAME] [MODEL_TYPE …]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".conformance"
sys.path.insert(0, str(ROOT))  # the reader needs nothing but the standard library

from watcher.architecture.code.build import build_reference, total  # noqa: E402
from watcher.architecture.code.library import CAUSAL, IMAGE_TEXT, MULTIMODAL, Library  # noqa: E402
from watcher.architecture.code.machine import Interpreter  # noqa: E402
from watcher.architecture.code.source import Sources, TreeSources  # noqa: E402
from watcher.architecture.code.stops import FAILURES, Exhausted  # noqa: E402

TABLES = {"causal": CAUSAL, "image-text": IMAGE_TEXT, "multimodal": MULTIMODAL}
CPU_TORCH = "torch==2.13.0"
"""A release of torch; where the index's default build is one for GPUs, name another with `--torch`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model type: both counts, or why there is none."""

    model_type: str
    ours: int | None
    theirs: int | None
    why_ours: str = ""
    why_theirs: str = ""

    @property
    def same(self) -> bool:
        """Whether both say the same; where `transformers` itself cannot build it, there is nothing to compare."""
        return self.theirs is None or self.ours == self.theirs


def main() -> int:
    """Install, count twice, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT, help="where torch is installed")
    parser.add_argument("--torch", default=CPU_TORCH)
    parser.add_argument("--transformers", default="transformers")
    parser.add_argument("--table", choices=TABLES, default="causal")
    parser.add_argument("types", nargs="*", metavar="MODEL_TYPE")
    options = parser.parse_args()
    python = install(options.environment, [options.torch, options.transformers, "pillow"])
    rows = list(compare(python, TABLES[options.table], options.types))
    return report(rows)


def install(environment: Path, packages: list[str]) -> Path:
    """An environment with these packages; its Python."""
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(environment, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    return python


def compare(python: Path, table: str, types: list[str]) -> Iterator[Row]:
    """A row for each model type."""
    sources = TreeSources(_packages(python))
    for line in _counted(python, table, types):
        ours, why = ours_of(sources, line["model_type"], table)
        yield Row(line["model_type"], ours, line.get("total"), why, line.get("error", ""))


def _packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())


def _counted(python: Path, table: str, types: list[str]) -> Iterator[Mapping[str, str | int]]:
    """What the meta device counts."""
    command = [python, Path(__file__).with_name("conformance_meta.py"), table, *types]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)


def ours_of(sources: Sources, model_type: str, table: str) -> tuple[int | None, str]:
    """(our count, why there is none)."""
    machine = Interpreter(sources)
    try:
        return total(build_reference(machine, Library(sources), model_type, {}, table)), ""
    except (*FAILURES, Exhausted) as error:
        return None, f"{machine.place()}: {error or type(error).__name__}"


def report(rows: list[Row]) -> int:
    """Print what differs and the sums; 1 when something differs."""
    built = [row for row in rows if row.theirs is not None]
    for row in rows:
        if not row.same:
            ours = f"{row.ours:,}" if row.ours is not None else f"none ({row.why_ours})"
            sys.stdout.write(f"DIFFERS  {row.model_type}: ours {ours}, transformers {row.theirs:,}\n")
        elif row.theirs is None:
            ours = f"ours {row.ours:,}" if row.ours is not None else f"ours none ({row.why_ours})"
            sys.stdout.write(f"no truth {row.model_type}: {ours}; transformers: {row.why_theirs}\n")
    exact = sum(row.same for row in built)
    sys.stdout.write(f"{exact} of {len(built)} exact; {len(rows) - len(built)} that transformers itself cannot build\n")
    return int(exact < len(built))


if __name__ == "__main__":
    sys.exit(main())
