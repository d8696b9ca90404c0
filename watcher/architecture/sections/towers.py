"""Parts for other modalities: which, how deep, how wide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.sections.notes import Notes
from watcher.architecture.sections.whole import count_of
from watcher.architecture.stack import Stack

TOWERS: tuple[tuple[str, str], ...] = (
    ("vision_config", "image"),
    ("vision_tower_config", "image"),
    ("vision_encoder_config", "image"),
    ("vision_encoder", "image"),
    ("vit_config", "image"),
    ("visual", "image"),
    ("siglip_config", "image"),
    ("vision_tower", "image"),
    ("mm_vision_tower", "image"),
    ("audio_config", "audio"),
    ("audio_encoder_config", "audio"),
    ("speech_config", "audio"),
    ("speech_encoder_config", "audio"),
    ("acoustic_tokenizer_config", "audio"),
    ("whisper_config", "audio"),
)
"""Key → modality. A tower may be an object, or only the name of the model that it is."""

LAYERS = ("num_hidden_layers", "depth", "encoder_layers", "layers", "num_layers", "n_layers", "image_num_layers")
WIDTHS = ("hidden_size", "d_model", "width", "embed_dim", "n_embed", "dim", "image_emb_dim")
VIDEO = ("video_token_id", "video_token_index", "video_start_token_id")


def towers(notes: Notes, stack: Stack | None) -> None:
    """Each tower once, and the modalities they bring."""
    found: dict[str, tuple[Any, str]] = {}
    for part, path in _places(notes):
        for key, modality in TOWERS:
            value = part.get(key)
            told = value if isinstance(value, dict) and value else value if _named(key, value) else None
            if told is not None and modality not in found:
                found[modality] = (told, f"{path}{key}")
    _senseless(notes)
    for modality, (part, path) in found.items():
        _tower(notes, modality, part, path)
    _modalities(notes, found)
    for modality, part_name, signs in SIGNS:
        none = any(key in notes.config.raw and notes.config.raw[key] is None for key, of in TOWERS if of == modality)
        sign = next((key for key in notes.config.raw if signs.search(key)), None)
        if modality not in found and sign is not None and not none:
            why = f"{notes.config.file}: {sign} speaks of {modality}, and no tower is described"
            notes.lack(f"parameters.{part_name}", why)


def _senseless(notes: Notes) -> None:
    """A part that should be a tower and is no object."""
    for key, modality in TOWERS:
        value = notes.config.raw.get(key)
        if key.endswith("_config") and not isinstance(value or {}, dict):
            part = "vision" if modality == "image" else modality
            notes.lack(f"parameters.{part}", f"{notes.config.file}: {key} is no object")


SIGNS = (
    ("image", "vision", re.compile(r"(^|_)(vision|visual|image|vit|pixel|patch)(_|$)")),
    ("audio", "audio", re.compile(r"(^|_)(audio|speech|acoustic|mel)(_|$)")),
)
"""Keys that speak of another modality, whoever describes its tower."""


def _named(key: str, value: object) -> bool:
    return key.endswith(("tower", "encoder")) and isinstance(value, str) and 0 < len(value) < 200


def _places(notes: Notes) -> Iterator[tuple[Mapping[str, Any], str]]:
    raw = notes.config.raw
    yield raw, ""
    thinker = as_mapping(raw.get("thinker_config"))
    if thinker:
        yield thinker, "thinker_config."


def _tower(notes: Notes, modality: str, part: Any, path: str) -> None:
    where, fact = f"{notes.config.file}: {path}", f"towers.{modality}"
    notes.put(f"{fact}.modality", modality, where)
    kind = part.get("model_type") if isinstance(part, dict) else part
    notes.put(
        f"{fact}.class",
        kind if isinstance(kind, str) and kind else None,
        f"{where}.model_type" if part != kind else where,
    )
    for name, keys, high in (("layers", LAYERS, 2000), ("hidden_size", WIDTHS, 2**24)):
        count = count_of(notes.config, part, keys, high)
        if count is not None:
            notes.put(f"{fact}.{name}", count[0], f"{where}.{count[1]}")
        elif isinstance(part, dict) and (key := next((key for key in keys if key in part), None)) is not None:
            notes.lack(f"{fact}.{name}", f"{where}.{key} is no count")


def _modalities(notes: Notes, found: Mapping[str, tuple[Any, str]]) -> None:
    raw = notes.config.raw
    paths = [path for _, path in found.values()]
    words = dict.fromkeys(["text", *found])
    video = next((key for key in VIDEO if key in raw), None)
    if video is not None and "image" in words:
        words["video"] = None
        paths.append(video)
    if paths:
        notes.put("model.modalities", tuple(words), f"{notes.config.file}: {paths[0]}")
