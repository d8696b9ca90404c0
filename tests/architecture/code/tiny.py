"""A small model with code of its own, as a repo would bring it, and edits of it."""

from __future__ import annotations

from textwrap import dedent

CONFIG = {
    "model_type": "tiny",
    "architectures": ["TinyForCausalLM"],
    "auto_map": {
        "AutoConfig": "configuration_tiny.TinyConfig",
        "AutoModelForCausalLM": "modeling_tiny.TinyForCausalLM",
    },
    "hidden_size": 64,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "vocab_size": 100,
}

CONFIGURATION = """
from transformers import PretrainedConfig

class TinyConfig(PretrainedConfig):
    model_type = "tiny"
    attribute_map = {"n_embd": "hidden_size"}

    def __init__(self, hidden_size=32, num_attention_heads=2, intermediate_size=128, num_hidden_layers=1, vocab_size=50,
                 use_bias=False, tie_word_embeddings=False, **kwargs):
        self.hidden_size = hidden_size
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.num_hidden_layers = num_hidden_layers
        self.vocab_size = vocab_size
        self.use_bias = use_bias
        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)

    @property
    def head_dim(self):
        return self.hidden_size // self.num_attention_heads
"""

MODEL = """
import math
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import ACT2FN
from .configuration_tiny import TinyConfig

class TinyRMSNorm(nn.Module):
    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True))

class TinyMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.act_fn = ACT2FN["silu"]

    def forward(self, x):
        return self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))

def rotate(x, cos, sin):
    return x * cos + torch.cat((-x[..., 8:], x[..., :8]), dim=-1) * sin

class TinyAttention(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.head_dim = config.head_dim
        width = config.num_attention_heads * self.head_dim
        self.q_proj = nn.Linear(config.hidden_size, width, bias=config.use_bias)
        self.k_proj = nn.Linear(config.hidden_size, width, bias=config.use_bias)
        self.v_proj = nn.Linear(config.hidden_size, width, bias=config.use_bias)
        self.o_proj = nn.Linear(width, config.hidden_size, bias=False)
        #ATTENTION_INIT

    def forward(self, hidden_states, position_embeddings):
        q, k, v = self.q_proj(hidden_states), self.k_proj(hidden_states), self.v_proj(hidden_states)
        cos, sin = position_embeddings
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        #QUERY
        weights = F.softmax(torch.matmul(q, k.transpose(2, 3)) / math.sqrt(self.head_dim), dim=-1)
        out = torch.matmul(weights, v)
        #OUTPUT
        return self.o_proj(out)

class TinyLayer(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.self_attn = TinyAttention(config, layer_idx)
        self.mlp = TinyMLP(config)
        self.input_layernorm = TinyRMSNorm(config.hidden_size)
        self.post_attention_layernorm = TinyRMSNorm(config.hidden_size)

    def forward(self, hidden_states, position_embeddings):
        residual = hidden_states
        hidden_states = self.self_attn(self.input_layernorm(hidden_states), position_embeddings)
        hidden_states = residual + hidden_states
        residual = hidden_states
        hidden_states = self.mlp(self.post_attention_layernorm(hidden_states))
        return residual + hidden_states

class TinyModel(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([TinyLayer(config, i) for i in range(config.num_hidden_layers)])
        self.norm = TinyRMSNorm(config.hidden_size)
        self.post_init()

class TinyForCausalLM(PreTrainedModel):
    config_class = TinyConfig
    _tied_weights_keys = ["lm_head.weight"]

    def __init__(self, config):
        super().__init__(config)
        self.model = TinyModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
"""

TOTAL = 2 * (4 * 64 * 64 + 3 * 64 * 256 + 2 * 64) + 2 * 100 * 64 + 64
"""Weights of the model above under the config above, by hand."""


def edited(**changes: str) -> str:
    """The model with `#MARK` lines replaced, by mark."""
    text = MODEL
    for mark, code in changes.items():
        lines = [line for line in text.splitlines() if line.strip() == f"#{mark}"]
        assert lines, mark
        indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        body = "\n".join(indent + line for line in dedent(code).strip().splitlines())
        text = text.replace(lines[0], body)
    return text
