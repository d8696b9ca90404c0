"""A request and an answer of the stand-in, and the forms that the Hub gives its answers. No sockets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from watcher.hub.standin.repo import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, taken apart."""

    method: str
    path: str
    """Decoded."""
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    """Lower case."""
    body: bytes = b""
    origin: str
    """`http://127.0.0.1:1234`: what absolute addresses begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Refused(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.response = error(status, message, code, headers)


def error(status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """The Hub's form of an error."""
    body = json.dumps({"error": message}).encode()
    more = {"X-Error-Message": message, "ETag": weak_etag(body)} | ({"X-Error-Code": code} if code else {})
    return Response(status=status, headers=json_headers() | more | (headers or {}), body=body)


def weak_etag(body: bytes) -> str:
    """As Express makes it."""
    return f'W/"{len(body):x}-{base64.b64encode(hashlib.sha1(body).digest()).decode()[:27]}"'


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Authentication required", charset="UTF-8"'}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def first(query: Mapping[str, Sequence[str]], key: str) -> str | None:
    values = query.get(key)
    return values[0] if values else None


def asked(query: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return (*query.get("expand", ()), *query.get("expand[]", ()))


def limit_of(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise Refused(400, '"limit" must be a positive number')
    return min(int(text), most)


def next_link(request: Request, cursor: str) -> str:
    pairs = [(key, value) for key, values in request.query.items() if key != "cursor" for value in values]
    return f'<{request.origin}{quote(request.path)}?{urlencode([*pairs, ("cursor", cursor)])}>; rel="next"'


def json_headers() -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8"}


def json_answer(request: Request, data: Any, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with Express's weak ETag; a matching `If-None-Match` is answered 304."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    etag = weak_etag(body)
    known = {"ETag": etag} | dict(headers or {})
    if request.headers.get("if-none-match") == etag:
        return Response(status=304, headers=known)
    return Response(headers=json_headers() | known, body=body)


def content_answer(request: Request, file: File, headers: dict[str, str]) -> Response:
    headers = headers | {"Accept-Ranges": "bytes"}
    if request.headers.get("if-none-match") == headers.get("ETag"):
        return Response(status=304, headers=headers)
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if span is None:
        return Response(headers=headers, body=file.part(0, file.size))
    start, end = int(span[1]), min(int(span[2]) + 1 if span[2] else file.size, file.size)
    if start >= file.size:
        return Response(status=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return Response(status=206, headers=headers, body=file.part(start, end))


def redirect(status: int, where: str) -> Refused:
    refused = Refused(status, "Temporary Redirect")
    body = f"Temporary Redirect. Redirecting to {where}".encode()
    refused.response = Response(status=status, headers={"Location": where, "Content-Type": "text/plain"}, body=body)
    return refused
