"""What a repo holds: whether there is something to read, whether it is all there, and which kinds of files changed."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from watcher.hub.model import TreeFile
from watcher.releases.model import EventKind, Repo

CONFIGS = ("config.json", "params.json", "adapter_config.json")
"""What a reader can start from, best first; a GGUF file will do as well."""

KINDS: tuple[tuple[EventKind, tuple[str, ...]], ...] = (
    (EventKind.CONFIG_CHANGED, CONFIGS),
    (EventKind.CODE_CHANGED, ("*.py",)),
    (
        EventKind.TOKENIZER_CHANGED,
        (
            "tokenizer*",
            "chat_template*",
            "generation_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.*",
            "merges.txt",
            "tekken.json",
            "*.tiktoken",
        ),
    ),
    (
        EventKind.WEIGHTS_CHANGED,
        (
            "*.safetensors",
            "*.safetensors.index.json",
            "*.gguf",
            "*.bin",
            "*.bin.index.json",
            "*.pth",
            "*.pt",
            "*.onnx",
        ),
    ),
    (EventKind.CARD_CHANGED, ("README.md", "LICENSE*", "NOTICE*")),
)
"""Which files a change of which kind is told by; the first row that fits a file counts. A new kind is a row here."""

WEIGHTS = next(patterns for kind, patterns in KINDS if kind is EventKind.WEIGHTS_CHANGED)

INDEXES = (".safetensors.index.json", ".bin.index.json")
"""Ends of the files that say which shard holds which tensor."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a tree comes to."""

    readable: bool
    """There is a config, a params.json or a GGUF file."""
    whole: bool
    """No numbered shard is missing, and no index stands alone."""
    weights: bool = False
    """There are weights of any kind."""


def kind_of(path: str) -> EventKind | None:
    """The kind of change that this file's change is, or None for a file nobody waits for."""
    name = path.rpartition("/")[2]
    return next((kind for kind, patterns in KINDS if any(fnmatch.fnmatchcase(name, item) for item in patterns)), None)


def has_config(repo: Repo) -> bool:
    """Whether there was a config to read, which says more than the head of a GGUF file."""
    return any(file.path in CONFIGS for file in repo.tree or ())


def survey(tree: Iterable[TreeFile]) -> Content:
    """What a reader would find in these files."""
    paths = [file.path for file in tree if file.size > 0]
    readable = any(path in CONFIGS or path.endswith(".gguf") for path in paths)
    whole = not _missing_shards(paths) and not _lonely_index(paths)
    return Content(readable, whole, any(_is_weights(path) for path in paths))


def _is_weights(path: str) -> bool:
    return kind_of(path) is EventKind.WEIGHTS_CHANGED and not path.endswith(INDEXES)


def _lonely_index(paths: Iterable[str]) -> bool:
    """Whether an index of weights is there and none of what it indexes."""
    paths = tuple(paths)
    heads = [path.removesuffix(end) for path in paths for end in INDEXES if path.endswith(end)]
    return any(not any(path.startswith(head) and _is_weights(path) for path in paths) for head in heads)


def _missing_shards(paths: Iterable[str]) -> bool:
    """Whether a set of `name-00001-of-00016.safetensors` has gaps."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in paths:
        head, separator, tail = path.rpartition("-of-")
        stem, dash, number = head.rpartition("-")
        total = tail.partition(".")[0]
        if separator and dash and number.isdigit() and total.isdigit() and len(total) < 7:
            found.setdefault((stem, tail), set()).add(number)
    return any(len(numbers) < int(tail.partition(".")[0]) for (_, tail), numbers in found.items())


def changed_kinds(before: Iterable[TreeFile], after: Iterable[TreeFile]) -> dict[EventKind, list[str]]:
    """Which kinds of files differ between two trees, with their paths; told by blob ids, nothing is downloaded."""
    old = {file.path: file.oid for file in before}
    new = {file.path: file.oid for file in after}
    changes: dict[EventKind, list[str]] = {}
    for path in sorted(old.keys() | new.keys()):
        kind = kind_of(path)
        if kind is not None and old.get(path) != new.get(path):
            changes.setdefault(kind, []).append(path)
    return changes
