"""The daemon: APScheduler runs the stages apart, signals end it, and a jumping clock does not stop it."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from watcher.errors import WatcherError

JUMP = 5.0
"""Seconds by which the wall clock may drift from the monotonic one before we call it a jump."""

GRACE = 25.0
"""Seconds a step at hand may take to finish after a signal; what is abandoned then is safe in the store."""


class Every(BaseTrigger):  # type: ignore[misc]
    """Fires now, then every `interval` ± `jitter` counted from the last look at the clock.

    APScheduler's own interval trigger computes every run it missed: six million after a start in 1970.
    """

    def __init__(self, interval: timedelta, jitter: float = 0.1) -> None:
        self.interval = interval
        self.jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next moment, computed from `now` alone."""
        if previous is None:
            return now
        spread = 1 + random.uniform(-self.jitter, self.jitter)
        return now + self.interval * spread


@dataclass(frozen=True, slots=True)
class Step:
    """One stage to run on a schedule."""

    run: Callable[[], None]
    interval: timedelta
    jitter: float = 0.1


class Daemon:
    """Runs steps until it is told to stop."""

    def __init__(self, steps: Mapping[str, Step], *, report: Callable[[str], None]) -> None:
        # a run that is left out because the one before still goes is no news
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._report = report
        self._stop = threading.Event()
        self._busy: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._guard = threading.Lock()
        self._scheduler = BackgroundScheduler(
            jobstores={
                "default": MemoryJobStore()
            },  # ours is the store: a job store that pickles would be a second truth
            executors={"default": ThreadPoolExecutor(max(2, len(steps)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        for name, step in steps.items():
            self._scheduler.add_job(
                self._guarded, Every(step.interval, step.jitter), args=(name, step.run), id=name, name=name
            )

    @property
    def stopping(self) -> bool:
        """Whether the daemon was told to stop; long steps look at it between two items."""
        return self._stop.is_set()

    @property
    def took(self) -> dict[str, float]:
        """Seconds that the last run of each step took."""
        with self._guard:
            return dict(self._took)

    def stuck(self, longest: float) -> list[str]:
        """Steps that have been running for longer than `longest` seconds."""
        with self._guard:
            return sorted(name for name, since in self._busy.items() if time.monotonic() - since > longest)

    def stop(self, *_: Any) -> None:
        """Finish the steps at hand and end; a second call ends at once."""
        if self._stop.is_set():
            os._exit(1)
        self._stop.set()

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or `stop()`."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self.stop)
            signal.signal(signal.SIGINT, self.stop)
        self._scheduler.start()
        self._watch_clock()
        self._scheduler.shutdown(wait=False)
        self._wait_for_steps()

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """A step that fails is reported and runs again at its next time."""
        with self._guard:
            self._busy[name] = time.monotonic()
        try:
            if not self.stopping:
                run()
        except WatcherError as error:
            self._report(f"error: {name}: {error}")
        except Exception as error:
            self._report(f"error: {name}: internal fault, {type(error).__name__}: {error}; please report it")
        finally:
            with self._guard:
                self._took[name] = time.monotonic() - self._busy.pop(name)

    def _watch_clock(self, period: float = 1.0) -> None:
        """Wait for the end; when the wall clock jumps, run everything now (a clock set back would pause it)."""
        offset = time.time() - time.monotonic()
        while not self._stop.wait(period):
            moved = time.time() - time.monotonic()
            if abs(moved - offset) > JUMP:
                offset = moved
                self._report("the clock was set; every step runs now")
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
                self._scheduler.wakeup()

    def _wait_for_steps(self) -> None:
        deadline = time.monotonic() + GRACE
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._busy:
            self._report(f"stopped in the middle of {', '.join(sorted(self._busy))}; the store has everything")
            os._exit(0)
