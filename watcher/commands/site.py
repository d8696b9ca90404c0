"""The archive as a site: build it, look at it."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watcher.commands.base import Verb, say, settings_of
from watcher.errors import ConfigurationError

if TYPE_CHECKING:
    from watcher.settings import Settings
    from watcher.store.engine import Store

DIRECTORY = Path("site")
PORT = 8484


def site(options: argparse.Namespace) -> int:
    """The archive as a static site: build it from reports and baselines, or serve it on this machine."""
    from watcher.site.build import TITLE, build

    settings = settings_of(options, required=False)
    folder, url = options.output or DIRECTORY, address(options.url or settings.reports.public_url)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"-o {folder}: is a file; name a folder")
    with _store(settings) as store:
        built = build(
            folder, store=store, reports=settings.reports_directory, url=url, title=options.title or TITLE, say=say
        )
    told = f"{built.models} models, {built.pages} made anew; {built.written} files written, {built.removed} removed"
    say(f"built {folder}: {told}")
    if not url:
        say("no public address is known, so links in feeds and sitemap are relative; --url names it")
    return _serve(folder, options.port) if options.action == "serve" else int(bool(built.skipped))


def address(text: str) -> str:
    """A public address that ends with a slash; empty for none. Raises ConfigurationError."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        fine = False
    if not fine:
        raise ConfigurationError(f"--url: {text!r} is no address; write for example https://example.org/models/")
    return f"{text.rstrip('/')}/"


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[Store | None]:
    """The store where there is one; looking at the catalog alone makes none."""
    from watcher.store.engine import open_store

    path = settings.store_url.removeprefix("sqlite:///")
    if settings.store_url.startswith("sqlite") and not Path(path).is_file():
        yield None
        return
    with open_store(settings.store_url) as store:
        yield store


def _serve(folder: Path, port: int) -> int:
    """Until it is interrupted."""
    from watcher.site.serve import HOST, open_server

    with open_server(folder, port) as server:
        say(f"serving http://{HOST}:{server.server_address[1]}/ (Ctrl-C ends it)")
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["build", "serve"], help="build it, or build and show it on this machine")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="the folder (default: site)")
    parser.add_argument("--url", default="", help="its public address (default: reports.public_url)")
    parser.add_argument("--title", default="", help="what the site is called")
    parser.add_argument("--port", type=int, default=PORT, help=f"for serve (default: {PORT}; 0 takes a free one)")


VERBS = (Verb("site", site, "watcher site build -o public\n  watcher site serve", _arguments),)
