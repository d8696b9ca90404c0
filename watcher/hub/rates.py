"""What the Hub's rate-limit headers say.

`RateLimit: "api";r=499;t=295` and `RateLimit-Policy: "fixed window";"api";q=500;w=300`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from watcher.hub.model import RateState

WINDOW = 300.0
"""Seconds of the Hub's fixed windows; no header may make us wait longer than two of them."""

_BUCKET = re.compile(r'"([^"]{1,64})"')


def parse_rate(headers: Mapping[str, str], now: datetime) -> RateState | None:
    """The state of the bucket that this answer was counted in; None when the headers are absent or odd."""
    text = headers.get("ratelimit", "")
    buckets = _BUCKET.findall(text)
    remaining, seconds = _number(text, "r"), _number(text, "t")
    if not buckets or remaining is None or seconds is None:
        return None
    return RateState(
        bucket=buckets[-1],
        remaining=int(remaining),
        quota=_whole(_number(headers.get("ratelimit-policy", ""), "q")),
        resets_at=now + timedelta(seconds=min(seconds, 2 * WINDOW)),
    )


def bucket_of(path: str) -> str:
    """The bucket that the Hub counts a request in, by its path."""
    if "/resolve/" in path or path.startswith("/api/resolve-cache/"):
        return "resolvers"
    return "api" if path.startswith("/api/") else "pages"


def _number(text: str, key: str) -> float | None:
    match = re.search(rf";\s*{key}\s*=\s*(\d{{1,9}})(?:\s*;|\s*$|\s*,)", text)
    return float(match[1]) if match else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until another try is welcome: `Retry-After` (seconds or a date), else the reset of an empty window."""
    text = headers.get("retry-after", "").strip()
    seconds = _seconds(text, now or datetime.now(UTC)) if text else None
    if seconds is None and _number(headers.get("ratelimit", ""), "r") == 0:
        left = _number(headers.get("ratelimit", ""), "t")
        seconds = None if left is None else left + 1
    return None if seconds is None else min(max(seconds, 0.0), 86_400.0)


def _seconds(text: str, now: datetime) -> float | None:
    try:
        return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text) else _until(text, now)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(text: str, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - now).total_seconds()
