"""The templates, with escaping always on, and the files every page needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from watcher import __version__
from watcher.report.numbers import count, size

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
"""Nothing from anywhere but the site itself, no inline script, no inline style."""
NAVIGATION = (
    ("index.html", "Gallery"),
    ("timeline.html", "Timeline"),
    ("lineage.html", "Lineage"),
    ("charts.html", "Charts"),
    ("compare.html", "Compare"),
)
ROOMS = ("watcher.site", "watcher.report.sketch", "watcher.baselines")
"""Whatever is in these shapes the pages."""


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says of the whole."""

    title: str
    url: str
    """Public address, empty when not told."""
    version: str
    catalog: str


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("watcher.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = count
    made.filters["size"] = size
    made.globals.update(policy=POLICY, navigation=NAVIGATION)
    return made


def render(template: str, site: Site, here: str, **values: Any) -> str:
    """One page; `here` is its path, from which links to the rest start."""
    root = "../" * here.count("/")
    return _environment().get_template(template).render(site=site, root=root, here=here, **values)


def assets() -> Mapping[str, bytes]:
    """Style sheet, scripts and icon by path."""
    folder = resources.files("watcher.site").joinpath("assets")
    return {f"assets/{item.name}": item.read_bytes() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


def edition(*options: str) -> str:
    """A digest of everything that shapes a page beside the models: program, templates, options."""
    digest = hashlib.sha256("\0".join((__version__, *options)).encode("utf-8", "replace"))
    waiting = [resources.files(room) for room in ROOMS]
    while waiting:
        item = waiting.pop(0)
        if item.is_dir() and item.name != "__pycache__":
            waiting += sorted(item.iterdir(), key=lambda each: each.name)
        elif item.is_file():
            digest.update(item.name.encode() + item.read_bytes())
    return digest.hexdigest()[:24]
