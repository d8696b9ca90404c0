"""The record of a repo that tells nothing of its architecture: every fact unknown, with the one reason."""

from __future__ import annotations

from watcher.architecture.card import read_card
from watcher.architecture.from_hub import read_hub
from watcher.architecture.record import (
    Architecture,
    Attention,
    Evidence,
    KvCache,
    Model,
    Parameters,
    Residual,
    Unknown,
)
from watcher.architecture.witness import RepoFiles

UNREAD = (
    "decoder_type parameters.total parameters.text parameters.active parameters.active_with_embedding "
    "parameters.embedding parameters.vision parameters.audio parameters.mtp context_length vocab_size hidden_size "
    "tied_embeddings attention position norm residual feed_forward moe mtp_layers towers quantization kv_cache memory"
).split()


TOLD = ("parameters.stored", "model.license")


def nothing_known(files: RepoFiles, why: str) -> Architecture:
    """What the Hub and the card tell without any config; a gated repo has that for its reason."""
    readings = (read_card(files)[0], read_hub(files))
    told = {path: (fact, reading.witness) for reading in readings for path, fact in reading.facts.items()}
    stored, license_ = (
        told[path][0].value if path in told else None for path in ("parameters.stored", "model.license")
    )
    reason = "gated" if files.hub.get("gated") else why
    return Architecture(
        model=Model(id=files.name, revision=files.revision, license=license_),
        parameters=Parameters(stored=stored, vision=None, audio=None),
        attention=Attention(shared_kv_layers=None),
        residual=Residual(streams=None),
        kv_cache=KvCache(state_bytes=None),
        mtp_layers=None,
        evidence={path: Evidence(witness=witness, where=fact.where) for path, (fact, witness) in sorted(told.items())},
        unknown=tuple(Unknown(fact=fact, why=reason) for fact in ("layers", *UNREAD)),
    )
