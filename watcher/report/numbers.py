"""Numbers as the field writes them: 744B, 37.6B, 1.04T, 87.8 KiB, 128k."""

from __future__ import annotations

LARGEST = 10**24
"""From here on a number is no size of anything."""
BEYOND = "out of range"


def count(value: float | None) -> str:
    """Parameters: 0.6B, 30.5B, 671B, 1.04T; `unknown` for None."""
    if value is None:
        return "unknown"
    if not abs(value) < LARGEST:
        return BEYOND
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size * 0.9995:
            return _digits(value / size) + unit
    return str(round(value))


def _digits(value: float) -> str:
    text = f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: float | None) -> str:
    """Bytes in binary units: 68.6 KiB, 1.25 TiB."""
    if value is None:
        return "unknown"
    if not abs(value) < LARGEST:
        return BEYOND
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if value >= 1024**power:
            return f"{_digits(value / 1024**power)} {unit}"
    return f"{value:g} B"


def tokens(value: float | None) -> str:
    """A context length: 8k, 128k, 1M; exact where it is no round number."""
    if value is None:
        return "unknown"
    if not abs(value) < LARGEST:
        return BEYOND
    if value >= 2**20:
        return f"{int(value) // 2**20}M" if value % 2**20 == 0 else f"{int(value):,}"
    return f"{int(value) // 1024}k" if value >= 1024 and value % 1024 == 0 else f"{int(value):,}"
