"""Which files of a repo a reader needs, fetched once per blob and within limits: → RepoFiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from watcher.architecture.witness import RepoFiles
from watcher.hub.model import Hub, HubError, HubProblem, Sighting, TreeFile

MB = 1024 * 1024

LIMITS: tuple[tuple[str, int], ...] = (
    ("config.json", MB),
    ("params.json", MB),
    ("adapter_config.json", MB),
    ("generation_config.json", MB),
    ("preprocessor_config.json", MB),
    ("processor_config.json", MB),
    ("hf_quant_config.json", MB),
    ("quantize_config.json", MB),
    ("README.md", MB),
    ("*.safetensors.index.json", 32 * MB),
    ("*.py", 2 * MB),
)
"""Files of the top folder that are read, and how large each may be."""

ESSENTIAL = ("config.json", "params.json", "adapter_config.json")
"""What a reader starts from: one of these too large is a fact about the repo, not a file to leave out quietly."""

MAX_CODE = 40
"""Python files of one repo; a repo with more is no model implementation."""

RETRYABLE = (HubProblem.RATE_LIMITED, HubProblem.UNAVAILABLE, HubProblem.INVALID, HubProblem.BAD_TOKEN)

ALWAYS_RAISED = (*RETRYABLE, HubProblem.GATED, HubProblem.DISABLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was brought for a reader."""

    files: RepoFiles
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    """Every file that was read, by blob id: what the store keeps for ever."""
    skipped: tuple[str, ...] = ()
    """Files that were left out, a clause each."""
    unreadable: str | None = None
    """Why there is nothing to start from, when an essential file cannot be read."""


def fetch_files(
    hub: Hub,
    sighting: Sighting,
    revision: str,
    tree: Iterable[TreeFile],
    known: Callable[[str], bytes | None],
) -> Fetched:
    """Bring the small files a reader needs, at exactly this revision.

    `known` gives a file's bytes by blob id when the store has them: such a file is not asked for again.
    Raises HubError for GATED, DISABLED, whatever may be answered later, and an essential file that is refused: the tree
    says that it is there, so the refusal is no answer about the repo.
    """
    tree = tuple(tree)
    files: dict[str, bytes] = {}
    blobs: dict[str, bytes] = {}
    skipped: list[str] = []
    unreadable = None
    for file, limit in _chosen(tree):
        try:
            files[file.path] = blobs[file.oid] = _bring(hub, sighting.name, revision, file, limit, known)
        except HubError as error:
            essential, large = file.path in ESSENTIAL, error.problem is HubProblem.TOO_LARGE
            if error.problem in ALWAYS_RAISED or (essential and not large):
                raise
            skipped.append(f"{file.path}: {clause(error)}")
            if essential:
                unreadable = f"{file.path} {clause(error)}"
    repo = RepoFiles(
        name=sighting.name,
        revision=revision,
        files=files,
        sizes={file.path: file.size for file in tree},
        hub=facts_of(sighting),
    )
    started = any(path in files for path in ESSENTIAL)
    return Fetched(files=repo, blobs=blobs, skipped=tuple(skipped), unreadable=None if started else unreadable)


def facts_of(sighting: Sighting) -> dict[str, object]:
    """What the API said of a repo, as far as it bears on its architecture and on what it is compared with."""
    return {
        "license": sighting.license,
        "gated": sighting.gated,
        "tags": list(sighting.tags),
        "pipeline_tag": sighting.pipeline_tag,
        "stored_parameters": sighting.stored_parameters,
        "created_at": sighting.created_at.isoformat() if sighting.created_at else None,
    }


def _chosen(tree: tuple[TreeFile, ...]) -> list[tuple[TreeFile, int]]:
    """Files of the top folder that a reader needs, with their limits."""
    chosen = []
    for file in tree:
        limit = next((size for pattern, size in LIMITS if fnmatchcase(file.path, pattern)), None)
        if limit is not None and "/" not in file.path and file.size > 0:
            chosen.append((file, limit))
    code = [item for item in chosen if item[0].path.endswith(".py")]
    surplus = {item[0].path for item in code[MAX_CODE:]}
    return [item for item in chosen if item[0].path not in surplus]


def _bring(
    hub: Hub, name: str, revision: str, file: TreeFile, limit: int, known: Callable[[str], bytes | None]
) -> bytes:
    kept = known(file.oid)
    return kept if kept is not None else hub.read(name, revision, file, limit=limit)


def clause(error: HubError) -> str:
    """Why a file is missing, in a few words."""
    return "is too large to be read" if error.problem is HubProblem.TOO_LARGE else f"cannot be had ({error.problem})"
