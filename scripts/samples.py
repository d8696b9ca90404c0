"""Makes the committed samples under reports/: the tool's own output for real models of the catalog. `make samples`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from watcher.architecture.witness import RepoFiles
from watcher.baselines.library import Library
from watcher.demo.models import baseline_of
from watcher.publish.folder import Folder, FolderSettings
from watcher.publish.interface import Links, Outgoing
from watcher.report.adhoc import adhoc_report

ROOT = Path(__file__).parents[1]
PICTURED = "zai-org/GLM-5"
"""Its sketch is also committed as PNG: the README shows it."""

MODELS = (
    "deepseek-ai/DeepSeek-V3",
    "google/gemma-3-27b-it",
    "moonshotai/Kimi-K2-Instruct",
    "openai/gpt-oss-120b",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
    PICTURED,
)


def main() -> int:
    """Write the archive anew."""
    shutil.rmtree(ROOT / "reports", ignore_errors=True)
    folder = Folder(FolderSettings(name="reports", type="folder", path="reports"), ROOT)
    library = Library()
    for name in MODELS:
        seen = library.seen(name)
        environment = {"WATCHER_NOW": seen.isoformat()} if seen else {}
        files = RepoFiles(name=name, files={"config.json": json.dumps(dict(baseline_of(name).config)).encode()})
        report = adhoc_report(files, None, environment=environment)
        payload = folder.render(report, Links(report=report.hub_url))
        kept = {key: data for key, data in report.pictures.items() if key.endswith(".svg") or name == PICTURED}
        folder.send(Outgoing(delivery_id="sample", payload=payload, pictures=kept))
        sys.stdout.write(f"{report.headline}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
