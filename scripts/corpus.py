"""The real configs that the shipped data is made from: makers' own repos in the research folder (WATCHER_SHARED)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MAKERS = set(
    """01-ai ByteDance-Seed HuggingFaceTB LGAI-EXAONE LiquidAI MiniMaxAI Qwen XiaomiMiMo allenai baichuan-inc
    deepseek-ai google ibm-granite inclusionAI meta-llama microsoft mistralai moonshotai nvidia openai openbmb poolside
    zai-org THUDM openai-community IEITYuan meta-models PaddlePaddle""".split()
)


def shared_folder() -> Path:
    """The research folder."""
    return Path(os.environ.get("WATCHER_SHARED", Path(__file__).parents[2] / "shared"))


def maker_configs() -> Iterator[tuple[str, bytes]]:
    """(`org/name`, config.json) of every maker's model."""
    for root in ("corpus/transformers_repr", "corpus/configs"):
        for path in sorted((shared_folder() / root).glob("*/*/config.json")):
            name = "/".join(path.parts[-3:-1])
            if path.parts[-3] in MAKERS and "inference" not in name:
                yield name, path.read_bytes()
