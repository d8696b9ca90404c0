"""Pull and merge requests: one table row a forge, asked for by its API once the branch is pushed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from watcher.errors import ConfigurationError
from watcher.publish import api, http
from watcher.publish.interface import DeliveryError, Scope


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    project: str
    """`owner/name`, or a path of groups."""
    source: str
    """The branch that was pushed."""
    target: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Forge:
    """How one kind of server takes requests."""

    base: str
    """Where its API is, below the repository's host."""
    path: Callable[[Request], str]
    body: Callable[[Request], Mapping[str, Any]]
    header: Callable[[str], Mapping[str, str]]
    """From the token."""
    there: int
    """Status when there is such a request already."""
    address: str
    """The key of its page in the answer."""


FORGES: Mapping[str, Forge] = {
    "github": Forge(
        base="https://api.github.com",
        path=lambda asked: f"/repos/{asked.project}/pulls",
        body=lambda asked: {"title": asked.title, "head": asked.source, "base": asked.target, "body": asked.text},
        header=lambda token: {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        there=422,
        address="html_url",
    ),
    "gitlab": Forge(
        base="https://{host}/api/v4",
        path=lambda asked: f"/projects/{quote(asked.project, safe='')}/merge_requests",
        body=lambda asked: {
            "title": asked.title,
            "source_branch": asked.source,
            "target_branch": asked.target,
            "description": asked.text,
            "remove_source_branch": True,
        },
        header=lambda token: {"PRIVATE-TOKEN": token},
        there=409,
        address="web_url",
    ),
}


def host_and_project(repository: str) -> tuple[str, str]:
    """`git@host:group/name.git` or an address → (host, group/name)."""
    text = repository.removesuffix(".git")
    if text.startswith("git@"):
        host, _, path = text.removeprefix("git@").partition(":")
        return host, path.strip("/")
    parts = urlsplit(text)
    return parts.hostname or "", parts.path.strip("/")


def forge_of(kind: str, repository: str) -> Forge:
    """The forge that was named, or the one the host tells. Raises ConfigurationError when neither does."""
    host = host_and_project(repository)[0]
    told = kind or ("github" if host == "github.com" else "gitlab" if host.startswith("gitlab.") else "")
    if told not in FORGES:
        raise ConfigurationError(f"a pull request needs to know the forge; set forge = {' or '.join(FORGES)}")
    return FORGES[told]


def ask(forge: Forge, asked: Request, *, base: str, host: str, token: str, what: str) -> str:
    """Open the request; its page, or `already open`. Raises DeliveryError."""
    address = (base or forge.base.format(host=host)).rstrip("/") + forge.path(asked)
    said = api.call(address, what=what, json=dict(forge.body(asked)), headers=forge.header(token))
    if said.answer.status == forge.there and "already exists" in said.answer.text:
        return "already open"
    if said.answer.status in (401, 404):
        raise api.revoked(what, said, "the token must be allowed to open requests in this repository")
    if said.answer.status == 403:
        after = http.retry_after(said.answer)
        raise DeliveryError(f"{what} refused: {said.answer.short}", retry_after=after, status=said.answer.short)
    http.raise_for(said.answer, what)
    if not said.ok:
        raise DeliveryError(f"{what} said {said.answer.short}", scope=Scope.CHANNEL, status=said.answer.short)
    return str(said.get(forge.address) or "opened")
