"""Secrets taken out of what a channel says: the other side may repeat the address or the token it was asked with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from watcher.errors import WatcherError
from watcher.publish import http
from watcher.publish.interface import Channel, DeliveryError, Receipt
from watcher.section import ChannelSettings
from watcher.values import Secret

HIDDEN = "•••"
SHORTEST = 6
"""Parts of a secret shorter than this are words, not secrets."""

COMMON = frozenset("bearer services webhook webhooks discord workflows triggers manual invoke".split())
"""Words of such addresses that everybody knows."""


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """The text without any of the secrets, whole or in the parts of an address that make it one."""
    parts = sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True)
    for part in parts:
        text = text.replace(part, HIDDEN)
    return text


def _parts(secret: Secret) -> set[str]:
    try:
        value = secret.resolve()
    except WatcherError:
        return set()
    found = {value, unquote(value)}
    try:
        address = urlsplit(value)
    except ValueError:
        return found
    if address.scheme in ("http", "https"):
        pieces = re.split(r"[/?&=#;]", f"{address.path}?{address.query}#{address.fragment}")
        found |= {address.path, *pieces, *map(unquote, pieces), address.username or "", address.password or ""}
    else:
        found |= set(value.split())  # `Bearer abc`
    return {part for part in found if len(part) >= SHORTEST and part.lower() not in COMMON}


PURE = ("render", "report_url")
"""Methods that ask nobody: what they give is ours."""


class Discreet:
    """A channel within its `timeout`, whose answers and errors never hold its secrets; else the channel's own."""

    def __init__(self, channel: Channel, settings: ChannelSettings) -> None:
        self._channel = channel
        self._secrets = [secret for _, secret in settings.secrets()]
        self._deadline = settings.timeout.total_seconds()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._channel, name)
        return partial(self._call, value) if callable(value) and name not in PURE else value

    def _call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        before = http.DEADLINE.set(self._deadline)
        try:
            return self._said(method(*arguments, **options))
        except DeliveryError as error:
            status = self._said(error.status)
            safe = DeliveryError(
                self._said(str(error)), scope=error.scope, retry_after=error.retry_after, status=status
            )
        finally:
            http.DEADLINE.reset(before)
        raise safe

    def _said(self, result: Any) -> Any:
        if isinstance(result, Receipt):
            return replace(result, status=redact(result.status, self._secrets))
        return redact(result, self._secrets) if isinstance(result, str) else result
