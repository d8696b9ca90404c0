"""Writes the table of significance into watcher/compare/README.md from the rules; a test compares the two."""

from __future__ import annotations

import sys
from pathlib import Path

from watcher.compare.significance import FALLBACK, RULES

README = Path(__file__).parents[1] / "watcher/compare/README.md"
BEGIN, END = "<!-- table: scripts/significance_table.py -->", "<!-- end of the table -->"


def table() -> str:
    """One row for each significance and way of changing, with the facts it holds for."""
    rows: dict[tuple[str, str], list[str]] = {}
    for rule in (*RULES, FALLBACK):
        facts = rows.setdefault((rule.significance.value, rule.when.words), [])
        if rule.fact not in facts:
            facts.append(rule.fact)
    lines = ["| significance | when the fact is | facts |", "|---|---|---|"]
    for (significance, when), facts in rows.items():
        lines.append(f"| {significance} | {when} | {', '.join(f'`{fact}`' for fact in facts)} |")
    return "\n".join(lines)


def main() -> int:
    """Write it."""
    text = README.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
