"""The reference implementation: a wheel read as an archive, kept in the cache, and fetched through pip."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from watcher.architecture.reference import Reference
from watcher.architecture.wheel import fetch, keep
from watcher.cli import main
from watcher.errors import SourceError

AUTO = {
    "auto_mappings": 'CONFIG_MAPPING_NAMES = OrderedDict(\n    [\n        ("wee", "WeeConfig"),\n    ]\n)\n',
    "configuration_auto": "",
    "modeling_auto": (
        'MODEL_FOR_CAUSAL_LM_MAPPING_NAMES = OrderedDict(\n    [\n        ("wee", "WeeForCausalLM"),\n    ]\n)\n'
    ),
}
CONFIGURATION = """
from ...configuration_utils import PreTrainedConfig

class WeeConfig(PreTrainedConfig):
    model_type = "wee"
    hidden_size: int = 8
    num_hidden_layers: int = 2
    vocab_size: int = 10
    tie_word_embeddings: bool = True
"""
MODELING = """
from torch import nn
from ...modeling_utils import PreTrainedModel
from .configuration_wee import WeeConfig

class WeeLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size)
        self.mlp = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden_states):
        return hidden_states + self.mlp(self.norm(hidden_states))

class WeeForCausalLM(PreTrainedModel):
    config: WeeConfig
    _tied_weights_keys = {"lm_head.weight": "embed_tokens.weight"}

    def __init__(self, config):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([WeeLayer(config) for _ in range(config.num_hidden_layers)])
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
"""
MODULAR = """
from ..llama.modeling_llama import LlamaMLP

class WeeMLP(LlamaMLP):
    pass
"""
RAISES = "raise SystemExit('imported')\n"


def wheel(folder: Path, version: str = "9.1.0") -> Path:
    """A wheel of a small `transformers`; importing it would end the process."""
    files = {f"transformers/models/auto/{name}.py": text for name, text in AUTO.items()}
    files |= {
        "transformers/__init__.py": RAISES,
        "transformers/models/wee/__init__.py": RAISES,
        "transformers/models/wee/configuration_wee.py": CONFIGURATION,
        "transformers/models/wee/modeling_wee.py": MODELING,
        "transformers/models/wee/modular_wee.py": MODULAR,
    }
    info = f"transformers-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: transformers\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = [f"{name},sha256={_digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"transformers-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_a_wheel_is_read_and_never_imported(tmp_path: Path) -> None:
    reference = Reference.of_wheel(wheel(tmp_path))
    reading = reference.read({"model_type": "wee"})
    assert reading is not None
    assert reading.witness == "reference"
    total = reading.facts["parameters.total"]
    assert total.value == 10 * 8 + 2 * (2 * 8 + 8 * 8 + 8)
    assert total.where == "transformers 9.1.0 modeling_wee.py:15"
    assert reading.facts["norm.kind"].value == "layernorm"
    assert reading.facts["defaults.hidden_size"].value == 8
    assert (
        reading.facts["defaults.hidden_size"].where == "transformers 9.1.0 configuration_wee.py: WeeConfig.hidden_size"
    )
    assert reading.facts["lineage[WeeMLP]"].value == "WeeMLP extends LlamaMLP"
    assert reading.facts["lineage.models"].value == ("llama",)


def test_the_class_tells_a_model_type_that_has_no_folder(tmp_path: Path) -> None:
    reference = Reference.of_wheel(wheel(tmp_path))
    config = {"model_type": "tiny_wee", "architectures": ["WeeForCausalLM"], "hidden_size": 16}
    reading = reference.read(config)
    assert reading is not None
    assert reading.facts["parameters.embedding"].value == 160
    assert reference.read({"model_type": "nobody", "architectures": ["NobodyForCausalLM"]}) is None
    assert reference.read({}) is None


@pytest.mark.parametrize(
    "config", [{"model_type": []}, {"architectures": [None, 3]}, {"model_type": "wee", "hidden_size": "8"}]
)
def test_odd_configs_end_in_a_reading_or_none(tmp_path: Path, config: dict[str, object]) -> None:
    reading = Reference.of_wheel(wheel(tmp_path)).read(config)
    assert reading is None or "parameters.total" not in reading.facts


def test_the_newest_cached_wheel_is_taken(tmp_path: Path) -> None:
    for version in ("9.2.0", "9.10.0", "9.9.1"):
        wheel(tmp_path, version)
    (tmp_path / "transformers-99.0.0-py3-none-any.whl").write_bytes(b"no archive")
    assert Reference.default(tmp_path).version == "9.10.0"


def test_a_kept_wheel_takes_the_place_of_older_ones(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    keep(wheel(tmp_path / "a", "9.1.0"), cache)
    kept = keep(wheel(tmp_path / "b", "9.2.0"), cache)
    assert [path.name for path in cache.iterdir()] == ["transformers-9.2.0-py3-none-any.whl"]
    assert kept.describe() == f"transformers 9.2.0 ({cache / 'transformers-9.2.0-py3-none-any.whl'})"


def test_what_is_no_wheel_of_transformers_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other/__init__.py", "")
    for path in (other, tmp_path / "missing.whl"):
        with pytest.raises(SourceError, match=path.name):
            keep(path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip, looking into a folder instead of an index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in (
        ("NO_INDEX", "1"),
        ("FIND_LINKS", str(folder)),
        ("CONFIG_FILE", "/dev/null"),
        ("NO_CACHE_DIR", "1"),
    ):
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def test_the_newest_wheel_is_fetched_through_pip(tmp_path: Path, index: Path) -> None:
    wheel(index, "9.1.0")
    wheel(index, "9.3.0")
    fetched = fetch(tmp_path / "cache")
    assert fetched.version == "9.3.0"
    assert Reference.default(tmp_path / "cache").version == "9.3.0"


def test_an_index_without_it_is_one_clear_error(tmp_path: Path, index: Path) -> None:
    with pytest.raises(SourceError, match="--wheel FILE"):
        fetch(tmp_path / "cache")


def test_a_wheel_that_is_not_what_was_promised_is_not_kept(tmp_path: Path) -> None:
    made = wheel(tmp_path / "index")

    def lying(arguments: list[str]) -> str:
        if arguments[0] == "download":
            (Path(arguments[arguments.index("--dest") + 1]) / made.name).write_bytes(made.read_bytes())
        return (
            '{"install": [{"metadata": {"version": "9.1.0"}, '
            '"download_info": {"archive_info": {"hashes": {"sha256": "00"}}}}]}'
        )

    with pytest.raises(SourceError, match="SHA-256"):
        fetch(tmp_path / "cache", lying)
    assert not (tmp_path / "cache").exists()


def test_the_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["reference", "update", "--wheel", str(wheel(tmp_path / "index"))]) == 0
    assert main(["reference"]) == 0
    assert capsys.readouterr().out.count("transformers 9.1.0") == 2
    assert main(["reference", "update", "--wheel", str(tmp_path / "no.whl")]) == 1
    assert main(["reference", "--wheel", "x.whl"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
