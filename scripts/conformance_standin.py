"""Checks the stand-in against recorded answers of the real Hub (the research folder's hub/hfd).

The stand-in holds a repo of the same shape and must answer the recorded request with the same status, the same error
text, every JSON key and every header that a client relies on. Prints what differs.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corpus import shared_folder

from watcher.demo.models import safetensors_head
from watcher.hub.standin import Standin, Weights, World

HEADERS = """etag x-repo-commit x-linked-etag x-linked-size x-error-code x-error-message www-authenticate location
    accept-ranges x-total-count x-hf-warning x-powered-by vary content-type access-control-expose-headers""".split()
"""Headers that a client may rely on: there in both answers or in none."""

NOT_SPOKEN = {"lastCommit", "securityFileStatus", "xetHash"}
"""Keys of the real answers that the stand-in leaves out: scans, commits of single files, the Xet protocol."""

SKIPPED = {"meta.json", "models.xet-read-token.json"}


def recordings(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file name, recording)."""
    for path in sorted((folder / "hfd").glob("*.json")):
        if path.name not in SKIPPED:
            yield path.name, json.loads(path.read_text())


def world() -> World:
    """A repo of the shape that was recorded."""
    made = World(datetime(2026, 9, 22, tzinfo=UTC))
    card = b"---\nlicense: mit\nlanguage: en\n---\n# gpt2\n"
    files = {
        "README.md": card,
        "config.json": b'{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}',
        "model.safetensors": Weights(548_105_171, safetensors_head({"w": ("F32", [2, 2])})),
        "64-8bits.tflite": Weights(125_162_496),
        "onnx/config.json": b"{}",
    }
    made.create("wzshiming/gpt2", files)
    return made


def differences(standin: Standin, recording: dict[str, Any]) -> list[str]:
    """What the stand-in answers otherwise."""
    request, wanted = recording["request"], recording["response"]
    status, headers, body = _ask(standin, request)
    found = [] if status == wanted["status"] else [f"status {status} instead of {wanted['status']}"]
    recorded = {name.lower() for name in wanted["headers"]}
    for name in HEADERS:
        if (name in headers) != (name in recorded):
            found.append(f"header {name} is {'there' if name in headers else 'missing'}")
    if "json" in wanted and request["method"] != "HEAD":
        found += _keys(json.loads(body), wanted["json"], "")
    return found


def _ask(standin: Standin, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(standin.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    body = request.get("body")
    sent = request.get("headers", {}) | ({"Content-Type": "application/json"} if body else {})
    try:
        connection.request(request["method"], request["path"], body=body, headers=sent)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def _keys(ours: Any, theirs: Any, where: str) -> list[str]:
    """Keys that theirs has and ours lacks; error texts must be the same."""
    if isinstance(theirs, list):
        if not isinstance(ours, list):
            return [f"{where or 'the answer'} is no list"]
        return _keys(ours[0], theirs[0], f"{where}[0]") if ours and theirs else []
    if not isinstance(theirs, dict):
        return []
    if not isinstance(ours, dict):
        return [f"{where or 'the answer'} is no object"]
    if "error" in theirs and ours.get("error") != theirs["error"]:
        return [f"error {ours.get('error')!r} instead of {theirs['error']!r}"]
    return [f"key {where}.{name} is missing" for name in theirs.keys() - ours.keys() - NOT_SPOKEN]


def main() -> int:
    """Compare every recording; 1 when something differs."""
    folder = shared_folder() / "hub"
    if not folder.is_dir():
        sys.stderr.write(f"{folder}: no recordings; set WATCHER_SHARED\n")
        return 1
    checked = wrong = 0
    with Standin(world()) as standin:
        for name, recording in recordings(folder):
            checked += 1
            for line in differences(standin, recording):
                wrong += 1
                sys.stdout.write(f"{name}: {line}\n")
    sys.stdout.write(f"{checked} recordings, {wrong} differences\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
