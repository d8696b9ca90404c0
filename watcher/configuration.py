"""config.toml and the environment → Settings, with errors that name the key."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watcher.errors import ConfigurationError
from watcher.section import ChannelSettings, Section
from watcher.settings import HubSettings, ReportSettings, Settings, StoreSettings, WatchSettings

RESERVED = frozenset({"WATCHER_CONFIG", "WATCHER_NOW", "WATCHER_SHARED"})
SECRET_KEYS = frozenset("token url secret previous_secret password authorization topic webhook heartbeat".split())
"""Keys whose values no error shows."""


def find_configuration(given: str | None, environment: Mapping[str, str]) -> Path | None:
    """The configuration file: `--config`, `$WATCHER_CONFIG`, `./config.toml`, the user's, the system's; else None."""
    named = given or environment.get("WATCHER_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise ConfigurationError(f"{named}: there is no such file; `watcher init` writes one to start from")
        return path
    home = Path(environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".config")
    places = [Path("config.toml"), home / "watcher" / "config.toml", Path("/etc/watcher/config.toml")]
    return next((place for place in places if place.is_file()), None)


def load_settings(given: str | None, environment: Mapping[str, str], *, required: bool = True) -> Settings:
    """Read the configuration, with overrides from the environment.

    Raises ConfigurationError for everything that is wrong in it, a line each; with `required`, also when there is none.
    """
    path = find_configuration(given, environment)
    if path is None and required:
        raise ConfigurationError(
            "no config.toml here, in the user's or in the system's configuration folder; `watcher init` writes one"
        )
    data = _read_toml(path) if path else {}
    folder = path.resolve().parent if path else Path.cwd()
    _override(data, environment)
    if environment.get("HF_ENDPOINT"):
        data.setdefault("hub", {})["endpoint"] = environment["HF_ENDPOINT"]
    hub = data.setdefault("hub", {})
    if isinstance(hub, dict):
        hub.setdefault("token", "env:HF_TOKEN")
    context = {"environment": environment, "folder": folder}
    try:
        return Settings.model_validate({**data, "folder": folder}, context=context)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, path, data)) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from None


def _override(data: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Lay `WATCHER_SECTION__KEY=value` over the file; lists are JSON."""
    for name, text in environment.items():
        if not name.startswith("WATCHER_") or name in RESERVED or "__" not in name:
            continue
        section, *rest = [part.lower() for part in name.removeprefix("WATCHER_").split("__")]
        target: Any = data.setdefault(section, {})
        if section == "channels":
            target = _channel_named(data, rest.pop(0) if rest else "", name)
        if len(rest) != 1 or not isinstance(target, dict):
            raise ConfigurationError(f"{name}: write WATCHER_SECTION__KEY or WATCHER_CHANNELS__NAME__KEY")
        target[rest[0]] = _from_text(text, name)


def _channel_named(data: dict[str, Any], wanted: str, variable: str) -> Any:
    channels = data.get("channels") or []
    for channel in channels if isinstance(channels, list) else []:
        if isinstance(channel, dict) and _flat(str(channel.get("name", ""))) == _flat(wanted):
            return channel
    raise ConfigurationError(f"{variable}: config.toml has no channel named {wanted!r}")


def _flat(name: str) -> str:
    """A channel's name as an environment variable can spell it."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


def _from_text(text: str, name: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{name}: is not JSON: {error}") from None


def _explain(error: ValidationError, path: Path | None, data: Mapping[str, Any]) -> str:
    where = f"{path}: " if path else "configuration: "
    return "\n".join(where + _sentence(item, data) for item in error.errors(include_url=False))


def _sentence(item: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    location = list(item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{_key(location, data)}: unknown key{_nearest(location)}"
    if item["type"] == "missing":
        return f"{_key(location, data)}: is missing"
    message = str(item["msg"]).removeprefix("Value error, ").replace("Input should be", "should be")
    value = item.get("input")
    shown = f"{value!r} " if isinstance(value, (str, int, float)) and not _is_secret(location) else ""
    key = _key(location, data)
    return f"{key}: {shown}{message}" if key else message


def _is_secret(location: list[Any]) -> bool:
    return any(str(part) in SECRET_KEYS for part in location)


def _key(location: list[Any], data: Mapping[str, Any]) -> str:
    """The dotted key; channels by name where they have one."""
    if len(location) > 1 and location[0] == "channels" and isinstance(location[1], int):
        channels = data.get("channels")
        channel = channels[location[1]] if isinstance(channels, list) else {}
        name = channel.get("name") if isinstance(channel, dict) else None
        location = ["channels", name or f"[{location[1]}]", *location[2:]]
    return ".".join(str(part) for part in location)


def _nearest(location: list[Any]) -> str:
    """` (did you mean …?)` and the keys that are allowed there."""
    sections: dict[str, type[Section]] = {
        "hub": HubSettings,
        "watch": WatchSettings,
        "store": StoreSettings,
        "reports": ReportSettings,
        "channels": ChannelSettings,
    }
    section = sections.get(str(location[0]), Settings) if len(location) > 1 else Settings
    allowed = [name for name in section.model_fields if name != "folder"]
    close = difflib.get_close_matches(str(location[-1]), allowed, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{hint} Allowed: {', '.join(allowed)}" if section is not ChannelSettings or close else hint
