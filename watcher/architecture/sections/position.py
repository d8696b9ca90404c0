"""How order gets in: base, scaling and rotated share of RoPE; learned positions; ALiBi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watcher.architecture.config import Absent, Config, is_word
from watcher.architecture.jsonsafe import as_mapping
from watcher.architecture.mixers import is_mla
from watcher.architecture.sections.notes import Notes
from watcher.architecture.stack import Stack

Where = str | None

NOT_SCALED = frozenset({"default", "mrope", "none", "rope", "axial"})
SAME_SCALING = {"su": "longrope", "deepseek_yarn": "yarn", "ntk": "dynamic", "telechat3-yarn": "yarn"}
SHARES = ("partial_rotary_factor", "rotary_pct", "rope_pct", "rope_percentage")
WIDTHS = ("rotary_dim", "rope_dim", "rotary_emb_dim", "rope_head_dim", "qk_rope_head_dim")


def position(notes: Notes, stack: Stack | None) -> None:
    """Everything about positions that the config tells."""
    main, where = _rope_part(notes)
    _theta(notes, main, where)
    _scaling(notes, main, where)
    _share(notes, main, where)
    _tables(notes)


def _rope_part(notes: Notes) -> tuple[Mapping[str, Any], Where]:
    """The object with the RoPE parameters of the full layers: v5's `rope_parameters`, which may be nested by kind."""
    config = notes.config
    rope, told = config.part("rope_parameters"), config.where("rope_parameters")
    senseless = [name for name in ("full_attention", "main") if not isinstance(rope.get(name, {}), dict)]
    if senseless or (config.has("rope_parameters") and not rope):
        raise Absent(f"{'.'.join([str(told), *senseless])} tells no RoPE")
    for name in ("full_attention", "main"):
        if isinstance(rope.get(name), dict):
            return rope[name], f"{config.where('rope_parameters')}.{name}"
    nested = next((name for name, item in rope.items() if isinstance(item, dict) and "rope_theta" in item), None)
    if nested is not None:
        return rope[nested], f"{config.where('rope_parameters')}.{nested}"
    return rope, config.where("rope_parameters")


def _theta(notes: Notes, main: Mapping[str, Any], where: Where) -> None:
    value, told = main.get("rope_theta"), f"{where}.rope_theta"
    computed = not notes.config.has("rope_parameters")  # by the class: what the file says itself comes first
    if value is None or (computed and notes.config.has_any("theta")):
        value, told = notes.config.number("theta"), notes.config.where("theta") or ""
    if isinstance(value, list) and value and all(item == value[0] for item in value):
        value = value[0]
    if isinstance(value, dict) and "global" in value:
        value, told = value["global"], f"{told}.global"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e18:
        notes.put("position.rope_theta", value, told)
    elif value is not None:
        notes.lack("position.rope_theta", f"{told} is no base")


def _scaling(notes: Notes, main: Mapping[str, Any], where: Where) -> None:
    config = notes.config
    scaling, told = config.part("rope_scaling"), config.where("rope_scaling")
    if not scaling:
        scaling, told = main, where
    key = next((key for key in ("rope_type", "type") if isinstance(scaling.get(key), str)), None)
    name = scaling[key][:40] if key else None
    wordless = next((key for key in ("rope_type", "type") if key in scaling), None)
    if key is None and wordless is not None:
        notes.lack("position.scaling", f"{told}.{wordless} is no word")
    if "mrope_section" in scaling:
        notes.put("position.sections", True, f"{told}.mrope_section")
    if name is not None and not is_word(name):
        notes.lack("position.scaling", f"{told}.{key} is no word")
    elif name is not None and name not in NOT_SCALED:
        notes.put("position.scaling", SAME_SCALING.get(name, name), f"{told}.{key}")
    elif config.has("yarn") and as_mapping(config.get("yarn")):
        notes.put("position.scaling", "yarn", config.where("yarn"))
    elif config.has("rope_factor") and config.get("original_seq_len"):
        notes.put("position.scaling", "yarn", config.where("rope_factor"))


def _share(notes: Notes, main: Mapping[str, Any], where: Where) -> None:
    """The share of each head that is rotated, where it is a part."""
    config, path = notes.config, "position.partial_rotary_factor"
    key = next((key for key in SHARES if key in main), None)
    if key is not None:
        _put_share(notes, path, main[key], f"{where}.{key}")
        return
    for key in SHARES:
        if config.has(key):
            _put_share(notes, path, config.get(key), config.where(key))
            return
    width = next((key for key in WIDTHS if config.has(key)), None)
    head = config.number("head_dim") or _even_share(config)
    if width and not is_mla(config) and isinstance(head, int) and head > 0:
        value = config.number(width)
        _put_share(notes, path, value / head if value is not None else None, config.where(width))


def _even_share(config: Config) -> int | None:
    """The size of a head where the heads share the width evenly."""
    hidden, heads = config.size("hidden_size"), config.size("heads")
    return hidden // heads if hidden and heads and hidden % heads == 0 else None


def _put_share(notes: Notes, path: str, value: object, where: Where) -> None:
    """A share below one; a stated whole head is told as one, so that no class default is taken for it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1:
        notes.put(path, float(value), where)
    elif value is not None:
        notes.lack(path, f"{where} is no share of a head")


TABLES = {"absolute": "learned", "learned_absolute": "learned", "learned": "learned", "alibi": "alibi"}


def _tables(notes: Notes) -> None:
    """Positions that are not rotary, where a key names them."""
    config = notes.config
    named = TABLES.get(config.word("position_embedding_type") or "")
    if named and config.has("position_embedding_type"):
        notes.put("position.kinds", (named,), config.where("position_embedding_type"))
    for key in ("alibi", "use_alibi"):
        if config.flag(key):
            notes.put("position.kinds", ("alibi",), config.where(key))
