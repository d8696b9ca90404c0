"""Which mixer a class is, where its layer does not let queries meet keys: told by the class's own name."""

from __future__ import annotations

import dataclasses
import re

from watcher.architecture.witness import Fact, Reading

SIGNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), mixer)
    for pattern, mixer in (
        (r"gated_?delta", "gated-deltanet"),
        (r"kimi_?delta|kda", "kda"),
        (r"delta_?net", "deltanet"),
        (r"lightning", "lightning"),
        (r"mamba_?2|bamba_?mixer|zamba2mamba|falconh1mixer|nemotronhmamba|granitemoehybridmamba|ssd", "mamba2"),
        (r"mamba", "mamba"),
        (r"short_?conv|lfm2", "short-conv"),
        (r"recurrent_?block|rg_?lru|recurrentgemma", "rglru"),
        (r"s_?lstm", "slstm"),
        (r"x_?lstm|m_?lstm", "mlstm"),
        (r"rwkv", "rwkv"),
        (r"retention|retnet", "retnet"),
        (r"gla|gated_?linear", "gla"),
        (r"linear_?attn|linear_?attention", "linear"),
    )
)
"""A sign in the name of a mixer's class → the mixer, in look-up order."""

NOT_BUILT = "parameters.mtp"
"""A reading that counts no extra prediction layers has not built them: that is no count."""


OF_LAYERS = ("attention.qk_norm", "attention.sinks", "attention.gated")
"""Facts of the whole that follow from those of the layers."""


NO_PROOF: dict[str, tuple[object, ...]] = {
    "norm": ("mixed",),
    "placement": ("mixed",),
    "gate": (None,),
    "ff": ("dense",),
}
"""Fact → values that are what was found first, not all that there is."""

OF_A_MIXER = ("qk_norm", "rope", "gate", "attends")
"""Facts of a layer that are none where no mixer was found in it."""

SCORES = ("sqrtsoftplus", "softmax", "sigmoid")
"""What scores experts, and is no activation of theirs."""


def adjusted(reading: Reading) -> Reading:
    """The reading as it is believed: mixers named, what is no answer left out, what is no proof in doubt."""
    facts = dict(reading.facts)
    if NOT_BUILT in facts and not facts[NOT_BUILT].value:
        del facts[NOT_BUILT]
    if set(getattr(facts.get("position.kinds"), "value", ("?",))) <= {"rope", "nope"}:
        for path in ("position.kinds", "position.nope_layers"):
            facts.pop(path, None)  # follows from the layers
    if "layers[0].norm" in facts:
        facts = {path: fact for path, fact in facts.items() if path not in OF_LAYERS}
    for path, fact in reading.facts.items():
        layer, _, name = path.rpartition(".")
        if name in OF_A_MIXER and layer.startswith("layers[") and f"{layer}.mixer_class" not in facts:
            del facts[path]
            continue
        if name == "activation" and fact.value in SCORES:
            del facts[path]
        elif fact.value in NO_PROOF.get(name, ()):
            facts[path] = Fact(fact.value, fact.where, certain=False)
    return dataclasses.replace(reading, facts={**facts, **_mixers(reading)})


_LAYER = re.compile(r"layers\[(\d+)\]\.mixer_class\Z")


def _mixers(reading: Reading) -> dict[str, Fact]:
    """`layers[i].mixer` for layers whose mixer is no softmax attention."""
    told: dict[str, Fact] = {}
    for path, fact in reading.facts.items():
        match = _LAYER.match(path)
        attends = reading.facts.get(f"layers[{match[1]}].attends") if match else None
        if match and attends is not None and attends.value is False and attends.certain:
            mixer = next((name for sign, name in SIGNS if sign.search(str(fact.value))), None)
            if mixer is not None:
                told[f"layers[{match[1]}].mixer"] = Fact(mixer, fact.where)
    return told
