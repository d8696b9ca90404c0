"""The card as a witness: what it states of its own model is weighed; what it says of another one is not heard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.architecture.card import read_card
from watcher.architecture.explain import explain
from watcher.architecture.read import read
from watcher.architecture.record import Architecture, Disagreement
from watcher.architecture.witness import RepoFiles
from watcher.baselines.catalog import load_catalog
from watcher.demo.models import baseline_of
from watcher.report.terminal import doubts

Heard = dict[str, int]


def files(name: str, card: str, config: dict[str, Any] | None = None) -> RepoFiles:
    found = {"README.md": card.encode()} | ({"config.json": json.dumps(config).encode()} if config else {})
    return RepoFiles(name=name, files=found)


def heard(name: str, card: str) -> Heard:
    """The first thing a card says of each fact."""
    said: Heard = {}
    for item in read_card(files(name, card))[1]:
        said.setdefault(item.fact, item.amounts[0].value)
    return said


def with_card(name: str, card: str, **changes: Any) -> Architecture:
    return read(files(name, card, {**baseline_of(name).config, **changes}))


def said_otherwise(record: Architecture) -> dict[str, Disagreement]:
    return {item.fact: item for item in record.disagreements if "card" in item.values}


V3 = "deepseek-ai/DeepSeek-V3"
RIGHT = """---
license: mit
---
# DeepSeek-V3

We present DeepSeek-V3, a strong language model with 671B total parameters with 37B activated for each token.

| **Model** | **#Total Params** | **#Activated Params** | **Context Length** |
|:---:|:---:|:---:|:---:|
| DeepSeek-V3-Base | 671B | 37B | 160K |
| DeepSeek-V3 | 671B | 37B | 160K |

- Number of Layers: 61
- Number of Experts: 256
- Number of Activated Experts: 8
- Attention heads: 128
- Vocabulary Size: 129K
"""


def test_a_card_that_rounds_agrees() -> None:
    record = with_card(V3, RIGHT)
    assert not said_otherwise(record)
    assert record.model.license == "mit"
    assert record.evidence["model.license"].witness == "card"
    assert record.evidence["model.license"].where == "README.md:2"


@pytest.mark.parametrize(
    ("was", "now", "fact", "value"),
    [
        ("61", "64", "layers.count", 64),
        ("Experts: 256", "Experts: 160", "moe.num_experts", 160),
        ("Experts: 8", "Experts: 6", "moe.num_experts_per_tok", 6),
        ("heads: 128", "heads: 96", "attention.num_attention_heads", 96),
        ("129K", "151K", "vocab_size", 151_000),
        ("160K", "128K", "context_length", 131_072),
    ],
)
def test_what_differs_beyond_rounding_is_a_disagreement_with_its_line(
    was: str, now: str, fact: str, value: int
) -> None:
    record = with_card(V3, RIGHT.replace(was, now))
    (found,) = said_otherwise(record).values()
    assert (found.fact, found.values["card"], found.taken) == (fact, value, "config")
    lines = RIGHT.replace(was, now).splitlines()
    number, _, quote = found.where["card"].removeprefix("README.md:").partition(": ")
    assert now.split()[-1] in lines[int(number) - 1]
    assert now.split()[-1] in quote
    assert found.where["config"].startswith("config.json: ")


def test_the_card_is_never_believed_over_what_was_read() -> None:
    wrong, right = with_card(V3, RIGHT.replace("61", "64")), with_card(V3, RIGHT)
    assert wrong.layers == right.layers
    assert wrong.parameters == right.parameters


def test_a_context_that_only_the_card_extends_is_said() -> None:
    card = "- Context Length: 163,840 natively and [1,310,720 tokens with YaRN](#long-texts).\n"
    record = with_card(V3, card)
    (found,) = said_otherwise(record).values()
    assert (found.values["config"], found.values["card"]) == (163_840, 1_310_720)
    assert found.note == "only the card extends it"
    assert any("only the card extends it" in line for line in doubts(record))
    assert "  card says 1310720: README.md:1: " in "\n".join(explain(record, "context_length", RepoFiles(name="x")))
    assert not said_otherwise(with_card(V3, card, max_position_embeddings=1_310_720))
    assert heard("maker/some-4b", "* **Long Context**: Native 256K context, expandable to 1M.\n") == {
        "context_length": 262_144
    }


def test_a_context_that_nobody_else_tells_is_the_cards_in_doubt() -> None:
    own = {"dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 32768, "n_heads": 32, "n_kv_heads": 8}
    found = {"params.json": json.dumps(own).encode(), "README.md": b"- **Context Window**: A 128k context window.\n"}
    record = read(RepoFiles(name="maker/Foo-Small", files=found))
    assert record.context_length == 131_072
    assert record.evidence["context_length"].witness == "card"
    assert record.evidence["context_length"].doubt
    assert not record.is_unknown("context_length")


@pytest.mark.parametrize("piece", ["a", "a-", "Foo-2-7B ", "[", "- Layers: 1\n", "native 1K context expand "])
def test_a_card_may_be_as_long_as_it_likes(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    read_card(files("maker/Foo-2-7B", f"# {text}\n- Layers: 3 {text}\n| x | {text} |\n|-|-|\n| Layers | {text} |\n"))


OTHERS = {
    "a table of other models": ("maker/Foo-2-7B-Distill-Qwen-32B", """
| Model | #Total Params | Context Length |
|--|--|--|
| Foo-2 | 671B | 128K |
| Foo-2-Zero | 671B | 128K |
"""),
    "the row of two": ("maker/Foo-2", """
| Model | #Total Params | Context Length |
|--|--|--|
| Foo-2-7B | 7B | 128K |
| Foo-2-13B | 13B | 128K |
"""),
    "a sibling's clause": ("maker/Foo-4.5", "Foo-4.5-Air adopts a compact design with 106 billion total parameters.\n"),
    "what it was built on": ("maker/Foo-M1-80k", "Foo-M1 follows our Foo-Text-01, which has 456B parameters.\n"),
    "under another model's heading": ("maker/Foo-2-7B", "## Teacher: Foo-2-70B\n\n- Parameters: 70B\n- Layers: 80\n"),
    "training": ("maker/Foo-2-7B", "## Training\n\n- Sequence length: 4096\n- Parameters: 70B\n"),
    "a vision tower": ("maker/Foo-2-7B", "- Vision encoder\n    - Number of Layers: 27\n    - Hidden size: 1152\n"),
    "the base model": ("maker/Foo-2-7B", "## Base model: Qwen2.5-72B\n\n- Parameters: 72B\n"),
    "a draft model": ("maker/Foo-2-70B-EAGLE3", "- Parameters: 70B\n- Layers: 80\n"),
    "code": ("maker/Foo-2-7B", "```\nLayers: 80\nParameters: 70B\n```\n"),
    "generation settings": ("maker/Foo-2-7B", "## Best practices\n\n- Context length: 32,768 for most queries\n"),
    "comparison by columns": ("maker/Foo-2-7B", """
| Property | Foo-2-13B | Bar-3-7B |
|--|--|--|
| Layers | 40 | 32 |
"""),
    "one foreign column": ("maker/Foo-2-7B", "| Property | Bar-3-13B |\n|--|--|\n| Layers | 40 |\n"),
    "mixed sizes": ("maker/Foo-2-7B", "- Context length: 32K for the 1B, 128K for the others\n"),
    "experts as a product": ("maker/Foo-8x7B", "- Parameters: 8x7B\n"),
    "tokens of training": ("maker/Foo-2-7B", "- Parameters: trained on 15T tokens\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_said_of_something_else_is_not_heard(case: str) -> None:
    name, card = OTHERS[case]
    assert heard(name, card) == {}


OWN: dict[str, tuple[str, str, Heard]] = {
    "the column of its size": ("maker/foo-4-E2B-it", """
| Property | E2B | E4B | 31B Dense |
|--|--|--|--|
| **Layers** | 35 | 42 | 60 |
""", {"layers.count": 35}),
    "the row of its name": ("maker/Foo-2-13B-Instruct-AWQ", """
| Model | Context Length |
|--|--|
| Foo-2-7B | 32K |
| Foo-2-13B | 128K |
""", {"context_length": 131_072}),
    "heads in parts": ("maker/Foo-2-7B", "- Number of Attention Heads (GQA): 32 for Q and 8 for KV\n",
                       {"attention.num_attention_heads": 32, "attention.num_key_value_heads": 8}),
    "experts in parts": ("maker/Foo-2-7B", "- Expert Count: 8 active / 128 total and 1 shared\n",
                         {"moe.num_experts_per_tok": 8, "moe.num_experts": 128, "moe.num_shared_experts": 1}),
    "its own clause of two": ("maker/Foo-4.5-Air", """Foo-4.5 has 355 billion total parameters, while Foo-4.5-Air
adopts a compact design with 106 billion total parameters and 12 billion active parameters.
""",
                              {"parameters.total": 106 * 10**9, "parameters.active": 12 * 10**9}),
    "its own item of two": ("maker/foo-oss-20b", """
- `foo-oss-120b`: for production (117B parameters with 5.1B active parameters)
- `foo-oss-20b` for less (21B parameters with 3.6B active parameters)
""",
                            {"parameters.total": 21 * 10**9, "parameters.active": 3_600_000_000}),
    "a name with spaces": ("maker/Foo-Eye-2-Instruct", "**Foo Eye 2** is a model with 1 trillion total parameters.\n",
                           {"parameters.total": 10**12}),
    "layers explained": ("maker/Foo-2-7B", "| Layers | 16 (10 conv + 6 attn) |\n|--|--|\n| Vocab | 65,536 |\n",
                         {"layers.count": 16, "vocab_size": 65_536}),
}  # fmt: skip


@pytest.mark.parametrize("case", OWN)
def test_what_is_said_of_the_model_itself_is_heard(case: str) -> None:
    name, card, expected = OWN[case]
    assert heard(name, card) == expected


QWEN = """# Foo3-Next-80B-A3B-Instruct

**Foo3-Next-80B-A3B** has the following features:
- Number of Parameters: 80B in total and 3B activated
- Number of Paramaters (Non-Embedding): 79B
- Number of Layers: 48
  - Hybrid Layout: 12 * (3 * (Gated DeltaNet -> MoE) -> 1 * (Gated Attention -> MoE))
- Gated Attention:
  - Number of Attention Heads: 16 for Q and 2 for KV
  - Head Dimension: 256
- Gated DeltaNet:
  - Number of Linear Attention Heads: 32 for V and 16 for QK
  - Number of Attention Heads: 99
- Mixture of Experts:
  - Number of Activated Experts: 10 Routed + 1 Shared
  - Expert Intermediate Dimension: 512
- Context Length: 262,144 natively and extensible up to 1,010,000 tokens
"""
KIMI = """
| | |
|:--:|:--:|
| **Architecture** | Mixture-of-Experts (MoE) |
| **Total Parameters** | 1T |
| **Activated Parameters** | 32B |
| **Number of Layers** (Dense layer included) | 61 |
| **Attention Hidden Dimension** | 7168 |
| **MoE Hidden Dimension** (per Expert) | 2048 |
| **Number of Experts** | 384 |
| **Selected Experts per Token** | 8 |
| **Vocabulary Size** | 160K |
| **Context Length** | 128K |
"""


def test_the_forms_of_known_makers_are_read() -> None:
    assert heard("maker/Foo3-Next-80B-A3B-Instruct", QWEN) == {
        "parameters.total": 80 * 10**9,
        "parameters.active": 3 * 10**9,
        "layers.count": 48,
        "attention.num_attention_heads": 16,
        "attention.num_key_value_heads": 2,
        "moe.num_experts_per_tok": 10,
        "moe.num_shared_experts": 1,
        "moe.moe_intermediate_size": 512,
        "context_length": 262_144,
    }
    assert heard("maker/Foo-K2-Instruct", KIMI) == {
        "parameters.total": 10**12,
        "parameters.active": 32 * 10**9,
        "layers.count": 61,
        "hidden_size": 7168,
        "moe.moe_intermediate_size": 2048,
        "moe.num_experts": 384,
        "moe.num_experts_per_tok": 8,
        "vocab_size": 160 * 1024,
        "context_length": 128 * 1024,
    }


def test_a_count_without_the_embedding_is_taken_as_one() -> None:
    record = with_card("Qwen/Qwen3-0.6B", "- Number of Parameters (Non-Embedding): 0.44B\n")
    assert not said_otherwise(record)
    assert said_otherwise(with_card("Qwen/Qwen3-0.6B", "- Number of Parameters (Non-Embedding): 0.9B\n"))


def test_every_model_of_the_catalog_agrees_with_a_card_that_repeats_its_config() -> None:
    """Vendors' words for every model we know: no false alarm."""
    for baseline in load_catalog().baselines[::9]:
        plain = read(files(baseline.name, "", dict(baseline.config)))
        if plain.layers.count is None or plain.vocab_size is None or plain.hidden_size is None:
            continue
        card = (
            f"- Number of Layers: {plain.layers.count}\n- Vocabulary Size: {plain.vocab_size // 1000}K\n"
            f"- Hidden Dimension: {plain.hidden_size:,}\n"
        )
        assert not said_otherwise(read(files(baseline.name, card, dict(baseline.config)))), baseline.name


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="Foo-27B|:* #\n-_1234,.KM()[]`<>layerscontxparm\\", max_size=300))
def test_whatever_a_card_holds_it_is_read(text: str) -> None:
    for item in read_card(files("maker/Foo-2-7B", text))[1]:
        assert 1 <= item.line <= text.count("\n") + 1


def test_the_cards_of_the_corpus_raise_no_false_alarm(shared: Any) -> None:
    """Read by a person: each of these differs on purpose or by mistake, and no other card does."""
    known = {
        ("FreedomIntelligence/openPangu-Embedded-7B", "hidden_size"),  # states the width of the feed-forward part
        ("LiquidAI/LFM2-1.2B", "context_length"),  # 32,768 against 128,000
        ("Qwen/Qwen3-VL-4B-Instruct", "context_length"),  # expandable to 1M
    }
    found = set()
    for card in (shared / "corpus/cards").glob("*/*/README.md"):
        name = "/".join(card.parts[-3:-1])
        config = shared / "corpus/configs" / name / "config.json"
        held = {"README.md": card.read_bytes()} | ({"config.json": config.read_bytes()} if config.exists() else {})
        found |= {(name, fact) for fact in said_otherwise(read(RepoFiles(name=name, files=held)))}
    assert found == known
