"""What every part of the configuration is made of: its kinds of values, and what all channels have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from watcher.compare.model import Significance
from watcher.releases.model import EventKind
from watcher.times import QuietHours, Schedule
from watcher.values import Pattern, Secret, duration, parameter_count

DEFAULT_EVENTS = tuple(
    EventKind(name)
    for name in (
        "released",
        "config_changed",
        "code_changed",
        "tokenizer_changed",
        "license_changed",
        "gated_changed",
        "recreated",
    )
)


def _duration(value: Any) -> Any:
    return duration(value) if isinstance(value, str) else value


def _count(value: Any) -> Any:
    return parameter_count(value) if isinstance(value, str) else value


def _pattern(value: Any) -> Any:
    return Pattern(value) if isinstance(value, str) else value


def _schedule(value: Any) -> Any:
    return Schedule(value) if isinstance(value, str) else value


def _quiet_hours(value: Any) -> Any:
    return QuietHours(value) if isinstance(value, str) else value


def _secret(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    context = info.context or {}
    return Secret(value, context.get("environment", {}), context.get("folder", Path()))


Duration = Annotated[timedelta, BeforeValidator(_duration)]
ParameterCount = Annotated[int, BeforeValidator(_count)]
PatternField = Annotated[Pattern, BeforeValidator(_pattern)]
ScheduleField = Annotated[Schedule, BeforeValidator(_schedule)]
QuietHoursField = Annotated[QuietHours, BeforeValidator(_quiet_hours)]
SecretField = Annotated[Secret, BeforeValidator(_secret)]


class Section(BaseModel):
    """A table of config.toml: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, validate_default=True)


class ChannelSettings(Section):
    """What every channel has; each kind adds its own keys."""

    archive: ClassVar[bool] = False
    """Whether this kind keeps pages (a folder, a repository) instead of telling people."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    type: str
    events: list[EventKind] = Field(default_factory=lambda: list(DEFAULT_EVENTS))
    min_significance: Significance = Significance.COSMETIC
    organizations: list[str] = Field(default_factory=list)
    """Only these organizations; empty means all."""
    include: list[PatternField] = Field(default_factory=list)
    exclude: list[PatternField] = Field(default_factory=list)
    decoder_types: list[str] = Field(default_factory=list)
    min_parameters: ParameterCount | None = None
    max_parameters: ParameterCount | None = None
    alerts: bool = True
    """Whether alerts about the watcher itself come here too."""
    digest: ScheduleField | None = None
    """Cron: reports are collected and sent as one message at these times."""
    timezone: str = "UTC"
    """What `digest` and `quiet_hours` are told in: an IANA name."""
    quiet_hours: QuietHoursField | None = None
    """`22:00-07:00`: what comes meanwhile is sent afterwards."""
    urgent: Significance = Significance.BREAKING
    """From this significance on a report breaks the quiet hours."""
    min_age: Duration = timedelta(0)
    """How old a report must be before it is sent."""
    max_per_hour: int | None = Field(default=None, ge=1)
    """More than this is held back and told in one summary."""
    templates: str = ""
    """Folder of templates for this channel's messages instead of `reports.templates`: another language or tone."""
    timeout: Duration = timedelta(seconds=30)
    """How long the whole answer to one request may take."""
    fallback: str = ""
    """Another channel, which gets a report that this one did not take."""
    fallback_after: int = Field(default=3, ge=1)
    """After how many failed attempts."""

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; write an IANA name such as Europe/Berlin") from None
        return value

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=5):
            raise ValueError("a timeout is between 1s and 5m")
        return value

    def secrets(self) -> Iterator[tuple[str, Secret]]:
        """Every secret of this channel, with its key."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Secret):
                    yield key, item
