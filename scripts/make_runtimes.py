"""Makes watcher/report/data/runtimes.json from wheels of vLLM, SGLang and gguf given on the command line.

`pip download --no-deps vllm sglang gguf` brings them; nothing of them is imported.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from watcher.report.runtime_lists import read_list

OUT = Path(__file__).parents[1] / "watcher/report/data/runtimes.json"


def main() -> None:
    """Write the lists, each with the date of today."""
    today = datetime.now(UTC).date().isoformat()
    lists = dict(read_list(Path(name), today) for name in sys.argv[1:])
    OUT.write_text(json.dumps(lists, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(
        ", ".join(f"{name} {item['version']}: {len(item['names'])}" for name, item in lists.items()) + "\n"
    )


if __name__ == "__main__":
    main()
