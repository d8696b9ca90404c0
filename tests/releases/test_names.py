"""A repo's name, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.releases.names import take_apart, variant_of


@pytest.mark.parametrize(
    ("name", "stem", "size", "variant"),
    [
        ("Qwen/Qwen3-8B", "qwen3", "8b", ""),
        ("Qwen/Qwen3-8B-Base", "qwen3", "8b", "base"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507-FP8", "qwen3-2507", "30b-a3b", "instruct-fp8"),
        ("Qwen/Qwen3-0.6B-GGUF", "qwen3", "0.6b", "gguf"),
        ("deepseek-ai/DeepSeek-V3", "deepseek-v3", "", ""),
        ("deepseek-ai/DeepSeek-V3-0324", "deepseek-v3-0324", "", ""),
        ("deepseek-ai/DeepSeek-V3.1-Base", "deepseek-v3.1", "", "base"),
        ("google/gemma-3-27b-it", "gemma-3", "27b", "it"),
        ("google/gemma-3-27b-it-qat-q4_0-gguf", "gemma-3", "27b", "it-qat-q4_0-gguf"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-v0.1", "8x7b", "instruct"),
        ("openai/gpt-oss-120b", "gpt-oss", "120b", ""),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout", "17b-16e", "instruct"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi-k2-0905", "", "instruct"),
    ],
)
def test_known_names(name: str, stem: str, size: str, variant: str) -> None:
    parts = take_apart(name)
    assert (parts.stem, parts.size, parts.variant) == (stem, size, variant)


def test_an_original_has_no_variant() -> None:
    assert variant_of("Qwen/Qwen3-8B") is None
    assert variant_of("Qwen/Qwen3-8B-FP8") == "fp8"


@given(st.text(max_size=300))
def test_any_name_has_a_bounded_stem(name: str) -> None:
    parts = take_apart("org/" + name)
    assert parts.stem
    assert len(parts.stem) <= 250


@given(st.sampled_from(["FP8", "AWQ", "GGUF", "NVFP4", "MLX-4bit"]), st.sampled_from(["Qwen3-8B", "GLM-5", "Phi-4"]))
def test_a_copy_shares_the_stem_and_the_size_of_its_original(suffix: str, name: str) -> None:
    original, copy = take_apart("o/" + name), take_apart(f"o/{name}-{suffix}")
    assert (copy.stem, copy.size) == (original.stem, original.size)
    assert copy.copy
