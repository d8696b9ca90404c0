"""Webhooks out of the stand-in: what happens to a watched repo is posted to who subscribed, in the Hub's own form.

Posts leave on a thread of their own, in order, and are tried a few times; `Webhooks.wait` waits until all are through.
"""

from __future__ import annotations

import hashlib
import itertools
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from watcher.hub.standin.repo import ModelRepo

SECRET_HEADER = "X-Webhook-Secret"
TRIES = 3
PAUSE = 0.2
"""Seconds before another try; doubled each time."""

PATIENCE = 5.0
"""Seconds that one post may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened to a repo; equal states are nothing."""

    before: ModelRepo | None
    after: ModelRepo | None

    @property
    def repo(self) -> ModelRepo:
        """As it is now, or was last."""
        found = self.after or self.before
        assert found is not None
        return found

    def facts(self) -> list[dict[str, Any]]:
        """The parts of a webhook's body that say what happened, one for each webhook that the Hub would send."""
        before, after = self.before, self.after
        if before is None or after is None:
            return [_event("delete" if after is None else "create", "repo")]
        found: list[dict[str, Any]] = []
        if before.name != after.name:
            owner = {"id": _owner(after)}
            found.append(_event("move", "repo") | {"movedTo": {"name": after.name, "owner": owner}})
        if before.head != after.head:
            old, new = (repo.head.sha if repo.head else None for repo in (before, after))
            refs = [{"ref": "refs/heads/main", "oldSha": old, "newSha": new}]
            found.append(_event("update", "repo.content") | {"updatedRefs": refs})
        changed = {
            key: getattr(after, key) for key in ("private", "gated") if getattr(before, key) != getattr(after, key)
        }
        return [*found, *([_event("update", "repo.config") | {"updatedConfig": changed}] if changed else [])]


def _event(action: str, scope: str) -> dict[str, Any]:
    return {"event": {"action": action, "scope": scope}}


def _owner(repo: ModelRepo) -> str:
    return hashlib.sha256(repo.organization.lower().encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One webhook as an account set it up."""

    id: str
    url: str
    watched: tuple[tuple[str, str], ...]
    """(type, name): `org`, `user` or `model`."""
    secret: str = ""

    def watches(self, repo: ModelRepo) -> bool:
        """Whether it is about this repo."""
        mine = {("org", repo.organization.lower()), ("user", repo.organization.lower()), ("model", repo.name.lower())}
        return any((kind, name.lower()) in mine for kind, name in self.watched)

    def to_dict(self) -> dict[str, Any]:
        """As the API answers it."""
        watched = [{"type": kind, "name": name} for kind, name in self.watched]
        shown = {"id": self.id, "url": self.url, "watched": watched, "domains": ["repo"], "disabled": False}
        return shown | ({"secret": self.secret} if self.secret else {})


def body_of(happened: Happened, facts: Mapping[str, Any], subscription: Subscription, origin: str) -> dict[str, Any]:
    """A webhook's whole body."""
    repo = happened.repo if "movedTo" not in facts or happened.before is None else happened.before
    described = {
        "type": "model",
        "name": repo.name,
        "id": repo.hub_id,
        "private": happened.repo.private,
        "headSha": repo.head.sha if repo.head else None,
        "owner": {"id": _owner(repo)},
        "url": {"web": f"{origin}/{repo.name}", "api": f"{origin}/api/models/{repo.name}"},
    }
    return {**facts, "repo": described, "webhook": {"id": subscription.id, "version": 3}}


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook, and what came back: a status, or 0 when nobody answered."""

    subscription: Subscription
    body: Mapping[str, Any]
    status: int


class Webhooks:
    """Subscriptions, and the thread that posts to them."""

    def __init__(self) -> None:
        self.origin = ""
        """Where the stand-in is reached: what addresses in a body begin with."""
        self.sent: list[Sent] = []
        self._subscriptions: list[Subscription] = []
        self._numbers = itertools.count(1)
        self._waiting: queue.Queue[tuple[Subscription, dict[str, Any]]] = queue.Queue()
        self._thread: threading.Thread | None = None

    @property
    def subscriptions(self) -> list[Subscription]:
        """All of them, the oldest first."""
        return list(self._subscriptions)

    def subscribe(self, url: str, watched: Sequence[tuple[str, str]], secret: str = "") -> Subscription:
        """Post to this address what happens to the watched from now on."""
        made = Subscription(id=f"{next(self._numbers):024x}", url=url, watched=tuple(watched), secret=secret)
        self._subscriptions.append(made)
        if self._thread is None:
            self._thread = threading.Thread(target=self._post_all, name="standin webhooks", daemon=True)
            self._thread.start()
        return made

    def unsubscribe(self, identity: str) -> bool:
        """End a subscription; False when there is none of this id."""
        known = len(self._subscriptions)
        self._subscriptions = [item for item in self._subscriptions if item.id != identity]
        return len(self._subscriptions) < known

    def tell(self, happened: Happened) -> None:
        """Post it to whom it concerns; of a repo that stays private nobody hears."""
        if all(repo is None or repo.private for repo in (happened.before, happened.after)):
            return
        for subscription in self._subscriptions:
            if any(repo is not None and subscription.watches(repo) for repo in (happened.before, happened.after)):
                for facts in happened.facts():
                    self._waiting.put((subscription, body_of(happened, facts, subscription, self.origin)))

    def wait(self) -> None:
        """Until everything that happened so far is posted, or given up on."""
        self._waiting.join()

    def _post_all(self) -> None:
        while True:
            subscription, body = self._waiting.get()
            self.sent.append(Sent(subscription, body, _post(subscription, body)))
            self._waiting.task_done()


def _post(subscription: Subscription, body: Mapping[str, Any]) -> int:
    """The last answer's status, 0 for none; only 5xx and silence are tried again."""
    headers = {SECRET_HEADER.encode(): subscription.secret.encode()} if subscription.secret else {}
    status = 0
    for number in range(TRIES):
        time.sleep(PAUSE * 2**number if number else 0)
        try:
            answer = httpx2.post(subscription.url, json=body, headers=headers, timeout=PATIENCE, trust_env=False)
        except (httpx2.HTTPError, httpx2.InvalidURL):
            continue
        status = answer.status_code
        if status < 500:
            break
    return status
