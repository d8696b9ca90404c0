"""The newest wheel of a package, as the package index that pip is configured for lists it; nothing is downloaded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

import requests
import urllib3.exceptions
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from watcher.architecture.wheel import pip
from watcher.errors import SourceError

MAX_PAGE: Final = 32 * 1024 * 1024
"""Bytes of a package's page."""
TIMEOUT: Final = (10.0, 60.0)
"""Seconds for the connection and for each answer."""
FAILURES: Final = (OSError, urllib3.exceptions.HTTPError, ValueError)
"""What a request and the reading of its answer may end in."""
_ACCEPT: Final = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_DEFAULT: Final = re.compile(r"--index-url <url>.*?\(default (\S+?)\)")
_COMMON: Final = "x86_64"
"""Where a release has wheels of several platforms, the one that most have; the lists inside are the same."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel as the index tells of it."""

    name: str
    url: str
    sha256: str


def index_address() -> str:
    """The index that pip uses: by the environment, else by what pip's help says. Raises SourceError."""
    if stated := os.environ.get("PIP_INDEX_URL"):
        return stated
    found = _DEFAULT.search(" ".join(pip(["download", "--help"], instead="give the wheel").split()))
    if found is None:
        raise SourceError("pip does not tell which package index it uses; give the wheel")
    return found[1]


def newest_wheel(package: str, index: str) -> Wheel:
    """The wheel of the newest final release that is not withdrawn. Raises SourceError where the index has none."""
    try:
        with requests.get(
            f"{index.rstrip('/')}/{package}/", headers={"Accept": _ACCEPT}, timeout=TIMEOUT, stream=True
        ) as answer:
            answer.raise_for_status()
            page = answer.raw.read(MAX_PAGE, decode_content=True)
            found = list(_json(page) if "json" in answer.headers.get("Content-Type", "") else _html(page))
            base = answer.url
    except (*FAILURES, TypeError, KeyError, AttributeError) as error:
        told = f"the package index does not tell its wheels: {reason(error)}; give the wheel"
        raise SourceError(f"{package}: {told}") from None
    ranked = [(rank, wheel) for wheel in found if wheel.sha256 and (rank := _rank(wheel.name)) is not None]
    if not ranked:
        raise SourceError(f"{package}: the package index has no wheel with a SHA-256; give the wheel")
    wheel = max(ranked, key=lambda pair: pair[0])[1]
    return Wheel(wheel.name, urljoin(base, wheel.url), wheel.sha256)


def reason(error: Exception) -> str:
    """What went wrong; never with an address, which may hold a password."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    plain = isinstance(error, (requests.RequestException, urllib3.exceptions.HTTPError))
    return type(error).__name__ if plain else f"{type(error).__name__}: {str(error)[:160]}"


def _rank(name: str) -> tuple[Version, bool, str] | None:
    """What the newest is told by; None for what is no wheel or no final release."""
    try:
        version = parse_wheel_filename(name)[1]
    except (InvalidWheelFilename, ValueError):
        return None
    return None if version.is_prerelease else (version, _COMMON in name or name.endswith("-any.whl"), name)


def _json(page: bytes) -> Iterator[Wheel]:
    """PEP 691."""
    data: dict[str, Any] = json.loads(page)
    for item in data["files"]:
        if not item.get("yanked"):
            yield Wheel(str(item["filename"]), str(item["url"]), str(item["hashes"].get("sha256", "")))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def _html(page: bytes) -> Iterator[Wheel]:
    """PEP 503."""
    links = _Links()
    links.feed(page.decode("utf-8", "replace"))
    for link in links.found:
        url, fragment = urldefrag(link.get("href") or "")
        if "data-yanked" not in link:
            yield Wheel(url.rpartition("/")[2], url, fragment.removeprefix("sha256=") if "sha256=" in fragment else "")
