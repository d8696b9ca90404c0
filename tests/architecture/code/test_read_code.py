"""What a repo's own modeling code tells: exact counts, the order of operations, and the lines that tell it."""

from __future__ import annotations

import re

import pytest
from tiny import CONFIG, CONFIGURATION, MODEL, TOTAL, edited

from watcher.architecture.code import has_code, read_code
from watcher.architecture.witness import Reading, RepoFiles


def value(reading: Reading, fact: str) -> object:
    return reading.facts[fact].value


def line_of(text: str, reading: Reading, fact: str) -> str:
    """The source line that a fact's evidence names."""
    where = reading.facts[fact].where
    assert isinstance(where, str)
    match = re.fullmatch(r"modeling_tiny\.py:(\d+)", where)
    assert match, where
    return text.splitlines()[int(match[1]) - 1]


def test_counts_are_exact(read) -> None:
    reading = read()
    assert reading.witness == "code"
    assert value(reading, "parameters.total") == TOTAL
    assert value(reading, "parameters.embedding") == 100 * 64
    assert value(reading, "parameters.active") == TOTAL - 100 * 64
    assert value(reading, "layers[1].parameters") == 4 * 64 * 64 + 3 * 64 * 256 + 2 * 64
    assert value(reading, "layers.count") == 2
    assert reading.facts["parameters.total"].certain
    assert reading.unread == ()


def test_the_order_of_operations_is_read(read) -> None:
    reading = read()
    assert value(reading, "norm.placement") == "pre"
    assert value(reading, "norm.kind") == "rmsnorm"
    assert value(reading, "residual.parallel") is False
    assert value(reading, "attention.qk_norm") is False
    assert value(reading, "attention.bias") is False
    assert value(reading, "feed_forward.gated") is True
    assert value(reading, "feed_forward.activation") == "silu"
    assert value(reading, "position.kinds") == ("rope",)
    assert value(reading, "layers[0].gate") is None
    assert "rotate(q, cos, sin)" in line_of(MODEL, reading, "layers[0].rope") or "x * cos" in line_of(
        MODEL, reading, "layers[0].rope"
    )


def test_evidence_is_the_line(read) -> None:
    text = edited(
        ATTENTION_INIT="self.q_norm = TinyRMSNorm(self.head_dim)", QUERY="q = self.q_norm(q)\nk = self.q_norm(k)"
    )
    reading = read(text)
    assert value(reading, "layers[0].qk_norm") == "per-head"
    assert "self.q_norm(q)" in line_of(text, reading, "layers[0].qk_norm")
    assert "class TinyForCausalLM" in line_of(text, reading, "parameters.total")


@pytest.mark.parametrize(
    ("query", "width", "kind"),
    [
        ("q, k = self.q_norm(q), self.k_norm(k)", "self.head_dim", "per-head"),
        ("q, k = self.q_norm(q), self.k_norm(k)", "config.hidden_size", "full"),
        ("q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)", "8", "l2"),
        ("v = self.q_norm(v)", "self.head_dim", None),
    ],
)
def test_norms_of_queries_and_keys_are_seen_however_they_are_written(read, query: str, width: str, kind: str) -> None:
    init = f"self.q_norm = TinyRMSNorm({width})\nself.k_norm = TinyRMSNorm({width})"
    reading = read(edited(ATTENTION_INIT=init, QUERY=query))
    assert value(reading, "layers[0].qk_norm") == kind
    assert value(reading, "attention.qk_norm") is (kind is not None)


def test_a_norm_named_otherwise_is_seen_by_what_it_does(read) -> None:
    reading = read(edited(ATTENTION_INIT="self.fancy = TinyRMSNorm(16)", QUERY="q, k = self.fancy(q), self.fancy(k)"))
    assert value(reading, "attention.qk_norm") is True


def test_gates_per_element_and_per_head(read) -> None:
    output = "out = out * torch.sigmoid(self.g_proj(hidden_states))"
    whole = read(edited(ATTENTION_INIT="self.g_proj = nn.Linear(config.hidden_size, width, bias=False)", OUTPUT=output))
    heads = read(edited(ATTENTION_INIT="self.g_proj = nn.Linear(config.hidden_size, 4, bias=False)", OUTPUT=output))
    assert value(whole, "layers[0].gate") == "sigmoid"
    assert value(heads, "layers[0].gate") == "per-head"
    assert value(whole, "attention.gated") is True


BODIES = {
    "post-inside": (
        "hidden_states = hidden_states + self.input_layernorm(self.self_attn(hidden_states, position_embeddings))\n"
        "return hidden_states + self.post_attention_layernorm(self.mlp(hidden_states))"
    ),
    "post": (
        "hidden_states = self.input_layernorm(hidden_states + self.self_attn(hidden_states, position_embeddings))\n"
        "return self.post_attention_layernorm(hidden_states + self.mlp(hidden_states))"
    ),
    "none": (
        "hidden_states = hidden_states + self.self_attn(hidden_states, position_embeddings)\n"
        "return hidden_states + self.mlp(hidden_states)"
    ),
}


@pytest.mark.parametrize("placement", BODIES)
def test_placements_of_norms(read, placement: str) -> None:
    assert value(read(with_forward(BODIES[placement])), "norm.placement") == placement


def with_forward(body: str) -> str:
    """The model with another forward of its layers."""
    start = MODEL.index("        residual = hidden_states\n")
    end = MODEL.index("class TinyModel")
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return f"{MODEL[:start]}{lines}\n{MODEL[end:]}"


def test_a_fused_norm_adds_the_residual_first(read) -> None:
    text = with_forward(
        "residual = hidden_states\n"
        "hidden_states = self.self_attn(self.input_layernorm(hidden_states), position_embeddings)\n"
        "hidden_states, residual = self.post_attention_layernorm(hidden_states, residual, True)\n"
        "return residual + self.mlp(hidden_states)"
    )
    assert value(read(text), "norm.placement") == "pre"


def test_a_base_called_by_its_name(read) -> None:
    text = MODEL.replace(
        "class TinyForCausalLM(PreTrainedModel):",
        "class TinyBase(PreTrainedModel):\n    def __init__(self, *inputs, **kwargs):\n"
        "        super().__init__(*inputs, **kwargs)\n\nclass TinyForCausalLM(TinyBase):",
    )
    head, _, tail = text.rpartition("super().__init__(config)")
    assert value(read(f"{head}TinyBase.__init__(self, config){tail}"), "parameters.total") == TOTAL


def test_a_parallel_block_reads_the_same_input(read) -> None:
    body = (
        "normed = self.input_layernorm(hidden_states)\n"
        "return hidden_states + self.self_attn(normed, position_embeddings) + self.mlp(normed)"
    )
    reading = read(with_forward(body))
    assert value(reading, "residual.parallel") is True
    assert value(reading, "norm.placement") == "pre"


def test_layers_without_positions_are_told_by_how_the_model_calls_them(read) -> None:
    text = (
        edited(QUERY="pass")
        .replace("q, k = rotate(q, cos, sin), rotate(k, cos, sin)", "pass")
        .replace(
            "cos, sin = position_embeddings",
            "if position_embeddings is not None:\n            cos, sin = "
            "position_embeddings\n            q, k = rotate(q, cos, sin), rotate(k, cos, sin)",
        )
    )
    text = text.replace(
        "        self.post_init()\n",
        "        self.post_init()\n\n    def forward(self, inputs_embeds, position_embeddings):\n"
        "        x = inputs_embeds\n        for i, layer in enumerate(self.layers):\n"
        "            x = layer(x, position_embeddings=position_embeddings if i % 2 == 0 else None)\n        return x\n",
    )
    reading = read(text)
    assert value(reading, "layers[0].rope") is True
    assert value(reading, "layers[1].rope") is False
    assert value(reading, "position.kinds") == ("rope", "nope")
    assert value(reading, "position.nope_layers") == 1


def test_a_flag_of_the_config_changes_counts_and_facts(read) -> None:
    reading = read(config={"use_bias": True})
    assert value(reading, "parameters.total") == TOTAL + 2 * 3 * 64
    assert value(reading, "attention.bias") is True


def test_tied_matrices_are_counted_once(read) -> None:
    reading = read(config={"tie_word_embeddings": True})
    assert value(reading, "parameters.total") == TOTAL - 100 * 64
    assert value(reading, "tied_embeddings") is True
    by_hand = MODEL.rstrip() + "\n        self.lm_head.weight = self.model.embed_tokens.weight\n"
    assert value(read(by_hand), "parameters.total") == TOTAL - 100 * 64


def test_other_spellings_and_defaults_of_config_keys(read) -> None:
    config = {key: item for key, item in CONFIG.items() if key not in ("hidden_size", "intermediate_size")}
    repo = RepoFiles(
        name="a/b", files={"modeling_tiny.py": MODEL.encode(), "configuration_tiny.py": CONFIGURATION.encode()}
    )
    reading = read_code(repo, {**config, "n_embd": 32})
    assert value(reading, "defaults.intermediate_size") == 128
    assert reading.facts["defaults.intermediate_size"].where == "configuration_tiny.py: TinyConfig.intermediate_size"
    assert value(reading, "parameters.embedding") == 100 * 32


EXPERTS = """
class TinyMoE(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, 8, bias=False)
        self.experts = nn.ModuleList([TinyMLP(config) for _ in range(8)])

    def forward(self, x):
        scores = F.softmax(self.gate(x), dim=-1)
        picked, index = torch.topk(scores, 2)
        for i in range(8):
            x = x + self.experts[i](x) * picked
        return x

class TinyModel("""


def test_experts_are_counted_and_routed(read) -> None:
    text = MODEL.replace("class TinyModel(", EXPERTS).replace(
        "self.mlp = TinyMLP(config)", "self.mlp = {True: TinyMoE, False: TinyMLP}[layer_idx > 0](config)"
    )
    reading = read(text, config={"num_experts": 8, "num_experts_per_tok": 2})
    expert = 3 * 64 * 256
    assert value(reading, "layers[0].ff") == "dense"
    assert value(reading, "layers[1].ff") == "moe"
    assert value(reading, "layers[1].ff_class") == "TinyMoE"
    assert value(reading, "layers[1].expert_parameters") == 8 * expert
    assert value(reading, "parameters.experts") == 8 * expert
    assert value(reading, "moe.router") == "softmax"
    total = TOTAL + 7 * expert + 8 * 64
    assert value(reading, "parameters.total") == total
    assert value(reading, "parameters.active_with_embedding") == total - 6 * expert


def test_classes_of_other_files_of_the_repo_are_followed(read) -> None:
    norms = (
        "import torch\nfrom torch import nn\n" + MODEL[MODEL.index("class TinyRMSNorm") : MODEL.index("class TinyMLP")]
    )
    text = MODEL.replace(
        MODEL[MODEL.index("class TinyRMSNorm") : MODEL.index("class TinyMLP")], "from .norms import TinyRMSNorm\n"
    )
    assert value(read(text, norms=norms), "parameters.total") == TOTAL
    missing = read(text)
    assert (
        not missing.facts.get("parameters.total", missing.facts.get("x"))
        or not missing.facts["parameters.total"].certain
    )


def test_what_is_missing_is_named_with_its_line(read) -> None:
    text = edited(ATTENTION_INIT="self.odd = nn.Linear(config.no_such_key, 3)")
    reading = read(text)
    assert "parameters.total" not in reading.facts or not reading.facts["parameters.total"].certain
    assert any("modeling_tiny.py:" in why for _, why in reading.unread)


def test_a_missing_file_or_class_is_said(read) -> None:
    no_class = read(config={"auto_map": {"AutoModelForCausalLM": "modeling_tiny.NoSuchClass"}})
    assert not no_class.facts
    assert any("NoSuchClass" in why for _, why in no_class.unread)
    no_file = read(config={"auto_map": {"AutoModelForCausalLM": "nowhere.TinyForCausalLM"}})
    assert not no_file.facts
    assert no_file.unread


def test_a_repo_without_code_has_no_facts() -> None:
    assert not has_code(RepoFiles(name="a/b"), {"model_type": "llama"})
    reading = read_code(RepoFiles(name="a/b"), {"model_type": "llama"})
    assert reading.facts == {}
    assert reading.unread


def test_lineage_of_classes_that_extend_a_model_of_transformers(read) -> None:
    text = (
        "from transformers.models.llama.modeling_llama import LlamaMLP\n"
        + MODEL
        + ("\nclass TinyOther(LlamaMLP):\n    pass\n")
    )
    reading = read(text)
    assert value(reading, "lineage[TinyOther]") == "TinyOther extends LlamaMLP"
    assert value(reading, "lineage.models") == ("llama",)


def test_a_module_of_pytorch_that_is_not_known_makes_the_sum_unknown(read) -> None:
    known = read(edited(ATTENTION_INIT="self.rnn = nn.LSTM(64, 8)"))
    assert value(known, "parameters.total") == TOTAL + 2 * (4 * 8 * 64 + 4 * 8 * 8 + 2 * 4 * 8)
    unknown = read(edited(ATTENTION_INIT="self.odd = nn.TransformerEncoderLayer(64, 4)"))
    assert "parameters.total" not in unknown.facts
    assert any(fact == "parameters.text" for fact, _ in unknown.unread)


@pytest.mark.parametrize(
    "condition",
    [
        "self.number % 4 != 3",
        "not self.number == 3 and not self.number == 7",
        "[True, True, True, False][(self.number + 0) % 4]",
        "[True, True, True, False, True, True, True, False][self.number]",
        "list(range(8)[self.number:])[0] not in (3, 7)",
        "{3: False, 7: False}.get(self.number, True)",
        "f'{self.number}' not in '3, 7'",
        "self.window is not None",
        "min(self.number % 4, 3) < 3",
        "self.turns(self.number)",
        "self.turns(layer=self.number)",
    ],
)
def test_a_layer_that_looks_at_its_own_number_is_read_on_its_own(read, condition: str) -> None:
    """However the code looks at it: layers that are built alike do not all do the same."""
    init = "self.number = layer_idx\nself.window = 8 if layer_idx % 4 != 3 else None"
    text = edited(ATTENTION_INIT=init).replace(
        "q, k = rotate(q, cos, sin), rotate(k, cos, sin)",
        f"if {condition}:\n            q, k = rotate(q, cos, sin), rotate(k, cos, sin)",
    )
    text = text.replace(
        "class TinyLayer(", "    def turns(self, layer):\n        return layer % 4 < 3\n\nclass TinyLayer(", 1
    )
    reading = read(text, config={**CONFIG, "num_hidden_layers": 8})
    assert [value(reading, f"layers[{index}].rope") for index in range(8)] == [True, True, True, False] * 2


@pytest.mark.parametrize(
    "condition",
    [
        "layer_idx % 3 == 1",
        "layer_idx in (1, 4, 7)",
        "layer_idx in {1, 4, 7}",
        "config.kinds[layer_idx] == 'b'",
        "config.kinds[layer_idx - 3 * (layer_idx // 3)] == 'b'",
        "(layer_idx + 2) % 3 < 1",
        "3 > 2 and not (layer_idx - 1) % 3",
        "{1: True, 4: True, 7: True}.get(layer_idx, False)",
        "f'{layer_idx}' in '1 4 7'",
        "max(layer_idx % 3, 0) == 1",
        "kind_of(layer=layer_idx)",
        "(lambda number: number % 3 == 1)(layer_idx)",
        "len([1 for other in range(layer_idx + 1)]) % 3 == 2",
        "config.seen.append(layer_idx) is None and len(config.seen) % 3 == 2",
        "setattr(config, 'turn', getattr(config, 'turn', 0) + 1) is None and config.turn % 3 == 2",
    ],
)
def test_layers_are_built_each_by_its_own_number(read, condition: str) -> None:
    """However the number decides, and whatever else is changed by building: what is copied came out alike."""
    init = f"self.g_proj = nn.Linear(8, 8, bias=False) if {condition} else None\nself.number = layer_idx"
    text = edited(ATTENTION_INIT=init).replace(
        "class TinyAttention(", "def kind_of(layer):\n    return layer % 3 == 1\n\nclass TinyAttention(", 1
    )
    reading = read(text, config={**CONFIG, "num_hidden_layers": 9, "kinds": list("abcabcabc"), "seen": []})
    plain = 4 * 64 * 64 + 3 * 64 * 256 + 2 * 64
    assert [value(reading, f"layers[{index}].parameters") for index in range(9)] == [plain, plain + 64, plain] * 3
