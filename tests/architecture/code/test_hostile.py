"""Code that means harm, or no code at all: bounded, nothing executed, and said with the line where reading stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import CONFIG, CONFIGURATION, MODEL, TOTAL

from watcher.architecture.code import read_code
from watcher.architecture.witness import Reading, RepoFiles

MARK = "        self.norm = TinyRMSNorm(config.hidden_size)\n"


def reading(model: bytes | str, config: dict[str, object] | None = None) -> Reading:
    data = model.encode() if isinstance(model, str) else model
    files = {"modeling_tiny.py": data, "configuration_tiny.py": CONFIGURATION.encode()}
    return read_code(RepoFiles(name="org/tiny", files=files), {**CONFIG, **(config or {})})


def inside(body: str, before: str = "") -> str:
    """The model with lines in its `__init__`, and others before its classes."""
    indented = "".join(f"        {line}\n" for line in body.splitlines())
    return MODEL.replace("class TinyRMSNorm", f"{before}\nclass TinyRMSNorm", 1).replace(MARK, MARK + indented)


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to run something, at the top, in __init__, in forward and in the config: no file appears."""
    target = tmp_path / "executed"
    monkeypatch.setenv("TARGET", str(target))
    act = f"open({str(target)!r}, 'w').write('x')"
    ways = [
        act,
        f"import os; os.system('touch {target}')",
        f"__import__('os').system('touch {target}')",
        f"exec({act!r})",
        f"eval({act!r})",
        f"compile({act!r}, 'x', 'exec')",
        f"(lambda: {act})()",
        f"getattr(__builtins__, 'open')({str(target)!r}, 'w')",
        f"().__class__.__base__.__subclasses__()[0]({act!r})",
        f"torch.load({str(target)!r})",
        f"torch.utils.cpp_extension.load({str(target)!r})",
        f"'{{0.__class__}}'.format({act})",
    ]
    body = "\n".join(ways)
    model = inside(body, before=body).replace(
        "    def forward(self, hidden_states, position_embeddings):\n",
        "    def forward(self, hidden_states, position_embeddings):\n" + "".join(f"        {way}\n" for way in ways),
    )
    configuration = body + "\n" + CONFIGURATION
    before = set(sys.modules)
    found = read_code(
        RepoFiles(
            name="a/b",
            files={"modeling_tiny.py": model.encode(), "configuration_tiny.py": configuration.encode()},
        ),
        CONFIG,
    )
    assert not target.exists()
    assert found.facts["parameters.total"].value == TOTAL
    assert not {
        name for name in set(sys.modules) - before if "tiny" in name or name.startswith(("torch", "transformers"))
    }


LOOPS = {
    "an endless loop": "while True:\n    self.x = 1",
    "an endless loop that grows": "a = []\nwhile True:\n    a.append('x' * 1000)",
    "a dict that grows": "d = {}\ni = 0\nwhile True:\n    d[i] = [0] * 1000\n    i += 1",
    "lists of lists": "self.z = [[0] * 100000 for i in range(100000)]",
    "a string joined": "a = 'x' * 90000\nfor i in range(100000):\n    b = a.join(['y'] * 1000)",
    "a string split": "a = 'x ' * 40000\nq = []\nfor i in range(100000):\n    q.append(a.split())",
}
HUGE = {
    "a long list": "self.a = [0] * 10**9",
    "a long string": "self.a = 'a' * 10**9",
    "a large power": "self.a = 2 ** (10**9)\nself.b = (10**9) ** (10**9)\nself.c = 1 << 10**9",
    "a long range": "self.a = list(range(10**9))\nfor i in range(10**12):\n    pass",
    "a list doubled": "a = [1]\nfor i in range(100):\n    a = a + a",
    "a string doubled": "a = 'x'\nfor i in range(1000):\n    a = f'{a}{a}'",
    "a list in itself": "a, b = [], []\nfor i in range(60):\n    a, b = [a, a], [b, b]\n"
    "self.x = a == b\nself.y = sorted([a, b])",
    "a tuple as key": "a = ()\nfor i in range(60):\n    a = (a, a)\nd = {a: 1}\nself.x = a in d",
    "a dict of dicts": "import copy\nd = {}\nfor i in range(8):\n    d = {str(j): d for j in range(900)}\n"
    "self.e = copy.deepcopy(d)",
    "endless recursion": "endless(1)",
    "a slow pattern": "self._tied_weights_keys = {'(a+)+$': '(a+)+b', '(.*)*x': 'y'}",
    "a long name": "setattr(self, 'a' * 90000, nn.Linear(2, 2))",
}
RECURSION = "def endless(x):\n    return endless(x + 1)\n"


@pytest.mark.parametrize("name", LOOPS)
def test_loops_end_and_the_line_is_said(name: str) -> None:
    found = reading(inside(LOOPS[name]))
    assert "parameters.total" not in found.facts
    assert any("modeling_tiny.py:" in why for _, why in found.unread), found.unread


@pytest.mark.parametrize("name", HUGE)
def test_what_is_too_large_is_unknown_and_the_rest_is_read(name: str) -> None:
    found = reading(inside(HUGE[name], before=RECURSION))
    total = found.facts.get("parameters.total")
    assert total is None or total.value == TOTAL or not total.certain
    assert total is not None or found.unread


BROKEN = {
    "a syntax error": b"class TinyForCausalLM(:\n    pass",
    "null bytes": b"\0\0\0",
    "no text": bytes(range(128, 256)),
    "deep parentheses": b"x = " + b"(" * 5000 + b")" * 5000,
    "deep signs": b"x = " + b"-" * 100_000 + b"1",
    "a deep sum": b"x = " + b"1+" * 40_000 + b"1\n",
    "deep attributes": b"x = y" + b".a" * 20_000,
    "a huge number": b"x = " + b"9" * 100_000,
    "10 MB of comment": b"#" + b"x" * 10_000_000,
    "10 MB of code": b"a = 1\n" * 1_700_000,
    "2 MB of code": b"a=1+2+3\n" * 200_000,
    "nothing": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_parsed_is_said(name: str) -> None:
    found = reading(BROKEN[name])
    assert not found.facts
    assert any("modeling_tiny.py" in why for _, why in found.unread), found.unread


ODD = {
    "a metaclass": "class Meta(type):\n    def __call__(cls, *a):\n        raise SystemExit\n"
    "class TinyForCausalLM(PreTrainedModel, metaclass=Meta):\n    pass\n",
    "a class made by a call": "TinyForCausalLM = type('TinyForCausalLM', (PreTrainedModel,), {})\n",
    "its own base": "class TinyForCausalLM(TinyForCausalLM):\n    pass\n",
    "bases in a circle": "class A(B):\n    pass\nclass B(A):\n    pass\n"
    "class TinyForCausalLM(A, PreTrainedModel):\n    pass\n",
    "a module in itself": "class TinyForCausalLM(PreTrainedModel):\n    def __init__(self, config):\n"
    "        super().__init__(config)\n        self.me = self\n        self.layers = nn.ModuleList([self])\n",
    "a property that asks itself": "class TinyForCausalLM(PreTrainedModel):\n    @property\n    def config(self):\n"
    "        return self.config\n    def __init__(self, config):\n"
    "        super().__init__(config)\n        self.config.x\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_classes_give_no_number(name: str) -> None:
    head = "from torch import nn\nfrom transformers import PreTrainedModel\n"
    found = reading(head + ODD[name])
    assert "parameters.total" not in found.facts
    assert found.unread


def test_names_that_shadow_builtins_mean_what_the_code_says() -> None:
    before = "def range(n):\n    return [0] * 3\nlen = None\n"
    assert reading(inside("", before=before)).facts["layers.count"].value == 3


def test_a_stack_without_end_is_no_stack() -> None:
    found = reading(MODEL, {"num_hidden_layers": 90_000})
    assert "layers.count" not in found.facts
    assert found.unread


@pytest.mark.parametrize("value", [None, "", [], {}, -1, 0, 10**18, float("nan"), "64", [1, 2], True, 1.5])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "auto_map"])
def test_odd_values_in_the_config(key: str, value: object) -> None:
    found = reading(MODEL, {key: value})
    total = found.facts.get("parameters.total")
    assert total is None or isinstance(total.value, int)


WORDS = st.sampled_from(
    """self config nn torch x i layers Linear Parameter ModuleList range len super getattr list dict for in if else
    while return lambda class def import from as [ ] ( ) { } : , . = == + - * ** // % < > and or not is None True 0
    1 2 10**9
    'a' f'{x}' \n        \n            pass break continue raise try except finally with yield await async del global
    @property * ** := -> ... != <= >= | & ^ ~ << >>""".split(" ")
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=40))
def test_any_words_end_in_a_reading(words: list[str]) -> None:
    found = reading(inside(" ".join(words)))
    assert isinstance(found, Reading)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_file_that_is_cut_or_changed_anywhere_ends_in_a_reading(data: st.DataObject) -> None:
    lines = MODEL.splitlines()
    first = data.draw(st.integers(0, len(lines) - 1))
    last = data.draw(st.integers(first, min(first + 12, len(lines))))
    found = reading("\n".join([*lines[:first], *lines[last:]]))
    assert isinstance(found, Reading)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*CONFIG, "text_config", "use_bias", "n_embd", "attribute_map"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_any_config_ends_in_a_reading(changes: dict[str, object]) -> None:
    assert isinstance(reading(MODEL, changes), Reading)
