"""The stand-in speaks the Hub's protocol: the unmodified client cannot tell."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
import trustme
from huggingface_hub import HfApi, close_session, hf_hub_download, set_client_factory
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils._http import hf_request_event_hook

from watcher.hub.standin import Standin, World

TOKEN = "hf_testtoken"
CARD = b"---\nlicense: mit\npipeline_tag: text-generation\nbase_model: maker/base\n---\n# Model\n"
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Standin]:
    """A stand-in with TLS, and the library told to trust it: its errors depend on https."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    hooks = {"request": [hf_request_event_hook]}
    set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=10, verify=trust))
    close_session()
    with Standin(World(START), tokens={TOKEN: "someone"}, tls=context) as standin:
        standin.world.create(
            "maker/model",
            {
                "config.json": b'{"model_type": "llama"}',
                "README.md": CARD,
                "tokenizer.json": b"{}" * 10,
                "sub/notes.txt": b"notes",
            },
        )
        standin.world.create("maker/base", {"config.json": b"{}"})
        yield standin
    close_session()
    from watcher.hub import transport

    set_client_factory(transport._factory)


def api(standin: Standin, token: str | bool = False) -> HfApi:
    return HfApi(endpoint=standin.url, token=token)


def test_listing_and_info(secure: Standin) -> None:
    models = list(api(secure).list_models(author="maker", sort="created_at", expand=["sha", "tags", "gated"]))
    assert [item.id for item in models] == ["maker/base", "maker/model"]
    assert models[1].sha == secure.world.find("maker/model")[0].head.sha  # type: ignore[union-attr]
    info = api(secure).model_info("maker/model")
    assert info.pipeline_tag == "text-generation"
    assert "license:mit" in (info.tags or [])
    assert {item.rfilename for item in info.siblings or []} == {
        "config.json",
        "README.md",
        "tokenizer.json",
        "sub/notes.txt",
    }
    blobs = api(secure).model_info("maker/model", files_metadata=True)
    assert all(item.blob_id and item.size is not None for item in blobs.siblings or [])


def test_paging(secure: Standin) -> None:
    for number in range(2300):
        secure.world.create(f"many/m{number}")
    for sort in ("created_at", "last_modified"):
        names = [item.id for item in api(secure).list_models(author="many", sort=sort)]
        assert len(names) == len(set(names)) == 2300


def test_trees_paths_refs_commits(secure: Standin) -> None:
    client = api(secure)
    paths = {item.path for item in client.list_repo_tree("maker/model", recursive=True)}
    assert paths == {"config.json", "README.md", "tokenizer.json", "sub", "sub/notes.txt"}
    assert [item.path for item in client.list_repo_tree("maker/model", "sub")] == ["sub/notes.txt"]
    found = client.get_paths_info("maker/model", ["config.json", "nothing"])
    assert [item.path for item in found] == ["config.json"]
    secure.world.upload("maker/model", {"config.json": b'{"model_type": "llama", "v": 2}'})
    assert len(client.list_repo_commits("maker/model")) == 2
    head = secure.world.find("maker/model")[0].head  # type: ignore[union-attr]
    assert client.list_repo_refs("maker/model").branches[0].target_commit == head.sha  # type: ignore[union-attr]


def test_downloads_small_and_large(secure: Standin, tmp_path: Path) -> None:
    for name, size in (("config.json", 23), ("tokenizer.json", 20)):
        path = hf_hub_download("maker/model", name, endpoint=secure.url, cache_dir=tmp_path, token=False)
        assert Path(path).stat().st_size == size
    head = [item for item in secure.log if item.method == "HEAD" and "config.json" in item.path]
    assert [item.status for item in head] == [307, 200]


def test_errors_are_those_of_the_hub(secure: Standin) -> None:
    client = api(secure)
    secure.world.create("maker/gated", {"config.json": b"{}"}, gated="auto")
    with pytest.raises(RepositoryNotFoundError):
        client.model_info("maker/nothing")
    with pytest.raises(RepositoryNotFoundError):
        api(secure, TOKEN).model_info("maker/nothing")
    with pytest.raises(RevisionNotFoundError):
        client.model_info("maker/model", revision="f" * 40)
    with pytest.raises(EntryNotFoundError):
        list(client.list_repo_tree("maker/model", "nothing"))
    with pytest.raises(EntryNotFoundError):
        client.hf_hub_download("maker/model", "nothing.json")
    with pytest.raises(GatedRepoError):
        client.hf_hub_download("maker/gated", "config.json")
    with pytest.raises(BadRequestError):
        list(client.list_models(author="maker", expand=["everything"]))  # type: ignore[list-item]
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        client.whoami(token="hf_wrong")
    assert client.model_info("maker/gated").gated == "auto"


def test_renames_redirect_with_their_query(secure: Standin) -> None:
    secure.world.rename("maker/model", "maker/renamed")
    info = api(secure).model_info("maker/model", expand=["sha"])
    assert info.id == "maker/renamed"
    assert [item.path for item in api(secure).get_paths_info("maker/model", ["config.json"])] == ["config.json"]
    assert api(secure).model_info("MAKER/renamed").id == "maker/renamed"


def test_headers_of_every_answer(secure: Standin) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        api(secure).model_info("maker/nothing")
    headers = caught.value.response.headers
    assert headers["ratelimit"].startswith('"api";r=')
    assert headers["x-powered-by"] == "huggingface-moon"
    assert "x-error-code" not in headers
    assert headers["www-authenticate"].startswith("Bearer")


def test_conditional_requests(secure: Standin) -> None:
    from huggingface_hub.utils import get_session

    url = f"{secure.url}/api/models?author=maker&expand=sha"
    first = get_session().get(url)
    second = get_session().get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, second.status_code) == (200, 304)
    assert first.headers["etag"].startswith(f'W/"{len(first.content):x}-')


def test_a_folder_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "config.json").write_text("{}")
    with Standin.from_folder(tmp_path) as standin:
        assert [repo.name for repo in standin.world.repos] == ["org/name"]
        assert "org/name" in httpx2.get(f"{standin.url}/api/models?author=org", trust_env=False).text


def test_time_passes_and_things_happen() -> None:
    from datetime import timedelta

    world = World(START)
    world.later(timedelta(hours=2), lambda world: world.create("maker/late"))
    world.advance(timedelta(hours=1))
    assert world.repos == []
    world.advance(timedelta(hours=3))
    (repo,) = world.repos
    assert repo.created_at == START + timedelta(hours=2)


@pytest.mark.shared
def test_it_answers_as_the_hub_was_recorded(shared: Path) -> None:
    import importlib.util
    import sys

    scripts = Path(__file__).parents[2] / "scripts"
    sys.path.insert(0, str(scripts))
    spec = importlib.util.spec_from_file_location("conformance", scripts / "conformance_standin.py")
    assert spec is not None
    assert spec.loader is not None
    conformance = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conformance)
    with Standin(conformance.world()) as standin:
        for name, recording in conformance.recordings(shared / "hub"):
            assert conformance.differences(standin, recording) == [], name


def test_webhooks_are_set_up_by_the_unmodified_client(secure: Standin) -> None:
    with pytest.raises(HfHubHTTPError):
        api(secure).list_webhooks()
    account = api(secure, TOKEN)
    made = account.create_webhook(url="http://127.0.0.1:9/", watched=[{"type": "org", "name": "maker"}], secret="s")
    assert [hook.id for hook in account.list_webhooks()] == [made.id]
    account.delete_webhook(made.id)
    assert secure.world.webhooks.subscriptions == []
