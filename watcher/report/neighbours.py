"""Whom a model is compared with: its own predecessor, the nearest by any maker, the plain decoder of its class."""

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
from watcher.releases.model import Repo
from watcher.releases.names import take_apart
from watcher.report.escape import short
from watcher.report.model import Neighbour, Role

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
FARTHEST = 3.0
"""A predecessor has at most eight times the size (2³), or an eighth."""


def neighbours(
    record: Architecture,
    repo: Repo,
    members: Sequence[Repo],
    library: Library,
    nearest: Neighbour | None,
) -> tuple[Neighbour, ...]:
    """The predecessor, the nearest (given) and the plain decoder, as far as there are such; no model twice."""
    candidates = library.candidates(repo, members)
    found = [
        _compared(Role.PREDECESSOR, predecessor(record, repo, candidates), record),
        nearest,
        _compared(Role.PLAIN, plain_decoder(record, candidates), record),
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


ABOUT_AS_NEAR = 0.05


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


def _distance(record: Architecture, repo: Repo, item: Baseline) -> float | None:
    """How far a candidate is from being the predecessor; None when it is none."""
    if item.name.partition("/")[0].lower() != repo.organization.lower():
        return None
    mine, its = take_apart(repo.name), take_apart(item.name)
    if mine.stem == its.stem or _family(mine.stem) != _family(its.stem) or _version(its.stem) > _version(mine.stem):
        return None
    apart = _apart(record, item.record)
    other_class = (record.moe is None) != (item.record.moe is None)
    if apart > (NEARER if other_class else FARTHEST) or (other_class and not _size(item.record)):
        return None
    other_kind = set(record.model.modalities) != set(item.record.model.modalities)
    other_line = _line(its.stem) not in ("", _line(mine.stem))
    other_major = int(_version(its.stem)) != int(_version(mine.stem))
    return apart + _years(item, repo) / 2 + other_kind + other_class + other_major + other_line / 2


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
