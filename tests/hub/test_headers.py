"""Headers of weights by range request: where a count is in doubt, at one revision, bounded, and nothing asked twice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from checkpoints import CONFIG, SAMPLES, TOTAL, Stored, checkpoint, header, shards, whole_file

from watcher.architecture.read import read
from watcher.architecture.weights.wanted import wanted
from watcher.architecture.witness import RepoFiles
from watcher.demo.models import model_files, quantised_files
from watcher.hub.client import HubClient
from watcher.hub.files import fetch_files
from watcher.hub.headers import MAX_FILES, Kept, kept_as, read_headers
from watcher.hub.model import HubError, HubProblem, TreeFile
from watcher.hub.standin import Fault, Standin, Weights

NAME = "maker/a"
PLAIN = checkpoint(lambda stem, rows, columns: {f"{stem}.weight": ("BF16", (rows, columns))})


def repo_of(stored: Stored, count: int, config: dict[str, object] | None = None) -> dict[str, bytes]:
    """A repo with this checkpoint in `count` shards, and an index that states no size."""
    parts = dict(shards(stored, count))
    index = {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}
    files = {file: whole_file(part) for file, part in parts.items()}
    files["config.json"] = json.dumps(config or CONFIG).encode()
    return files | {"model.safetensors.index.json": json.dumps(index).encode()}


def fetched(hub: HubClient) -> tuple[RepoFiles, str, tuple[TreeFile, ...]]:
    sighting = hub.info(NAME)
    sha = sighting.sha or ""
    tree = hub.tree(NAME, sha)
    return fetch_files(hub, sighting, sha, tree, lambda oid: None).files, sha, tree


def ranges(standin: Standin) -> list[str]:
    """The files of which a part was asked for, each once however often it was redirected."""
    return [
        item.path.rpartition("/")[2] for item in standin.log if "range" in item.headers and "/resolve/" in item.path
    ]


@pytest.mark.parametrize("packing", ["nvfp4, ModelOpt", "packed int4 and int8", "mlx, mixed", "gptq"])
def test_a_sharded_copy_is_counted_from_the_headers_of_its_shards(
    standin: Standin, hub: HubClient, packing: str
) -> None:
    sample = SAMPLES[packing]
    standin.world.create(NAME, repo_of(sample.stored(), 3, sample.full_config()))
    files, sha, tree = fetched(hub)
    record = read(files)
    assert record.parameters.total is None
    assert wanted(record, files) == "no witness counts the parameters"
    record = read(read_headers(hub, files, sha, tree))
    assert record.parameters.total == TOTAL
    assert sorted(ranges(standin)) == [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]


def test_headers_are_of_the_revision_that_is_read(standin: Standin, hub: HubClient) -> None:
    standin.world.create(NAME, repo_of(PLAIN, 2))
    files, sha, tree = fetched(hub)
    larger = PLAIN | {"model.layers.2.mlp.up_proj.weight": ("BF16", (64, 64))}
    standin.world.upload(NAME, repo_of(larger, 2))
    assert read(read_headers(hub, files, sha, tree)).parameters.total == TOTAL


def test_a_retry_goes_on_where_it_was_cut_off(standin: Standin, hub: HubClient) -> None:
    standin.world.create(NAME, repo_of(PLAIN, 4))
    files, sha, tree = fetched(hub)
    store: dict[str, bytes] = {}
    kept = Kept(store.get, store.__setitem__)
    standin.faults.add(Fault(path="model-00003", kind="status", status=503))
    with pytest.raises(HubError) as raised:
        read_headers(hub, files, sha, tree, kept)
    assert raised.value.problem is HubProblem.UNAVAILABLE
    standin.faults.clear()
    before = len(ranges(standin))
    assert read(read_headers(hub, files, sha, tree, kept)).parameters.total == TOTAL
    assert sorted(ranges(standin)[before:]) == ["model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors"]
    assert set(store) == {kept_as(file) for file in tree if file.path.endswith(".safetensors")}


def test_too_many_shards_and_senseless_headers_are_done_without(standin: Standin, hub: HubClient) -> None:
    standin.world.create(NAME, repo_of(PLAIN, 2) | {"model-00002-of-00002.safetensors": b"\xff" * 16})
    files, sha, tree = fetched(hub)
    assert read_headers(hub, files, sha, tree) is files
    many = tuple(
        TreeFile(path=f"model-{number:05d}-of-00999.safetensors", oid=f"{number:040d}", size=10**9)
        for number in range(1, 1000)
    )
    crowd = RepoFiles(name=NAME, sizes={file.path: file.size for file in many})
    before = len(standin.log)
    assert len(many) > MAX_FILES
    assert read_headers(hub, crowd, sha, many) is crowd
    assert len(standin.log) == before


def test_a_model_whose_counts_agree_costs_no_request(standin: Standin, hub: HubClient) -> None:
    standin.world.create(NAME, model_files("Qwen/Qwen3-4B"))
    files, _, _ = fetched(hub)
    record = read(files)
    assert wanted(record, files) is None
    assert files.hub["stored_parameters"] == record.parameters.total


def test_a_fresh_copy_whose_size_fits_costs_no_request(standin: Standin, hub: HubClient) -> None:
    """The Hub counts elements some time after an upload; until then the bytes of the files tell whether it fits."""
    standin.world.create(NAME, quantised_files("Qwen/Qwen3-4B", NAME, "awq", 4))
    files, _, _ = fetched(hub)
    fresh = replace(files, hub={})
    assert read(fresh).parameters.stored is None
    assert wanted(read(fresh), fresh) is None
    whole = replace(fresh, sizes={path: 5 * size for path, size in files.sizes.items()})
    assert "bytes are stored where" in str(wanted(read(whole), whole))


def test_a_copy_that_stores_much_less_than_is_built_is_looked_into(standin: Standin, hub: HubClient) -> None:
    pruned = model_files("Qwen/Qwen3-4B") | {"model-00002-of-00002.safetensors": Weights(10**6, whole_file(PLAIN))}
    standin.world.create(NAME, pruned)
    files, _, _ = fetched(hub)
    assert "elements are stored where" in str(wanted(read(files), files))


def test_one_format_of_several_is_read(standin: Standin, hub: HubClient) -> None:
    both = repo_of(PLAIN, 2) | {"consolidated.safetensors": whole_file(PLAIN), "adapter_model.safetensors": b"x" * 20}
    both.pop("model.safetensors.index.json")
    standin.world.create(NAME, both)
    files, sha, tree = fetched(hub)
    full = read_headers(hub, files, sha, tree)
    assert sorted(full.headers) == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert read(full).parameters.total == TOTAL
    assert full.headers["model-00001-of-00002.safetensors"] == header(
        dict(shards(PLAIN, 2))["model-00001-of-00002.safetensors"]
    )
