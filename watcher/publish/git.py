"""A git repository: page, sketch, index and feeds committed and pushed; a replay is recognised and commits nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import field_validator

from watcher.errors import ConfigurationError
from watcher.publish.forge import Request, ask, forge_of, host_and_project
from watcher.publish.interface import DeliveryError, Links, Outgoing, Payload, Receipt
from watcher.publish.pages import front_files, page_files, page_payload
from watcher.publish.text import WORD_JOINER, cut
from watcher.report.model import Report
from watcher.section import ChannelSettings, SecretField
from watcher.whole_file import write_whole

TRIES = 5
TIMEOUT = 120
IDENTITY = ("Model Release Watcher", "model-release-watcher@users.noreply.example")


class GitSettings(ChannelSettings):
    """Keys of a git channel."""

    archive: ClassVar[bool] = True

    type: Literal["git"]
    repository: str
    """Address as `git clone` takes it; without a password in it."""
    branch: str = "main"
    path: str = "reports"
    """Folder inside the repository."""
    token: SecretField | None = None
    """For https: sent as a header, never written down."""
    ssh_key: str = ""
    """Path of a private key, relative to config.toml."""
    web: str = ""
    """Address of the branch's files for readers; told from the repository's for GitHub and GitLab."""
    signing_key: str = ""
    """Path of a private ssh key without a passphrase, relative to config.toml: signs each commit."""
    pull_request: bool = False
    """Push a branch for each report and open a pull (merge) request instead of writing to `branch`."""
    forge: Literal["", "github", "gitlab"] = ""
    """Who takes the request; told from the repository's host where it can."""
    api: str = ""
    """Base address of its API; told from the forge."""

    @field_validator("branch", "repository")
    @classmethod
    def _no_option(cls, value: str) -> str:
        if (
            not value
            or value.startswith("-")
            or (any(letter in value for letter in "\n\r\0 ~^:?*[\\") and "/" not in value)
        ):
            raise ValueError("this cannot be the name of a branch or repository")
        return value

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError("a path inside the repository, without ..")
        return value.strip("/")


class Git:
    """A remote repository with a working copy beside the configuration."""

    def __init__(self, settings: GitSettings, folder: Path) -> None:
        self.settings = settings
        self.name = settings.name
        self.folder = folder
        digest = hashlib.sha256(f"{settings.repository} {settings.branch}".encode()).hexdigest()[:12]
        self.copy = folder / ".watcher-git" / f"{settings.name}-{digest}"
        self._root = self.copy / settings.path

    def render(self, report: Report, links: Links) -> Payload:
        """The page as it is."""
        return page_payload(report)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Commit on top of what the remote has, and push; again when somebody else was faster."""
        if self.settings.pull_request:
            return self._request(outgoing)
        commit = self._on_top(outgoing, self._write)
        if commit is None:
            return Receipt(status=f"already there, {self._head()[:7]}", reference=self._head())
        return Receipt(status=f"commit {commit[:7]}", reference=commit)

    def retract(self, outgoing: Outgoing, reference: str) -> str:
        """A commit that removes the files; of a request, its branch (the forge closes it)."""
        if self.settings.pull_request:
            self._git("push", "--quiet", self.settings.repository, f":refs/heads/{_branch(outgoing)}")
            return "branch removed"
        self._on_top(outgoing, self._remove)
        return "removed by another commit"

    def _on_top(self, outgoing: Outgoing, change: Callable[[Outgoing], None]) -> str | None:
        """Make a change on top of what the remote has, and push; the commit, or None if there was nothing to do."""
        try:
            for _ in range(TRIES):
                self._refresh()
                commit = self._commit(outgoing, change)
                if commit is None or self._push(self.settings.branch):
                    return commit
        except OSError as error:
            raise DeliveryError(f"{self.name}: the working copy cannot be written: {error.strerror}") from None
        raise DeliveryError(f"{self.name}: the remote moved on {TRIES} times while we pushed; trying again later")

    def _refresh(self) -> None:
        """The working copy at the remote's branch, whatever an earlier attempt left."""
        if not (self.copy / ".git").is_dir():
            self.copy.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", f"--initial-branch={self.settings.branch}")
        listed = self._git("ls-remote", "--heads", self.settings.repository, f"refs/heads/{self.settings.branch}")
        if not listed.strip():
            if self._has_head():
                self._git("update-ref", "-d", "HEAD")
            return
        self._git(
            "fetch", "--quiet", "--no-tags", "--depth=1", self.settings.repository, f"refs/heads/{self.settings.branch}"
        )
        self._git("reset", "--quiet", "--hard", "FETCH_HEAD")
        self._git("clean", "--quiet", "-fd")

    def _write(self, outgoing: Outgoing) -> None:
        for path, data in page_files(outgoing).items():
            write_whole(self._root / path, data)
        self._front()

    def _remove(self, outgoing: Outgoing) -> None:
        for path in page_files(outgoing):
            (self._root / path).unlink(missing_ok=True)
        self._front()

    def _front(self) -> None:
        """Index and feeds; a request leaves them out, so that no two of them conflict."""
        files = {} if self.settings.pull_request else front_files(self._root)
        for path, data in files.items():
            write_whole(self._root / path, data)

    def _commit(self, outgoing: Outgoing, change: Callable[[Outgoing], None]) -> str | None:
        """Make the change and commit it; None when the remote has exactly this already."""
        change(outgoing)
        self._git("add", "--all", "--", self.settings.path or ".")
        if not self._git("status", "--porcelain").strip():
            return None
        headline = str(outgoing.payload.body["headline"])[:200]
        moment = outgoing.at.isoformat() if outgoing.at else ""
        dated = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment} if moment else {}
        message = f"{headline}\n\nDelivery: {outgoing.delivery_id}\n"
        signed = ["-S"] if self.settings.signing_key else ["--no-gpg-sign"]
        self._git("commit", "--quiet", "--no-verify", *signed, "--cleanup=verbatim", "-m", message, extra=dated)
        return self._head()

    def _request(self, outgoing: Outgoing) -> Receipt:
        """A branch of the delivery's name, and a request to take it; both are there only once however often we ask."""
        try:
            self._refresh()
            commit = self._commit(outgoing, self._write)
        except OSError as error:
            raise DeliveryError(f"{self.name}: the working copy cannot be written: {error.strerror}") from None
        if commit is None:
            return Receipt(status=f"already there, {self._head()[:7]}", reference=self._head())
        self._push(_branch(outgoing), "--force")
        headline = "".join(f"{c}{WORD_JOINER}" if c in "@#" else c for c in outgoing.payload.body["headline"])
        host, project = host_and_project(self.settings.repository)
        text = f"Delivery: {outgoing.delivery_id}"
        page = ask(
            forge_of(self.settings.forge, self.settings.repository),
            Request(project, _branch(outgoing), self.settings.branch, cut(headline, 200), text),
            base=self.settings.api,
            host=host,
            token=self.settings.token.resolve() if self.settings.token else "",
            what=f"{self.name}: the forge",
        )
        return Receipt(status=f"commit {commit[:7]}, request {page}", reference=commit)

    def _push(self, branch: str, *options: str) -> bool:
        """False when the remote moved on meanwhile."""
        try:
            self._git("push", "--quiet", "--porcelain", *options, self.settings.repository, f"HEAD:refs/heads/{branch}")
        except DeliveryError as error:
            if any(sign in str(error) for sign in ("fetch first", "non-fast-forward", "stale info", "cannot lock ref")):
                return False
            raise
        return True

    def _has_head(self) -> bool:
        return bool(self._git("for-each-ref", "--count=1", f"refs/heads/{self.settings.branch}").strip())

    def _head(self) -> str:
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str, extra: dict[str, str] | None = None) -> str:
        """Run git in the working copy: no prompt, no hooks, no configuration but ours."""
        command = [
            "git",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "gc.auto=0",
            "-c",
            "protocol.ext.allow=never",
            *self._signing(),
            *arguments,
        ]
        try:
            done = subprocess.run(
                command,
                cwd=self.copy,
                env=self._environment() | (extra or {}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except FileNotFoundError:
            raise DeliveryError(f"{self.name}: git is not installed; install it") from None
        except subprocess.TimeoutExpired:
            raise DeliveryError(
                f"{self.name}: git {arguments[0]} took longer than {TIMEOUT} s; trying again later"
            ) from None
        if done.returncode != 0:
            raise DeliveryError(f"{self.name}: git {arguments[0]} failed: {self._said(done.stderr, done.stdout)}")
        return done.stdout.decode("utf-8", "replace")

    def _said(self, *texts: bytes) -> str:
        """What git said, in one line, without the token."""
        text = " ".join(" ".join(part.decode("utf-8", "replace").split()) for part in texts if part.strip())
        token = self.settings.token.resolve() if self.settings.token else ""
        return (text.replace(token, "***") if token else text)[-400:] or "no reason given"

    def _environment(self) -> dict[str, str]:
        name, mail = IDENTITY
        kept = {key: os.environ[key] for key in _PASSED if key in os.environ}
        fixed = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "SSH_ASKPASS": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
            "GIT_SSH_COMMAND": self._ssh(),
            "LC_ALL": "C",
        }
        return kept | fixed | self._header()

    def _signing(self) -> list[str]:
        """Which key signs: git asks ssh-keygen, which asks nobody."""
        if not self.settings.signing_key:
            return []
        key = (self.folder / self.settings.signing_key).resolve()
        return ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"]

    def _ssh(self) -> str:
        key = self.settings.ssh_key
        chosen = f" -i '{(self.folder / key).as_posix()}' -o IdentitiesOnly=yes" if key and "'" not in key else ""
        return f"ssh -o BatchMode=yes -o ConnectTimeout=15{chosen}"

    def _header(self) -> dict[str, str]:
        """The token as a header through the environment: arguments can be seen by other users."""
        parts = urlsplit(self.settings.repository)
        if self.settings.token is None or parts.scheme != "https":
            return {}
        import base64

        word = base64.b64encode(f"x-access-token:{self.settings.token.resolve()}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.https://{parts.hostname}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {word}",
        }

    def check(self) -> str:
        """Whether the remote answers."""
        self.copy.mkdir(parents=True, exist_ok=True)
        listed = self._git("ls-remote", "--heads", self.settings.repository)
        there = f"refs/heads/{self.settings.branch}" in listed
        if self.settings.pull_request:
            forge_of(self.settings.forge, self.settings.repository)
            if self.settings.token is None:
                raise ConfigurationError(f"channels.{self.name}.token: a pull request needs a token of the forge")
            if not there:
                raise ConfigurationError(f"channels.{self.name}.branch: {self.settings.branch} must exist already")
        return f"the remote answers; branch {self.settings.branch} {'exists' if there else 'will be made'}"

    def report_url(self, report: Report) -> str | None:
        """The page on GitHub or GitLab, or below `web`."""
        base = self.settings.web.rstrip("/") or web_address(self.settings.repository, self.settings.branch)
        parts: Sequence[str] = [part for part in (base, self.settings.path, report.path) if part]
        return "/".join(parts) if base else None


def _branch(outgoing: Outgoing) -> str:
    return f"watcher/{outgoing.delivery_id}"


_PASSED = (
    "PATH",
    "HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "TMPDIR",
)


def web_address(repository: str, branch: str) -> str | None:
    """Where a forge shows a branch's files; None for a repository that is on none we know."""
    text = repository.removesuffix(".git")
    host, _, path = text.removeprefix("git@").partition(":") if text.startswith("git@") else ("", "", "")
    if not host:
        parts = urlsplit(text)
        host, path = parts.hostname or "", parts.path.strip("/")
    if host == "github.com":
        return f"https://{host}/{path}/blob/{branch}"
    return f"https://{host}/{path}/-/blob/{branch}" if host.startswith("gitlab.") else None
