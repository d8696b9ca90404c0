"""Which runtimes know an architecture, and how their lists are read."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watcher.cli import main
from watcher.errors import SourceError
from watcher.report.runtime_lists import read_list
from watcher.report.runtimes import lists_at, runtimes, shipped_lists


def said(class_: str | None, model_type: str | None) -> dict[str, str]:
    return {item.runtime.split()[0]: item.sentence for item in runtimes(class_, model_type)}


def test_a_known_architecture() -> None:
    told = said("LlamaForCausalLM", "llama")
    assert told == {
        "transformers": "knows llama", "vLLM": "knows LlamaForCausalLM", "SGLang": "knows LlamaForCausalLM",
        "llama.cpp": "knows llama",
    }  # fmt: skip


def test_llama_cpp_has_names_of_its_own() -> None:
    assert said("GptOssForCausalLM", "gpt_oss")["llama.cpp"] == "knows gpt-oss"
    assert said("DeepseekV3ForCausalLM", "kimi_k2")["llama.cpp"] == "knows deepseek2"
    assert said("Gemma3ForCausalLM", "gemma3_text")["llama.cpp"] == "knows gemma3"


def test_what_is_not_listed_is_never_called_unsupported() -> None:
    told = said("NobodyForCausalLM", "nobody")
    date = shipped_lists()[0].date
    assert told["vLLM"] == f"NobodyForCausalLM is not in the list of {date}"
    assert not any("support" in sentence for sentence in told.values())


def wheel(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return path


def test_lists_are_read_from_wheels(tmp_path: Path) -> None:
    vllm = wheel(
        tmp_path / "vllm-9.1-py3-none-any.whl",
        vllm__model_executor__models__registry="raise SystemExit\n"
        "_TEXT_GENERATION_MODELS = {'AForCausalLM': ('a', 'A')}\n"
        "_MULTIMODAL_MODELS: dict = {'B': ('b', 'B'), **{}}\n_EMBEDDING_MODELS = {'C': 1}\n",
    )
    assert read_list(vllm, "2026-01-01") == (
        "vLLM", {"version": "9.1", "date": "2026-01-01", "by": "class", "names": ["AForCausalLM", "B"]},
    )  # fmt: skip
    sglang = wheel(
        tmp_path / "sglang-1-py3.whl",
        sglang__srt__models__x="EntryClass = [A, B]",
        sglang__srt__models__y="EntryClass = C",
    )
    assert read_list(sglang, "d")[1]["names"] == ["A", "B", "C"]
    gguf = wheel(
        tmp_path / "gguf-2-py3.whl", gguf__constants="MODEL_ARCH_NAMES: dict[A, str] = {A.X: 'llama', A.Y: 'glm4'}"
    )
    assert read_list(gguf, "d")[1]["names"] == ["glm4", "llama"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no wheel"])
def test_what_is_no_wheel_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vllm-1-x.whl"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"vllm-1-x\.whl"):
        read_list(path, "d")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), to=st.binary(min_size=1, max_size=4))
def test_a_damaged_wheel_is_read_or_refused(tmp_path: Path, at: int, to: bytes) -> None:
    path = tmp_path / "gguf-2-py3.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gguf/constants.py", "MODEL_ARCH_NAMES = {A.X: 'llama', A.Y: 'glm4'}")
    data = path.read_bytes()
    at %= len(data)
    path.write_bytes(data[:at] + to + data[at + len(to) :])
    with contextlib.suppress(SourceError):
        assert read_list(path, "d")[0] == "llama.cpp"


def test_broken_source_in_a_wheel_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_list(wheel(tmp_path / "gguf-1-x.whl", gguf__constants="def ("), "d")


def test_a_refreshed_list_stands_for_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = wheel(tmp_path / "gguf-7-py3.whl", gguf__constants="MODEL_ARCH_NAMES = {A.X: 'nobody'}")
    assert main(["runtimes", "update", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["version"] for row in rows if row["runtime"] == "llama.cpp"] == ["gguf 7"]
    lists = lists_at(tmp_path / "model-release-watcher")
    assert [item.known for item in runtimes(None, "nobody", lists) if item.runtime.startswith("llama.cpp")] == [True]
    (tmp_path / "model-release-watcher/runtimes.json").write_text("{broken")
    assert lists_at(tmp_path / "model-release-watcher") == shipped_lists()
