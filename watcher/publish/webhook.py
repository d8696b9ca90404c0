"""Any receiver, by the Standard Webhooks specification 1.0: signed, with one id for all attempts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from watcher.errors import ConfigurationError
from watcher.publish import http
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.report.formats import webhook_body
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField


class WebhookSettings(ChannelSettings):
    """Keys of a generic webhook."""

    type: Literal["webhook"]
    url: SecretField
    secret: SecretField | None = None
    """`whsec_…`: signs each request."""
    previous_secret: SecretField | list[SecretField] | None = None
    """While a secret is being changed: a second signature, so that receivers with either verify."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More headers; for a secret one use `authorization`."""
    authorization: SecretField | None = None
    """Value of the Authorization header."""
    allow_private: bool = True
    """False: refuse to send to private and loopback addresses."""


class Webhook:
    """A receiver of JSON."""

    def __init__(self, settings: WebhookSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """The body of DESIGN's generic webhook."""
        return Payload(body=webhook_body(report, links.report))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Post it, signed over exactly the bytes that are sent."""
        what = f"{self.name}: the webhook"
        url = self.settings.url.resolve()
        if not self.settings.allow_private:
            _refuse_private(url, what)
        data = json.dumps(dict(outgoing.payload.body), ensure_ascii=True, separators=(",", ":")).encode()
        headers = {
            **self.settings.headers,
            "Content-Type": "application/json",
            **self._signed(outgoing.delivery_id, data),
        }
        if self.settings.authorization is not None:
            headers["Authorization"] = self.settings.authorization.resolve()
        answer = http.post(url, what=what, data=data, headers=headers, guard=self._guard(what))
        http.raise_for(answer, what, revoked=(410,))
        return Receipt(status=answer.short)

    def _guard(self, what: str) -> http.Guard | None:
        """Refuses the address that was really connected to: a name may tell two addresses one after the other."""
        if self.settings.allow_private:
            return None
        return lambda connection: _only_public(str(connection.getpeername()[0]), what)

    def _signed(self, identity: str, data: bytes) -> dict[str, str]:
        moment = str(int(time.time()))
        headers = {"webhook-id": identity, "webhook-timestamp": moment}
        previous = self.settings.previous_secret
        before = previous if isinstance(previous, list) else [previous]
        secrets = [item for item in (self.settings.secret, *before) if item is not None]
        if secrets:
            marks = [sign(secret.resolve(), identity, moment, data) for secret in secrets]
            headers["webhook-signature"] = " ".join(marks)
        return headers

    def check(self) -> str:
        """Verify address and secrets without sending."""
        url = self.settings.url.resolve()
        if urlsplit(url).scheme not in ("http", "https"):
            raise ConfigurationError(f"channels.{self.name}.url: an address begins with https:// or http://")
        signed = bool(self._signed("check", b"").get("webhook-signature"))
        return f"receiver at {http.host_of(url)}, {'signed' if signed else 'not signed'}"

    def report_url(self, report: Report) -> str | None:
        """A receiver makes no page that we know of."""
        return None


def sign(secret: str, identity: str, moment: str, data: bytes) -> str:
    """`v1,<base64 HMAC-SHA256>` over `id.timestamp.body`. Raises ConfigurationError for a secret that is not base64."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text, validate=True) if secret.startswith("whsec_") else secret.encode()
    except (binascii.Error, ValueError):
        raise ConfigurationError("the webhook's secret is not base64 after whsec_; make a new one") from None
    signed = f"{identity}.{moment}.".encode() + data
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _refuse_private(url: str, what: str) -> None:
    """The name's addresses, for proxies, which connect in our place; what we connect to is checked once more."""
    host = http.host_of(url)
    try:
        found = {str(item[4][0]) for item in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        raise DeliveryError(f"{what}: the host name cannot be resolved; trying again later") from None
    for address in found:
        _only_public(address, what)


def _only_public(address: str, what: str) -> None:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    if not inner.is_global or inner.is_multicast:
        raise DeliveryError(f"{what}: its address is private and allow_private = false", scope=Scope.DELIVERY)
