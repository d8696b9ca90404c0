"""`watcher demo`: a Hub stand-in, real receivers, a real git repository, and eight months in half a minute."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcher.errors import ConfigurationError

if TYPE_CHECKING:
    from watcher.demo.receivers import Receivers
    from watcher.hub.standin import Standin
    from watcher.settings import Settings

Say = Callable[[str], None]


def run_demo(output: Path | None, *, config: str | None, say: Say) -> int:
    """Run the whole product offline and leave everything in a folder; 0 when every step went well."""
    from watcher.demo.receivers import Receivers
    from watcher.demo.story import CHAPTERS, START, begin
    from watcher.hub.standin import Standin

    folder = _folder(output)
    say(f"watcher demo: real models, real receivers, nothing leaves this machine; everything goes to {folder}")
    with _loopback(), Standin(begin()) as standin, Receivers(folder / "received") as receivers:
        remote = _git_remote(folder)
        settings = demo_settings(config, folder, standin, receivers, remote)
        standin.world.organizations |= set(settings.watch.organizations)
        failed = _cycle(settings, START, "the first look at every organization: known, not announced", say)
        for chapter in CHAPTERS:
            standin.world.advance(chapter.at - standin.world.now)
            chapter.happen(standin.world)
            say(f"\n{chapter.at:%Y-%m-%d}  {chapter.about}")
            for wait in chapter.looks:
                failed += _cycle(settings, standin.world.advance(wait), "", say)
        failed += _cycle(settings, standin.world.now, "once more, with nothing new", say)
        _tell(folder, standin, receivers, remote, say)
    return int(bool(failed))


def _folder(output: Path | None) -> Path:
    try:
        if output is None:
            return Path(tempfile.mkdtemp(prefix="watcher-demo-"))
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{output}: cannot be made: {error.strerror}") from None
    if any(output.iterdir()):
        raise ConfigurationError(f"{output}: is not empty; name a new folder, the demo never writes over anything")
    return output.resolve()


@contextlib.contextmanager
def _loopback() -> Iterator[None]:
    """Proxies stay out of it, and put back afterwards."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _git_remote(folder: Path) -> Path:
    remote = folder / "reports.git"
    command = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise ConfigurationError("the demo needs git; install it") from None
    return remote


def demo_settings(config: str | None, folder: Path, standin: Standin, receivers: Receivers, remote: Path) -> Settings:
    """The settings of the demo; a given configuration keeps its filters, every address in it is replaced."""
    from watcher.configuration import load_settings
    from watcher.settings import Settings

    data = _given(load_settings(config, {})) if config else _own()
    data["hub"] = {"endpoint": standin.url, "token": ""}
    data["store"] = {"url": "sqlite:///watcher.db"}
    data["reports"] = {"directory": "reports"}
    for channel in data["channels"]:
        _redirect(channel, folder, receivers, remote)
    return Settings.model_validate({**data, "folder": folder}, context={"environment": {}, "folder": folder})


def _own() -> dict[str, Any]:
    from watcher.demo.story import ORGANIZATIONS

    return {
        "watch": {"organizations": list(ORGANIZATIONS), "tasks": [], "settle": "20m"},
        "channels": [
            {"name": "slack", "type": "slack"},
            {"name": "discord", "type": "discord"},
            {"name": "webhook", "type": "webhook", "secret": "whsec_ZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1v"},
            {"name": "archive", "type": "git", "path": "reports"},
        ],
    }


def _given(settings: Settings) -> dict[str, Any]:
    """A configuration as plain data without anything secret."""
    watch = settings.watch.model_dump(exclude={"include", "exclude"})
    watch |= {key: [item.text for item in getattr(settings.watch, key)] for key in ("include", "exclude")}
    channels = []
    for channel in settings.channels:
        hidden = {key for key, _ in channel.secrets()} | {"include", "exclude"}
        kept = channel.model_dump(exclude=hidden)
        channels.append(kept | {key: [item.text for item in getattr(channel, key)] for key in ("include", "exclude")})
    return {"watch": watch, "channels": channels}


def _redirect(channel: dict[str, Any], folder: Path, receivers: Receivers, remote: Path) -> None:
    """Point a channel at something local."""
    channel |= receivers.table(channel["type"], channel["name"])
    if channel["type"] == "git":
        channel["repository"] = str(remote)
    if channel["type"] == "folder":
        channel["path"] = str(folder / channel["name"])


def _cycle(settings: Settings, now: datetime, about: str, say: Say) -> int:
    """One `once` at this moment, as a command of its own would do it; the number of errors."""
    from watcher import cycle
    from watcher.runtime import running

    if about:
        say(f"\n{now:%Y-%m-%d}  {about}")
    environment: Mapping[str, str] = {"WATCHER_NOW": now.isoformat(), "HOME": str(settings.folder)}
    with running(settings, environment, lambda line: say(f"  {now:%H:%M}  {line}")) as context:
        cycle.once(context)
        context.journal.say(cycle.summary(context))
        return context.journal.counts.get("errors", 0)


def _tell(folder: Path, standin: Standin, receivers: Receivers, remote: Path, say: Say) -> None:
    commits = subprocess.run(
        ["git", "-C", str(remote), "rev-list", "--count", "main"], capture_output=True, text=True, check=False
    )
    pages = sorted((folder / "reports").glob("*/*/*.md"))
    said = ", ".join(f"{channel} {count}" for channel, count in sorted(receivers.counts.items()))
    say(f"\n{len(standin.log)} requests to the stand-in; messages received: {said or 'none'}")
    say(f"reports ({len(pages)}), begin with the index:  {folder / 'reports' / 'README.md'}")
    say(f"what the receivers got, to the byte:           {folder / 'received'}")
    say(f"the git repository ({commits.stdout.strip() or 0} commits):           {remote}")
    say(f"the store:                                     {folder / 'watcher.db'}")
