"""What is drawn as changed: a record against its baseline, fact by fact, and the changes a comparison found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from watcher.architecture.record import Architecture, LayerKind
from watcher.compare.model import Change, Significance

_ABSENT: Final = object()
_NEUTRAL: Final = (None, 0, False, "", ())


class Marks:
    """Answers which drawn facts differ; unknown on either side is no difference."""

    def __init__(self, record: Architecture, baseline: Architecture | None, changes: Sequence[Change]) -> None:
        self.record = record
        self.baseline = baseline
        self._listed = {
            change.fact: change.before for change in changes if change.significance is not Significance.COSMETIC
        }
        self._unknown = {item.fact for side in (record, baseline) if side is not None for item in side.unknown}

    @property
    def compared(self) -> bool:
        """Whether there is anything to compare with."""
        return self.baseline is not None or bool(self._listed)

    def changed(self, *paths: str) -> bool:
        """Whether any of these facts differs."""
        return any(self._differs(path) for path in paths)

    def was(self, path: str) -> Any:
        """The baseline's value where it differs and is known, else None."""
        if not self._differs(path):
            return None
        if self.baseline is None:
            return self._listed.get(path)
        value = fact(self.baseline, path)
        return None if value is _ABSENT else value

    def kind(self, kind: LayerKind) -> LayerKind | None:
        """The baseline's layer kind that this one is to be held against: same mixer, same feed-forward if it has it."""
        if self.baseline is None:
            return None
        same = [other for other in self.baseline.layers.kinds if other.mixer == kind.mixer]
        return next((other for other in same if other.ff == kind.ff), same[0] if same else None)

    def kind_changed(self, kind: LayerKind, name: str) -> bool:
        """Whether one fact of a layer kind differs from the baseline's kind of the same mixer."""
        other = self.kind(kind)
        if other is None or self._untold(self.record, kind, name) or self._untold(self.baseline, other, name):
            return False
        return _differ(getattr(other, name), getattr(kind, name))

    @staticmethod
    def _untold(record: Architecture | None, kind: LayerKind, name: str) -> bool:
        """Whether this fact of a layer kind is unknown; whether positions are rotated is never absent, only unknown."""
        path = f"layers.kinds.{kind.id}.{name}"
        unknown = record is not None and record.is_unknown(path)
        return unknown or (name == "rope" and kind.rope is None)

    def mixer_new(self, kind: LayerKind) -> bool:
        """Whether the baseline has no layer with this mixer."""
        known = self.baseline is not None and any(other.mixer for other in self.baseline.layers.kinds)
        return known and kind.mixer is not None and self.kind(kind) is None

    def feed_new(self, kind: LayerKind) -> bool:
        """Whether the baseline has no layer with this feed-forward."""
        if self.baseline is None or not self.baseline.layers.kinds or kind.ff is None:
            return False
        return all(other.ff != kind.ff and other.mixer != _alone(kind.ff) for other in self.baseline.layers.kinds)

    def _differs(self, path: str) -> bool:
        if path in self._listed:
            return True
        if self.baseline is None or any(path == item or path.startswith(item + ".") for item in self._unknown):
            return False
        mine, theirs = fact(self.record, path), fact(self.baseline, path)
        return mine is not _ABSENT and theirs is not _ABSENT and _differ(theirs, mine)


def fact(record: Architecture, path: str) -> Any:
    """The value at a dotted path; a marker of its own where a part of the path does not exist."""
    value: Any = record
    for name in path.split("."):
        if value is None:
            return None
        value = getattr(value, name, _ABSENT)
    return value


def _alone(feed: str) -> str:
    return "ffn" if feed == "dense" else feed


def _differ(before: Any, after: Any) -> bool:
    return bool(before != after) and not (before in _NEUTRAL and after in _NEUTRAL)
