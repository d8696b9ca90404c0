"""What the raw configs say beyond the record: keys that no fact covers, as changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from watcher.architecture.irrelevant import irrelevant
from watcher.compare import stack, words
from watcher.compare.differences import bounded
from watcher.compare.model import Change, Significance
from watcher.compare.rules import Side

TEXT_PARTS = ("text_config", "llm_config", "language_config", "language_model_config", "text_model_config", "llm")
MAX_TOLD = 12
"""Config keys that get a change of their own; the rest is one change."""
MAX_FLAT = 4_096
LONG_LIST = 16


def config_changes(a: Side, b: Side, aliases: Iterable[str] = ()) -> list[Change]:
    """Cosmetic changes for the config keys that differ and that neither a fact, an alias nor a novelty tells.

    `aliases` are the keys the reader knows under another name; a renamed key is not a difference.
    """
    if a.config is None or b.config is None:
        return []
    before, after = flat(a.config), flat(b.config)
    told = _covered(a) | _covered(b) | frozenset(aliases)
    novel = {*a.record.novel.config_keys, *b.record.novel.config_keys}
    differing = [key for key in sorted({*before, *after}) if before.get(key, ...) != after.get(key, ...)]
    differing = [key for key in differing if not _is_told(key, told) and not _is_told(key, novel)]
    relevant = [key for key in differing if not irrelevant(key)]
    changes = [_change(key, before, after) for key in relevant[:MAX_TOLD]]
    if relevant[MAX_TOLD:]:
        changes.append(_summary("other config keys differ", relevant[MAX_TOLD:]))
    beside = [key for key in differing if irrelevant(key) and key in before and key in after]
    return [*changes, _summary("config keys beside the architecture differ", beside)] if beside else changes


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leaf keys by dotted path; the text part's keys stand at the top, long lists as run lengths."""
    leaves: dict[str, Any] = {}
    _flatten(bounded(config), "", leaves)
    return leaves


def _flatten(value: Mapping[str, Any], prefix: str, leaves: dict[str, Any]) -> None:
    for name, item in value.items():
        if len(leaves) >= MAX_FLAT:
            return
        if isinstance(item, Mapping) and item:
            _flatten(item, prefix if name in TEXT_PARTS else f"{prefix}{name}.", leaves)
        else:
            leaves.setdefault(f"{prefix}{name}", _short(item))


def _short(value: Any) -> Any:
    if isinstance(value, list) and len(value) > LONG_LIST:
        items = [item if isinstance(item, str) else json.dumps(item) for item in value]
        return stack.written(items)
    return value


def _covered(side: Side) -> frozenset[str]:
    """The keys in which the record's facts were read, text part at the top."""
    found = set()
    for evidence in side.record.evidence.values():
        for where in [evidence.where] if isinstance(evidence.where, str) else evidence.where:
            _, colon, key = where.partition(": ")
            if colon and "." not in key.split(" ")[0].split(".")[0]:
                parts = [part for part in key.split(" ")[0].split(".") if part not in TEXT_PARTS]
                found.add(".".join(parts))
    return frozenset(found)


def _is_told(key: str, told: Iterable[str]) -> bool:
    """Whether the key, its last part or a part it lies in is among the told ones."""
    parts = key.split(".")
    known = told if isinstance(told, (set, frozenset)) else frozenset(told)
    return parts[-1] in known or any(".".join(parts[:count]) in known for count in range(1, len(parts) + 1))


def _change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    if key not in before:
        sentence = f"new config key {words.clean(key)} = {_written(after[key])}"
    elif key not in after:
        sentence = f"config key {words.clean(key)} ({_written(before[key])}) is gone"
    else:
        sentence = f"config key {words.clean(key)}: {_written(before[key])} → {_written(after[key])}"
    return Change(
        fact=f"config.{key}",
        before=before.get(key),
        after=after.get(key),
        significance=Significance.COSMETIC,
        sentence=sentence,
    )


def _written(value: Any) -> str:
    return words.clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _summary(label: str, names: list[str]) -> Change:
    return Change(
        fact="config",
        before=None,
        after=names,
        significance=Significance.COSMETIC,
        sentence=f"{label}: {words.keys_listed(names)}",
    )
