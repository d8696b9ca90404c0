"""Anything else, through the apprise library: plain text, cut at lines to what the service takes."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any, Literal

from watcher.errors import ConfigurationError
from watcher.publish.brief import brief
from watcher.publish.fit import Limits, fit
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt
from watcher.publish.text import cut, unlinked, visible
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField

TEXT, LINE, TITLE = 20_000, 1000, 200


class AppriseSettings(ChannelSettings):
    """Keys of an apprise channel."""

    type: Literal["apprise"]
    url: SecretField
    """A service's address as apprise writes it (`pover://…`, `gotify://…`): a secret."""


class Apprise:
    """One service that apprise knows."""

    def __init__(self, settings: AppriseSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name

    def render(self, report: Report, links: Links) -> Payload:
        """Title, lines in their order, and the link."""
        return Payload(body=message(report, links))

    def send(self, outgoing: Outgoing) -> Receipt:
        """Send it once: apprise neither waits nor tries again for us, the outbox does."""
        plugin = self._plugin()
        body = outgoing.payload.body
        text = _within(body["lines"], body["link"], int(plugin.body_maxlen))
        with _Listening() as heard:
            arrived = plugin.notify(body=text, title=cut(body["title"], int(plugin.title_maxlen) or TITLE))
        if arrived:
            return Receipt(status=f"{plugin.service_name}: sent")
        raise DeliveryError(f"{self.name}: {plugin.service_name} did not take it: {heard.last}; trying again later")

    def _plugin(self) -> Any:
        """The service. Raises ConfigurationError that names what is missing."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what it imports for services we do not use
                import apprise
        except ImportError:
            needed = "pip install 'model-release-watcher[apprise]'"
            raise ConfigurationError(
                f'channels.{self.name}: type "apprise" needs the apprise library; {needed}'
            ) from None
        with _Listening() as heard, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plugin = apprise.Apprise.instantiate(self.settings.url.resolve(), suppress_exceptions=True)
        if plugin is None:
            raise ConfigurationError(f"channels.{self.name}.url: apprise does not know this address: {heard.last}")
        plugin.request_rate_per_sec = 0  # it would sleep
        return plugin

    def check(self) -> str:
        """Whether apprise understands the address; it has no way to ask a service."""
        return f"apprise will send by {self._plugin().service_name}; only a message can tell whether it arrives"

    def report_url(self, report: Report) -> str | None:
        """A notification makes no page."""
        return None


class _Listening(logging.Handler):
    """What apprise logs, heard instead of printed: it writes addresses into its lines."""

    def __enter__(self) -> _Listening:
        self.last = "no reason given"
        self._logger = logging.getLogger("apprise")
        self._before = self._logger.propagate
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line of a warning."""
        if record.levelno >= logging.WARNING:
            self.last = visible(record.getMessage())[:200]


def message(report: Report, links: Links) -> dict[str, Any]:
    """Title and lines; how many lines a service takes is known at the send."""
    told = brief(report, links)
    lines = [told.summary] if told.summary else []
    lines += [" · ".join(f"{label}: {value}" for label, value in told.facts)] if told.facts else []
    blocks = fit(told.sections, Limits(total=TEXT, block=LINE), lambda block: len(block.text) + 1)
    lines += [block.text for block in blocks]
    return {
        "title": unlinked(cut(told.title, TITLE)),
        "lines": [unlinked(visible(line)) for line in lines] or [unlinked(told.headline)],
        "link": told.link,
    }


def _within(lines: list[str], link: str, most: int) -> str:
    """The first lines that fit with the link after them."""
    kept: list[str] = []
    left = most - len(link) - 2
    for line in lines:
        if len(line) + 1 > left:
            kept = kept or [cut(line, max(left - 1, 1))]
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join([*kept, link] if link else kept)
