"""JSON items of the Hub → Sightings and TreeFiles, one by one: an odd item is named and never hides the others."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from watcher.hub.model import BaseModel, HubError, HubProblem, Sighting, TreeFile

NAME = re.compile(r"[A-Za-z0-9_.-]{1,96}/[A-Za-z0-9_.-]{1,96}")
HUB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MAX_TAGS = 1000
MAX_PATH = 1000


class OddItem(ValueError):
    """An item that cannot be read; the text says which part."""

    def __init__(self, text: str, name: str | None = None, hub_id: str | None = None) -> None:
        super().__init__(text)
        self.name = name
        """The repo it is about, if that much could be read."""
        self.hub_id = hub_id
        """Its `_id`, likewise."""


def parse_json(data: bytes, what: str) -> Any:
    """An answer's JSON. Raises HubError(INVALID) for anything else: HTML, half a document, nothing, endless depth."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        kind = "an HTML page" if data.lstrip()[:1] == b"<" else "an empty answer" if not data.strip() else "broken JSON"
        raise HubError(HubProblem.INVALID, f"{what}: the Hub sent {kind} instead of JSON; trying again later") from None


def sighting(item: Any) -> Sighting:
    """One item of a listing or an info answer. Raises OddItem when it has no usable `_id` and name.

    Every other field that is odd is left out: what the Hub derives may be missing, null or new.
    """
    if not isinstance(item, Mapping):
        raise OddItem("an item that is not an object")
    hub_id, name = item.get("_id"), item.get("id") or item.get("modelId")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        known = hub_id if isinstance(hub_id, str) and HUB_ID.fullmatch(hub_id) else None
        raise OddItem(f"an item with the id {_short(name)}", hub_id=known)
    if not isinstance(hub_id, str) or not HUB_ID.fullmatch(hub_id):
        raise OddItem(f"{name}: no usable _id", name)
    tags = _tags(item.get("tags"))
    return Sighting(
        hub_id=hub_id,
        name=name,
        sha=_sha(item.get("sha")),
        last_modified=_moment(item.get("lastModified")),
        created_at=_moment(item.get("createdAt")),
        gated=_gated(item.get("gated")),
        disabled=item.get("disabled") is True,
        private=item.get("private") is True,
        tags=tags,
        license=_tag(tags, "license:"),
        pipeline_tag=_word(item.get("pipeline_tag")),
        library_name=_word(item.get("library_name")),
        base_models=_relations(item.get("baseModels"), tags),
        stored_parameters=_stored(item.get("safetensors")),
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 96 else None


def _sha(value: Any) -> str | None:
    return value if isinstance(value, str) and SHA.fullmatch(value) else None


def _gated(value: Any) -> str | None:
    if value in (False, None):
        return None
    return value if isinstance(value, str) and len(value) <= 16 else "auto"


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(tag for tag in value[:MAX_TAGS] if isinstance(tag, str) and len(tag) <= 256)


def _tag(tags: tuple[str, ...], prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), None)


def _relations(value: Any, tags: tuple[str, ...]) -> tuple[BaseModel, ...]:
    """Declared bases, from `baseModels` or the tags that carry the same: `base_model:quantized:org/name`."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag.startswith("base_model:"):
            relation, separator, base = tag.removeprefix("base_model:").rpartition(":")
            if NAME.fullmatch(base):
                found[base] = relation if separator else found.get(base, "base")
    groups = value if isinstance(value, list) else [value]
    for group in groups:
        if isinstance(group, Mapping) and isinstance(group.get("models"), list):
            for model in group["models"]:
                name = model.get("id") if isinstance(model, Mapping) else None
                if isinstance(name, str) and NAME.fullmatch(name):
                    found[name] = _word(group.get("relation")) or found.get(name, "base")
    return tuple(BaseModel(relation=relation, id=base) for base, relation in found.items())


def _stored(value: Any) -> int | None:
    """The sum over dtypes; the Hub's own `total` is sometimes wrong."""
    counts = value.get("parameters") if isinstance(value, Mapping) else None
    if not isinstance(counts, Mapping) or not counts:
        return None
    numbers = [count for count in counts.values() if isinstance(count, int) and not isinstance(count, bool)]
    return sum(numbers) if len(numbers) == len(counts) and 0 <= sum(numbers) < 2**62 else None


def tree_file(item: Any) -> TreeFile | None:
    """One item of a tree; None for a folder. Raises OddItem for a file without a usable path, blob id or size."""
    if not isinstance(item, Mapping):
        raise OddItem("a tree item that is not an object")
    if item.get("type") == "directory":
        return None
    path, oid, size = item.get("path"), item.get("oid"), item.get("size")
    if not isinstance(path, str) or not 0 < len(path) <= MAX_PATH or path.startswith("/") or ".." in path.split("/"):
        raise OddItem(f"a file with the path {_short(path)}")
    if not isinstance(oid, str) or not SHA.fullmatch(oid) or not isinstance(size, int) or not 0 <= size < 2**62:
        raise OddItem(f"{_short(path)}: no usable blob id or size")
    lfs = item.get("lfs")
    sha256 = lfs.get("oid") or lfs.get("sha256") if isinstance(lfs, Mapping) else None
    return TreeFile(path=path, oid=oid, size=size, lfs_sha256=_sha(sha256))
