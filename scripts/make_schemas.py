"""Makes watcher/report/data/*.schema.json from the record's classes."""

from __future__ import annotations

import json
from pathlib import Path

from watcher.report.schema import comparison_schema, record_schema

FOLDER = Path(__file__).parents[1] / "watcher/report/data"


def main() -> None:
    """Write both."""
    for name, schema in (("record", record_schema()), ("comparison", comparison_schema())):
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
