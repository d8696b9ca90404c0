"""The Hub client: listings, files, errors; each known trap of the library is closed."""

from __future__ import annotations

import hashlib
import json
import time

import pytest

from watcher.demo.models import safetensors_head
from watcher.hub.client import EXPAND, HubClient
from watcher.hub.files import fetch_files
from watcher.hub.headers import read_header
from watcher.hub.model import HubError, HubProblem
from watcher.hub.standin import Fault, Standin, Weights

TOKEN = "hf_testtoken"


def problem_of(call: object, *arguments: object) -> HubError:
    with pytest.raises(HubError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value


# --- listings --------------------------------------------------------------------------------------------------------


def test_a_listing_asks_once_with_exactly_the_fields_it_needs(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": b"{}"})
    listing = hub.list_organization("maker")
    assert listing.complete
    assert [item.name for item in listing.sightings] == ["maker/a"]
    (line,) = standin.asked()
    assert all(f"expand={name}" in line for name in EXPAND)
    assert "downloads" not in line
    assert "limit=1000" in line


def test_the_user_agent_names_us_and_nothing_else_is_asked(standin: Standin, hub: HubClient) -> None:
    hub.organization_exists("maker")
    assert all(item.headers["user-agent"].startswith("model-release-watcher/") for item in standin.log)
    assert not standin.asked("agent-harnesses"), "telemetry is off"


def test_every_page_is_followed(standin: Standin) -> None:
    for number in range(2500):
        standin.world.create(f"maker/m{number}")
    listing = HubClient(standin.url).list_organization("maker")
    assert listing.complete
    assert listing.requests == 3
    assert len({item.hub_id for item in listing.sightings}) == 2500


def test_a_page_that_fails_leaves_the_listing_incomplete(standin: Standin) -> None:
    for number in range(1500):
        standin.world.create(f"maker/m{number}")
    standin.faults.add(Fault(path="cursor=", kind="status", status=500))
    listing = HubClient(standin.url).list_organization("maker")
    assert not listing.complete
    assert len(listing.sightings) == 1000


ODD = [
    {"safetensors": {"parameters": {"BF16": "many"}}},
    {"safetensors": {}},
    {"createdAt": "yesterday"},
    {"lastModified": 12},
    {"transformersInfo": {"unknown": 1}},
    {"siblings": [{"rfilename": "x", "lfs": {}}]},
    {"tags": "none"},
    {"gated": {"odd": True}},
    {"baseModels": [1, {"models": "x"}]},
    {"sha": "not a sha"},
]


@pytest.mark.parametrize("field", ODD)
def test_an_odd_field_costs_nothing_but_itself(standin: Standin, hub: HubClient, field: dict[str, object]) -> None:
    standin.world.create("maker/odd", {"config.json": b"{}"})
    standin.world.create("maker/good", {"config.json": b"{}"})
    standin.world.change("maker/odd", overrides=field)
    listing = hub.list_organization("maker")
    assert {item.name for item in listing.sightings} == {"maker/odd", "maker/good"}
    assert listing.complete


@pytest.mark.parametrize("field", [{"id": None}, {"id": 5}, {"id": "../../etc"}, {"_id": None}, {"_id": "a b"}])
def test_an_item_without_identity_is_named_and_never_hides_the_others(
    standin: Standin, hub: HubClient, field: dict[str, object]
) -> None:
    standin.world.create("maker/odd", {"config.json": b"{}"})
    standin.world.create("maker/good", {"config.json": b"{}"})
    standin.world.change("maker/odd", overrides=field)
    listing = hub.list_organization("maker")
    assert [item.name for item in listing.sightings] == ["maker/good"]
    assert listing.oddities
    assert listing.odd_names == (("maker/odd",) if "_id" in field else ())
    assert listing.oddities


def test_an_answer_to_another_question_is_refused(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": b"{}"})
    standin.world.change("maker/a", overrides={"id": "stranger/a"})
    assert problem_of(hub.list_organization, "maker").problem is HubProblem.INVALID


def test_the_next_page_on_another_host_is_not_followed(standin: Standin) -> None:
    standin.world.create("maker/a")
    standin.faults.add(Fault(path="/api/models", kind="foreign-link"))
    listing = HubClient(standin.url, TOKEN, deadline=2).list_organization("maker")
    assert not listing.complete
    assert "another host" in listing.oddities[0]


# --- no answer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stall", "drip"])
def test_a_server_that_stalls_or_drips_is_cut_off(standin: Standin, kind: str) -> None:
    for number in range(50):
        standin.world.create(f"maker/m{number}")
    standin.faults.add(Fault(path="/api/models", kind=kind))
    began = time.monotonic()
    error = problem_of(HubClient(standin.url, deadline=1.0).list_organization, "maker")
    assert error.problem is HubProblem.UNAVAILABLE
    assert error.transient
    assert time.monotonic() - began < 10, "the deadline holds for the whole exchange"


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("reset", HubProblem.UNAVAILABLE),
        ("truncate", HubProblem.UNAVAILABLE),
        ("malformed", HubProblem.INVALID),
        ("html", HubProblem.INVALID),
        ("empty", HubProblem.INVALID),
    ],
)
def test_a_broken_answer_is_one_clear_error(standin: Standin, hub: HubClient, kind: str, problem: HubProblem) -> None:
    standin.world.create("maker/a")
    standin.faults.add(Fault(path="/api/models", kind=kind))
    error = problem_of(hub.list_organization, "maker")
    assert error.problem is problem
    assert "again later" in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_neither_slept_on_nor_asked_again(standin: Standin, hub: HubClient, status: int) -> None:
    standin.faults.add(Fault(path="/api/models", kind="status", status=status))
    assert problem_of(hub.list_organization, "maker").problem is HubProblem.UNAVAILABLE
    assert len(standin.log) == 1, "retrying is the scheduler's business"


def test_a_used_up_rate_limit_says_when_to_come_back(standin: Standin, hub: HubClient) -> None:
    standin.limits.quotas["api"] = 1
    hub.list_organization("maker")
    began = time.monotonic()
    error = problem_of(hub.list_organization, "maker")
    assert error.problem is HubProblem.RATE_LIMITED
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 301
    assert time.monotonic() - began < 5, "the library would sleep for minutes"
    assert hub.rates["api"].remaining == 0


def test_retry_after_is_passed_on(standin: Standin, hub: HubClient) -> None:
    standin.faults.add(Fault(path="/api/", kind="status", status=429, headers={"Retry-After": "17"}))
    assert problem_of(hub.list_organization, "maker").retry_after == 17


def test_nobody_listening_is_one_clear_error() -> None:
    error = problem_of(HubClient("http://127.0.0.1:9", deadline=2).list_organization, "maker")
    assert error.problem is HubProblem.UNAVAILABLE


# --- refusals, told apart by status and code -------------------------------------------------------------------------


def test_refusals(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/open", {"config.json": b"{}"})
    standin.world.create("maker/hidden", {"config.json": b"{}"}, private=True)
    standin.world.create("maker/gated", {"config.json": b"{}"}, gated="manual")
    standin.world.create("maker/off", {"config.json": b"{}"})
    standin.world.change("maker/off", disabled=True)
    authorised = HubClient(standin.url, TOKEN, deadline=2)
    for client in (hub, authorised):
        assert problem_of(client.info, "maker/nothing").problem is HubProblem.NOT_FOUND
        assert problem_of(client.info, "maker/hidden").problem is HubProblem.NOT_FOUND
        assert problem_of(client.tree, "maker/open", "0" * 40).problem is HubProblem.NO_REVISION
        for name, problem in (("gated", HubProblem.GATED), ("off", HubProblem.DISABLED)):
            sighting = client.info(f"maker/{name}")
            tree = client.tree(sighting.name, sighting.sha or "")
            assert problem_of(client.read_range, sighting.name, sighting.sha, "config.json", 0, 9).problem is problem
            assert [file.path for file in tree] == ["config.json"]
    wrong = HubClient(standin.url, "hf_wrong", deadline=2)
    assert problem_of(wrong.whoami).problem is HubProblem.BAD_TOKEN
    assert problem_of(wrong.info, "maker/open").problem is HubProblem.BAD_TOKEN
    assert authorised.whoami() == "someone"
    assert hub.whoami() is None


@pytest.mark.parametrize("name", ["a/b/c", "a", "../x", "a/..", "a/b--c", "a/b?c", "a/b#c", "a /b"])
def test_a_name_that_cannot_be_is_not_asked_for(standin: Standin, hub: HubClient, name: str) -> None:
    assert problem_of(hub.info, name).problem is HubProblem.REFUSED
    assert not standin.log


def test_a_former_name_leads_to_the_repo_and_shows_its_identity(standin: Standin, hub: HubClient) -> None:
    repo = standin.world.create("maker/before", {"config.json": b"{}"})
    standin.world.rename("maker/before", "maker/after")
    sighting = hub.info("maker/before")
    assert (sighting.hub_id, sighting.name) == (repo.hub_id, "maker/after")


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_at_its_revision_and_checked(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": b'{"old": 1}'})
    old = hub.info("maker/a").sha or ""
    standin.world.upload("maker/a", {"config.json": b'{"new": 1}'})
    (file,) = hub.tree("maker/a", old)
    assert hub.read("maker/a", old, file, limit=100) == b'{"old": 1}'


def test_bytes_that_are_not_the_blob_are_refused(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": b'{"a": 1234567}'})
    sha = hub.info("maker/a").sha or ""
    (file,) = hub.tree("maker/a", sha)
    standin.faults.add(Fault(path="resolve-cache", kind="html"))
    assert problem_of(lambda: hub.read("maker/a", sha, file, limit=100)).problem is HubProblem.INVALID


def test_a_file_in_lfs_comes_from_the_cdn_and_is_checked_by_sha256(standin: Standin, hub: HubClient) -> None:
    data = b"tokenizer" * 1000
    standin.world.create("maker/a", {"tokenizer.json": data})
    sha = hub.info("maker/a").sha or ""
    (file,) = hub.tree("maker/a", sha)
    assert file.lfs_sha256 == hashlib.sha256(data).hexdigest()
    assert hub.read("maker/a", sha, file, limit=10**6) == data


def test_a_file_over_its_limit_is_not_asked_for(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": Weights(200 * 1024 * 1024)})
    sighting = hub.info("maker/a")
    before = len(standin.log)
    fetched = fetch_files(hub, sighting, sighting.sha or "", hub.tree("maker/a", sighting.sha or ""), lambda oid: None)
    assert fetched.unreadable == "config.json is too large to be read"
    assert not [line for line in standin.asked()[before:] if "resolve" in line]


def test_a_body_longer_than_promised_is_cut_off(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"weights.bin": Weights(3_000_000)})
    sha = hub.info("maker/a").sha or ""
    assert len(hub.read_range("maker/a", sha, "weights.bin", 0, 1000)) == 1000


def test_what_the_store_has_is_not_fetched_again(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"config.json": b"{}"})
    sighting = hub.info("maker/a")
    tree = hub.tree("maker/a", sighting.sha or "")
    fetched = fetch_files(hub, sighting, sighting.sha or "", tree, lambda oid: b"{}")
    assert fetched.files.files == {"config.json": b"{}"}
    assert not standin.asked("resolve")


def test_the_header_of_a_weights_file_comes_by_range(standin: Standin, hub: HubClient) -> None:
    tensors = {f"layer.{i}.weight": ("BF16", [4096, 4096]) for i in range(4000)}
    head = safetensors_head(tensors)
    standin.world.create("maker/a", {"model.safetensors": Weights(10**12, head)})
    sha = hub.info("maker/a").sha or ""
    (file,) = hub.tree("maker/a", sha)
    header = json.loads(read_header(hub, "maker/a", sha, file))
    assert len(header) == 4000


def test_a_header_that_claims_too_much_is_refused(standin: Standin, hub: HubClient) -> None:
    standin.world.create("maker/a", {"model.safetensors": Weights(10**12, b"\xff" * 7 + b"\x00")})
    sha = hub.info("maker/a").sha or ""
    (file,) = hub.tree("maker/a", sha)
    assert problem_of(read_header, hub, "maker/a", sha, file).problem is HubProblem.TOO_LARGE


def test_the_token_goes_to_the_endpoint_alone(standin: Standin) -> None:
    standin.world.create("maker/a", {"tokenizer.json": b"x" * 2000})
    client = HubClient(standin.url, TOKEN, deadline=2)
    sha = client.info("maker/a").sha or ""
    (file,) = client.tree("maker/a", sha)
    elsewhere = standin.url.replace("127.0.0.1", "localhost")
    standin.faults.add(Fault(path="/resolve/", kind="status", status=302, headers={"Location": f"{elsewhere}/cdn/x"}))
    problem_of(lambda: client.read("maker/a", sha, file, limit=10**6))
    tokens = {item.path: "authorization" in item.headers for item in standin.log}
    assert tokens["/cdn/x"] is False
    assert tokens["/api/models/maker/a"] is True


def test_no_token_is_taken_from_the_environment(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    HubClient(standin.url, deadline=2).list_organization("maker")
    assert "authorization" not in standin.log[0].headers


def test_errors_hold_no_token(standin: Standin) -> None:
    standin.faults.add(Fault(path=".", kind="status", status=500))
    error = problem_of(HubClient(standin.url, TOKEN, deadline=2).list_organization, "maker")
    assert TOKEN not in str(error) + repr(error)
