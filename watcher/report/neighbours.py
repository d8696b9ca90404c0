"""Whom a model is compared with: predecessor, nearest by any maker, plain decoder of its class, others of its size."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from watcher.architecture.record import Architecture
from watcher.baselines.library import Library
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.compare.similarity import feature_similarity, features
from watcher.naming.names import take_apart
from watcher.releases.model import Repo
from watcher.report.escape import short
from watcher.report.model import Neighbour, Role, Subject

PLAIN: Mapping[str, tuple[str, ...]] = {
    "dense": (
        "meta-llama/Llama-3.2-1B-Instruct",
        "meta-llama/Llama-3.2-3B",
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "meta-llama/Llama-3.1-70B",
        "meta-llama/Meta-Llama-3.1-405B",
    ),
    "sparse": ("mistralai/Mixtral-8x7B-v0.1",),
}
"""Class → decoders in which nothing is special: pre-norm RMSNorm, GQA, RoPE and SwiGLU, dense or routed."""

NEARER = 2.0
"""The same for one of the other class (dense for sparse): at most four times."""
FARTHEST = 4.0
"""A predecessor has at most sixteen times the size (2⁴), or a sixteenth."""


def compared(subject: Subject, repo: Repo, members: Sequence[Repo], library: Library) -> Subject:
    """The subject with its nearest baseline and all neighbours; as it was where there is nothing to compare with."""
    match = library.nearest(subject.record, repo, members)
    if match is None:
        return subject
    comparison = compare(match.record, subject.record, config_a=match.config, config_b=subject.config)
    nearest = Neighbour(role=Role.NEAREST, name=match.name, comparison=comparison)
    found = neighbours(subject.record, repo, members, library, nearest)
    return dataclasses.replace(subject, comparison=comparison, baseline=match.name, neighbours=found)


def neighbours(
    record: Architecture,
    repo: Repo,
    members: Sequence[Repo],
    library: Library,
    nearest: Neighbour | None,
) -> tuple[Neighbour, ...]:
    """The predecessor, the nearest (given), the plain decoder, peers, as far as there are such; no model twice."""
    candidates = library.candidates(repo, members)
    found = [
        _compared(Role.PREDECESSOR, predecessor(record, repo, candidates), record),
        nearest,
        _compared(Role.PLAIN, plain_decoder(record, candidates), record),
        *(_compared(Role.PEER, item, record) for item in peers(record, repo, candidates)),
    ]
    named: dict[str, Neighbour] = {}
    for item in found:
        if item is not None:
            named.setdefault(item.name, item)
    if nearest is not None:  # the nearest keeps its raw config diff, also where it is the predecessor
        named[nearest.name] = dataclasses.replace(
            nearest, role=named[nearest.name].role, origin=origin(record, nearest, candidates)
        )
    return tuple(named.values())


def _compared(role: Role, item: Baseline | None, record: Architecture) -> Neighbour | None:
    return Neighbour(role=role, name=item.name, comparison=compare(item.record, record)) if item else None


def origin(record: Architecture, nearest: Neighbour, candidates: Iterable[Baseline]) -> Baseline | None:
    """The earliest dated architecture with the same kinds of mixers that is about as near as the nearest one."""
    kinds = {item.kind for item in record.layers.mix}
    alike = [item for item in candidates if item.date and kinds == {entry.kind for entry in item.record.layers.mix}]
    mine = features(record)
    near = [
        item
        for item in alike
        if feature_similarity(features(item.record), mine) >= nearest.comparison.similarity - ABOUT_AS_NEAR
    ]
    return min(near, key=lambda item: (item.date, item.name), default=None)


ABOUT_AS_NEAR = 0.03


def predecessor(record: Architecture, repo: Repo, candidates: Iterable[Baseline]) -> Baseline | None:
    """The model of the same maker and family that this one follows: the nearest in size, kind and time."""
    scored = [(score, item.name, item) for item in candidates if (score := _distance(record, repo, item)) is not None]
    return min(scored, key=lambda entry: entry[:2])[2] if scored else None


def plain_decoder(record: Architecture, candidates: Iterable[Baseline]) -> Baseline | None:
    """The plain decoder nearest in size; None for a model whose class is not known."""
    kind = "sparse" if record.moe is not None else "dense" if record.decoder_type is not None else ""
    wanted = PLAIN.get(kind, ())
    found = [item for item in candidates if item.name in wanted]
    return min(found, key=lambda item: (_apart(record, item.record), item.name)) if found else None


def peers(record: Architecture, repo: Repo, candidates: Iterable[Baseline]) -> list[Baseline]:
    """Models of its class and size by other makers, from the time just before it: the nearest in size, one a maker."""
    alike = [
        item
        for item in candidates
        if item.name.partition("/")[0].lower() != repo.organization.lower()
        and item.name not in {name for names in PLAIN.values() for name in names}
        and (record.moe is None) == (item.record.moe is None)
        and _size(item.record)
        and _apart(record, item.record) <= SAME_SIZE
        and _years(item, repo) <= RECENT
    ]
    nearest: dict[str, Baseline] = {}
    takes = set(record.model.modalities)
    for item in sorted(
        alike, key=lambda item: (takes != set(item.record.model.modalities), _apart(record, item.record))
    ):
        nearest.setdefault(item.name.partition("/")[0].lower(), item)
    return [*nearest.values()][:MOST_PEERS]


SAME_SIZE, RECENT, MOST_PEERS = 0.42, 1.5, 2
"""Doublings of size (a third more or less), years."""


def _distance(record: Architecture, repo: Repo, item: Baseline) -> float | None:
    """How far a candidate is from being the predecessor; None when it is none."""
    if item.name.partition("/")[0].lower() != repo.organization.lower():
        return None
    mine, its = take_apart(repo.name), take_apart(item.name)
    versions = _version(mine.undated), _version(its.undated)
    if mine.stem == its.stem or _family(mine.stem) != _family(its.stem) or versions[1] > versions[0]:
        return None
    if not _comparable(record, item.record):
        return None
    other_kind = set(record.model.modalities) != set(item.record.model.modalities)
    other_class = (record.moe is None) != (item.record.moe is None)
    other_line = _line(its.stem) not in ("", _line(mine.stem))
    majors = min(int(versions[0]) - int(versions[1]), MOST_MAJORS)
    unlike = UNLIKE * (1 - feature_similarity(features(record), features(item.record)))
    return (
        (_apart(record, item.record) + _years(item, repo) + other_line) / 2 + other_kind + other_class + majors + unlike
    )


UNLIKE, MOST_MAJORS = 2.0, 3
"""What another structure weighs, in major versions; major versions beyond which it is all the same."""


def _comparable(record: Architecture, other: Architecture) -> bool:
    """Whether the sizes are near enough; a model of the other class must be nearer, and dense models follow dense."""
    apart = _apart(record, other)
    if (record.moe is None) == (other.moe is None):
        return apart <= FARTHEST
    return record.moe is not None and apart <= NEARER and bool(_size(record) and _size(other))


def _apart(a: Architecture, b: Architecture) -> float:
    """|log₂| of the sizes' ratio; a size that is not known counts as four times another."""
    sizes = [_size(a), _size(b)]
    if not sizes[0] or not sizes[1]:
        return 2.0
    return abs(math.log2(sizes[0] / sizes[1]))


def _size(record: Architecture) -> int | None:
    return record.parameters.total or record.parameters.text


def _years(item: Baseline, repo: Repo) -> float:
    try:
        then = date.fromisoformat(item.date if len(item.date) == 10 else f"{item.date}-28")
    except ValueError:
        return 2.0
    return max(0.0, (repo.first_seen_at.date() - then).days / 365)


def _family(stem: str) -> str:
    """`qwen3-coder` → qwen, `deepseek-v3` → deepseek."""
    match = re.match(r"[a-z]+", stem)
    return match[0] if match else stem


def _version(stem: str) -> float:
    match = re.search(r"\d+(?:\.\d+)?", stem)
    return float(match[0][:8]) if match else 0.0


def _line(stem: str) -> str:
    """What follows the version: `qwen3-coder` → coder."""
    return re.sub(r"^[a-z]+(-?[a-z]?\d[\d.]*)?-?|-?\d{4,}$", "", stem)


COPY_WORDS = re.compile(r"(?i)[-_.](fp8|nvfp4|mxfp4|bf16|fp16|hf|int4|int8|gptq|awq|gguf)$")


def called(name: str) -> str:
    """What people call the architecture: without organization, and without the word for a copy's precision."""
    return COPY_WORDS.sub("", short(name))


def by_role(found: Iterable[Any], role: Role) -> Neighbour | None:
    """The neighbour that has this role."""
    return next((item for item in found if item.role is role), None)
