"""A realistic worst case for a channel: a long report with everything in it that a platform trips over."""

from __future__ import annotations

from datetime import UTC, datetime

from watcher.baselines.catalog import load_catalog
from watcher.baselines.model import Baseline
from watcher.compare.compare import compare
from watcher.releases.model import EventKind, RepoRef
from watcher.report.model import Draft, Report, Source, Subject
from watcher.report.picture import with_pictures

HOSTILE = "<!channel> @everyone [a](http://example.org) *bold* `code` <script>alert(1)</script> ```` | ~~x~~ \u202e"
"""What a card or a config may hold, in one line."""

COPIES = 150


def worst_case_report() -> Report:
    """A test report: two real architectures far apart, many copies, hostile words in every place that takes some."""
    baselines = load_catalog().baselines
    old, new = baselines[0], max(baselines, key=_weight)
    comparison = compare(old.record, new.record, config_a=old.config, config_b=new.config)
    names = ["watcher-test/Test-Model", *(f"watcher-test/Test-Model-FP8-{i}" for i in range(COPIES))]
    repos = tuple(RepoRef(hub_id=f"{i:024x}", name=name, sha="0" * 40) for i, name in enumerate(names))
    return with_pictures(
        Draft(
            report_id="rep_test",
            release_id="rel_test",
            event=EventKind.RELEASED,
            organization="watcher-test",
            lead=Subject(
                record=new.record, repos=repos, config=new.config, comparison=comparison, baseline=f"TEST {HOSTILE}"
            ),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            notes=(f"This is a test of the channel, sent by hand: {HOSTILE}",),
            sources=(Source(label=HOSTILE, url="https://example.org/?a=1&b=(2)|3"),),
            catalog_version=load_catalog().version,
            hub_url="https://example.org/watcher-test/Test-Model",
        )
    )


def _weight(baseline: Baseline) -> int:
    return len(baseline.record.layers.kinds) * 100 + len(baseline.config)
