"""Channels built from their settings, led to strict local receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from watcher.demo.receivers import Receivers
from watcher.publish.interface import Channel
from watcher.publish.registry import build_channel, settings_class
from watcher.publish.worst_case import worst_case_report
from watcher.report.model import Report

Build = Callable[..., Channel]


@cache
def _worst() -> Report:
    return worst_case_report()


@pytest.fixture
def worst() -> Report:
    """The worst report there is, made once."""
    return _worst()


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    """Every platform on loopback."""
    with Receivers(tmp_path / "received") as running:
        yield running


@pytest.fixture
def build(receivers: Receivers, tmp_path: Path) -> Build:
    """A channel of a kind, led to the receivers; more keys as named arguments."""

    def make(kind: str, **more: Any) -> Channel:
        table = {"name": kind, "type": kind, **receivers.table(kind, kind), **more}
        context = {"environment": {}, "folder": tmp_path}
        return build_channel(settings_class(kind).model_validate(table, context=context), folder=tmp_path)

    return make
