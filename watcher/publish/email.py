"""E-mail, by SMTP: the report as text and as HTML with the sketch inside it; the delivery's id is the message's."""

from __future__ import annotations

import contextlib
import html
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from watcher.publish import http
from watcher.publish.brief import TOLD, brief, marked
from watcher.publish.deadline import cut_off
from watcher.publish.document import parse
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt, Scope
from watcher.publish.markup import cost, to_html
from watcher.publish.text import cut, utf8, visible
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

HTML_SIZE, LINE, SUBJECT = 90_000, 20_000, 200
"""Bytes; large mail services fold away what comes after 102 kB."""

DEADLINE = 60.0
"""Seconds for a whole session, which has several steps; a longer `timeout` of the channel counts."""

PICTURE = "sketch"
"""Content id of the sketch."""

STYLE = "font:15px/1.5 system-ui,sans-serif;max-width:46em"
SHEET = "<style>table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left}</style>"


class EmailSettings(ChannelSettings):
    """Keys of an e-mail channel."""

    type: Literal["email"]
    host: str
    """The SMTP server."""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte (port 465), `starttls` (587), or `none` on a trusted network."""
    username: str = ""
    password: SecretField | None = None
    sender: str
    """`Name <address>` or an address."""
    to: list[str] = Field(min_length=1)

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for item in [value] if isinstance(value, str) else value:
            _address(item)
        return value

    @model_validator(mode="after")
    def _protected(self) -> EmailSettings:
        if self.username and self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError('a password must not go over the network in the clear; security is "starttls" or "tls"')
        return self


def _address(text: str) -> Address:
    """Raises ValueError for what is no address."""
    name, spec = parseaddr(text)
    if "@" not in spec or any(letter in text for letter in "\r\n"):
        raise ValueError(f"{text!r} is no e-mail address")
    return Address(display_name=name, addr_spec=spec)


class Email:
    """An SMTP server and those it writes to."""

    def __init__(self, settings: EmailSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self._what = f"{self.name}: the mail server"

    def render(self, report: Report, links: Links) -> Payload:
        """Subject, text and HTML; the sketch travels along."""
        picture = next((name for name in report.pictures if name.endswith(".png")), None)
        return Payload(body=message(report, links, picture is not None), pictures=(picture,) if picture else ())

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hand it to the server; whom the server refused for ever is told in the receipt."""
        mail = compose(outgoing, self.settings)
        with self._connected() as server:
            refused = server.send_message(mail)
        told = f"; refused: {', '.join(sorted(refused))}" if refused else ""
        return Receipt(
            status=f"250 accepted for {len(self.settings.to) - len(refused)}{told}", reference=mail["Message-ID"]
        )

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A session that ends by the deadline, with every failure told in one line."""
        fired, seconds = threading.Event(), max(DEADLINE, http.DEADLINE.get())
        try:
            with self._open() as server, cut_off(seconds, fired, lambda: [server.sock] if server.sock else []):
                self._log_in(server)
                yield server
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self._failure(error, fired.is_set()) from None

    def _open(self) -> smtplib.SMTP:
        at, limit = (self.settings.host, self.settings.port), 30.0
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(*at, timeout=limit, context=ssl.create_default_context())
        return smtplib.SMTP(*at, timeout=limit)

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self.settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if self.settings.username:
            password = self.settings.password.resolve() if self.settings.password else ""
            server.login(self.settings.username, password)

    def _failure(self, error: Exception, late: bool) -> DeliveryError:
        """What an error says about the message or the server."""
        if late or isinstance(error, TimeoutError):
            return DeliveryError(f"{self._what} took too long; trying again later")
        if isinstance(error, smtplib.SMTPAuthenticationError):
            remedy = f"check channels.{self.name}.username and password"
            return DeliveryError(f"{self._what} does not accept the login ({error.smtp_code}); {remedy}")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            remedy = f"set channels.{self.name}.security to what the server speaks"
            return DeliveryError(f"{self._what}: {error}; {remedy}")
        if isinstance(error, ssl.SSLError):
            return DeliveryError(f"{self._what}: TLS failed; check the certificate and channels.{self.name}.security")
        code, told = _code(error)
        scope = Scope.DELIVERY if 500 <= code < 600 else Scope.CHANNEL
        if code:
            return DeliveryError(f"{self._what} said {code} {told}", scope=scope, status=f"{code} {told}"[:200])
        kinds = ((socket.gaierror, "its name cannot be resolved"), (OSError, "no connection"))
        why = next((text for kind, text in kinds if isinstance(error, kind)), type(error).__name__)
        return DeliveryError(f"{self._what} did not answer: {why}; trying again later")

    def check(self) -> str:
        """Log in and say goodbye."""
        with self._connected() as server:
            code, _ = server.noop()
        if code != 250:
            raise DeliveryError(f"{self._what} answers NOOP with {code}")
        user = f" as {self.settings.username}" if self.settings.username else ""
        return f"{self.settings.host}:{self.settings.port} answers{user}"

    def report_url(self, report: Report) -> str | None:
        """A letter makes no page."""
        return None


def message(report: Report, links: Links, picture: bool) -> dict[str, Any]:
    """Subject, text and HTML of the whole report, evidence folded away left out."""
    told = brief(report, links)
    sections = [marked(section) for section in parse(report.markdown)]
    top = 2 if len(sections) > 1 and sections[1].title.startswith(TOLD) else 1
    limits = Limits(total=HTML_SIZE, block=LINE, tables=True)
    parts = [
        to_html(fit(sections[:top], limits, cost)),
        f'<p><img src="cid:{PICTURE}" alt="{html.escape(told.alt)}" style="max-width:100%"></p>' if picture else "",
        to_html(fit(sections[top:], limits, cost)),
        f'<p><a href="{html.escape(told.link)}">full report</a></p>' if told.link else "",
    ]
    plain = fit(sections, Limits(total=HTML_SIZE, block=LINE), lambda block: utf8(block.text) + 2)
    lines = [f"\n{visible(block.text)}" if block.kind == "heading" else visible(block.text) for block in plain]
    return {
        "subject": cut(told.headline, SUBJECT),
        "text": "\n".join([*lines, "", told.link]).strip() + "\n",
        "html": f'<html><head>{SHEET}</head><body style="{STYLE}">{"".join(parts)}</body></html>',
    }


def compose(outgoing: Outgoing, settings: EmailSettings) -> EmailMessage:
    """The letter: the same delivery gives the same Message-ID, by which mail programs drop a second copy."""
    body = outgoing.payload.body
    mail = EmailMessage()
    sender = _address(settings.sender)
    mail["Subject"] = body["subject"]
    mail["From"] = sender
    mail["To"] = [_address(item) for item in settings.to]
    mail["Date"] = format_datetime(outgoing.at or datetime.now(UTC))
    mail["Message-ID"] = f"<{outgoing.delivery_id}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body["text"])
    mail.add_alternative(body["html"], subtype="html")
    picture = next(iter(outgoing.pictures.values()), None)
    if picture is not None:
        part = mail.get_payload()[1]  # type: ignore[index]
        part.add_related(picture, "image", "png", cid=f"<{PICTURE}>", filename="sketch.png", disposition="inline")  # type: ignore[union-attr]
    return mail


def _code(error: Exception) -> tuple[int, str]:
    """Status and words of a refusal; of several refused recipients the least lasting one."""
    words: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = min(error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        code, words = error.smtp_code, error.smtp_error
    else:
        return 0, ""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return code, " ".join(visible(text).split())[:160]
