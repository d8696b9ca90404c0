"""Which layers have experts: lists and masks, prefixes, periods and steps, as configs write them."""

from __future__ import annotations

from watcher.architecture.config import Absent, Config

MASKS = ("mlp_layer_types", "moe_layer_freq", "moe_layers_mask")
"""Lists with one item a layer that say where experts are."""


def _sparse_word(item: object) -> bool | None:
    """Whether an entry means experts; None for one that is not known."""
    if item in (0, 1):
        return bool(item)
    text = item if isinstance(item, str) else ""
    return True if "sparse" in text or "moe" in text else False if text in ("dense", "mlp", "ffn") else None


def sparse_layers(config: Config, count: int) -> tuple[list[bool], str | None]:
    """Which layers have experts instead of a dense feed-forward part, and the key that says so."""
    for key in MASKS:
        if isinstance(config.get(key), int) and key == "moe_layer_freq":
            continue
        items = config.row(key, count)
        if items:
            known = [_sparse_word(item) for item in items]
            if None in known:
                raise Absent(f"{config.where(key)} has entries that are not known")
            return [bool(item) for item in known], config.where(key)
    if not _has_experts(config):
        return [False] * count, config.where("experts")
    if config.family and config.family.name.startswith("gemma4") and not config.flag("enable_moe_block"):
        return [False] * count, config.where("enable_moe_block")
    where = config.where("moe_layers", "moe_layers_enum", "dense_prefix", "mlp_only_layers", "expert_layer_period")
    return [_is_sparse(config, index) for index in range(count)], where or config.where("experts")


def _has_experts(config: Config) -> bool:
    """Whether there are experts to choose from. Raises Absent where the keys contradict each other."""
    experts, chosen = config.size("experts", low=0) or 0, config.size("top_k", low=0)
    if experts > 1 and chosen == 0:
        raise Absent(f"{config.where('top_k')} is 0, with {experts} experts")
    if (
        experts == 0
        and chosen
        and config.has_any("experts")
        and config.has_any("top_k")
        and config.has_any("expert_size")
    ):
        raise Absent(f"{config.file} tells the size of experts, and not how many there are")
    return experts > 1


DENSE_PREFIX = {"laguna": 1, "hy_v3": 1}
"""Dense layers at the start where the config does not say how many."""


def _is_sparse(config: Config, index: int) -> bool:
    listed = config.items("moe_layers") or _numbers(config.get("moe_layers_enum"))
    if listed:
        return index in listed
    prefix = config.size("dense_prefix", low=0)
    if index < (DENSE_PREFIX.get(config.model_type or "", 0) if prefix is None else prefix):
        return False
    if index in (config.items("mlp_only_layers") or []):
        return False
    period = config.size("expert_layer_period")
    if period is not None:
        return index % period == (config.size("expert_layer_offset", low=0) or 0)
    return _on_step(config, index)


STEPS = ("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq", "moe_every_n_layers", "route_every_n")


def _on_step(config: Config, index: int) -> bool:
    step = next((item for key in STEPS if (item := config.size(key)) is not None and item > 1), None)
    return step is None or (index + 1) % step == 0


def _numbers(text: object) -> list[int]:
    """Step: layer numbers as `3,4,5`."""
    parts = text.split(",") if isinstance(text, str) and len(text) < 20_000 else []
    return [int(part) for part in parts if part.strip().isdigit() and len(part) < 6]
