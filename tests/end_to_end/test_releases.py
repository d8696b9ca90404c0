"""What a user sees of releases: once, grouped, settled, on every channel; silence otherwise."""

from __future__ import annotations

import json
import struct
import subprocess
from datetime import timedelta

from checkpoints import CONFIG, TOTAL, checkpoint, shards, whole_file
from stage import Stage

from watcher.demo.models import card_text, config_text, gguf_files, model_files, quantised_files
from watcher.hub.standin import Fault
from watcher.hub.standin.repo import Content, Weights

V3 = "deepseek-ai/DeepSeek-V3"
QWEN = "Qwen/Qwen3-32B"
MINUTES = timedelta(minutes=1)


def test_the_first_look_is_silent(stage: Stage) -> None:
    stage.world.create("maker/Old-1", model_files(QWEN))
    said = stage.once()
    assert "maker: first look, 1 repo known from now on" in said
    assert stage.once(timedelta(hours=1))[-1] == "done: nothing new"
    assert stage.received() == []


def test_a_release_is_told_once_when_it_is_quiet(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Model-32B", model_files(QWEN))
    assert "maker/Model-32B: released" in stage.once(5 * MINUTES)
    assert stage.received() == []
    stage.once(20 * MINUTES)
    assert len(stage.received()) == 1
    assert stage.once(timedelta(hours=3)) == ["done: nothing new"]
    assert len(stage.received()) == 1


def test_a_known_but_empty_organization_announces_its_first_model(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/First", model_files(QWEN))
    stage.settle()
    assert len(stage.headlines()) == 1


def test_something_breaking_goes_out_at_once(stage: Stage) -> None:
    stage.once()
    files = model_files(
        QWEN, changed={"model_type": "brandnew", "architectures": ["BrandNewForCausalLM"], "warp_factor": 9}
    )
    stage.world.create("maker/Warp", files)
    stage.once(MINUTES)
    assert "brandnew" in json.dumps(stage.received()).lower()
    stage.once(timedelta(hours=1))
    assert len(stage.received()) == 1


def test_quantised_copies_and_tunings_are_one_message(stage: Stage) -> None:
    stage.once()
    base = "maker/Big-7B"
    stage.world.create(base, model_files(QWEN))
    stage.world.create(f"{base}-Instruct", model_files(QWEN))
    for suffix, method, bits in (("FP8", "fp8", 8), ("AWQ", "awq", 4), ("GPTQ-Int4", "gptq", 4)):
        stage.world.create(f"{base}-{suffix}", quantised_files(QWEN, f"{base}-{suffix}", method, bits))
    stage.world.create(f"{base}-GGUF", gguf_files(QWEN, f"{base}-GGUF"))
    stage.settle()
    assert len(stage.received()) == 1
    (page,) = stage.pages().values()
    assert all(f"{base}{suffix}" in page for suffix in ("", "-Instruct", "-FP8", "-AWQ", "-GPTQ-Int4", "-GGUF"))


def test_sizes_of_one_family_are_one_release_with_several_architectures(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/Fam-32B", model_files(QWEN))
    stage.world.create("maker/Fam-4B", model_files("Qwen/Qwen3-4B"))
    stage.settle()
    (message,) = stage.received("webhook")
    assert message["data"]["record"]["model"]["id"] == "maker/Fam-32B"
    assert len(message["data"]["members"]) == 2


def test_an_unknown_word_joins_while_the_release_waits_and_is_news_after(stage: Stage) -> None:
    stage.once()
    for name in ("maker/Zeta-V3", "maker/Zeta-V3-Speciale", "maker/Zeta-V3-Coder"):
        stage.world.create(name, model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 2, "Speciale is the same architecture under a longer name; Coder is another line"
    stage.world.create("maker/Zeta-V3-Terminus", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 3, "what comes after the release went out is news when in doubt"


def test_waiting_releases_that_turn_out_to_be_one_are_told_once(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Omo-3-1025-7B", model_files(QWEN))
    stage.world.create("maker/Omo-3-7B-Think", model_files(QWEN))
    stage.once(5 * MINUTES)
    card = b"---\nbase_model: maker/Omo-3-1025-7B\nbase_model_relation: finetune\npipeline_tag: text-generation\n---\n"
    stage.world.create("maker/Omo-3-7B-Instruct", model_files(QWEN) | {"README.md": card})
    stage.settle()
    assert len(stage.received()) == 1
    assert stage.once(timedelta(days=1)) == ["done: nothing new"]


def test_a_distilled_model_named_after_two_families_is_with_its_teacher(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/Deep-R1", model_files(V3))
    stage.world.create("maker/Deep-R1-Distill-Qwen-32B", model_files(QWEN))
    stage.world.create("maker/Deep-R1-Distill-Qwen-4B", model_files("Qwen/Qwen3-4B"))
    stage.settle()
    (message,) = stage.received("webhook")
    assert message["data"]["repos"][0]["id"] == "maker/Deep-R1"
    assert len(message["data"]["members"]) == 3


def test_a_repo_that_turns_public_with_an_old_date_is_news(stage: Stage) -> None:
    old = stage.world.now - timedelta(days=90)
    stage.world.create("maker/Secret", model_files(QWEN), at=old, private=True)
    stage.once()
    stage.world.change("maker/Secret", private=False)
    stage.once(5 * MINUTES)
    assert len(stage.received()) == 1, "it has been quiet for long: no wait"


def test_files_that_come_later_complete_the_release(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Slow", {"README.md": card_text("maker/Slow")})
    assert stage.once(30 * MINUTES)[-1] in ("done: nothing new", "done: 1 event")
    assert stage.received() == []
    stage.world.upload("maker/Slow", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1


def test_a_late_copy_is_told_only_to_who_asks_for_it(stage: Stage) -> None:
    stage.channels.append(stage.channel("discord", events=["variant_added"]))
    stage.once()
    stage.world.create("maker/Late-32B", model_files(QWEN))
    stage.settle()
    stage.world.create("maker/Late-32B-FP8", quantised_files(QWEN, "maker/Late-32B", "fp8", 8))
    stage.once(timedelta(days=2))
    stage.once(30 * MINUTES)
    assert len(stage.received("slack")) == 1
    (message,) = stage.received("discord")
    assert "1 copy added" in json.dumps(message)


def gguf_copy(of: str) -> dict[str, Content]:
    """A GGUF copy whose file says a little about the architecture, and not the same as the config does."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, 0, 2)
    for key, kind, value in (
        (b"general.architecture", 8, struct.pack("<Q", 5) + b"qwen3"),
        (b"qwen3.block_count", 4, struct.pack("<I", 64)),
    ):
        head += struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value
    return {"README.md": card_text(of, base_model=of), "Q4_K_M.gguf": Weights(10**9, head)}


def test_late_copies_that_look_a_little_different_are_no_news(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Late-32B", model_files(QWEN))
    stage.settle()
    padded = quantised_files(QWEN, "maker/Late-32B-AWQ", "awq", 4)
    padded |= {"config.json": model_files(QWEN, changed={"vocab_size": 152064})["config.json"]}
    stage.world.create("maker/Late-32B-GGUF", gguf_copy("maker/Late-32B"))
    stage.world.create("maker/Late-32B-AWQ", padded)
    stage.world.create("maker/Late-32B-ONNX", model_files(QWEN, changed={"transformers.js_config": {"dtype": "q4"}}))
    stage.once(timedelta(days=2))
    stage.once(30 * MINUTES)
    assert len(stage.received()) == 1


def test_a_late_copy_of_another_structure_is_news(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Late-32B", model_files(QWEN))
    stage.settle()
    stage.world.create("maker/Late-32B-FP8", model_files(V3))
    stage.once(timedelta(days=2))
    stage.once(30 * MINUTES)
    assert len(stage.received()) == 2


def test_a_copy_of_what_was_there_before_us_is_quiet_whatever_it_is_called(stage: Stage) -> None:
    stage.world.create("maker/Old-32B", model_files(QWEN))
    stage.once()
    card = card_text("Tiny", base_model="maker/Old-32B", base_model_relation="quantized")
    stage.world.create("maker/Tiny", model_files(QWEN) | {"README.md": card})
    stage.settle()
    assert stage.received() == []


def test_a_gguf_file_is_no_architecture_of_its_own_beside_its_original(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/Both-32B", model_files(QWEN))
    stage.world.create("maker/Both-32B-GGUF", gguf_copy("maker/Both-32B"))
    stage.settle()
    (message,) = stage.received("webhook")
    assert len(message["data"]["members"]) == 1
    assert {repo["id"] for repo in message["data"]["repos"]} == {"maker/Both-32B", "maker/Both-32B-GGUF"}


def test_a_late_size_is_news_in_the_same_release(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/Two-32B", model_files(QWEN))
    stage.settle()
    stage.world.create("maker/Two-4B", model_files("Qwen/Qwen3-4B"))
    stage.once(timedelta(days=1))
    stage.once(30 * MINUTES)
    first, second = (message["data"] for message in stage.received("webhook"))
    assert first["release_id"] == second["release_id"]
    assert "Continues" in second["markdown"]


def test_a_config_change_is_compared_with_the_repos_own_past(stage: Stage) -> None:
    stage.world.create("maker/Known", model_files(QWEN))
    stage.once()
    config = model_files(QWEN, changed={"max_position_embeddings": 131072})["config.json"]
    stage.world.upload("maker/Known", {"config.json": config})
    stage.once(5 * MINUTES)
    (headline,) = stage.headlines()
    assert "changed its config" in headline
    assert "context length" in headline
    assert "131,072" in headline


def test_a_channel_is_told_what_it_asked_for_whatever_else_one_commit_changed(stage: Stage) -> None:
    asked = {"tokens": ["tokenizer_changed"], "all": ["weights_changed", "tokenizer_changed", "card_changed"]}
    stage.channels = [stage.channel("slack", name=name, events=kinds) for name, kinds in asked.items()]
    stage.world.create("maker/Old-7B", model_files(QWEN))
    stage.once()
    stage.world.upload(
        "maker/Old-7B", {"tokenizer_config.json": b"{}", "model.safetensors": Weights(10), "README.md": b""}
    )
    stage.once(timedelta(hours=1))
    assert ["tokenizer" in headline for headline in stage.headlines("tokens")] == [True]
    assert len(stage.headlines("all")) == 2  # weights and card together; the tokenizer for both channels


def test_what_happens_to_several_repos_of_a_release_is_told_by_its_kind(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook", events=["license_changed", "disappeared"])]
    stage.once()
    for size in ("4B", "32B"):
        stage.world.create(f"maker/Model-{size}", model_files(f"Qwen/Qwen3-{size}", license="mit"))
    stage.settle()
    stage.world.upload("maker/Model-4B", {"README.md": card_text("maker/Model-4B", license="gemma")})
    stage.world.delete("maker/Model-32B")
    stage.once(MINUTES)
    stage.world.upload("maker/Model-4B", {"README.md": card_text("maker/Model-4B", license="apache-2.0")})
    stage.once(timedelta(hours=2))
    told = sorted((message["type"], message["data"]["repos"][0]["id"]) for message in stage.received("webhook"))
    licence = ("model.license_changed", "maker/Model-4B")
    assert told == [("model.disappeared", "maker/Model-32B"), licence, licence]


def test_a_readme_edit_is_no_news(stage: Stage) -> None:
    stage.world.create("maker/Known", model_files(QWEN))
    stage.once()
    stage.world.upload("maker/Known", {"README.md": b"# better\n"})
    stage.settle()
    assert stage.received() == []


def test_fields_the_hub_derives_later_are_no_change(stage: Stage) -> None:
    stage.world.create("maker/Known", model_files(QWEN))
    stage.world.change("maker/Known", overrides={"pipeline_tag": None})
    stage.once()
    stage.world.change("maker/Known", overrides={"library_name": "other"})
    stage.once(5 * MINUTES)
    assert stage.received() == []


def test_a_gated_repo_is_announced_and_completed_when_it_opens(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Gated-32B", model_files(QWEN), gated="manual")
    stage.settle()
    (headline,) = stage.headlines()
    assert headline == "maker/Gated-32B is out, gated: its architecture cannot be read yet"
    assert stage.once(timedelta(hours=30)) == ["done: nothing new"], "trying again is no news"
    stage.world.change("maker/Gated-32B", gated=False)
    stage.settle()
    assert len(stage.received()) == 2, "completed once, not repeated"
    assert stage.headlines()[1].startswith(
        "maker/Gated-32B: gating manual → none; now it can be read. Gated-32B (32.8B)"
    )
    assert stage.once(timedelta(days=2)) == ["done: nothing new"]


def test_a_gate_that_opens_for_us_alone_completes_the_report_too(stage: Stage) -> None:
    """The Hub shows no change when our token is granted access: the files simply can be had."""
    stage.once()
    stage.world.create("maker/Gated-32B", model_files(QWEN), gated="manual")
    stage.settle()
    stage.standin.answers.tokens["hf_ours"] = "someone"
    stage.standin.answers.approved.add(("someone", "maker/Gated-32B"))
    stage.hub |= {"token": "hf_ours"}
    stage.once(timedelta(days=2))
    assert len(stage.received()) == 2
    assert "now it can be read. Gated-32B (32.8B)" in stage.headlines()[1]


def test_a_renamed_repo_is_not_new(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", events=["released", "renamed"])]
    stage.world.create("maker/Before", model_files(QWEN))
    stage.once()
    stage.world.rename("maker/Before", "maker/After")
    stage.once(5 * MINUTES)
    assert stage.headlines() == ["maker/Before is now called maker/After"]


def test_a_disappearance_needs_two_looks_an_hour_apart(stage: Stage) -> None:
    stage.channels = [stage.channel("slack", events=["disappeared"])]
    for number in range(8):
        stage.world.create(f"maker/M{number}", model_files(QWEN))
    stage.once()
    stage.world.delete("maker/M3")
    stage.once(10 * MINUTES)
    stage.once(10 * MINUTES)
    assert stage.received() == []
    stage.once(timedelta(hours=1))
    assert len(stage.received()) == 1
    assert "maker/M3 has disappeared" in stage.headlines()[0]


def test_a_recreated_repo_is_a_new_release(stage: Stage) -> None:
    stage.world.create("maker/Again", model_files(QWEN))
    stage.once()
    stage.world.delete("maker/Again")
    stage.world.create("maker/Again", model_files(QWEN))
    stage.settle()
    assert len(stage.received()) == 1
    assert "anew" in stage.headlines()[0]


def test_a_lost_store_or_a_new_channel_announces_nothing_old(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/One", model_files(QWEN))
    stage.settle()
    stage.channels.append(stage.channel("discord"))
    stage.once(timedelta(hours=1))
    assert stage.received("discord") == []
    (stage.folder / "watcher.db").unlink()
    stage.settle()
    assert len(stage.received("slack")) == 1


def test_filters_and_their_loosening(stage: Stage) -> None:
    stage.watch |= {"exclude": ["*-Secret*"], "organizations": ["maker"]}
    stage.once()
    stage.world.create("maker/M-Secret-1", model_files(QWEN))
    stage.settle()
    stage.watch |= {"exclude": []}
    stage.settle()
    assert stage.received() == [], "what a filter dropped is not announced when the filter is loosened"


def test_an_undecided_filter_leaves_a_candidate(stage: Stage) -> None:
    stage.watch |= {"tasks": ["text-generation"]}
    stage.once()
    files = model_files(QWEN) | {"README.md": b"no card yet\n"}
    stage.world.create("maker/Fresh", files)
    stage.settle()
    assert stage.received() == []
    stage.world.upload("maker/Fresh", {"README.md": card_text("maker/Fresh")})
    stage.settle()
    assert len(stage.received()) == 1


def test_every_channel_gets_the_same_report(stage: Stage) -> None:
    remote = stage.git_remote()
    secret = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
    stage.channels = [
        stage.channel("slack"),
        stage.channel("discord"),
        stage.channel("webhook", secret=secret),
        stage.channel("git", "archive", repository=str(remote)),
        stage.channel("folder", "copy", path="copy"),
    ]
    stage.once()
    stage.world.create("maker/All", model_files(V3))
    stage.settle()
    assert [len(stage.received(name)) for name in ("slack", "discord", "webhook")] == [1, 1, 1]
    (path,) = stage.pages()
    listed = subprocess.run(
        ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", "main"], capture_output=True, text=True
    )
    assert f"reports/{path}" in listed.stdout
    assert (stage.folder / "copy" / path).is_file()
    assert (stage.folder / "received/discord/001-sketch.png").read_bytes().startswith(b"\x89PNG")


def test_the_webhooks_signature_verifies(stage: Stage) -> None:
    import base64
    import hashlib
    import hmac

    key = b"secretsecretsecretsecret"
    stage.channels = [stage.channel("webhook", secret="whsec_" + base64.b64encode(key).decode())]
    stage.once()
    stage.world.create("maker/Signed", model_files(QWEN))
    stage.settle()
    headers = json.loads((stage.folder / "received/webhook/001.headers.json").read_text())
    body = (stage.folder / "received/webhook/001.json").read_bytes()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"


def test_the_generic_webhooks_body_holds_what_is_promised(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/Body", model_files(QWEN))
    stage.settle()
    (body,) = stage.received("webhook")
    assert body["type"] == "model.released"
    keys = (
        "report_id release_id organization headline significance verdict repos record comparison members markdown url"
    )
    assert set(keys.split()) <= body["data"].keys()
    assert body["data"]["repos"][0]["id"] == "maker/Body"
    assert body["data"]["record"]["schema"] == 1


def test_a_quiet_cycle_costs_one_request_an_organization(stage: Stage) -> None:
    stage.watch |= {"organizations": ["maker", "other"]}
    stage.world.create("other/Thing", model_files(QWEN))
    stage.once()
    before = len(stage.standin.log)
    stage.once(5 * MINUTES)
    assert len(stage.standin.log) - before == 2


def test_a_file_is_fetched_once_per_blob(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/Same-A", model_files(QWEN))
    stage.settle()
    stage.world.create("maker/Other-B", model_files(QWEN))
    stage.settle()
    hops = [line for line in stage.standin.asked("resolve-cache") if "config.json" in line]
    assert len(hops) == 1


def test_odd_values_are_unknown_and_never_stop_the_others(stage: Stage) -> None:
    stage.once()
    config = dict(json.loads(model_files(QWEN)["config.json"]))  # type: ignore[arg-type]
    odd = {
        "String": {"num_hidden_layers": "61"},
        "Null": {"num_hidden_layers": None},
        "Negative": {"num_hidden_layers": -3},
        "Huge": {"num_hidden_layers": 10**30},
        "Wide": {"hidden_size": [1, 2]},
    }
    for name, change in odd.items():
        stage.world.create(f"maker/{name}", {"config.json": config_text(config | change)})
    stage.world.create("maker/List", {"config.json": b"[1, 2]"})
    stage.world.create("maker/Empty", {"config.json": b""})
    stage.world.create("maker/Half", {"config.json": b'{"num_hidden'})
    stage.world.create("maker/Deep", {"config.json": b"[" * 100_000})
    stage.world.create("maker/Large", {"config.json": b'{"a": "' + b"x" * 2_000_000 + b'"}'})
    stage.world.create("maker/Good", model_files(QWEN))
    said = stage.settle()
    assert not any(line.startswith("error") for line in said), said
    told = " ".join(stage.headlines())
    for name in (*odd, "List", "Half", "Deep", "Large", "Good"):
        assert name in told, name
    assert "Traceback" not in told
    before = len(stage.received())
    stage.once(timedelta(hours=5))
    assert len(stage.received()) == before, "unreadable is announced once"


def unknown_in_shards() -> dict[str, Content]:
    """A model that no witness counts without the headers of its three shards."""
    stored = checkpoint(lambda stem, rows, columns: {f"{stem}.weight": ("BF16", (rows, columns))})
    parts = dict(shards(stored, 3))
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    return {
        "README.md": card_text("maker/New"),
        "config.json": config_text(CONFIG),
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{file: whole_file(part) for file, part in parts.items()},
    }


def test_a_model_that_nobody_knows_is_counted_from_the_headers_of_its_weights(stage: Stage) -> None:
    stage.channels = [stage.channel("webhook")]
    stage.once()
    stage.world.create("maker/New", unknown_in_shards())
    stage.standin.faults.add(Fault(path="model-00002", kind="status", status=503, times=1))
    stage.once(5 * MINUTES)
    stage.once(5 * MINUTES)
    stage.once(30 * MINUTES)
    (message,) = stage.received("webhook")
    assert message["data"]["record"]["parameters"]["total"] == TOTAL
    heads = [line for line in stage.standin.asked("/resolve/") if "-of-00003" in line]
    assert len(heads) == 4, "the shard that failed is asked for again, the others are not"
    configs = [line for line in stage.standin.asked("/resolve/") if "config.json" in line]
    assert len(configs) == 1


def test_headers_that_cannot_be_had_hold_nothing_up_for_long(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/New", unknown_in_shards())
    stage.standin.faults.add(Fault(path="-of-00003", kind="status", status=503))
    for _ in range(5):
        stage.once(10 * MINUTES)
    assert len(stage.received()) == 1


def test_the_weights_of_a_gated_repo_are_not_asked_for(stage: Stage) -> None:
    stage.once()
    stage.world.create("maker/New", unknown_in_shards(), gated="manual")
    stage.settle()
    assert len(stage.received()) == 1
    assert not [line for line in stage.standin.asked("/resolve/") if "-of-00003" in line]
