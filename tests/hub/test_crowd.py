"""A Hub of millions that exist by their number: every repo is listed once, and found again by its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from watcher.hub.client import HubClient
from watcher.hub.standin import Standin
from watcher.hub.standin.crowd import Crowd

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


def test_every_repo_of_an_organization_is_listed_once(standin: Standin, hub: HubClient) -> None:
    standin.world.crowd = Crowd(organizations=7, repos=50, until=UNTIL)
    standin.answers.page = 3
    names = [seen.name for number in range(7) for seen in hub.list_organization(f"crowd{number}").sightings]
    assert len(names) == len(set(names)) == 50


def test_updates_of_three_million_come_first_and_are_read_back_to_a_point(standin: Standin, hub: HubClient) -> None:
    standin.world.crowd = Crowd(organizations=60_000, repos=3_000_000, until=UNTIL)
    at = UNTIL + timedelta(minutes=5)
    standin.world.crowd.update(2_500, at)
    listing = hub.list_global("lastModified", pages=10, until=at)
    assert listing.requests == 3
    assert sum(seen.last_modified == at for seen in listing.sightings) == 2_500
    seen = listing.sightings[0]
    assert hub.info(seen.name).sha == seen.sha
    assert {file.path for file in hub.tree(seen.name, str(seen.sha))} == {"README.md", "config.json"}
