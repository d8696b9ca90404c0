"""The newest wheels of runtimes, through pip from an index on a local server: whole and checked, or in parts."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from watcher.cli import main
from watcher.errors import SourceError
from watcher.report.package_index import index_address, newest_wheel
from watcher.report.runtime_lists import RUNTIMES
from watcher.report.runtime_wheels import BLOCK, fetch_list

SOURCES = {
    "vllm": ("vllm/model_executor/models/registry.py", "raise SystemExit\n_MULTIMODAL_MODELS = {'A': 1}"),
    "sglang": ("sglang/srt/models/a.py", "EntryClass = [AForCausalLM]"),
    "gguf": ("gguf/constants.py", "MODEL_ARCH_NAMES = {A.X: 'llama'}"),
}  # fmt: skip


def wheel(folder: Path, package: str, version: str = "9.1", recorded: str = "", weight: int = 0) -> Path:
    """A wheel, `weight` bytes of kernels in front of the one file wanted; its RECORD may tell of another text."""
    name, text = SOURCES[package]
    info = f"{package}-{version}.dist-info"
    files = {
        "kernels.so": random.Random(1).randbytes(weight),
        name: text.encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    told = files | ({name: recorded.encode()} if recorded else {})
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in told.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in files.items():
            archive.writestr(member, data)
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@dataclass
class Index:
    """A package index over a folder of wheels."""

    folder: Path
    address: str = ""
    json: bool = True
    ranges: bool = True
    lies: bool = False
    """Whether it promises another digest than the wheel's."""
    sent: list[int] = field(default_factory=list)
    """Bytes of wheels, answer by answer."""

    def page(self, package: str) -> bytes:
        """The package's page (PEP 503 or 691), with a release that was withdrawn."""
        links = []
        for path in self.folder.glob(f"{package}-*.whl"):
            digest = "0" * 64 if self.lies else hashlib.sha256(path.read_bytes()).hexdigest()
            links.append((path.name, digest))
        if self.json:
            files = [
                {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": digest}} for name, digest in links
            ]
            gone = {
                "filename": f"{package}-99-py3-none-any.whl",
                "url": "gone",
                "hashes": {"sha256": "0"},
                "yanked": "bad",
            }
            return json.dumps({"files": [*files, gone]}).encode()
        rows = [f'<a href="/files/{name}#sha256={digest}">{name}</a>' for name, digest in links]
        gone_ = f'<a data-yanked="" href="/files/{package}-99-py3-none-any.whl#sha256=0">gone</a>'
        return f"<!DOCTYPE html><html><body>{''.join(rows)}{gone_}</body></html>".encode()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that pip is configured for and nothing else."""
    served = Index(tmp_path / "wheels")
    served.folder.mkdir()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path).path.strip("/").split("/")
            if parts[0] == "simple" and not list(served.folder.glob(f"{parts[1]}-*.whl")):
                return self.send_error(404)
            data = served.page(parts[1]) if parts[0] == "simple" else (served.folder / parts[1]).read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")) if served.ranges else None
            self.send_response(206 if asked else 200)
            if asked:
                start, end = int(asked[1]), min(int(asked[2]), len(data) - 1)
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
                data = data[start : end + 1]
            page = "application/vnd.pypi.simple.v1+json" if served.json else "text/html"
            self.send_header("Content-Type", page if parts[0] == "simple" else "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            served.sent += [len(data)] * (parts[0] == "files")
            return None

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served.address = f"http://127.0.0.1:{server.server_address[1]}/simple"
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        monkeypatch.delenv("PIP_INDEX_URL", raising=False)
        (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {served.address}/\n")
        yield served
        server.shutdown()


def test_the_newest_lists_are_taken_from_the_index_and_the_rest_is_told(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for package in ("vllm", "gguf"):
        wheel(index.folder, package, "9.1")
        wheel(index.folder, package, "9.10")
    assert main(["runtimes", "update", "--json"]) == 1
    told = capsys.readouterr()
    rows = {row["runtime"]: row for row in json.loads(told.out)}
    assert (rows["vLLM"]["version"], rows["vLLM"]["architectures"]) == ("9.10", 1)
    assert rows["llama.cpp"]["version"] == "gguf 9.10"
    assert rows["SGLang"]["architectures"] > 100
    assert "not read anew: sglang: the package index" in told.err
    assert not list(Path(index.folder.parent / "cache").rglob("*.whl"))


@pytest.mark.parametrize("package", [runtime.package for runtime in RUNTIMES])
def test_of_a_large_wheel_only_what_is_wanted_is_read(index: Index, package: str) -> None:
    path = wheel(index.folder, package, weight=8 * BLOCK)
    told = fetch_list(package, "d", index.address, whole=1000)[1]
    assert len(told["names"]) == 1
    assert max(index.sent) <= BLOCK
    assert sum(index.sent) < path.stat().st_size / 2


def test_what_is_not_what_the_index_or_the_wheel_promised_is_refused(index: Index) -> None:
    wheel(index.folder, "vllm", recorded="another text")
    with pytest.raises(SourceError, match=r"registry\.py is not what the wheel's RECORD says"):
        fetch_list("vllm", "d", index.address, whole=1000)
    index.lies = True
    with pytest.raises(SourceError, match="the index promised 0000"):
        fetch_list("vllm", "d", index.address)


@pytest.mark.parametrize("json_", [True, False])
def test_both_kinds_of_index_are_read_and_the_newest_final_release_is_taken(index: Index, json_: bool) -> None:
    index.json = json_
    for version in ("1.9", "1.10", "2.0rc1"):
        wheel(index.folder, "gguf", version)
    assert newest_wheel("gguf", index_address()).name == "gguf-1.10-py3-none-any.whl"
    with pytest.raises(SourceError, match="sglang: the package index does not tell its wheels: HTTP 404"):
        newest_wheel("sglang", index.address)


def test_an_index_without_ranges_is_one_clear_error(index: Index) -> None:
    index.ranges = False
    wheel(index.folder, "gguf")
    with pytest.raises(SourceError, match="answers no range requests; give the wheel"):
        fetch_list("gguf", "d", index.address)


def test_a_password_in_the_indexs_address_is_never_told(index: Index) -> None:
    path = wheel(index.folder, "gguf")
    secret = index.address.replace("://", "://reader:hush@")
    assert fetch_list("gguf", "d", secret)[0] == "llama.cpp"
    path.write_bytes(b"no wheel")
    for address in (secret, secret.replace("http:", "nohttp:"), "http://reader:hush@127.0.0.1:9/simple"):
        with pytest.raises(SourceError) as told:
            fetch_list("gguf", "d", address)
        assert "hush" not in str(told.value)
