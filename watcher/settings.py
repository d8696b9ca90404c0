"""config.toml, environment and secret files → Settings, with errors that name the key."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from watcher.errors import ConfigurationError
from watcher.presets import expand_presets
from watcher.publish.registry import settings_class
from watcher.releases.policy import Policy
from watcher.section import ChannelSettings, Duration, ParameterCount, PatternField, SecretField, Section
from watcher.values import Secret, listen_address

RESERVED = frozenset({"WATCHER_CONFIG", "WATCHER_NOW", "WATCHER_SHARED"})
SECRET_KEYS = frozenset("token url secret previous_secret password authorization topic webhook heartbeat".split())
"""Keys whose values no error shows."""

TASKS = ["text-generation", "image-text-to-text", "any-to-any", "audio-text-to-text", "video-text-to-text"]


class WebhookReceiverSettings(Section):
    """The receiver for the Hub's webhooks."""

    listen: str = "127.0.0.1:8790"
    """Address and port; put a proxy with TLS before it."""
    path: str = "/hub"
    secret: SecretField
    """What the Hub sends as `X-Webhook-Secret`."""

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        listen_address(value)
        return value

    @field_validator("path")
    @classmethod
    def _path(cls, value: str) -> str:
        if not value.startswith("/"):
            raise ValueError("a path begins with /")
        return value

    def verify(self) -> str:
        """Raise ConfigurationError for a secret that cannot be read; else say so."""
        try:
            self.secret.resolve()
        except ConfigurationError as error:
            raise ConfigurationError(f"hub.webhooks.secret: {error}") from None
        return f"listens on {self.listen}{self.path}; the secret is set"


class HubSettings(Section):
    """How to reach the Hub."""

    endpoint: str = "https://huggingface.co"
    """Base address; the environment's HF_ENDPOINT wins."""
    token: SecretField = Field(default_factory=lambda: Secret("env:HF_TOKEN", os.environ))
    """Optional: the one `env:` that may be unset."""
    share: float = Field(default=0.2, gt=0, le=1)
    """Share of the rate limit's window that polling may use."""
    anonymous: bool = False
    """Go on without the token when the Hub does not accept it; else that is an error until it is put right."""
    webhooks: WebhookReceiverSettings | None = None
    """Where the daemon listens for the Hub's webhooks; absent: it does not."""

    @field_validator("endpoint")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("an address begins with https:// or http://")
        return value.rstrip("/")

    def read_token(self) -> str | None:
        """The token, or None when `env:…` is unset. Raises ConfigurationError for an unreadable file."""
        reference = self.token.reference
        if reference.startswith("env:") and not self.token.environment.get(reference[4:], "").strip():
            return None
        return self.token.resolve() or None if reference else None


class WatchSettings(Section):
    """What is watched, and how patiently."""

    organizations: list[str] = Field(default_factory=lambda: ["preset:frontier-labs"])
    """Organizations or users of the Hub; `preset:NAME` stands for a shipped list."""
    include: list[PatternField] = Field(default_factory=list)
    """Only repos whose `org/name` one of these covers; empty means all."""
    exclude: list[PatternField] = Field(default_factory=list)
    tasks: list[str] = Field(default_factory=lambda: list(TASKS))
    """Pipeline tags to keep; empty means all. A repo without a tag stays a candidate."""
    libraries: list[str] = Field(default_factory=list)
    """Libraries to keep; empty means all."""
    licenses: list[str] = Field(default_factory=list)
    """Licences to keep; empty means all."""
    gated: bool | None = None
    """True: only gated repos; false: only open ones; absent: both."""
    min_parameters: ParameterCount | None = None
    max_parameters: ParameterCount | None = None
    created_after: datetime | None = None
    """Only repos whose `createdAt` on the Hub is later; a repo that was private for long may show an old one."""
    policies: dict[str, Policy] = Field(default_factory=dict)
    """By organization (or `"*"`): what becomes of models it made from another organization's."""
    interval: Duration = timedelta(minutes=5)
    settle: Duration = timedelta(minutes=20)
    """How long all members of a release must be quiet before it goes out."""
    max_settle: Duration = timedelta(hours=6)
    """End of the wait for quiet, counted from the first member."""
    silence: Duration = timedelta(hours=6)
    """How long nothing may succeed (looking, or delivering to a channel) before the other channels are told."""
    heartbeat: SecretField | None = None
    """Address of a monitor that is pinged around every cycle: itself, `/start` and `/fail`."""
    listen: str = ""
    """`HOST:PORT` where the daemon answers `/health`, `/live` and `/metrics`; empty means nowhere."""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit() and int(port) < 65536):
            raise ValueError("is an address of this machine with a port: 127.0.0.1:9464")
        return value

    @field_validator("organizations")
    @classmethod
    def _presets(cls, names: list[str]) -> list[str]:
        return expand_presets(names)

    @field_validator("created_after")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("policies")
    @classmethod
    def _lower(cls, value: dict[str, Policy]) -> dict[str, Policy]:
        return {name.lower(): policy for name, policy in value.items()}

    @field_validator("interval")
    @classmethod
    def _interval(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("an interval is at least 1s")
        return value


class StoreSettings(Section):
    """Where everything is kept."""

    url: str = "sqlite:///watcher.db"
    """A SQLAlchemy address; a relative SQLite path starts from the folder of config.toml."""
    keep: Duration = timedelta(days=180)
    """How long deliveries that arrived are kept; zero keeps them for ever."""


class ReportSettings(Section):
    """The archive of reports."""

    directory: str = "reports"
    """Folder the pages are written to, relative to config.toml; empty means none."""
    public_url: str = ""
    """Address the folder is published under; reports in chat link to it."""
    templates: str = ""
    """Folder of your own Jinja2 templates (headline, sections, page), relative to config.toml; empty means none."""


def _channel(value: Any, info: ValidationInfo) -> Any:
    """Validate one `[[channels]]` table by the settings class of its type."""
    if not isinstance(value, Mapping):
        return value
    return settings_class(str(value.get("type", ""))).model_validate(value, context=info.context)


class Settings(Section):
    """The whole configuration."""

    hub: HubSettings = Field(default_factory=HubSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    reports: ReportSettings = Field(default_factory=ReportSettings)
    channels: list[Annotated[SerializeAsAny[ChannelSettings], BeforeValidator(_channel)]] = Field(default_factory=list)
    folder: Path = Field(default_factory=Path.cwd, exclude=True)
    """What relative paths start from."""

    @model_validator(mode="after")
    def _unique_names(self) -> Settings:
        names = [channel.name for channel in self.channels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two channels are called {twice[0]!r}; names must differ")
        if "reports" in names:
            raise ValueError("'reports' is the name of the folder reports.directory; call the channel otherwise")
        for channel in self.channels:
            if channel.fallback and (channel.fallback not in names or channel.fallback == channel.name):
                raise ValueError(f"channels.{channel.name}.fallback: {channel.fallback!r} is no other channel's name")
        return self

    @property
    def reports_directory(self) -> Path | None:
        """The archive's folder, or None when there is none."""
        return self.folder / self.reports.directory if self.reports.directory else None

    @property
    def templates_directory(self) -> Path | None:
        """The folder of the user's own templates, or None when there is none."""
        return self.folder / self.reports.templates if self.reports.templates else None

    @property
    def store_url(self) -> str:
        """The store's address with a relative SQLite path made absolute."""
        scheme, separator, path = self.store.url.partition(":///")
        if separator and scheme.startswith("sqlite") and path and path != ":memory:" and not path.startswith("/"):
            return f"{scheme}:///{self.folder.resolve() / path}"
        return self.store.url

    def verify_secrets(self) -> None:
        """Raise ConfigurationError for the first channel secret that cannot be read."""
        self.hub.read_token()
        if self.hub.webhooks is not None:
            self.hub.webhooks.verify()
        if self.watch.heartbeat is not None:
            self.watch.heartbeat.resolve()
        for channel in self.channels:
            for key, secret in channel.secrets():
                try:
                    secret.resolve()
                except ConfigurationError as error:
                    raise ConfigurationError(f"channels.{channel.name}.{key}: {error}") from None


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
