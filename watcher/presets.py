"""Shipped lists of organizations, to be named as `preset:NAME` in the configuration."""

from __future__ import annotations

import difflib
import re

PRESETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "frontier-labs": (
        "laboratories that publish open-weight language models of their own making",
        (
            "deepseek-ai",
            "Qwen",
            "meta-llama",
            "google",
            "mistralai",
            "moonshotai",
            "zai-org",
            "MiniMaxAI",
            "openai",
            "nvidia",
            "microsoft",
            "allenai",
            "ibm-granite",
            "CohereLabs",
            "tencent",
            "ByteDance-Seed",
            "inclusionAI",
            "XiaomiMiMo",
            "stepfun-ai",
            "LGAI-EXAONE",
            "baidu",
            "HuggingFaceTB",
            "LiquidAI",
            "xai-org",
            "meituan-longcat",
            "arcee-ai",
            "tiiuae",
            "ai21labs",
            "NousResearch",
            "PrimeIntellect",
            "ServiceNow-AI",
            "swiss-ai",
            "upstage",
            "Zyphra",
        ),
    ),
    "small-models": (
        "makers of models that run on a laptop or a phone",
        (
            "HuggingFaceTB",
            "LiquidAI",
            "microsoft",
            "google",
            "Qwen",
            "ibm-granite",
            "openbmb",
            "allenai",
            "Zyphra",
        ),
    ),
    "open-science": (
        "groups that publish weights together with data and training code",
        (
            "allenai",
            "HuggingFaceTB",
            "EleutherAI",
            "swiss-ai",
            "bigscience",
            "bigcode",
            "LLM360",
            "marin-community",
        ),
    ),
    "multimodal": (
        "makers of models that see, hear or do both",
        (
            "OpenGVLab",
            "Qwen",
            "openbmb",
            "google",
            "mistralai",
            "moonshotai",
            "zai-org",
            "AIDC-AI",
            "microsoft",
        ),
    ),
}
"""Name → (what it holds, organizations)."""

ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
"""A name the Hub can have."""

WITHOUT = "!"
"""Before a name: not this one, though a preset has it."""


def expand_presets(names: list[str]) -> list[str]:
    """The list with every `preset:NAME` replaced by its organizations, each once, without those written as `!NAME`.

    Raises ValueError that names the nearest preset for an unknown one, and for a name no organization can have.
    """
    expanded: dict[str, str] = {}
    for name in names:
        for organization in () if name.startswith(WITHOUT) else _members(name):
            expanded.setdefault(organization.lower(), organization)
    for name in names:
        if name.startswith(WITHOUT):
            expanded.pop(_members(name.removeprefix(WITHOUT))[0].lower(), None)
    return list(expanded.values())


def _members(name: str) -> tuple[str, ...]:
    kind, separator, preset = name.partition(":")
    if not separator:
        if not ORGANIZATION.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an organization: letters, digits, -, _ and .")
        return (name,)
    if kind != "preset" or preset not in PRESETS:
        close = difflib.get_close_matches(preset, PRESETS, n=1)
        hint = f"did you mean preset:{close[0]}?" if close else f"there are {', '.join(PRESETS)}"
        raise ValueError(f"{name!r} is not a preset; {hint}")
    return PRESETS[preset][1]
