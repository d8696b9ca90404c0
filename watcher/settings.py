"""Every key of config.toml, with its type, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
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
