"""What a repo's name says: family with version, size, tuning, format and the like, told apart word by word.

A name is cut at `-`, `_`, `.` and spaces; a dot, or what stands for one, stays inside a number (`3_1` is `3.1`). Words
that say size, tuning, context, quantisation or file format are taken away by the tables of `words.py`; what is left,
with its version and date, is the *stem* that the repos of one release share. Example: `Qwen3-30B-A3B-Instruct-2507-FP8`
→ stem `qwen3-2507`, size `30b-a3b`, tuning `instruct`, copy `fp8`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field

from watcher.naming.words import (
    AMBIGUOUS_COPIES,
    BASES,
    CONTEXTS,
    FAMILIES,
    KINDS_OF_SIZE,
    LINES,
    SIBLINGS,
    STAGES,
    TUNING_SHAPES,
    TUNINGS,
    VENDORS,
    is_copy_word,
    is_size,
)

_WORD = re.compile(r"i?q\d(?:_[0-9a-z]{1,2})+(?![a-z0-9])|(?:[^-_\s:+.]|(?<=\d)\.(?=\d))+")
"""A llama.cpp quantisation with its underscores (q4_k_m), else a run without separators; a dot stays in a number."""

_UNDERSCORE = re.compile(r"(?<=\d)(?<!q\d)(?!(?<=[a-z]\d)_\d+(?:\.\d+)?[bmt](?![a-z0-9]))_(?=\d)")
"""An underscore that stands for the dot of a version: 3_1 and 1_8b, but not q4_0, nor before a size: t0_3b."""

_POINT_ZERO = re.compile(r"([a-z]*\d+)\.0")
"""v3.0 is v3."""

_DATE = re.compile(r"\d{4}|\d{6}|\d{8}")
"""0528, 2507, 250904, 20250904: month and day, or year and month."""

_GLUED = re.compile(r"(?<=[a-z])-(?=\d{1,3}(?!\d))")
"""Where `gemma-3` and `gemma3` differ; a date stays apart."""

LONGEST = 250
"""Characters of a stem that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """A repo's name, taken apart. All lower case; words of one kind are joined with `-` in their order."""

    stem: str
    """Family with version and date; never empty."""
    size: str = ""
    """`30b-a3b`, `mini`, `8x7b`."""
    tuning: str = ""
    """`instruct`, `base`, `rl-zero`."""
    stage: str = ""
    """`preview`, `exp`."""
    context: str = ""
    """`128k`, `1m`."""
    student: str = ""
    """The family a distilled or continued model is built on: `qwen`, `llama3.1`."""
    extra: str = ""
    """Words that no table knows, after the size: `deep`, `captioner`."""
    copy: str = ""
    """`fp8`, `awq`, `q4_k_m-gguf`."""
    date: str = ""
    """The date inside the stem, if it has one: `2507`."""
    variant: str = ""
    """Everything that tells an original's variant apart, in the name's order: `instruct-fp8`."""

    @property
    def undated(self) -> str:
        """The stem without its date."""
        return "-".join(word for word in self.stem.split("-") if not self.date or word != self.date) or self.stem


def words(name: str) -> list[str]:
    """The words of the part after the slash, lower case; versions written with `_` or `-` get their dot back."""
    plain = _UNDERSCORE.sub(".", name.rpartition("/")[2].lower())
    return _with_dots(_WORD.findall(plain))


def _with_dots(found: list[str]) -> list[str]:
    """`3`, `1` after each other are the version 3.1."""
    joined: list[str] = []
    for word in found:
        if joined and re.fullmatch(r"\d", word) and re.fullmatch(r"[a-z]*\d", joined[-1]):
            joined[-1] += f".{word}"
        else:
            joined.append(word)
    return [_POINT_ZERO.sub(r"\1", word) if _POINT_ZERO.fullmatch(word) else word for word in joined]


@dataclass(slots=True)
class _Sorted:
    """The words of one name by what they say."""

    kept: list[str] = field(default_factory=list)
    size: list[str] = field(default_factory=list)
    tuning: list[str] = field(default_factory=list)
    stage: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    student: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    copy: list[str] = field(default_factory=list)
    variant: list[str] = field(default_factory=list)


@functools.lru_cache(maxsize=20_000)
def take_apart(name: str) -> NameParts:
    """The parts of `org/name`."""
    found = words(name)
    sorted_ = _sort(found[1:] if len(found) > 1 and found[0] in VENDORS and not _is_version(found[1]) else found)
    stem = _GLUED.sub("", "-".join(sorted_.kept)) or "-".join(found) or name.lower()
    dates = [word for word in sorted_.kept if _DATE.fullmatch(word)]
    return NameParts(
        stem=stem[:LONGEST],
        size="-".join(sorted_.size),
        tuning="-".join(sorted_.tuning),
        stage="-".join(sorted_.stage),
        context="-".join(sorted_.context),
        student="-".join(sorted_.student),
        extra="-".join(sorted_.extra),
        copy="-".join(sorted_.copy),
        date=dates[-1] if dates and not stem.isdigit() else "",
        variant="-".join(sorted_.variant),
    )


def _sort(found: list[str]) -> _Sorted:
    parts, last = _Sorted(), ""
    for place, word in enumerate(found):
        last = _kind(word, parts, last, found[place + 1 :]) if parts.kept else "kept"
        getattr(parts, last).append(word)
        if last in ("tuning", "stage", "context", "extra", "copy"):
            parts.variant.append(word)
    return parts


def _kind(word: str, parts: _Sorted, last: str, rest: list[str]) -> str:
    """What a word that is not the first says, when the word before it said `last`; the first row that holds counts."""
    sized = any(any(map(str.isdigit, size)) for size in parts.size)
    sure = word not in AMBIGUOUS_COPIES or _beside_copy(parts, rest)
    rows = (
        ("copy", sure and is_copy_word(word)),
        ("size", is_size(word) or (word in SIBLINGS and last == "kept" and _is_version(parts.kept[-1]))),
        ("size", word in KINDS_OF_SIZE and last == "size" and sized),
        ("stage", word in STAGES),
        ("tuning", word in TUNINGS or TUNING_SHAPES.fullmatch(word) is not None),
        ("context", CONTEXTS.fullmatch(word) is not None),
        ("student", _is_student(word, parts, last)),
        ("extra", sized and word.isalpha() and word not in LINES),
    )
    return next((kind for kind, holds in rows if holds), "kept")


def _beside_copy(parts: _Sorted, rest: list[str]) -> bool:
    """Whether a sure word for a copy stands before or after."""
    return any(is_copy_word(word) and word not in AMBIGUOUS_COPIES for word in (*parts.copy, *rest))


def _is_student(word: str, parts: _Sorted, last: str) -> bool:
    """A known family inside a name of another one, or what belongs to it (`Llama-3.1`, `GPT-OSS`)."""
    if last == "student":
        return word == "oss" or (_is_version(word) and not word.startswith("v") and not _DATE.fullmatch(word))
    family = FAMILIES.match(word)
    return family is not None and family.end() == len(word) and not parts.kept[0].startswith(family[1])


def _is_version(word: str) -> bool:
    return re.fullmatch(r"v?\d+(?:\.\d+)*", word) is not None


def lacks_version(short: str, long: str) -> bool:
    """Whether two names tell the same family, and only the second has a version at its end: `m2-1b`, `m2-1b-it-v0.1`.

    A date counts only where a tuning has it that its base lacks: another date is another release.
    """
    mine, its = take_apart(short), take_apart(long)
    word = its.stem.removeprefix(f"{mine.stem}-")
    if word == its.stem or word not in words(long) or not _is_version(word):
        return False
    return not _DATE.fullmatch(word) or (mine.tuning in BASES and its.tuning not in BASES)


def variant_of(name: str) -> str | None:
    """The variant as a report names it, or None for an original."""
    return take_apart(name).variant or None
