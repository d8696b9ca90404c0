"""The Hub as a witness: licence and stored count, as its API says them."""

from __future__ import annotations

from watcher.architecture.witness import Fact, Reading, RepoFiles


def read_hub(files: RepoFiles) -> Reading:
    """What the API said that bears on the record."""
    facts: dict[str, Fact] = {}
    stored, license_ = files.hub.get("stored_parameters"), files.hub.get("license")
    if isinstance(stored, int) and not isinstance(stored, bool) and stored > 0:
        facts["parameters.stored"] = Fact(stored, "safetensors.parameters")
    if isinstance(license_, str) and license_:
        facts["model.license"] = Fact(license_, "tag license")
    return Reading(witness="hub", facts=facts)
