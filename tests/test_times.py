"""Schedules and quiet hours, on wall clocks that jump twice a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.times import QuietHours, Schedule

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 9 * * *", "2026-03-28T09:00", "2026-03-29T09:00"),  # the night the clocks go forward
        ("0 9 * * *", "2026-10-24T10:00", "2026-10-25T09:00"),  # and the one they go back
        ("30 8 * * 1-5", "2026-11-20T09:00", "2026-11-23T08:30"),  # Friday → Monday
        ("0 7 * * 0", "2026-11-20T09:00", "2026-11-22T07:00"),  # cron's 0 is Sunday
        ("0 7 * * 7", "2026-11-20T09:00", "2026-11-22T07:00"),
        ("0 7 * * sun", "2026-11-20T09:00", "2026-11-22T07:00"),
        ("0 7 1 * *", "2026-11-20T09:00", "2026-12-01T07:00"),
    ],
)
def test_a_schedule_is_told_on_the_wall_clock(schedule: str, after: str, expected: str) -> None:
    assert Schedule(schedule).next(at(after, BERLIN), BERLIN) == at(expected, BERLIN)


@pytest.mark.parametrize("text", ["", "9 am", "0 9 * *", "61 9 * * *", "0 9 * * 8", "0 9 * * 0/0", "0 9 * * 1-x"])
def test_nonsense_is_no_schedule(text: str) -> None:
    with pytest.raises(ValueError):
        Schedule(text)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-20T21:59", None),
        ("2026-11-20T22:00", "2026-11-21T07:00"),
        ("2026-11-21T03:00", "2026-11-21T07:00"),
        ("2026-11-21T07:00", None),
        ("2026-03-28T23:00", "2026-03-29T07:00"),
        ("2026-10-24T23:00", "2026-10-25T07:00"),
    ],
)
def test_quiet_hours_go_past_midnight_and_through_a_change_of_clocks(moment: str, end: str | None) -> None:
    expected = at(end, BERLIN) if end else None
    assert QuietHours("22:00-07:00").end_around(at(moment, BERLIN), BERLIN) == expected


@pytest.mark.parametrize("text", ["", "22-7", "22:00", "22:00-22:00", "25:00-07:00"])
def test_nonsense_is_no_quiet_hours(text: str) -> None:
    with pytest.raises(ValueError):
        QuietHours(text)


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: at("2026-01-01T00:00") + timedelta(minutes=minutes)),
    st.sampled_from([BERLIN, "UTC", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]),
    st.times(),
    st.times(),
)
def test_the_end_is_ahead_and_outside(moment: datetime, zone: str, begin: object, end: object) -> None:
    text = f"{begin:%H:%M}-{end:%H:%M}"
    if text[:5] == text[6:]:
        return
    quiet = QuietHours(text)
    found = quiet.end_around(moment, zone)
    if found is not None:
        assert moment - timedelta(hours=1) < found <= moment + timedelta(hours=26)
        assert found.astimezone(ZoneInfo(zone)).time() >= quiet.span[1] or quiet.span[1].hour < 4
