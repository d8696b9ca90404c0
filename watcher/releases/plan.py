"""Which listings a cycle asks for: every organization while they fit, else global listings and a rotation. Pure.

A repo that turns public may show only old dates, so the full listing of its organization is the look to trust; the
global listings (newest, last modified, trending) are the cheap one, which finds most of what is new at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.store.organizations import Organization

SORTS = ("createdAt", "lastModified", "trendingScore")
"""Global listings, the most telling first."""

WINDOW = timedelta(seconds=300)
"""The Hub counts requests in fixed windows of this length."""

QUOTAS = {False: 500, True: 1000}
"""Requests a window allows without and with a token, until the Hub's own headers told it."""

FIRST_SHARE = 0.5
"""Of the window, when organizations wait for their first look."""

READ_BACK = 0.2
"""Of what a cycle may spend: at most for further pages of the global listings, instead of organizations."""

ACTIVITY = ((timedelta(days=7), 8.0), (timedelta(days=30), 3.0))
"""How recently an organization changed, and how much sooner its turn comes than that of a sleeping one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a cycle may spend."""

    quota: int
    """Requests the Hub allows in a window."""
    share: float
    interval: timedelta
    spent: int = 0
    """Requests already spent in this window; an explicit `once` does not count them."""

    @property
    def window(self) -> int:
        """Requests of a window that polling may use."""
        return max(1, int(self.quota * self.share))

    @property
    def cycle(self) -> int:
        """Requests of one cycle: the window's, divided over the cycles in it, and never more than is left."""
        cycles = max(1.0, WINDOW / self.interval)
        return max(1, min(int(self.window / cycles), self.window - self.spent))

    @property
    def first(self) -> int:
        """The same while organizations wait for their first look."""
        return max(self.cycle, int(self.quota * FIRST_SHARE) - self.spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One cycle's listings, in their order."""

    sorts: tuple[str, ...]
    """Global listings."""
    organizations: tuple[Organization, ...]
    """Organizations whose whole listing is asked for."""
    waiting: int
    """Organizations whose turn comes in a later cycle."""
    allowed: int
    """Requests the cycle may spend on listings."""

    @property
    def pages(self) -> int:
        """How many pages of one global listing may be read."""
        return max(1, int(self.allowed * READ_BACK) // max(1, len(self.sorts)))


def make_plan(organizations: Sequence[Organization], budget: Budget, now: datetime) -> Plan:
    """The cycle's listings: who waits for a first look first, then whose turn it is."""
    ranked = sorted(organizations, key=lambda item: (-_urgency(item, now), item.name))
    if sum(map(cost, ranked)) <= budget.cycle:
        return Plan(sorts=(), organizations=tuple(ranked), waiting=0, allowed=budget.cycle)
    new = any(item.known_since is None for item in ranked)
    allowed = budget.first if new else budget.cycle
    sorts = SORTS[: max(0, allowed // 4)]
    chosen = that_fit(ranked, max(1, allowed - len(sorts)))
    return Plan(sorts=sorts, organizations=chosen, waiting=len(ranked) - len(chosen), allowed=allowed)


def cost(organization: Organization) -> int:
    """Requests of its whole listing: a page holds 1,000 repos."""
    return max(1, organization.pages)


def _urgency(organization: Organization, now: datetime) -> float:
    """Seconds since the last look, weighed by activity; without end for one that was never looked at."""
    if organization.looked_at is None:
        return float("inf")
    age = (now - organization.looked_at).total_seconds()
    changed = organization.changed_at
    weight = next((weight for span, weight in ACTIVITY if changed is not None and now - changed <= span), 1.0)
    return age * weight


def that_fit(ranked: Sequence[Organization], room: int) -> tuple[Organization, ...]:
    """The first of them whose listings take no more than `room` requests; one at least."""
    chosen: list[Organization] = []
    for item in ranked:
        if chosen and cost(item) > room:
            break
        chosen.append(item)
        room -= cost(item)
    return tuple(chosen)


def describe(plan: Plan, organizations: Sequence[Organization], budget: Budget) -> list[str]:
    """The plan in words, a sentence a line."""
    spends = (
        f"The Hub allows {budget.quota} requests in 300 s; a share of {budget.share:g} is {budget.window} of them, "
    )
    lines = [spends + f"{budget.cycle} a cycle."]
    total = len(organizations)
    if not plan.waiting:
        lines.append(f"All {total} organizations fit ({sum(map(cost, organizations))} requests): each is listed whole.")
        return lines
    named = ", ".join(plan.sorts)
    lines.append(f"{total} organizations do not fit, so the global listings are asked first: {named or 'none'}.")
    lines.append(f"Then {len(plan.organizations)} are listed whole, the longest unseen and most active first.")
    rounds = -(-total // len(plan.organizations))
    lines.append(f"The other {plan.waiting} follow: one round takes about {rounds} cycles, {rounds * budget.interval}.")
    return lines
