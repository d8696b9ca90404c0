"""A Hub of millions of repos that exist by their number: names, dates and revisions are computed when asked for.

For tests of scale: only what was updated is kept, so that three million repos cost no memory. Repo `i` belongs to
organization `i mod organizations`, is made one `STEP` after the one before, and holds a card and a config.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from watcher.hub.standin.repo import Commit, File, ModelRepo

STEP = timedelta(seconds=30)
"""Between the making of two repos."""

CONFIG = File(b'{"model_type": "crowd"}', lfs=False)


class Crowd:
    """So many repos of so many organizations, the newest made at `until`."""

    def __init__(self, organizations: int, repos: int, until: datetime, prefix: str = "crowd") -> None:
        self.organizations = organizations
        self.repos = repos
        self.until = until
        self.prefix = prefix
        self._updates: dict[int, tuple[int, datetime]] = {}
        """Repo → (revisions since it was made, date of the last); the last updated comes last."""

    def owns(self, name: str) -> bool:
        """Whether an organization is one of the crowd's."""
        number = name.lower().removeprefix(self.prefix)
        return name.lower().startswith(self.prefix) and number.isdigit() and int(number) < self.organizations

    def update(self, count: int, at: datetime) -> None:
        """New cards in `count` repos spread over the organizations, at this moment."""
        for number in range(count):
            index = (len(self._updates) * 7919 + number * 104_729) % self.repos
            revisions, _ = self._updates.pop(index, (0, at))
            self._updates[index] = (revisions + 1, at)

    def repo(self, index: int) -> ModelRepo:
        """One repo, made when asked for."""
        made = self.until - (self.repos - 1 - index) * STEP
        revisions, moved = self._updates.get(index, (0, made))
        card = File(f"---\npipeline_tag: text-generation\n---\nrevision {revisions}\n".encode(), lfs=False)
        sha = hashlib.sha1(f"{index} {revisions}".encode()).hexdigest()
        commit = Commit(sha=sha, at=moved, title="update", files={"README.md": card, "config.json": CONFIG})
        name = f"{self.prefix}{index % self.organizations}/model-{index // self.organizations}"
        hub_id = f"{int(made.timestamp()):08x}{index:016x}"
        return ModelRepo(hub_id=hub_id, name=name, created_at=made, commits=(commit,))

    def find(self, name: str) -> ModelRepo | None:
        """A repo by its name."""
        owner, _, model = name.partition("/")
        number = model.removeprefix("model-")
        if not self.owns(owner) or not number.isdigit():
            return None
        index = int(number) * self.organizations + int(owner.lower().removeprefix(self.prefix))
        return self.repo(index) if index < self.repos else None

    def page(self, author: str | None, sort: str, cursor: str | None, limit: int) -> tuple[list[ModelRepo], str | None]:
        """(repos, where the next page goes on) of a listing, the latest first."""
        after = int(json.loads(base64.b64decode(cursor))["after"]) if cursor else 0
        found: list[ModelRepo] = []
        for place, index in enumerate(self._ordered(author, sort, after)):
            if place == limit:
                token = json.dumps({"after": after + limit}).encode()
                return found, base64.b64encode(token).decode()
            found.append(self.repo(index))
        return found, None

    def _ordered(self, author: str | None, sort: str, skip: int) -> Iterator[int]:
        if author is not None:
            own = int(author.lower().removeprefix(self.prefix))
            last = (self.repos - 1 - own) // self.organizations * self.organizations + own
            yield from range(last - skip * self.organizations, -1, -self.organizations)
        elif sort == "lastModified":
            moved = list(reversed(self._updates))
            yield from moved[skip:]
            rest = (index for index in range(self.repos - 1, -1, -1) if index not in self._updates)
            for _ in range(max(0, skip - len(moved))):
                next(rest, None)
            yield from rest
        else:
            yield from range(self.repos - 1 - skip, -1, -1)
