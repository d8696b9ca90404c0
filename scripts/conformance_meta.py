"""Runs inside an environment with `transformers` and torch: counts on the meta device, one JSON line a model type.

Called by `scripts/conformance.py`; arguments are the auto table and, if any, the model types to count.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")


def main() -> None:
    """Count every model type of a table at its default config."""
    from transformers.models.auto import modeling_auto

    table: dict[str, Any] = getattr(modeling_auto, sys.argv[1])
    for model_type in sys.argv[2:] or sorted(table):
        try:
            found: dict[str, Any] = {"total": count(model_type, table[model_type])}
        except Exception as error:  # whatever a class raises at its own defaults is the answer
            found = {"error": f"{type(error).__name__}: {str(error).strip()[:200]}"}
        sys.stdout.write(json.dumps({"model_type": model_type} | found) + "\n")
        sys.stdout.flush()


def count(model_type: str, names: Any) -> int:
    """Parameters of a model at its class's default config, shared ones once."""
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    name = names if isinstance(names, str) else names[0]
    config = CONFIG_MAPPING[model_type]()
    cls = getattr(transformers, name)
    with torch.device("meta"):
        model = cls._from_config(wanted(config, cls))
    return sum(parameter.numel() for parameter in model.parameters())


def wanted(config: Any, cls: Any) -> Any:
    """The whole config, or its text part for a class that takes only that."""
    expected = getattr(cls, "config_class", None)
    if expected is None or isinstance(config, expected):
        return config
    return config.get_text_config()


if __name__ == "__main__":
    main()
