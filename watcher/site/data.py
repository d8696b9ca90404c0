"""The data shipped with the site: rows for search, facts for comparisons, records for machines.

Scripts get it as script files that call a function, because a page opened from a file may not fetch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from watcher.architecture.record import Architecture
from watcher.report.escape import clean
from watcher.report.numbers import count, size
from watcher.site.facts import FACTS, told
from watcher.site.model import Model
from watcher.site.rows import UNKNOWN_LICENSE, decoder, size_class

SHARD = 1_000
"""Models in one file of rows."""


def shards(models: Sequence[Model]) -> Iterator[tuple[str, str]]:
    """Path and script: the rows and the names of all models, the oldest first, so that full files stay as they are."""
    ordered = models[::-1]
    for number, start in enumerate(range(0, max(len(ordered), 1), SHARD)):
        part = ordered[start : start + SHARD]
        words: dict[str, int] = {}
        rows = [_row(model, words) for model in part]
        yield f"data/models-{number}.js", call("watcherModels", list(words), rows)
        yield f"data/names-{number}.js", call("watcherNames", [[model.name, _slug(model)] for model in part])


def how_many(models: Sequence[Model]) -> int:
    """The number of files of each sort."""
    return max(1, -(-len(models) // SHARD))


def _slug(model: Model) -> str | int:
    """0 where the name tells it; the scripts work it out."""
    return 0 if model.slug == model.name.lower().replace("/", "--") else model.slug


def _row(model: Model, words: dict[str, int]) -> list[Any]:
    """Short, because a page loads a thousand: words that come again and again are places in a list."""
    row = model.row
    sparse = row.active is not None and "sparse" in (row.decoder or "")

    def place(word: str) -> int:
        return words.setdefault(word, len(words))

    return [
        model.name,
        _slug(model),
        model.date,
        place(decoder(row)),
        [place(word) for word in row.attention],
        place(size_class(row)),
        place(row.license or UNKNOWN_LICENSE),
        count(row.total),
        count(row.active) if sparse else 0,
        size(row.cache),
        row.cache,
        None if row.total is None else round(row.total / 1e6),
        clean(model.headline, 100),
    ]


def labels() -> str:
    """The script that names the facts."""
    return call("watcherFacts", [[fact.group, fact.label] for fact in FACTS])


def one(model: Model, record: Architecture) -> str:
    """The script with one model's facts in words."""
    return call("watcherModel", model.slug, {"name": model.name, "short": model.short, "facts": told(record)})


def as_json(model: Model, record: Architecture) -> str:
    """The record, for machines."""
    plain = {"name": model.name, "date": model.date, "record": record.to_dict()}
    return json.dumps(plain, ensure_ascii=True) + "\n"


def call(function: str, *arguments: Any) -> str:
    """A script that hands over data; the data is ASCII and can end no script."""
    said = ",".join(json.dumps(each, separators=(",", ":"), ensure_ascii=True) for each in arguments)
    return f"{function}({said.replace('<', chr(92) + 'u003c')});\n"
