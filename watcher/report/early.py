"""The early note: what a release looks like at first sight, for channels that ask, before it has settled."""

from __future__ import annotations

from dataclasses import replace

from watcher.context import Context
from watcher.publish.enqueue import is_wanted
from watcher.releases.model import EventKind, Release
from watcher.report.draft import Material, draft_release, report_id
from watcher.report.model import Draft
from watcher.store import archive

WORDS = "This is a first look; the full report follows when the release has settled."


def early_id(release: Release) -> str:
    """The id of a release's early note: there is one at most."""
    return report_id(EventKind.EARLY.value, release.id)


def draft_early(context: Context, material: Material, release: Release) -> Draft | None:
    """The note's draft; None when no channel asks for it, or it was made before."""
    if not is_wanted(context.channels, EventKind.EARLY):
        return None
    with context.store.begin() as connection:
        if archive.report(connection, early_id(release)) is not None:
            return None
    draft = draft_release(material, release, EventKind.EARLY, {})
    return replace(draft, report_id=early_id(release), notes=(WORDS, *draft.notes))
