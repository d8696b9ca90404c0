"""The newest wheels of the runtimes, from the package index that pip is configured for; never installed or imported.

A wheel of up to `WHOLE` bytes is fetched and checked against the SHA-256 that the index promises. vLLM's has hundreds
of megabytes of compiled kernels around the one file that is wanted, and an sdist is a stream that has to be unpacked
from its start. So of a larger wheel only parts are read, by HTTP range requests: the archive's directory at its end,
and the members wanted. No digest of the whole can be checked then: what is read comes from the address that the index
gave, and each member has to be what the wheel's RECORD says. At most `BUDGET` bytes are read of any wheel.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from typing import IO, Any, Final, cast

import requests

from watcher.errors import SourceError
from watcher.report.package_index import FAILURES, TIMEOUT, Wheel, index_address, newest_wheel, reason
from watcher.report.runtime_lists import BROKEN, RUNTIMES, read_archive

WHOLE: Final = 16 * 1024 * 1024
"""Bytes of a wheel that is fetched whole."""
BUDGET: Final = 64 * 1024 * 1024
"""Bytes that are read of one wheel at the most."""
BLOCK: Final = 256 * 1024
"""Bytes of one range request, so that neighbouring members come together."""


def fetch_list(package: str, date: str, index: str, whole: int = WHOLE) -> tuple[str, dict[str, Any]]:
    """(runtime, its list) from the newest wheel of a package. Raises SourceError that says what went wrong."""
    wheel = newest_wheel(package, index)
    try:
        handle, checked = _open(wheel, whole)
        with handle, zipfile.ZipFile(handle) as archive:
            return read_archive(archive, wheel.name, date, None if checked else _recorded(archive))
    except (*FAILURES, *BROKEN) as error:
        raise SourceError(f"{wheel.name}: cannot be read: {reason(error)}") from None


def fetch_lists(date: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The lists of all runtimes, and a sentence for each that could not be had."""
    found, problems = {}, []
    index = index_address()
    for runtime in RUNTIMES:
        try:
            name, told = fetch_list(runtime.package, date, index)
            found[name] = told
        except SourceError as error:
            problems.append(str(error))
    return found, problems


def _open(wheel: Wheel, whole: int) -> tuple[IO[bytes], bool]:
    """A seekable wheel, and whether its digest was checked. Raises SourceError where it is not the one promised."""
    remote = Remote(wheel.url)
    if remote.size > whole:
        return cast("IO[bytes]", remote), False
    with remote:
        data = remote.read()
    found = hashlib.sha256(data).hexdigest()
    if found != wheel.sha256:
        raise SourceError(f"{wheel.name}: its SHA-256 is {found}, the index promised {wheel.sha256}")
    return io.BytesIO(data), True


def _recorded(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """The SHA-256 of each member by the wheel's RECORD."""
    name = next((item for item in archive.namelist() if item.endswith(".dist-info/RECORD")), None)
    if name is None or archive.getinfo(name).file_size > WHOLE:
        raise SourceError("the wheel has no RECORD to check its members against")
    rows = csv.reader(io.StringIO(archive.read(name).decode("utf-8", "replace")))
    digests = ((row[0], row[1].partition("sha256=")[2]) for row in rows if len(row) > 1)
    return {path: base64.urlsafe_b64decode(f"{text}==") for path, text in digests if text}


class Remote(io.RawIOBase):
    """A file behind an address, read in blocks by range requests and never more than BUDGET bytes of it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._at = 0
        self._blocks: dict[int, bytes] = {}
        self._session = requests.Session()
        self.size = self._length()

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._session.close()
        super().close()

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; returns where to."""
        self._at = max(0, offset + (0, self._at, self.size)[whence])
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes from here. Raises SourceError beyond the budget."""
        end = self.size if size is None or size < 0 else min(self.size, self._at + size)
        if end <= self._at:
            return b""
        first, last = self._at // BLOCK, (end - 1) // BLOCK
        data = b"".join(self._block(number) for number in range(first, last + 1))
        start, self._at = self._at - first * BLOCK, end
        return data[start : start + end - first * BLOCK - start]

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if (len(self._blocks) + 1) * BLOCK > BUDGET:
                raise SourceError(f"more than {BUDGET >> 20} MiB would have to be read of it")
            start = number * BLOCK
            self._blocks[number] = self._range(start, min(start + BLOCK, self.size) - 1)[0]
        return self._blocks[number]

    def _length(self) -> int:
        total = self._range(0, 0)[1].rpartition("/")[2]
        if not total.isdecimal():
            raise SourceError("the index does not tell how large the wheel is")
        return int(total)

    def _range(self, start: int, end: int) -> tuple[bytes, str]:
        """The bytes of a range, and what the server says of it."""
        headers = {"Range": f"bytes={start}-{end}", "Accept-Encoding": "identity"}
        with self._session.get(self._url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            if answer.status_code != 206:
                raise SourceError("the index answers no range requests; give the wheel")
            data = answer.raw.read(end - start + 1)
            if len(data) != end - start + 1:
                raise SourceError("the index sent less than was asked for")
            return data, answer.headers.get("Content-Range", "")
