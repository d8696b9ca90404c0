"""Atom 1.0 and JSON Feed 1.1: the newest reports, under ids that never change; the same entries give the same bytes."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urljoin

ATOM = "feed.xml"
JSON_FEED = "feed.json"
NEWEST = 50
"""How many entries a feed has."""
EPOCH = "1970-01-01T00:00:00Z"
_INVALID = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One report in a feed."""

    id: str
    """The report's id."""
    title: str
    date: str
    """ISO 8601; a date alone is its midnight in UTC."""
    path: str
    """Of its page, relative to the feed."""
    event: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """What the feed as a whole is called, and where it is published."""

    title: str
    base: str = ""
    """Public address of the folder the feed lies in; links stay relative without it."""
    home: str = ""
    """The page that lists everything, relative to the feed."""


def stable_id(report_id: str) -> str:
    """An entry's id: from the report's id alone, so it survives edits, moves and another address."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"model-release-watcher:report:{report_id}").urn


def atom(channel: Channel, entries: Sequence[FeedEntry]) -> str:
    """The feed as Atom (RFC 4287)."""
    newest = _newest(entries)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"  <id>{uuid.uuid5(uuid.NAMESPACE_URL, 'model-release-watcher:feed:' + channel.title).urn}</id>",
        f"  <title>{_xml(channel.title)}</title>",
        f"  <updated>{moment(newest[0].date) if newest else EPOCH}</updated>",
        "  <author><name>Model Release Watcher</name></author>",
        f'  <link rel="self" type="application/atom+xml" href="{_xml(_address(channel, ATOM))}"/>',
        f'  <link rel="alternate" href="{_xml(_address(channel, channel.home))}"/>',
    ]
    for entry in newest:
        lines += [
            "  <entry>",
            f"    <id>{stable_id(entry.id)}</id>",
            f"    <title>{_xml(entry.title)}</title>",
            f"    <updated>{moment(entry.date)}</updated>",
            f'    <link rel="alternate" href="{_xml(_address(channel, entry.path))}"/>',
            *([f'    <category term="{_xml(entry.event)}"/>'] if entry.event else []),
            f"    <summary>{_xml(entry.summary or entry.title)}</summary>",
            "  </entry>",
        ]
    return "\n".join([*lines, "</feed>", ""])


def json_feed(channel: Channel, entries: Sequence[FeedEntry]) -> str:
    """The feed as JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": _address(channel, channel.home),
        "feed_url": _address(channel, JSON_FEED),
        "authors": [{"name": "Model Release Watcher"}],
        "items": [
            {
                "id": stable_id(entry.id),
                "url": _address(channel, entry.path),
                "title": entry.title,
                "content_text": entry.summary or entry.title,
                "date_published": moment(entry.date),
                **({"tags": [entry.event]} if entry.event else {}),
            }
            for entry in _newest(entries)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _newest(entries: Sequence[FeedEntry]) -> list[FeedEntry]:
    return sorted(entries, key=lambda entry: (moment(entry.date), entry.id), reverse=True)[:NEWEST]


def moment(text: str) -> str:
    """RFC 3339 in UTC; the epoch for what is no date."""
    try:
        found = datetime.fromisoformat(text if len(text) != 7 else f"{text}-01")
    except ValueError:
        return EPOCH
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")
    except OverflowError:
        return EPOCH


def _address(channel: Channel, path: str) -> str:
    return urljoin(f"{channel.base.rstrip('/')}/", quote(path)) if channel.base else quote(path) or "."


def _xml(text: str) -> str:
    return escape(_INVALID.sub("", text))
