"""Makes the committed samples: reports of real models under reports/, the README's pictures under docs/pictures/.

`make samples`. Everything comes from the shipped catalog and is the tool's own output; the picture of the site needs a
Chromium and stays as it is without one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from watcher.architecture.reference import Reference
from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.demo.models import baseline_of
from watcher.publish.folder import Folder, FolderSettings
from watcher.publish.interface import Links, Outgoing
from watcher.report.adhoc import adhoc_report
from watcher.report.png import to_png
from watcher.report.sketch import draw_pair
from watcher.site.build import build

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs/pictures"
PICTURED = "zai-org/GLM-5"
"""Its sketch is also committed dark and as PNG: the README shows it."""
SCALE = 1.25
"""Pixels per unit of the committed PNGs: sharp at the width they are shown, and small."""
PAIR = ("deepseek-ai/DeepSeek-V3", PICTURED)

MODELS = (
    "meta-llama/Llama-2-7b-hf",
    "mistralai/Mixtral-8x7B-v0.1",
    "allenai/OLMo-2-1124-7B-Instruct",
    "deepseek-ai/DeepSeek-V3",
    "google/gemma-3-27b-it",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct",
    "Qwen/Qwen3-235B-A22B",
    "LiquidAI/LFM2-1.2B",
    "moonshotai/Kimi-K2-Instruct",
    "zai-org/GLM-4.5",
    "openai/gpt-oss-120b",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
    PICTURED,
    "MiniMaxAI/MiniMax-M2.5",
    "XiaomiMiMo/MiMo-V2.5-Pro",
    "google/gemma-4-E2B-it",
    "deepseek-ai/DeepSeek-V4-Flash",
)


def main() -> int:
    """Write the archive and the pictures anew."""
    shutil.rmtree(ROOT / "reports", ignore_errors=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    _reports()
    a, b = (baseline_of(name).record for name in PAIR)
    (PICTURES / "side-by-side.png").write_bytes(to_png(draw_pair(a, b), scale=SCALE))
    _site()
    return 0


def _reports() -> None:
    folder = Folder(FolderSettings(name="reports", type="folder", path="reports"), ROOT)
    library, reference = Library(), Reference.shipped()
    for name in MODELS:
        seen = library.seen(name)
        environment = {"WATCHER_NOW": seen.isoformat()} if seen else {}
        files = RepoFiles(name=name, files={"config.json": json.dumps(dict(baseline_of(name).config)).encode()})
        report = adhoc_report(files, None, reference=reference, environment=environment)
        payload = folder.render(report, Links(report=report.hub_url))
        kept = {key: data for key, data in report.pictures.items() if not key.endswith((".png", "-dark.svg"))}
        if name == PICTURED:
            kept = dict(report.pictures)
            light, picture = (next(key for key in kept if key.endswith(end)) for end in (".svg", ".png"))
            kept[picture] = to_png(kept[light].decode(), scale=SCALE)
        folder.send(Outgoing(delivery_id="sample", payload=payload, pictures=kept))
        sys.stdout.write(f"{report.headline}\n")


def _site() -> None:
    """The gallery as a browser shows it."""
    browser = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    if browser is None:
        sys.stdout.write("no Chromium here: docs/pictures/gallery.png stays as it is\n")
        return
    with tempfile.TemporaryDirectory() as name:
        build(Path(name) / "site", reports=ROOT / "reports")
        _shoot(browser, Path(name), "index.html", PICTURES / "gallery.png", (1240, 1330))
        _shoot(browser, Path(name), "charts-cache.html", PICTURES / "chart.png", (1240, 840))


def _shoot(browser: str, folder: Path, page: str, picture: Path, size: Sequence[int]) -> None:
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars"
    flags += f" --disable-component-update --disable-sync --user-data-dir={folder / 'profile'}"
    flags += f" --screenshot={picture} --window-size={size[0]},{size[1]} --virtual-time-budget=4000"
    address = (folder / "site" / page).as_uri()
    subprocess.run([browser, *flags.split(), address], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
