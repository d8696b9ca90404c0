"""The table of significance in the README is the one that is applied."""

from __future__ import annotations

from pathlib import Path

import watcher.compare
from watcher.compare.significance import FALLBACK, RULES


def test_every_rule_stands_in_the_table() -> None:
    text = (Path(watcher.compare.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ")]
    for rule in (*RULES, FALLBACK):
        start = f"| {rule.significance.value} | {rule.when.words} |"
        assert any(row.startswith(start) and f"`{rule.fact}`" in row for row in rows), (start, rule.fact)
