"""Bytes: the cache, the constant state, the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from watcher.architecture import cache
from watcher.architecture.belief import Beliefs
from watcher.architecture.config import Absent, Config
from watcher.architecture.derive.layers import Extra, Kind
from watcher.architecture.stack import Layer

T = TypeVar("T")
WEIGHT_FILES = (".safetensors", ".bin", ".pth", ".gguf")
FACTS = ("bytes_per_token", "nominal_bytes_per_token", "state_bytes", "at")


def _try(beliefs: Beliefs, fact: str, compute: Callable[[], T]) -> T | None:
    try:
        return compute()
    except Absent as error:
        beliefs.lack(fact, str(error))
    except (ArithmeticError, TypeError, ValueError):
        beliefs.lack(fact, "the config holds values that do not fit together")
    return None


def kind_bytes(beliefs: Beliefs, config: Config, kinds: list[Kind]) -> Extra:
    """Cache growth and constant state of one layer of each kind."""
    extra: Extra = {}
    for kind in kinds:
        path = f"layers.kinds.{kind.id}"
        grows = _try(beliefs, f"{path}.cache_bytes_per_token", lambda: cache.growth(config, kind.layer))  # noqa: B023
        state = _try(beliefs, f"{path}.state_bytes", lambda: cache.state(config, kind.layer))  # noqa: B023
        extra[kind.id] = {"cache_bytes_per_token": None if grows is None else round(grows), "state_bytes": state}
        if grows is not None:
            beliefs.claim(f"{path}.cache_bytes_per_token", grows, (f"{path}.num_key_value_heads", f"{path}.qk_dim"))
        if state is not None:
            beliefs.claim(f"{path}.state_bytes", state, (f"{path}.mixer",))
    return extra


def tell_cache(beliefs: Beliefs, config: Config, layers: list[Layer]) -> None:
    """What the cache of the whole stack grows by, what tables count, and what is held at some lengths."""
    if not layers:
        for fact in FACTS:
            beliefs.lack(f"kv_cache.{fact}", beliefs.unknown.get("layers", "the layers are unknown"))
        return
    sums: tuple[tuple[str, Callable[[], float]], ...] = (
        ("bytes_per_token", lambda: _plain(sum(cache.growth(config, layer) for layer in layers))),
        ("nominal_bytes_per_token", lambda: _plain(sum(cache.nominal(config, layer) for layer in layers))),
        ("state_bytes", lambda: sum(cache.state(config, layer) for layer in layers)),
    )
    for name, compute in sums:
        value = _try(beliefs, f"kv_cache.{name}", compute)
        if value is not None:
            beliefs.claim(f"kv_cache.{name}", value, ("layers.kinds",))
    _lengths(beliefs, config, layers)
    beliefs.claim("kv_cache.dtype", "bf16", ("kv_cache.bytes_per_token",))


def _lengths(beliefs: Beliefs, config: Config, layers: list[Layer]) -> None:
    state = beliefs.get("kv_cache.state_bytes")
    at: dict[str, int | None] = {}
    for length in cache.LENGTHS:
        held = _try(beliefs, "kv_cache.at", lambda: cache.at_length(config, layers, length))  # noqa: B023
        at[str(length)] = None if held is None or state is None else held + state
    if None in at.values():
        beliefs.lack("kv_cache.at", beliefs.unknown.get("kv_cache.state_bytes", "the state of a layer is not known"))
        return
    beliefs.claim("kv_cache.at", at, ("kv_cache.bytes_per_token", "kv_cache.state_bytes"))


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


PRECISIONS = (("bf16", 4), ("fp8", 2), ("int4", 1))
"""Precision → half-bytes of a weight."""


def tell_memory(beliefs: Beliefs, sizes: Mapping[str, int]) -> None:
    """Bytes of the weights by precision, and as the files are."""
    total = beliefs.get("parameters.total")
    for name, halves in PRECISIONS:
        fact = f"memory.weights_bytes.{name}"
        if total is None:
            beliefs.lack(fact, "the number of parameters is unknown")
        else:
            beliefs.claim(fact, total * halves // 2, ("parameters.total",))
    published = sum(size for path, size in sizes.items() if path.endswith(WEIGHT_FILES))
    if published:
        beliefs.claim("memory.weights_bytes.published", published, "sizes of the weight files", "hub")
    beliefs.lack("memory.weights_bytes.published", "no file sizes were given")
