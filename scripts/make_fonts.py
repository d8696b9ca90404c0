"""Makes the fonts the sketch is measured and rasterised with: subsets of Inter 400 and 600, and their advance widths.

    npm pack @expo-google-fonts/inter@0.4.2 && tar xzf expo-google-fonts-inter-0.4.2.tgz
    pip install fonttools
    python scripts/make_fonts.py package

Run by a developer when the set of characters or the font changes; its outputs are committed. Without kerning and
ligatures a text is exactly as wide as the sum of its advances, which is what the layout relies on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from fontTools import subset  # type: ignore[import-not-found]
from fontTools.ttLib import TTFont  # type: ignore[import-not-found]

TARGET = Path(__file__).parents[1] / "watcher" / "report" / "fonts"
WEIGHTS = {"400": "400Regular/Inter_400Regular.ttf", "600": "600SemiBold/Inter_600SemiBold.ttf"}
RANGES = ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x17F), (0x391, 0x3C9))
"""Basic Latin, Latin-1, Latin Extended-A, Greek (α, β, Δ, σ)."""
SYMBOLS = "→←↑↓×≥≤≈−±⊕⊗·•²³✓✗…–—‘’“”∞√"


def characters() -> list[int]:
    """Code points to keep."""
    return sorted({code for first, last in RANGES for code in range(first, last + 1)} | set(map(ord, SYMBOLS)))


def subset_font(source: Path, target: Path) -> None:
    """Write the subset of one font file."""
    names = [0, 1, 2, 4, 6, 13, 14, 16, 17]  # copyright, names, licence; 16 and 17 make 600 a weight of the same family
    options = subset.Options(hinting=False, layout_features=[], name_IDs=names, notdef_outline=True)
    font = subset.load_font(str(source), options)
    font["head"].modified = font["head"].created  # the same bytes on every run
    font.recalcTimestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    subset.save_font(font, str(target), options)


def advances(path: Path) -> dict[str, int]:
    """Advance width of each character, in thousandths of an em."""
    font = TTFont(path)
    scale, table = 1000 / font["head"].unitsPerEm, font["hmtx"]
    return {chr(code): round(table[name][0] * scale) for code, name in sorted(font.getBestCmap().items())}


def main() -> None:
    """Make everything from the folder of the unpacked package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("package", type=Path, help="folder of the unpacked @expo-google-fonts/inter")
    package = parser.parse_args().package
    TARGET.mkdir(parents=True, exist_ok=True)
    metrics = {}
    for weight, name in WEIGHTS.items():
        target = TARGET / f"Inter-{weight}.ttf"
        subset_font(package / name, target)
        metrics[weight] = advances(target)
    text = json.dumps(metrics, ensure_ascii=False, separators=(",", ":"))
    (TARGET / "metrics.json").write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(package / "LICENSE_FONT", TARGET / "OFL.txt")


if __name__ == "__main__":
    main()
