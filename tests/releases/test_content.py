"""What a tree of files comes to, and what changed between two."""

from __future__ import annotations

from watcher.hub.model import TreeFile
from watcher.releases.content import changed_kinds, survey
from watcher.releases.model import EventKind


def tree(**files: str) -> list[TreeFile]:
    return [TreeFile(path=path.replace("__", "."), oid=oid, size=10) for path, oid in files.items()]


def shard(number: int, total: int) -> TreeFile:
    return TreeFile(path=f"model-{number:05}-of-{total:05}.safetensors", oid=str(number), size=10)


def test_a_card_alone_is_nothing_to_read() -> None:
    assert not survey(tree(README__md="1")).readable


def test_a_config_or_a_gguf_is() -> None:
    assert survey(tree(config__json="1")).readable
    assert survey(tree(model__gguf="1")).readable


def test_an_empty_config_is_nothing_to_read() -> None:
    assert not survey([TreeFile(path="config.json", oid="e", size=0)]).readable


def test_a_missing_shard_is_seen() -> None:
    assert survey([shard(1, 2), shard(2, 2)]).whole
    assert not survey([shard(1, 2)]).whole


def test_an_index_without_its_shards_is_not_whole() -> None:
    index = TreeFile(path="model.safetensors.index.json", oid="i", size=10)
    assert not survey([index]).whole
    assert survey([index, shard(1, 1)]).whole
    assert not survey([index]).weights


def test_kinds_of_change_are_told_by_blob_ids() -> None:
    before = tree(README__md="1", config__json="1", tokenizer__json="1", modeling_x__py="1")
    after = tree(README__md="2", config__json="2", tokenizer__json="1", modeling_x__py="3", notes__txt="1")
    kinds = changed_kinds(before, after)
    assert set(kinds) == {EventKind.CARD_CHANGED, EventKind.CONFIG_CHANGED, EventKind.CODE_CHANGED}
    assert kinds[EventKind.CODE_CHANGED] == ["modeling_x.py"]


def test_files_that_come_and_go_are_changes() -> None:
    assert EventKind.WEIGHTS_CHANGED in changed_kinds(tree(config__json="1"), tree(config__json="1", x__gguf="1"))
    assert EventKind.TOKENIZER_CHANGED in changed_kinds(tree(chat_template__jinja="1"), tree())
