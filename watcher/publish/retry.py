"""When to try again: a policy as data, and the decision for one failure. Knows nothing of sleeping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.publish.interface import DeliveryError

WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 3600, 6 * 3600, 12 * 3600, 18 * 3600, 24 * 3600)
)
"""After the first failure, the second, …; then the last one again until `GIVE_UP`."""

GIVE_UP = timedelta(days=3)
"""How long after it was first tried a delivery is still tried."""

SPREAD = 0.2
"""Each wait is varied by ± this share, so that many channels do not come back at once."""

LONGEST = timedelta(days=1)
"""A platform that asks for more is asked again after this."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a failure."""

    retry_at: datetime | None
    """None: given up, a dead letter."""


def decide(attempt: int, error: DeliveryError, now: datetime, *, since: datetime, spread: float = 0.5) -> Decision:
    """The decision after attempt number `attempt` (from 1) failed: of the delivery, or in a row on its channel.

    `since`: when it was first tried. `spread` (0 … 1) places the wait inside its ± 20 %. What the platform asks for is
    obeyed, up to a day.
    """
    if error.permanent:
        return Decision(None)
    wait = WAITS[min(max(attempt, 1), len(WAITS)) - 1] * (1 + SPREAD * (2 * spread - 1))
    if error.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=error.retry_after), LONGEST))
    if now - since >= GIVE_UP:
        return Decision(None)
    return Decision(now + wait)
