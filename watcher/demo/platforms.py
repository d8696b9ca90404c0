"""How each platform answers a request: accepted messages are kept, everything else is refused as the platform does."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from watcher.demo.message import Answer, Keeper, Message
from watcher.demo.rules import PROBLEMS

Handler = Callable[[Keeper, str, Message], Answer]


def _json(data: Any, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(data).encode()


def _slack(receivers: Keeper, channel: str, message: Message) -> Answer:
    problem = PROBLEMS["slack"](message.body)
    if problem:
        return 400, "text/plain", problem.encode()
    receivers.keep(channel, message.raw, {}, {})
    return 200, "text/plain", b"ok"


def _slack_bot(receivers: Keeper, channel: str, message: Message) -> Answer:
    """The Web API: 200 with `ok` in it, whatever happened."""
    method, _, rest = message.path.partition("/")
    if method == "upload":
        receivers.shelf[f"{channel}/{rest}"] = next(iter(message.files.values()), message.raw)
        return 200, "text/plain", b"OK"
    if not message.headers.get("authorization", "").startswith("Bearer xoxb-"):
        return _json({"ok": False, "error": "invalid_auth"})
    answer = _SLACK_METHODS.get(method)
    said = answer(receivers, channel, message.body or {}, message) if answer else {"error": "unknown_method"}
    return _json({"ok": "error" not in said, **said})


def _slack_post(receivers: Keeper, channel: str, body: Any, message: Message) -> dict[str, Any]:
    problem = PROBLEMS["slack-bot"](body)
    if problem or not body.get("channel"):
        return {"error": problem or "channel_not_found"}
    moment = f"{receivers.keep(channel, message.raw, {}, {})}.000000"
    receivers.shelf[f"{channel}/said/{moment}"] = json.dumps({**body, "ts": moment}).encode()
    return {"channel": body["channel"], "ts": moment}


def _slack_history(receivers: Keeper, channel: str, body: Any, message: Message) -> dict[str, Any]:
    said = [json.loads(raw) for key, raw in receivers.shelf.items() if key.startswith(f"{channel}/said/")]
    return {"messages": [item for item in reversed(said) if "thread_ts" not in item][: int(body["limit"])]}


def _slack_address(receivers: Keeper, channel: str, body: Any, message: Message) -> dict[str, Any]:
    if not {"filename", "length"} <= body.keys():
        return {"error": "invalid_arguments"}
    return {
        "upload_url": receivers.url("slack-bot", f"{channel}/upload/F{body['length']}"),
        "file_id": f"F{body['length']}",
    }


def _slack_complete(receivers: Keeper, channel: str, body: Any, message: Message) -> dict[str, Any]:
    data = receivers.shelf.pop(f"{channel}/{body['files'][0]['id']}", None)
    if data is None or body["files"][0]["id"] != f"F{len(data)}":
        return {"error": "file_not_found"}
    receivers.keep(channel, message.raw, {"sketch.png": data}, {})
    return {"files": body["files"]}


_SLACK_METHODS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "auth.test": lambda *_: {"user": "watcher", "team": "demo"},
    "chat.postMessage": _slack_post,
    "chat.update": _slack_post,
    "chat.delete": lambda receivers, channel, body, message: receivers.keep(channel, message.raw, {}, {}) and {},
    "conversations.history": _slack_history,
    "conversations.replies": lambda receivers, channel, body, message: {"messages": [{"ts": body["ts"]}]},
    "files.getUploadURLExternal": _slack_address,
    "files.completeUploadExternal": _slack_complete,
}


def _discord(receivers: Keeper, channel: str, message: Message) -> Answer:
    if message.method == "DELETE":
        return 204, "application/json", b""
    if message.method == "GET":
        return _json({"id": "1", "type": 1, "name": "demo"})
    problem = PROBLEMS["discord"](message.body)
    if problem:
        return _json({"code": 50035, "message": problem}, 400)
    number = receivers.keep(channel, message.raw, message.files, {})
    return _json({"id": message.path.rpartition("/")[2] or str(number)})


def _webhook(receivers: Keeper, channel: str, message: Message) -> Answer:
    problem = PROBLEMS["webhook"](message.body)
    if problem:
        return 400, "text/plain", problem.encode()
    kept = {
        name: value
        for name, value in message.headers.items()
        if name.startswith(("webhook-", "content-type", "user-agent"))
    }
    receivers.keep(channel, message.raw, {}, kept)
    return 204, "text/plain", b""


def _teams(receivers: Keeper, channel: str, message: Message) -> Answer:
    problem = PROBLEMS["teams"](message.body)
    if problem:
        return 400, "text/plain", problem.encode()
    receivers.keep(channel, message.raw, {}, {})
    return 202, "text/plain", b""


def _mattermost(receivers: Keeper, channel: str, message: Message) -> Answer:
    if message.method == "GET":
        return _json({"status": "OK"})
    problem = PROBLEMS["mattermost"](message.body)
    if problem or not message.path.startswith("hooks/"):
        return _json({"id": "web.incoming_webhook.text.app_error", "message": problem, "status_code": 400}, 400)
    receivers.keep(channel, message.raw, {}, {})
    return 200, "text/plain", b"ok"


def _telegram(receivers: Keeper, channel: str, message: Message) -> Answer:
    method = message.path.rpartition("/")[2]
    if method in ("getMe", "getChat", "deleteMessage", "editMessageCaption", "editMessageText"):
        return _json({"ok": True, "result": {"username": "watcher_bot", "title": "models"}})
    problem = PROBLEMS["telegram"](message.body or {})
    if method not in ("sendMessage", "sendPhoto") or (method == "sendPhoto") != bool(message.files):
        problem = "there is no photo in the request"
    if problem:
        return _json({"ok": False, "error_code": 400, "description": f"Bad Request: {problem}"}, 400)
    if message.body["chat_id"] == "-1":  # a group that became a supergroup
        moved = {"migrate_to_chat_id": -1001}
        return _json({"ok": False, "error_code": 400, "description": "Bad Request", "parameters": moved}, 400)
    number = receivers.keep(channel, message.raw, message.files, {})
    return _json({"ok": True, "result": {"message_id": number, "chat": {"id": message.body["chat_id"]}}})


def _matrix(receivers: Keeper, channel: str, message: Message) -> Answer:
    """The same transaction twice is one event."""
    if not message.headers.get("authorization", "").startswith("Bearer "):
        return _json({"errcode": "M_MISSING_TOKEN"}, 401)
    parts = message.path.split("/")
    if message.method == "GET":
        return _json({"user_id": "@watcher:demo", "joined_rooms": ["!room:demo"], "room_id": "!room:demo"})
    if "upload" in message.path:
        return _json({"content_uri": f"mxc://demo/{hashlib.sha256(message.raw).hexdigest()[:12]}"})
    if "redact" in parts:
        return _json({"event_id": "$redaction"})
    problem = PROBLEMS["matrix"](message.body)
    if problem or message.method != "PUT":
        return _json({"errcode": problem or "M_UNRECOGNIZED"}, 413 if problem == "M_TOO_LARGE" else 400)
    known = receivers.shelf.get(f"{channel}/{parts[-1]}")
    event = known or f"${receivers.keep(channel, message.raw, {}, {})}".encode()
    receivers.shelf[f"{channel}/{parts[-1]}"] = event
    return _json({"event_id": event.decode()})


def _ntfy(receivers: Keeper, channel: str, message: Message) -> Answer:
    if message.method == "GET":
        return _json({"healthy": True})
    problem = PROBLEMS["ntfy"](message.body)
    if problem:
        return _json({"code": 40000, "http": 400, "error": problem}, 400)
    return _json({"id": str(receivers.keep(channel, message.raw, {}, {})), "event": "message"})


def _apprise(receivers: Keeper, channel: str, message: Message) -> Answer:
    if not isinstance(message.body, dict) or not message.body.get("message"):
        return 400, "text/plain", b"no message"
    receivers.keep(channel, message.raw, {}, {})
    return 200, "text/plain", b"ok"


def _hub(receivers: Keeper, channel: str, message: Message) -> Answer:
    """The part of the Hub's protocol that a commit needs; every file is a regular one."""
    if message.path.startswith("api/whoami"):
        return _json({"name": "watcher", "type": "user", "auth": {"accessToken": {"role": "write"}}})
    if "/resolve/" in message.path:
        head, _, path = message.path.partition("/resolve/")[2].partition("/")
        data = receivers.shelf.get(f"{channel}/{path}")
        if data is None:
            return 404, "text/plain", b"Entry not found", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": head}
        mark = hashlib.sha256(data).hexdigest()
        return 200, "application/octet-stream", data, {"ETag": f'"{mark}"', "X-Repo-Commit": head}
    if "/preupload/" in message.path:
        files = [_hub_mode(receivers, channel, file["path"]) for file in message.body["files"]]
        return _json({"files": files})
    if "/commit/" in message.path:
        return _json(_hub_commit(receivers, channel, message))
    head = receivers.shelf.get(f"{channel}/.head", b"0" * 40).decode()
    return _json({"_id": "1", "id": "/".join(message.path.split("/")[2:4]), "sha": head, "private": False})


def _hub_mode(receivers: Keeper, channel: str, path: str) -> dict[str, Any]:
    known = receivers.shelf.get(f"{channel}/{path}")
    blob = None if known is None else hashlib.sha1(b"blob %d\0" % len(known) + known).hexdigest()
    return {"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": blob}


def _hub_commit(receivers: Keeper, channel: str, message: Message) -> dict[str, Any]:
    lines = [json.loads(line) for line in message.raw.splitlines() if line.strip()]
    for line in lines:
        if line["key"] == "file":
            receivers.shelf[f"{channel}/{line['value']['path']}"] = base64.b64decode(line["value"]["content"])
    number = receivers.keep(channel, json.dumps(lines).encode(), {}, {})
    head = f"{number:040x}"
    receivers.shelf[f"{channel}/.head"] = head.encode()
    return {"commitUrl": receivers.url("hub", f"{channel}/datasets/demo/reports/commit/{head}"), "commitOid": head}


def _forge(receivers: Keeper, channel: str, message: Message) -> Answer:
    """Pull and merge requests of GitHub and GitLab; the second of a branch is refused."""
    head = (message.body or {}).get("head") or (message.body or {}).get("source_branch")
    if not message.path.endswith(("/pulls", "/merge_requests")) or not head:
        return _json({"message": "Not Found"}, 404)
    if f"{channel}/{head}" in receivers.shelf:
        return _json({"message": f"a request for {head} already exists"}, 422 if "/pulls" in message.path else 409)
    receivers.shelf[f"{channel}/{head}"] = b""
    page = f"https://forge.example/request/{receivers.keep(channel, message.raw, {}, {})}"
    return _json({"html_url": page, "web_url": page}, 201)


KINDS: Mapping[str, Handler] = {
    "slack": _slack,
    "slack-bot": _slack_bot,
    "discord": _discord,
    "webhook": _webhook,
    "teams": _teams,
    "mattermost": _mattermost,
    "telegram": _telegram,
    "matrix": _matrix,
    "ntfy": _ntfy,
    "apprise": _apprise,
    "hub": _hub,
    "git": _forge,
}
"""By kind of channel; mail has a server of its own, folders need none, and of git it is the forge."""
