"""Which listings a cycle asks for, within a budget of requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.releases.plan import SORTS, Budget, cost, describe, make_plan
from watcher.store.organizations import Organization

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def organizations(number: int, *, known: bool = True, pages: int = 1) -> list[Organization]:
    looked = NOW - FIVE if known else None
    return [
        Organization(
            name=f"o{i:05d}", tracked=True, tracked_since=NOW, known_since=looked, looked_at=looked, pages=pages
        )
        for i in range(number)
    ]


def budget(quota: int = 500, spent: int = 0, interval: timedelta = FIVE) -> Budget:
    return Budget(quota=quota, share=0.2, interval=interval, spent=spent)


def test_while_they_fit_every_organization_is_listed() -> None:
    plan = make_plan(organizations(100), budget(), NOW)
    assert (len(plan.organizations), plan.sorts, plan.waiting) == (100, (), 0)


def test_beyond_that_global_listings_come_first_and_the_rest_rotates() -> None:
    plan = make_plan(organizations(101), budget(), NOW)
    assert plan.sorts == SORTS
    assert 0 < len(plan.organizations) < 100
    assert plan.waiting == 101 - len(plan.organizations)


def test_the_window_is_divided_over_its_cycles() -> None:
    assert budget(interval=timedelta(minutes=1)).cycle == 20
    assert budget(interval=timedelta(minutes=30)).cycle == 100
    assert budget(spent=95).cycle == 5


def test_a_first_look_at_many_may_use_half_of_the_window() -> None:
    plan = make_plan(organizations(5000, known=False), budget(), NOW)
    assert plan.allowed == 250


@settings(deadline=None)
@given(
    st.integers(1, 6000),
    st.sampled_from([500, 1000, 2500]),
    st.sampled_from([1, 5, 30]),
    st.integers(0, 300),
    st.integers(1, 4),
)
def test_a_cycle_costs_what_is_allowed_at_any_number(
    number: int, quota: int, minutes: int, spent: int, pages: int
) -> None:
    spends = budget(quota, spent, timedelta(minutes=minutes))
    plan = make_plan(organizations(number, pages=pages), spends, NOW)
    listings = sum(map(cost, plan.organizations))
    most = listings + len(plan.sorts)  # what the global listings take beyond a page each, organizations give up
    assert plan.organizations
    assert most <= max(spends.cycle, pages + len(plan.sorts) * plan.pages)
    assert describe(plan, organizations(number), spends)


def test_everyone_has_a_turn_and_the_active_more_often() -> None:
    """A day of cycles over 1,000 organizations, ten of them active."""
    known = {item.name: item for item in organizations(1000)}
    active = {f"o{i:05d}" for i in range(10)}
    looks = dict.fromkeys(known, 0)
    now = NOW
    for _ in range(288):
        now += FIVE
        for item in make_plan(list(known.values()), budget(), now).organizations:
            changed = now if item.name in active else None
            known[item.name] = Organization(
                name=item.name,
                tracked=True,
                tracked_since=NOW,
                known_since=NOW,
                looked_at=now,
                changed_at=changed or item.changed_at,
            )
            looks[item.name] += 1
    assert min(looks.values()) >= 10
    assert min(looks[name] for name in active) > 4 * max(looks[name] for name in looks.keys() - active)
