"""Record → row: what cards, filters and charts show of an architecture; names → pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from watcher.architecture.record import Architecture
from watcher.report.escape import clean
from watcher.report.sketch import words
from watcher.site.model import Model, Row, Story

_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
UNKNOWN_LICENSE = "not told"


def slug(name: str) -> str:
    """A file name for `org/name`, safe everywhere; a name that has to be changed carries a digest of the original.

    The Hub's names do not differ by case alone, so neither do these.
    """
    lower = name.lower()
    org, _, rest = lower.partition("/")
    parts = [_UNSAFE.sub("-", part)[:70].strip(".-") for part in (org, rest)]
    plain = "--".join(part for part in parts if part) or "model"
    if f"{org}--{rest}" == plain and "--" not in org + rest and not _RESERVED.fullmatch(plain):
        return plain
    return f"{plain}-{hashlib.sha256(lower.encode('utf-8', 'replace')).hexdigest()[:8]}"


def row(
    record: Architecture,
    *,
    name: str,
    origin: str,
    date: str,
    baseline: str | None = None,
    aliases: Sequence[str] = (),
    story: Story | None = None,
) -> Row:
    """The row of a record. Every text is bounded and has lost its control characters."""
    parameters, sparse = record.parameters, record.attention.sparse
    mix = {clean(kind.mixer, 40): 0 for kind in record.layers.kinds if kind.mixer}
    for kind in record.layers.kinds:
        if kind.mixer:
            mix[clean(kind.mixer, 40)] += kind.count
    return Row(
        name=clean(name, 200),
        origin=origin,
        date=date,
        decoder=clean(record.decoder_type, 40) if record.decoder_type else None,
        attention=tuple(_attention(mix, sparse.kind if sparse else None)),
        mix=mix,
        sparse=clean(sparse.kind, 20) if sparse else None,
        total=_whole(parameters.total or parameters.text or parameters.stored),
        active=_whole(parameters.active),
        cache=_number(record.kv_cache.bytes_per_token),
        context=_whole(record.context_length),
        license=clean(record.model.license, 60) if record.model.license else None,
        known=record.layers.count is not None,
        baseline=clean(baseline, 200) if baseline else None,
        aliases=tuple(clean(each, 200) for each in aliases[:40]),
        story=story,
    )


def _attention(mix: Iterable[str], sparse: str | None) -> list[str]:
    """The mixers of a stack as people call them, in the order of first use."""
    found = [words.mixer(kind).short for kind in mix if kind not in words.SUBLAYERS]
    if sparse and sparse not in mix:
        found.append(f"{clean(sparse, 12).upper()} sparse")
    return list(dict.fromkeys(found))


def _whole(value: Any) -> int | None:
    """A count that charts and scripts can take."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18 else None


def _number(value: Any) -> float | None:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 10**18
    return value if fits else None


def models(rows: Iterable[Row]) -> list[Model]:
    """Rows about the same model put together; the newest models first."""
    groups: dict[str, list[Row]] = {}
    for each in rows:
        groups.setdefault(slug(each.name), []).append(each)
    found = [_model(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda model: (model.date, model.name), reverse=True)


def _model(key: str, group: list[Row]) -> Model:
    """What could be read comes before what could not, own reports before the catalog, the newest first."""
    group.sort(key=lambda each: (each.known, each.origin != "catalog", _moment(each)), reverse=True)
    return Model(slug=key, rows=tuple(group), date=min(filter(None, (each.date for each in group)), default=""))


def _moment(each: Row) -> str:
    return each.story.date if each.story else each.date


SIZES: tuple[tuple[str, float], ...] = (
    ("below 4B", 4e9),
    ("4B to 15B", 15e9),
    ("15B to 70B", 70e9),
    ("70B to 300B", 300e9),
    ("300B and more", float("inf")),
)
"""Classes of size and their upper bounds, in parameters."""


def size_class(each: Row) -> str:
    """The class of size that a filter offers."""
    if each.total is None:
        return "unknown"
    return next(label for label, bound in SIZES if each.total < bound)


DECODERS = {
    "dense": "dense",
    "sparse-moe": "mixture of experts",
    "dense-hybrid": "dense hybrid",
    "sparse-hybrid": "mixture-of-experts hybrid",
    "recurrent": "recurrent",
}


def decoder(each: Row) -> str:
    """The decoder type in words."""
    return DECODERS.get(each.decoder or "", each.decoder or "unknown")
