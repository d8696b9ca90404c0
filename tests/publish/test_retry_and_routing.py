"""When a delivery is tried again, and who wants which report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.publish.interface import DeliveryError, Scope
from watcher.publish.registry import settings_class
from watcher.publish.retry import GIVE_UP, decide
from watcher.publish.routing import wants
from watcher.publish.worst_case import worst_case_report

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.integers(1, 50), st.floats(0, 1))
def test_waits_grow_from_ten_seconds_within_a_fifth(attempt: int, spread: float) -> None:
    decision = decide(attempt, DeliveryError("x"), NOW, since=NOW, spread=spread)
    assert decision.retry_at is not None
    wait = (decision.retry_at - NOW).total_seconds()
    steps = [10, 30, 120, 600, 3600, 21600]
    if attempt <= len(steps):
        assert steps[attempt - 1] * 0.8 - 1e-6 <= wait <= steps[attempt - 1] * 1.2 + 1e-6
    assert wait <= 86400 * 1.2


def test_it_is_given_up_after_three_days() -> None:
    assert decide(20, DeliveryError("x"), NOW, since=NOW - GIVE_UP).retry_at is None


@pytest.mark.parametrize("scope", [Scope.DELIVERY, Scope.REVOKED])
def test_what_cannot_help_is_not_tried_again(scope: Scope) -> None:
    assert decide(1, DeliveryError("x", scope=scope), NOW, since=NOW).retry_at is None


@given(st.floats(0, 10**7))
def test_what_the_platform_asks_for_is_obeyed_up_to_a_day(seconds: float) -> None:
    decision = decide(1, DeliveryError("x", retry_after=seconds), NOW, since=NOW)
    assert decision.retry_at is not None
    assert min(seconds, 86400) - 1e-3 <= (decision.retry_at - NOW).total_seconds() <= 86400 + 12


def channel(**keys: Any) -> Any:
    values = {"name": "c", "type": "folder", "path": "x", **keys}
    return settings_class("folder").model_validate(values, context={"environment": {}, "folder": Path()})


REPORT = worst_case_report()
TOTAL = REPORT.record["parameters"]["total"] or 0


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, True),
        ({"events": ["config_changed"]}, False),
        ({"organizations": ["Watcher-TEST"]}, True),
        ({"organizations": ["other"]}, False),
        ({"include": ["watcher-test/*"]}, True),
        ({"include": ["other/*"]}, False),
        ({"exclude": ["*-FP8-*"]}, True),
        ({"exclude": ["watcher-test/*"]}, False),
        ({"min_significance": REPORT.significance}, True),
        ({"decoder_types": ["recurrent"]}, False),
        ({"decoder_types": [REPORT.record["decoder_type"]]}, True),
    ],
)
def test_rules(keys: dict[str, Any], wanted: bool) -> None:
    route = wants(channel(**keys), REPORT)
    assert route.wanted is wanted
    assert route.because
