"""One measure of `bench_peers.py`, in a process of its own: CPU seconds and the peak growth of memory, as JSON."""

from __future__ import annotations

import importlib
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Work = Callable[[], object]


def record(path: str) -> Work:
    """Our record, from the config alone."""
    return _reading(path, with_code=False)


def code(path: str) -> Work:
    """Our record, with the shipped reference's code read."""
    return _reading(path, with_code=True)


def _reading(path: str, *, with_code: bool) -> Work:
    import watcher.architecture.code.mixers
    import watcher.architecture.code.read  # noqa: F401  imports are no work
    from watcher.architecture.read import read
    from watcher.architecture.reference import Reference
    from watcher.architecture.witness import RepoFiles

    files = RepoFiles(name="x/y", files={"config.json": Path(path).read_bytes()})
    return lambda: read(files, reference=Reference.shipped() if with_code else None)


def meta(path: str) -> Work:
    """`transformers`: the model on the meta device, and its parameters summed up."""
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = json.loads(Path(path).read_text())
    for key in ("auto_map", "quantization_config"):
        config.pop(key, None)

    def work() -> int:
        made = CONFIG_MAPPING[config["model_type"]].from_dict(config)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(made)
        return sum(parameter.numel() for parameter in model.parameters())

    return work


def hf_mem(address: str, name: str) -> Work:
    """`hf-mem`, with its requests sent to another address than the Hub's."""
    import asyncio

    peer = importlib.import_module("hf_mem.run")  # the package has a function of this name
    http = peer.httpx2

    class Client(http.AsyncClient):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "http2": False})

        def build_request(self, method: str, url: Any, **options: Any) -> Any:
            return super().build_request(method, str(url).replace("https://huggingface.co", address), **options)

    http.AsyncClient = Client
    return lambda: asyncio.run(peer.arun(model_id=name, experimental=True, kv_cache_dtype="bfloat16"))


KINDS: dict[str, Callable[..., Work]] = {"record": record, "code": code, "meta": meta, "hf-mem": hf_mem}


STATUS = Path("/proc/self/status")


def _peak() -> float:
    """Megabytes at the most so far; where the kernel tells, without what was in use before this program began."""
    if STATUS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return int(found[1]) / 2**10
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def main() -> None:
    """Import, then measure the work alone."""
    work = KINDS[sys.argv[1]](*sys.argv[2:])
    starting, before = time.process_time(), _peak()
    work()
    once = time.process_time()
    megabytes = _peak() - before
    work()
    again = time.process_time() - once
    measured = {"seconds": once - starting, "again": again, "starting": starting, "megabytes": megabytes}
    sys.stdout.write(f"\n{json.dumps(measured)}\n")


if __name__ == "__main__":
    main()
