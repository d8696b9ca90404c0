"""What each platform says when it refuses: which scope it has, and when to come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from watcher.demo.mail import MailServer
from watcher.publish.interface import DeliveryError, Links, Outgoing, Receipt, Scope
from watcher.report.model import Report

LINKS = Links(report="https://example.org/report")
DELIVERY, CHANNEL, REVOKED = Scope.DELIVERY, Scope.CHANNEL, Scope.REVOKED


@contextmanager
def saying(status: int, body: object) -> Iterator[str]:
    """A server with one answer to everything; its address."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = _any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


ADDRESS = {"telegram": "api", "slack-bot": "api", "matrix": "homeserver", "ntfy": "server", "hub": "endpoint"}


def send(kind: str, address: str, build: Any, report: Report) -> Receipt:
    channel = build(kind, **{ADDRESS.get(kind, "url"): address + ("/hooks/x" if kind == "mattermost" else "")})
    outgoing = Outgoing(delivery_id="msg_1", payload=channel.render(report, LINKS))
    receipt = channel.send(outgoing)
    assert isinstance(receipt, Receipt)
    return receipt


@pytest.mark.parametrize(
    ("kind", "status", "body", "scope", "wait"),
    [
        ("telegram", 429, {"ok": False, "parameters": {"retry_after": 17}}, CHANNEL, 17),
        ("telegram", 401, {"ok": False, "description": "Unauthorized"}, REVOKED, None),
        ("telegram", 403, {"ok": False, "description": "Forbidden: bot was kicked"}, REVOKED, None),
        ("telegram", 400, {"ok": False, "description": "Bad Request: chat not found"}, REVOKED, None),
        ("telegram", 400, {"ok": False, "description": "Bad Request: message is too long"}, DELIVERY, None),
        ("telegram", 200, "<html>a proxy's page</html>", CHANNEL, None),
        ("slack-bot", 200, {"ok": False, "error": "token_revoked"}, REVOKED, None),
        ("slack-bot", 200, {"ok": False, "error": "invalid_blocks"}, DELIVERY, None),
        ("slack-bot", 200, {"ok": False, "error": "internal_error"}, CHANNEL, None),
        ("slack-bot", 503, "", CHANNEL, None),
        ("matrix", 429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, CHANNEL, 2.5),
        ("matrix", 401, {"errcode": "M_UNKNOWN_TOKEN"}, REVOKED, None),
        ("matrix", 403, {"errcode": "M_FORBIDDEN"}, REVOKED, None),
        ("matrix", 413, {"errcode": "M_TOO_LARGE"}, DELIVERY, None),
        ("ntfy", 429, {"code": 42901}, CHANNEL, None),
        ("ntfy", 403, {"code": 40301}, REVOKED, None),
        ("ntfy", 507, {"code": 50701}, CHANNEL, None),
        ("mattermost", 400, {"id": "web.incoming_webhook.invalid.app_error"}, REVOKED, None),
        ("mattermost", 400, {"id": "api.post.message_length.app_error"}, DELIVERY, None),
        ("mattermost", 200, "<html>a login page</html>", CHANNEL, None),
        ("teams", 200, "Microsoft Teams endpoint returned HTTP error 413", DELIVERY, None),
        ("teams", 200, "Microsoft Teams endpoint returned HTTP error 429", CHANNEL, None),
        ("teams", 410, "", REVOKED, None),
        ("hub", 500, "", CHANNEL, None),
        ("hub", 401, "", REVOKED, None),
        ("hub", 429, "", CHANNEL, None),
        ("teams", 400, {"error": {"code": "TriggerInputSchemaMismatch"}}, DELIVERY, None),
    ],
)
def test_a_refusal_is_told_by_what_it_says_something_about(
    kind: str, status: int, body: object, scope: Scope, wait: float | None, build: Any, worst: Report
) -> None:
    with saying(status, body) as address, pytest.raises(DeliveryError) as caught:
        send(kind, address, build, worst)
    assert (caught.value.scope, caught.value.retry_after) == (scope, wait)


@pytest.mark.parametrize(("more", "words"), [({"security": "starttls"}, "security"), ({"port": 1}, "did not answer")])
def test_a_mail_server_that_cannot_be_used_is_told_with_the_remedy(
    more: dict[str, Any], words: str, build: Any, worst: Report
) -> None:
    channel = build("email", **more)
    with pytest.raises(DeliveryError, match=words) as caught:
        channel.check()
    assert caught.value.scope is CHANNEL


@pytest.mark.parametrize(("answer", "scope"), [("550 no such user", DELIVERY), ("451 later", CHANNEL)])
def test_a_refused_recipient_is_permanent_only_when_the_server_says_so(
    answer: str, scope: Scope, build: Any, worst: Report
) -> None:
    with MailServer(lambda name, raw: None, refuse=answer) as server:
        channel = build("email", port=server.port)
        with pytest.raises(DeliveryError) as caught:
            channel.send(Outgoing(delivery_id="msg_1", payload=channel.render(worst, LINKS)))
    assert caught.value.scope is scope
    assert answer in str(caught.value)
