"""Platforms with a JSON API: one call, its answer as data, and what every one of them says in the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import ConfigurationError
from watcher.publish import http
from watcher.publish.interface import DeliveryError, Scope


@dataclass(frozen=True, slots=True)
class Said:
    """An answer and the object in it."""

    answer: http.Answer
    data: Mapping[str, Any]
    """Empty when the body is no JSON object."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.answer.status < 300

    def get(self, *path: str) -> Any:
        """A value in it, or None."""
        value: Any = self.data
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def call(
    url: str,
    *,
    what: str,
    method: str = "POST",
    json: Any = None,
    token: str = "",
    files: Any = None,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limit: int = http.ANSWER_LIMIT,
) -> Said:
    """One request with a bearer token. Raises DeliveryError when there is no complete answer."""
    sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    answer = http.post(url, what=what, method=method, json=json, files=files, data=data, headers=sent, limit=limit)
    return Said(answer, as_object(answer.text))


def as_object(text: str) -> Mapping[str, Any]:
    """A JSON object, or nothing."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def number(value: object) -> float | None:
    """A waiting time as a platform writes it: an integer, a float, or either as text."""
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if 0 <= found < 10**7 else None


def revoked(what: str, said: Said, remedy: str) -> DeliveryError:
    """The platform says that this will never work again."""
    return DeliveryError(f"{what} says {said.answer.short}; {remedy}", scope=Scope.REVOKED, status=said.answer.short)


def slow_down(what: str, said: Said, seconds: float | None) -> DeliveryError:
    """The platform asks us to wait."""
    after = seconds if seconds is not None else http.retry_after(said.answer)
    return DeliveryError(f"{what} asks us to slow down", retry_after=after, status=said.answer.short)


def base_address(value: str, key: str) -> str:
    """The address of a server, without a slash at its end. Raises ConfigurationError that names the key."""
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{key}: an address begins with https:// and names a host")
    return value.rstrip("/")
