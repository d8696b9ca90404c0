"""What the Hub answers to a request: routes and protocol, without sockets. Request in, response out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, quote, urlencode

from watcher.hub.standin import items
from watcher.hub.standin.listings import fields_of, list_models
from watcher.hub.standin.protocol import (
    CHALLENGE,
    PLAIN,
    Refused,
    Request,
    Response,
    asked,
    content_answer,
    error,
    first,
    json_answer,
    limit_of,
    next_link,
    redirect,
    weak_etag,
)
from watcher.hub.standin.repo import Commit, File, ModelRepo
from watcher.hub.standin.world import World

MAX_LIMIT = 1000
DEFAULT_COMMITS = 50
MAX_PATHS = 2000
TREE_PAGE = 1000


class Answers:
    """The Hub's behaviour over a world of repos."""

    def __init__(self, world: World, tokens: Mapping[str, str] | None = None) -> None:
        self.world = world
        self.tokens = dict(tokens or {})
        """Token → account."""
        self.approved: set[tuple[str, str]] = set()
        """(account, repo name): who may read a gated repo."""
        self.members: set[tuple[str, str]] = set()
        """(account, organization): who sees its private repos."""
        self.page = MAX_LIMIT
        """Items of a listing's page at most."""

    def answer(self, request: Request) -> Response:
        """The response to a request; every refusal is one too."""
        try:
            account = self._account(request)
            for pattern, handler in ROUTES:
                match = re.fullmatch(pattern, request.path)
                if match:
                    return handler(self, request, account, *match.groups())
            return error(404, "Sorry, we can't find the page you are looking for.")
        except Refused as refused:
            return refused.response

    def _account(self, request: Request) -> str | None:
        header = request.headers.get("authorization", "")
        if not header:
            return None
        token = header.removeprefix("Bearer ").strip()
        if token not in self.tokens:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.tokens[token]

    # --- finding repos -----------------------------------------------------------------------------------------------

    def repo(self, request: Request, account: str | None, name: str) -> ModelRepo:
        """The repo a path names; a former name or another case redirects, a missing or private one is refused."""
        found, present = self.world.find(name)
        if found is None or not self._visible(found, account):
            if account is None:
                raise Refused(401, "Invalid username or password.", None, CHALLENGE)
            raise Refused(404, "Repository not found", "RepoNotFound")
        if not present:
            target = quote(request.path.replace(name, found.name, 1), safe="/")
            query = urlencode([(key, value) for key, values in request.query.items() for value in values])
            raise redirect(307, f"{target}?{query}" if query else target)
        return found

    def _visible(self, repo: ModelRepo, account: str | None) -> bool:
        return not repo.private or (account, repo.organization) in self.members

    def commit(self, repo: ModelRepo, revision: str) -> Commit:
        """A revision by branch or sha."""
        if revision in ("main", "HEAD", "refs/heads/main") and repo.head:
            return repo.head
        found = next((item for item in repo.commits if item.sha == revision), None)
        if found is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def _guard_files(self, repo: ModelRepo, account: str | None) -> None:
        if repo.disabled:
            raise Refused(403, "Access to this resource is disabled.")
        if repo.gated and (account, repo.name) not in self.approved:
            about = f"Access to model {repo.name} is restricted"
            if account is None:
                raise Refused(
                    401, f"{about}. You must have access to it and be authenticated to access it.", "GatedRepo"
                )
            raise Refused(403, f"{about} and you are not in the authorized list.", "GatedRepo")

    # --- listings ----------------------------------------------------------------------------------------------------

    def list_models(self, request: Request, account: str | None) -> Response:
        """`GET /api/models`."""
        return list_models(self.world, request, lambda repo: self._visible(repo, account), self.page)

    # --- one repo ----------------------------------------------------------------------------------------------------

    def info(self, request: Request, account: str | None, name: str, revision: str | None = None) -> Response:
        """`GET /api/models/{id}[/revision/{rev}]`."""
        repo = self.repo(request, account, name)
        commit = self.commit(repo, revision) if revision else repo.head
        wanted = asked(request.query)
        fields = fields_of(request.query) if wanted else items.INFO
        item = items.describe(self.world, repo, fields, commit)
        if first(request.query, "blobs") in ("true", "1") and commit:
            item["siblings"] = [items.sibling(path, file) for path, file in sorted(commit.files.items())]
        if not wanted:
            item["modelId"] = repo.name
        return json_answer(request, item)

    def tree(
        self, request: Request, account: str | None, name: str, revision: str, path: str | None = None
    ) -> Response:
        """`GET /api/models/{id}/tree/{rev}[/{path}]`."""
        repo = self.repo(request, account, name)
        commit = self.commit(repo, revision)
        prefix = f"{path.strip('/')}/" if path and path.strip("/") else ""
        inside = {name: file for name, file in sorted(commit.files.items()) if name.startswith(prefix)}
        if prefix and not inside:
            raise Refused(404, f'{prefix[:-1]} does not exist on "{revision}"', "EntryNotFound")
        deep = first(request.query, "recursive") in ("true", "1", "True")
        rows = items.tree_rows(inside, prefix, deep)
        start = int(base64.b64decode(first(request.query, "cursor") or "") or b"0")
        limit = limit_of(first(request.query, "limit"), TREE_PAGE, TREE_PAGE)
        headers = {}
        if len(rows) > start + limit:
            headers["Link"] = next_link(request, base64.b64encode(str(start + limit).encode()).decode())
        return json_answer(request, rows[start : start + limit], headers)

    def paths_info(self, request: Request, account: str | None, name: str, revision: str) -> Response:
        """`POST /api/models/{id}/paths-info/{rev}`, as a form or as JSON."""
        repo = self.repo(request, account, name)
        commit = self.commit(repo, revision)
        if "json" in request.headers.get("content-type", ""):
            try:
                paths = json.loads(request.body)["paths"]
            except (ValueError, KeyError, TypeError):
                raise Refused(400, '"paths" is required') from None
        else:
            paths = parse_qs(request.body.decode("utf-8", "replace")).get("paths", [])
        if not isinstance(paths, list) or len(paths) > MAX_PATHS:
            raise Refused(400, f'"paths" must be an array of at most {MAX_PATHS}')
        found = [items.tree_item(path, commit.files[path]) for path in paths if path in commit.files]
        return json_answer(request, found)

    def refs(self, request: Request, account: str | None, name: str) -> Response:
        """`GET /api/models/{id}/refs`."""
        repo = self.repo(request, account, name)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.sha} if repo.head else None
        return json_answer(request, {"branches": [main] if main else [], "tags": [], "converts": []})

    def commits(self, request: Request, account: str | None, name: str, revision: str) -> Response:
        """`GET /api/models/{id}/commits/{rev}`, newest first."""
        repo = self.repo(request, account, name)
        self._guard_files(repo, account)
        last = self.commit(repo, revision)
        known = [*reversed(repo.commits[: repo.commits.index(last) + 1])]
        limit = limit_of(first(request.query, "limit"), DEFAULT_COMMITS, 1000)
        page = int(first(request.query, "p") or 0)
        rows = [
            {
                "id": item.sha,
                "title": item.title,
                "message": "",
                "authors": [{"user": repo.organization, "avatar": ""}],
                "date": items.moment(item.at),
            }
            for item in known[page * limit : (page + 1) * limit]
        ]
        headers = {"X-Total-Count": str(len(known))}
        if len(known) > (page + 1) * limit:
            url = f"{request.origin}{quote(request.path)}?{urlencode({'p': page + 1, 'limit': limit})}"
            headers["Link"] = f'<{url}>; rel="next"'
        return json_answer(request, rows, headers)

    # --- files -------------------------------------------------------------------------------------------------------

    def resolve(self, request: Request, account: str | None, name: str, revision: str, path: str) -> Response:
        """`GET|HEAD /{id}/resolve/{rev}/{path}`: a hop to the cache for small files, to the CDN for those in LFS."""
        repo, commit, file = self._file(request, account, name, revision, path)
        headers = {"X-Repo-Commit": commit.sha, "Accept-Ranges": "bytes"} | PLAIN
        if account is None:
            headers["X-HF-Warning"] = "unauthenticated; Set HF_TOKEN for higher rate limits"
        if file.lfs:
            headers |= {
                "X-Linked-Size": str(file.size),
                "X-Linked-Etag": f'"{file.sha256}"',
                "Cache-Control": "no-store",
            }
            where = f"{_another_host(request.origin)}/cdn/{repo.hub_id}/{commit.sha}/{quote(path)}"
            return Response(status=302, headers=headers | {"Location": where}, body=b"Found")
        headers["X-Linked-Etag"] = f'"{file.oid}"'
        query = urlencode({"download": "true", "etag": f'"{file.oid}"'})
        where = f"/api/resolve-cache/models/{repo.name}/{commit.sha}/{quote(path, safe='')}?{query}"
        return Response(status=307, headers=headers | {"Location": where}, body=b"Temporary Redirect")

    def cached(self, request: Request, account: str | None, name: str, revision: str, path: str) -> Response:
        """Where the hop leads: the content, with the blob id as its ETag."""
        _, commit, file = self._file(request, account, name, revision, path)
        headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{file.oid}"', "Content-Type": "text/plain; charset=utf-8"}
        return content_answer(request, file, headers)

    def raw(self, request: Request, account: str | None, name: str, revision: str, path: str) -> Response:
        """What git holds: the pointer of a file in LFS."""
        _, commit, file = self._file(request, account, name, revision, path)
        body = file.pointer if file.lfs else file.part(0, file.size)
        return Response(headers={"X-Repo-Commit": commit.sha, "Content-Type": "text/plain; charset=utf-8"}, body=body)

    def cdn(self, request: Request, account: str | None, hub_id: str, revision: str, path: str) -> Response:
        """The content of a file in LFS; the CDN knows no accounts."""
        repo = next((repo for repo in self.world.repos if repo.hub_id == hub_id), None)
        if repo is None:
            return Response(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")
        file = self.commit(repo, revision).files[path]
        etag = hashlib.sha256(b"xet" + file.oid.encode()).hexdigest()
        return content_answer(request, file, {"ETag": f'"{etag}"', "Content-Type": "application/octet-stream"})

    def _file(
        self, request: Request, account: str | None, name: str, revision: str, path: str
    ) -> tuple[ModelRepo, Commit, File]:
        repo = self.repo(request, account, name)
        self._guard_files(repo, account)
        commit = self.commit(repo, revision)
        if path not in commit.files:
            refused = Refused(404, "Entry not found", "EntryNotFound")
            body = b"Entry not found"
            headers = dict(refused.response.headers) | PLAIN | {"ETag": weak_etag(body)}
            refused.response = Response(status=404, headers=headers, body=body)
            raise refused
        return repo, commit, commit.files[path]

    # --- accounts ----------------------------------------------------------------------------------------------------

    def organization(self, request: Request, account: str | None, name: str) -> Response:
        """`GET /api/organizations/{org}/overview`."""
        if not self.world.has_organization(name):
            raise Refused(404, "This organization does not exist")
        count = sum(not repo.private and repo.organization.lower() == name.lower() for repo in self.world.repos)
        identity = hashlib.sha256(name.lower().encode()).hexdigest()[:24]
        return json_answer(
            request, {"_id": identity, "name": name, "fullname": name, "isVerified": False, "numModels": count}
        )

    def user(self, request: Request, account: str | None, name: str) -> Response:
        """`GET /api/users/{user}/overview`: the stand-in has organizations only."""
        raise Refused(404, "This user does not exist")

    def whoami(self, request: Request, account: str | None) -> Response:
        """`GET /api/whoami-v2`."""
        self._signed_in(account)
        return json_answer(request, {"type": "user", "name": account, "fullname": account, "orgs": [], "auth": {}})

    def webhooks(self, request: Request, account: str | None) -> Response:
        """`GET|POST /api/settings/webhooks`: an account's webhooks, or one more."""
        self._signed_in(account)
        if request.method != "POST":
            return json_answer(request, [item.to_dict() for item in self.world.webhooks.subscriptions])
        try:
            asked_for = json.loads(request.body)
            watched = [(str(item["type"]), str(item["name"])) for item in asked_for["watched"]]
            url, secret = asked_for["url"], asked_for.get("secret") or ""
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, '"watched" and "url" are required') from None
        made = self.world.webhooks.subscribe(str(url), watched, str(secret))
        return json_answer(request, {"webhook": made.to_dict()})

    def webhook(self, request: Request, account: str | None, identity: str) -> Response:
        """`DELETE /api/settings/webhooks/{id}`."""
        self._signed_in(account)
        if request.method != "DELETE" or not self.world.webhooks.unsubscribe(identity):
            raise Refused(404, "This webhook does not exist")
        return json_answer(request, {"success": True})

    def _signed_in(self, account: str | None) -> None:
        if account is None:
            raise Refused(401, "Invalid username or password.", None, CHALLENGE)

    def harnesses(self, request: Request, account: str | None) -> Response:
        """`GET /api/agent-harnesses`: what the client asks for in the first call of a process."""
        return json_answer(request, {"standardEnvVars": [], "harnesses": {}})


_NAME = r"([\w.-]+/[\w.-]+)"
Handler = Callable[..., Response]
ROUTES: tuple[tuple[str, Handler], ...] = (
    (r"/api/models", Answers.list_models),
    (rf"/api/models/{_NAME}/revision/(.+)", Answers.info),
    (rf"/api/models/{_NAME}/tree/([^/]+)/?", Answers.tree),
    (rf"/api/models/{_NAME}/tree/([^/]+)/(.+)", Answers.tree),
    (rf"/api/models/{_NAME}/paths-info/([^/]+)", Answers.paths_info),
    (rf"/api/models/{_NAME}/refs", Answers.refs),
    (rf"/api/models/{_NAME}/commits/([^/]+)", Answers.commits),
    (rf"/api/models/{_NAME}", Answers.info),
    (rf"/api/resolve-cache/models/{_NAME}/([^/]+)/(.+)", Answers.cached),
    (r"/api/organizations/([\w.-]+)/overview", Answers.organization),
    (r"/api/users/([\w.-]+)/overview", Answers.user),
    (r"/api/whoami-v2", Answers.whoami),
    (r"/api/settings/webhooks", Answers.webhooks),
    (r"/api/settings/webhooks/([0-9a-f]+)", Answers.webhook),
    (r"/api/agent-harnesses", Answers.harnesses),
    (r"/cdn/([0-9a-f]+)/([0-9a-f]{40})/(.+)", Answers.cdn),
    (rf"/{_NAME}/resolve/([^/]+)/(.+)", Answers.resolve),
    (rf"/{_NAME}/raw/([^/]+)/(.+)", Answers.raw),
)
"""Path → what answers it; the first match counts."""

POSTED = re.compile(r"/api/models/[\w.-]+/[\w.-]+/paths-info/[^/]+|/api/settings/webhooks(/[0-9a-f]+)?")
"""What may be posted to or deleted; everything else is read."""


# --- helpers ---------------------------------------------------------------------------------------------------------


def _another_host(origin: str) -> str:
    """The CDN is another host than the Hub, by name: clients treat their token and redirects accordingly."""
    return origin.replace("127.0.0.1", "localhost")
