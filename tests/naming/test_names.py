"""A repo's name, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.naming.names import take_apart, variant_of


@pytest.mark.parametrize(
    ("name", "stem", "size", "variant"),
    [
        ("Qwen/Qwen3-8B", "qwen3", "8b", ""),
        ("Qwen/Qwen3-8B-Base", "qwen3", "8b", "base"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507-FP8", "qwen3-2507", "30b-a3b", "instruct-fp8"),
        ("deepseek-ai/DeepSeek-V3.1-Base", "deepseek-v3.1", "", "base"),
        ("deepseek-ai/DeepSeek-V3-0324", "deepseek-v3-0324", "", ""),
        ("google/gemma-3-27b-it-qat-q4_0-gguf", "gemma3", "27b", "it-qat-q4_0-gguf"),
        ("google/gemma-3n-E2B-it", "gemma3n", "e2b", "it"),
        ("google/gemma-3-270m", "gemma3", "270m", ""),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-v0.1", "8x7b", "instruct"),
        ("mistralai/Devstral-Small-2505_gguf", "devstral-2505", "small", "gguf"),
        ("openai/gpt-oss-120b", "gpt-oss", "120b", ""),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama4", "scout-17b-16e", "instruct"),
        ("meta-llama/Meta-Llama-3-8B", "llama3", "8b", ""),
        ("microsoft/Phi-3-mini-128k-instruct-onnx", "phi3", "mini", "128k-instruct-onnx"),
        ("ibm-granite/granite-4.0-h-micro-base", "granite4", "h-micro", "base"),
        ("ai21labs/AI21-Jamba-1.5-Mini", "jamba1.5", "mini", ""),
        ("MiniMaxAI/MiniMax-M1-80k", "minimax-m1", "", "80k"),
        ("nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-BF16", "nemotron-v2-vl", "nano-12b", "bf16"),
        ("org/Model-7B-FP8-dynamic", "model", "7b", "fp8-dynamic"),
        ("org/Dynamic-Block-7B", "dynamic-block", "7b", ""),
    ],
)
def test_known_names(name: str, stem: str, size: str, variant: str) -> None:
    parts = take_apart(name)
    assert (parts.stem, parts.size, parts.variant) == (stem, size, variant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Llama-3_3-Nemotron-Super-49B-v1", "Llama-3.3-Nemotron-Super-49B-v1"),
        ("Llama-3-3-70B", "Llama-3.3-70B"),
        ("Qwen-3-8B", "Qwen3-8B"),
        ("phi-1_5", "phi-1.5"),
        ("Phi4-mini", "Phi-4-mini"),
    ],
)
def test_one_version_written_in_several_ways(one: str, other: str) -> None:
    assert take_apart(f"org/{one}") == take_apart(f"org/{other}")


@pytest.mark.parametrize(
    ("name", "stem", "student", "size"),
    [
        ("DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1", "qwen", "32b"),
        ("DeepSeek-R1-Distill-Llama-70B", "deepseek-r1", "llama", "70b"),
        ("DeepSeek-R1-0528-Qwen3-8B", "deepseek-r1-0528", "qwen3", "8b"),
        ("Hermes-3-Llama-3.1-8B", "hermes3", "llama-3.1", "8b"),
        ("InternVL3_5-GPT-OSS-20B-A4B-Preview", "internvl3.5", "gpt-oss", "20b-a4b"),
        ("Llama-3.1-Nemotron-70B-Instruct", "llama3.1-nemotron", "", "70b"),
    ],
)
def test_a_model_named_after_two_families_belongs_to_the_first(name: str, stem: str, student: str, size: str) -> None:
    parts = take_apart(f"org/{name}")
    assert (parts.stem, parts.student, parts.size) == (stem, student, size)


def test_a_date_is_told_from_the_rest_of_the_stem() -> None:
    assert take_apart("o/Olmo-3-1025-7B").undated == take_apart("o/Olmo-3-7B-Think").undated == "olmo3"
    assert take_apart("o/Model-20250904").date == "20250904"


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
