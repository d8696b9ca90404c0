"""Faults on request: what a server does to a client on a bad day."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

KINDS = frozenset(
    {"status", "stall", "reset", "truncate", "malformed", "html", "empty", "drip", "foreign-link", "skip"}
)
"""status: answer `status`; stall: say nothing for `seconds`; reset: cut the connection; truncate: half a body;
malformed: half a JSON with its right length; html: a page with status 200; empty: nothing with status 200;
drip: a byte a second; foreign-link: the next page on another host; skip: a listing's page without its first item."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """What shall go wrong with the requests whose path and query match."""

    path: str
    """A regular expression, searched in `METHOD /path?query`."""
    kind: str
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    times: int = 1_000_000
    """How often; then it is over."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(sorted(KINDS))}")


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault into force."""
        with self._guard:
            self._faults.append(fault)

    def clear(self) -> None:
        """Everything works again."""
        with self._guard:
            self._faults.clear()

    def take(self, request: str) -> Fault | None:
        """The fault for this request, used up once."""
        with self._guard:
            for fault in self._faults:
                if fault.times > 0 and re.search(fault.path, request):
                    fault.times -= 1
                    return fault
        return None
