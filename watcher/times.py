"""Times a configuration is written in: schedules as cron writes them, and quiet hours of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Five fields of cron: minute, hour, day, month, weekday (0 or 7 is Sunday). ValueError for nonsense."""

    text: str

    def __post_init__(self) -> None:
        self.next(datetime(2026, 1, 1, tzinfo=UTC), "UTC")

    def next(self, after: datetime, zone: str) -> datetime:
        """The first moment after `after`, told on a wall clock in `zone`, so that a DST change moves nothing."""
        found = self._trigger(zone).get_next_fire_time(None, after + timedelta(seconds=1))
        if found is None:
            raise ValueError("this schedule never comes true")
        moment: datetime = found
        return moment.astimezone(UTC)

    def _trigger(self, zone: str) -> Any:
        from apscheduler.triggers.cron import CronTrigger

        fields = self.text.split()
        if len(fields) != 5:
            raise ValueError("a schedule has five fields: minute hour day month weekday, as in 0 9 * * mon-fri")
        names = ("minute", "hour", "day", "month")
        weekday = _weekdays(fields[4])
        return CronTrigger(**dict(zip(names, fields[:4], strict=True)), day_of_week=weekday, timezone=ZoneInfo(zone))


def _weekdays(field: str) -> str:
    """Numbered weekdays by name: cron counts from Sunday, APScheduler from Monday."""
    named: list[str] = []
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()) or (step and not step.isdigit()):
            named.append(part)
            continue
        if int(first) > 7 or int(last or first) > 7 or step == "0":
            raise ValueError(f"{field!r} is no weekday: 0 (Sunday) to 7, or sun … sat")
        named += [DAYS[number % 7] for number in range(int(first), int(last or first) + 1, int(step or 1))]
    return ",".join(named)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """`22:00-07:00`: a span of the day, which may go past midnight. ValueError for anything else."""

    text: str

    def __post_init__(self) -> None:
        begin, end = self.span
        if begin == end:
            raise ValueError("quiet hours begin and end at different times: 22:00-07:00")

    @property
    def span(self) -> tuple[time, time]:
        """When they begin and end, on a wall clock."""
        begin, _, end = self.text.partition("-")
        try:
            return time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
        except ValueError:
            raise ValueError("quiet hours are two times of day: 22:00-07:00") from None

    def end_around(self, moment: datetime, zone: str) -> datetime | None:
        """When the quiet hours around `moment` end, or None outside of them."""
        begin, end = self.span
        place = ZoneInfo(zone)
        local = moment.astimezone(place)
        clock = local.time()
        inside = begin <= clock < end if begin < end else clock >= begin or clock < end
        if not inside:
            return None
        day = local.date() + timedelta(days=0 if clock < end else 1)
        return datetime.combine(day, end, place).astimezone(UTC)
