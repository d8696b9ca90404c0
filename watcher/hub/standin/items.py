"""A repo of the stand-in as the Hub's API describes it: the fields, and what the Hub derives from the files."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watcher.hub.standin.repo import Commit, File, ModelRepo, Weights
from watcher.hub.standin.world import World

ASKABLE = (
    "author",
    "baseModels",
    "cardData",
    "config",
    "createdAt",
    "disabled",
    "downloads",
    "downloadsAllTime",
    "evalResults",
    "gated",
    "gguf",
    "inference",
    "inferenceProviderMapping",
    "lastModified",
    "library_name",
    "likes",
    "mask_token",
    "model-index",
    "pipeline_tag",
    "private",
    "resourceGroup",
    "safetensors",
    "sha",
    "siblings",
    "spaces",
    "tags",
    "transformersInfo",
    "trendingScore",
    "usedStorage",
    "widgetData",
    "xetEnabled",
    "childrenModelCount",
)
"""What `expand` may name."""

BRIEF = ("likes", "private", "downloads", "tags", "pipeline_tag", "library_name", "createdAt")
EXCERPT = ("architectures", "model_type", "quantization_config")
FULL = ("author", "gated", "lastModified", "sha", "siblings")
INFO = (*BRIEF, *FULL, "disabled", "model-index", "config", "cardData", "spaces", "safetensors", "usedStorage")
_FRONT = re.compile(rb"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)


def moment(value: datetime) -> str:
    """A time as the Hub writes it."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


def describe(world: World, repo: ModelRepo, fields: tuple[str, ...], revision: Commit | None = None) -> dict[str, Any]:
    """`_id`, `id` and the fields asked for, as far as the repo has them."""
    commit = revision or repo.head
    every = _every(world, repo, commit) | dict(repo.overrides)
    asked = {name: every[name] for name in fields if name in every}
    return {"_id": every.get("_id", repo.hub_id), "id": every.get("id", repo.name), **asked}


def _every(world: World, repo: ModelRepo, commit: Commit | None) -> dict[str, Any]:
    card = card_data(commit)
    found: dict[str, Any] = {
        "modelId": repo.name,
        "author": repo.organization,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": repo.disabled,
        "createdAt": moment(repo.created_at),
        "downloads": 0,
        "downloadsAllTime": 0,
        "likes": 0,
        "trendingScore": 0,
        "tags": _tags(repo, commit, card),
        "model-index": None,
        "spaces": [],
        "siblings": [{"rfilename": path} for path in sorted(commit.files)] if commit else [],
        "usedStorage": sum(file.size for file in commit.files.values()) if commit else 0,
        "lastModified": moment(commit.at if commit else repo.created_at),
    }
    if commit is not None:
        found["sha"] = commit.sha
    if card:
        found["cardData"] = card
    for key in ("pipeline_tag", "library_name"):
        if isinstance(card.get(key), str):
            found[key] = card[key]
    found |= {key: value for key, value in _derived(world, card, commit).items() if value is not None}
    return found


def _derived(world: World, card: dict[str, Any], commit: Commit | None) -> dict[str, Any]:
    return {
        "config": _config(commit),
        "safetensors": _safetensors(commit),
        "gguf": {"total": 0, "architecture": "unknown"} if commit and _has(commit, ".gguf") else None,
        "baseModels": _bases(world, card),
    }


def card_data(commit: Commit | None) -> dict[str, Any]:
    """The card's front matter: the few lines of YAML that a card of the stand-in has (`key: value`, `- item`)."""
    readme = commit.files.get("README.md") if commit else None
    match = _FRONT.match(readme.content) if readme and isinstance(readme.content, bytes) else None
    found: dict[str, Any] = {}
    key = ""
    for line in (match[1].decode("utf-8", "replace") if match else "").splitlines():
        if line.lstrip().startswith("- ") and key:
            items = found.get(key)
            found[key] = [*(items if isinstance(items, list) else []), line.lstrip()[2:].strip()]
        elif ":" in line and not line.startswith(" "):
            key, _, value = line.partition(":")
            found[key] = value.strip()
    return {name: value for name, value in found.items() if value != ""}


def _bases_of(card: dict[str, Any]) -> list[str]:
    value = card.get("base_model")
    return [value] if isinstance(value, str) else list(value or [])


def _tags(repo: ModelRepo, commit: Commit | None, card: dict[str, Any]) -> list[str]:
    tags = [card["library_name"]] if isinstance(card.get("library_name"), str) else []
    if commit and _has(commit, ".safetensors"):
        tags.append("safetensors")
    config = _json(commit.files.get("config.json") if commit else None)
    if isinstance(config.get("model_type"), str):
        tags.append(config["model_type"])
    tags += card["tags"] if isinstance(card.get("tags"), list) else []
    relation = card.get("base_model_relation")
    for base in _bases_of(card):
        tags.append(f"base_model:{base}")
        tags += [f"base_model:{relation}:{base}"] if relation else []
    if isinstance(card.get("license"), str):
        tags.append(f"license:{card['license']}")
    return [*dict.fromkeys(tags), "region:us"]


def _bases(world: World, card: dict[str, Any]) -> dict[str, Any] | None:
    known = [(base, world.find(base)[0]) for base in _bases_of(card)]
    models = [{"_id": repo.hub_id, "id": base} for base, repo in known if repo]
    return {"relation": card.get("base_model_relation", "finetune"), "models": models} if models else None


def _config(commit: Commit | None) -> dict[str, Any] | None:
    """The Hub's excerpt of config.json: hardly more than the classes."""
    raw = _json(commit.files.get("config.json") if commit else None)
    kept: dict[str, Any] = {key: raw[key] for key in EXCERPT if key in raw}
    return kept or None


def _safetensors(commit: Commit | None) -> dict[str, Any] | None:
    counts: dict[str, int] = {}
    for path, file in (commit.files if commit else {}).items():
        if path.endswith(".safetensors"):
            for dtype, count in header_counts(file).items():
                counts[dtype] = counts.get(dtype, 0) + count
    return {"parameters": counts, "total": sum(counts.values())} if counts else None


def header_counts(file: File) -> dict[str, int]:
    """Elements by dtype, out of a safetensors header."""
    head = file.content.head if isinstance(file.content, Weights) else file.content
    if len(head) < 8:
        return {}
    try:
        header = json.loads(head[8 : 8 + struct.unpack("<Q", head[:8])[0]])
    except ValueError:
        return {}
    counts: dict[str, int] = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for length in tensor["shape"]:
                size *= length
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + size
    return counts


def _has(commit: Commit, suffix: str) -> bool:
    return any(path.endswith(suffix) for path in commit.files)


def _json(file: File | None) -> dict[str, Any]:
    if file is None or not isinstance(file.content, bytes):
        return {}
    try:
        data = json.loads(file.content)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def tree_item(path: str, file: File) -> dict[str, Any]:
    """A file as `/tree` and `/paths-info` list it."""
    item: dict[str, Any] = {"type": "file", "oid": file.oid, "size": file.size, "path": path}
    if file.lfs:
        item["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": len(file.pointer)}
    return item


def sibling(path: str, file: File) -> dict[str, Any]:
    """A file as an info answer with `blobs=true` lists it."""
    item: dict[str, Any] = {"rfilename": path, "blobId": file.oid, "size": file.size}
    if file.lfs:
        item["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": len(file.pointer)}
    return item


def tree_rows(files: Mapping[str, File], prefix: str, deep: bool) -> list[dict[str, Any]]:
    """Files and folders below a folder (`prefix`, with its slash), as a tree lists them."""
    rows: list[dict[str, Any]] = []
    folders: dict[str, None] = {}
    for path, file in files.items():
        parts = path[len(prefix) :].split("/")
        depth = len(parts) if deep else 2
        folders |= {prefix + "/".join(parts[:count]): None for count in range(1, min(len(parts), depth))}
        if deep or len(parts) == 1:
            rows.append(tree_item(path, file))
    listed = [
        {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0, "path": name}
        for name in folders
    ]
    return [*listed, *rows]
