"""What each platform refuses about a message: the limits of their own documentation, strictly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def slack_problem(body: Any) -> str | None:
    """What an incoming webhook would refuse about a message."""
    blocks = body.get("blocks", []) if isinstance(body, dict) else None
    if not isinstance(blocks, list) or not isinstance(body.get("text"), str):
        return "invalid_payload"
    if len(blocks) > 50 or len(body["text"]) > 40_000 or not (body["text"] or blocks):
        return "invalid_blocks"
    if sum(len(text) for text in _texts(blocks)) > 13_200:
        return "msg_blocks_too_long"
    return next((problem for block in blocks if (problem := _slack_block(block))), None)


def _slack_block(block: Mapping[str, Any]) -> str | None:
    kind = block.get("type")
    if kind not in ("header", "section", "context", "image", "divider", "actions", "rich_text"):
        return "invalid_blocks"
    text = block.get("text", {}).get("text", "") if isinstance(block.get("text"), dict) else ""
    fields = block.get("fields", [])
    wrong = (
        len(text) > (150 if kind == "header" else 3000),
        kind == "header" and (not text or block["text"].get("type") != "plain_text"),
        kind == "section" and not (text or fields),
        len(fields) > 10 or any(not 0 < len(field["text"]) <= 2000 for field in fields),
        kind == "context" and not 0 < len(block.get("elements", [])) <= 10,
        kind == "image" and not (0 < len(block["image_url"]) <= 3000 and 0 < len(block["alt_text"]) <= 2000),
    )
    return "invalid_blocks" if any(wrong) else None


def _texts(value: Any) -> Iterator[str]:
    """Every text of a message's blocks."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and key in ("text", "alt_text"):
                yield item
            else:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def discord_problem(body: Any) -> str | None:
    """What a webhook would refuse about a message."""
    if not isinstance(body, dict) or len(body.get("content", "")) > 2000:
        return "content must be 2000 or fewer in length"
    embeds = body.get("embeds", [])
    if len(embeds) > 10 or sum(_embed_length(embed) for embed in embeds) > 6000:
        return "embeds exceed the maximum size of 6000"
    if any(len(embed.get("title", "")) > 256 or len(embed.get("description", "")) > 4096 for embed in embeds):
        return "an embed's title or description is too long"
    fields = [field for embed in embeds for field in embed.get("fields", [])]
    if any(len(embed.get("fields", [])) > 25 for embed in embeds) or any(
        not 0 < len(field["name"].strip()) <= 256 or not 0 < len(field["value"].strip()) <= 1024 for field in fields
    ):
        return "an embed's fields are too many, too long or empty"
    if any(len(embed.get("footer", {}).get("text", "")) > 2048 for embed in embeds):
        return "an embed's footer is too long"
    return None if embeds or body.get("content") else "cannot send an empty message"


def _embed_length(embed: Mapping[str, Any]) -> int:
    parts = [embed.get("title", ""), embed.get("description", ""), embed.get("footer", {}).get("text", "")]
    parts += [part for field in embed.get("fields", []) for part in (field["name"], field["value"])]
    return sum(len(part.strip()) for part in parts)


def webhook_problem(body: Any) -> str | None:
    """What a receiver of the generic webhook must find."""
    wanted = {"type", "timestamp", "data"}
    return None if isinstance(body, dict) and wanted <= body.keys() else f"a body has {', '.join(sorted(wanted))}"


_CARD = {"RichTextBlock", "TextBlock", "Image", "FactSet", "Container", "ColumnSet", "Table"}


def teams_problem(body: Any) -> str | None:
    """What a workflow would refuse about a card; Teams adds about a fifth to it before it counts."""
    try:
        (attachment,) = body["attachments"]
        card = attachment["content"]
        kinds = {item["type"] for item in card["body"]}
    except (KeyError, TypeError, ValueError):
        return "no card"
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or card["type"] != "AdaptiveCard":
        return "no Adaptive Card"
    if not kinds <= _CARD:
        return f"unknown elements {kinds - _CARD}"
    return "the card is larger than 28 kB" if len(json.dumps(body).encode()) * 1.2 > 28_672 else None


def mattermost_problem(body: Any) -> str | None:
    """What an incoming webhook would refuse about a post."""
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.strip():
        return "no text specified"
    return "the text is longer than 16383" if len(text) > 16_383 else None


def telegram_problem(body: Any) -> str | None:
    """What the Bot API would refuse about a message or a caption."""
    photo = "caption" in body
    text, entities = body.get("caption" if photo else "text"), body.get("caption_entities" if photo else "entities", [])
    length = len(text.encode("utf-16-le")) // 2 if isinstance(text, str) else 0
    if not body.get("chat_id") or not 0 < length <= (1024 if photo else 4096) or "parse_mode" in body:
        return "message caption is too long" if photo else "message is too long"
    if len(entities) > 100:
        return "too many entities"
    inside = all(each["offset"] >= 0 and each["offset"] + each["length"] <= length for each in entities)
    return None if inside else "entity out of bounds"


def matrix_problem(body: Any) -> str | None:
    """What a homeserver would refuse about an event's content, its envelope counted with 1 kB."""
    if not isinstance(body, dict) or not isinstance(body.get("body"), str) or "msgtype" not in body:
        return "no message"
    return "M_TOO_LARGE" if len(json.dumps(body, ensure_ascii=False).encode()) + 1024 > 65_536 else None


def ntfy_problem(body: Any) -> str | None:
    """What a server would refuse, or turn into an attachment."""
    if not isinstance(body, dict) or not body.get("topic") or not body.get("message"):
        return "invalid request: topic or message missing"
    return "the message would become an attachment" if len(body["message"].encode()) > 4096 else None


PROBLEMS: Mapping[str, Callable[[Any], str | None]] = {
    "slack": slack_problem,
    "slack-bot": slack_problem,
    "discord": discord_problem,
    "teams": teams_problem,
    "mattermost": mattermost_problem,
    "telegram": telegram_problem,
    "matrix": matrix_problem,
    "ntfy": ntfy_problem,
    "webhook": webhook_problem,
}
"""By kind of channel."""
