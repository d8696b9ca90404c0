"""The colours, light and dark, as data. Hues tell families of layers apart also for colour-blind eyes; letters help.

The same hue means the same family in every sketch: attention blue, windowed attention sky, latent attention indigo,
compressed attention violet, recurrent and linear layers teal, convolutions green, experts sand, feed-forward grey.
Orange is kept for one thing: what differs from the baseline.
"""

from __future__ import annotations

from typing import Final, Literal

Theme = Literal["light", "dark"]

_PLAIN: Final[dict[str, tuple[str, str]]] = {
    "page": ("#ffffff", "#0d1117"),
    "model": ("#f2f4f7", "#161b22"),
    "inset": ("#fafbfc", "#12171f"),
    "tile": ("#f2f4f7", "#161b22"),
    "part": ("#ffffff", "#0d1117"),
    "feed": ("#dfe3e8", "#343b45"),
    "experts": ("#f4e2ac", "#5b4a1a"),
    "edge": ("#2b3440", "#aab4c0"),
    "faint": ("#b3bcc7", "#485260"),
    "text": ("#17202b", "#e8edf3"),
    "muted": ("#5a6673", "#9aa6b4"),
    "number": ("#1d5fb4", "#7db5ff"),
    "changed": ("#c2410c", "#ff9d5c"),
    "changed-fill": ("#fde3d3", "#4d2612"),
    "changed-text": ("#8f2d06", "#ffc39b"),
    "on-deep": ("#ffffff", "#ffffff"),
    "on-deep-changed": ("#ffc39b", "#ffc39b"),
    "chip": ("#ffffff", "#0d1117"),
    "chip-text": ("#25303c", "#dce3ea"),
    "none": ("none", "none"),
}
"""By name: light, dark."""

_FAMILIES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    # deep (mixer), tint (block), then three shades of the cells
    "attention": (
        ("#27476f", "#e4edf8", "#3f78bd", "#7ba6d9", "#25507f"),
        ("#2f5d96", "#152338", "#5a94dc", "#32598a", "#9cc4f2"),
    ),
    "window": (
        ("#2f6486", "#edf6fb", "#8cc4e4", "#bfe0f1", "#5aa3cb"),
        ("#2d6a8c", "#12242f", "#6fb3d6", "#3b6d87", "#a5d8f0"),
    ),
    "latent": (
        ("#37378a", "#ebebf9", "#5c5fc4", "#a3a5e0", "#3d3f94"),
        ("#4a4cab", "#1c1c3a", "#8789e6", "#4c4e92", "#b9bafa"),
    ),
    "compressed": (
        ("#5b3a83", "#f1eaf8", "#8a63b8", "#c0a5dc", "#66408f"),
        ("#6b479a", "#261a35", "#a981d6", "#63488a", "#d3b9f0"),
    ),
    "linear": (
        ("#17594f", "#e0f2ee", "#2b9484", "#86c8bd", "#176b5f"),
        ("#1f6f63", "#0f2a26", "#40b3a2", "#286a60", "#93ddd1"),
    ),
    "convolution": (
        ("#48661f", "#eff5e2", "#7fa33f", "#bcd391", "#587728"),
        ("#567a27", "#1f2912", "#9bc25a", "#56722b", "#c8e39a"),
    ),
    "experts": (
        ("#7d5f0e", "#fbf4de", "#dab648", "#efdc9f", "#b28d1c"),
        ("#8a6a14", "#2a2310", "#d3b04a", "#756125", "#ecd58b"),
    ),
    "feed": (
        ("#4a5561", "#eff1f4", "#8d99a6", "#c3cad2", "#66727f"),
        ("#56616d", "#1b2027", "#8d99a6", "#525c67", "#b6c0ca"),
    ),
    "other": (
        ("#7a3358", "#f8eaf1", "#b3598a", "#dca7c4", "#8b3d68"),
        ("#8f4169", "#301a25", "#cd7ba6", "#78435f", "#ecb3d0"),
    ),
    "unknown": (
        ("#ffffff", "#f7f8f9", "#c5ccd4", "#dde1e6", "#aab3bd"),
        ("#0d1117", "#14181e", "#4a535e", "#363d46", "#67717c"),
    ),
}
_NAMES: Final = ("deep", "tint", "cell0", "cell1", "cell2")
SHADES: Final = 3
"""How many kinds of one family have cells of their own shade."""


def colours(theme: Theme) -> dict[str, str]:
    """Every colour by name; a family's are `latent.deep`, `latent.tint`, `latent.cell0` …"""
    column = 0 if theme == "light" else 1
    table = {name: pair[column] for name, pair in _PLAIN.items()}
    for family, pair in _FAMILIES.items():
        table |= {f"{family}.{name}": colour for name, colour in zip(_NAMES, pair[column], strict=True)}
    return table
