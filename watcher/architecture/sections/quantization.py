"""How the published weights are quantised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from watcher.architecture.config import is_word
from watcher.architecture.jsonsafe import Unreadable, as_mapping, load_object
from watcher.architecture.sections.notes import Notes
from watcher.architecture.stack import Stack
from watcher.architecture.witness import Fact

KEYS = ("quantization_config", "quantization", "quant_config", "compression_config")

BITS: tuple[tuple[str, float], ...] = (
    ("nvfp4", 4),
    ("mxfp4", 4),
    ("w4a", 4),
    ("bitnet", 1.58),
    ("int4", 4),
    ("nf4", 4),
    ("awq", 4),
    ("gptq", 4),
    ("fp8", 8),
    ("float8", 8),
    ("w8a", 8),
    ("int8", 8),
    ("float-quantized", 8),
    ("int-quantized", 8),
    ("pack-quantized", 4),
)
"""A sign in the method, algorithm or format → bits of a weight, in look-up order; only where no key states them."""

STATED = ("bits", "weight_bits", "w_bit", "wbits", "num_bits")


def quantization(notes: Notes, stack: Stack | None) -> None:
    """Method and bits of a weight."""
    for part, where in _parts(notes):
        keys = ("quant_method", "quant_algo", "qformat_weight")
        method_key = next((key for key in keys if is_word(part.get(key))), None)
        method = part[method_key].lower() if method_key else "mlx" if "group_size" in part else "unknown"
        notes.put("quantization.method", method, f"{where}.{method_key}" if method_key else where)
        bits, told = _bits(part)
        if bits is None:
            notes.lack("quantization.bits", f"{where} does not tell the bits")
        notes.put("quantization.bits", bits, f"{where}.{told}" if told else where)
        return


def _parts(notes: Notes) -> Iterator[tuple[Mapping[str, Any], str]]:
    config = notes.config
    for source, path in ((config.raw, ""), (config.text, config.path)):
        for key in KEYS:
            part = as_mapping(source.get(key))
            if part:
                yield part, f"{config.file}: {path}{key}"


SIDE_FILES = (("hf_quant_config.json", "quantization"), ("quantize_config.json", ""))
"""Files beside the config that say how the weights are quantised, and the object in them that does."""


def beside(files: Mapping[str, bytes]) -> Iterator[tuple[str, Fact]]:
    """Method and bits from a file of a quantisation tool, for a config that does not tell them."""
    for name, key in SIDE_FILES:
        try:
            found = load_object(files[name]) if name in files else {}
        except Unreadable:
            continue
        part = as_mapping(found.get(key)) if key else found
        method = next((k for k in ("quant_algo", "quant_method") if isinstance(part.get(k), str)), None)
        bits, told = _bits(part)
        where = f"{name}: {key}." if key else f"{name}: "
        if method or bits:
            yield (
                "quantization.method",
                Fact(part[method][:40].lower() if method else "gptq", f"{where}{method or told}"),
            )
        if bits:
            yield "quantization.bits", Fact(bits, f"{where}{told}")


def _bits(part: Mapping[str, Any]) -> tuple[float | int | None, str | None]:
    """(bits, key): stated outright, by its groups (the fewest, as the bulk of the weights has), or by a sign."""
    for key in STATED:
        if _good(part.get(key)):
            return part[key], key
    for key, loaded in (("load_in_4bit", 4), ("load_in_8bit", 8)):
        if part.get(key) is True:
            return loaded, key
    groups = [as_mapping(as_mapping(group).get("weights")) for group in as_mapping(part.get("config_groups")).values()]
    stated = [group["num_bits"] for group in groups if _good(group.get("num_bits"))]
    if stated:
        return min(stated), "config_groups"
    for key in ("moe_quant_algo", "quant_algo", "format", "quant_method", "qformat_weight", "fmt"):
        text = str(part.get(key, "")).lower()
        bits = next((number for sign, number in BITS if sign in text), None)
        if bits is not None:
            return bits, key
    return None, None


def _good(bits: object) -> bool:
    return isinstance(bits, (int, float)) and not isinstance(bits, bool) and 0 < bits <= 32
