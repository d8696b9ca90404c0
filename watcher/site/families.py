"""The families of attention that charts tell apart: by colour, and by the shape of a mark or a word in a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.report.sketch import words
from watcher.site.model import Row


@dataclass(frozen=True, slots=True)
class Family:
    """One family."""

    label: str
    short: str
    """For inside a bar."""
    mark: str
    """Its shape around the origin, about 10 px wide, as an SVG path."""


FAMILIES: Final[dict[str, Family]] = {
    "attention": Family("full attention (MHA, GQA, MQA)", "full", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"),
    "window": Family("windowed attention in the mix", "window", "M-4.6-4.6h9.2v9.2h-9.2z"),
    "latent": Family("latent attention (MLA)", "latent", "M0-6.4L6.4 0 0 6.4-6.4 0z"),
    "compressed": Family("sparse or compressed attention", "sparse", "M0-6.2L6 4.6H-6z"),
    "linear": Family("linear or recurrent layers", "linear", "M0 6.2L6-4.6H-6z"),
    "convolution": Family("convolutions in the mix", "conv", "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z"),
    "other": Family("other", "other", "M-5.6-3L-3-5.6 0-2.6 3-5.6 5.6-3 2.6 0 5.6 3 3 5.6 0 2.6-3 5.6-5.6 3-2.6 0z"),
}
"""The plainest first; a model counts as the last one it has."""
ORDER: Final = list(FAMILIES)


def family(row: Row) -> str:
    """The family of attention a model counts as."""
    found = {words.mixer(kind).family for kind in row.mix if kind not in words.SUBLAYERS}
    if row.sparse:
        found.add("compressed")
    known = [name if name in FAMILIES else "other" for name in found if name != "unknown"]
    return max(known, key=ORDER.index, default="other")


def marks() -> str:
    """The shapes, for `use` elements to draw."""
    return "".join(f'<path id="m-{name}" class="f-{name}" d="{item.mark}"/>' for name, item in FAMILIES.items())
