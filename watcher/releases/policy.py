"""What becomes of models that a tracked organization made from somebody else's: told, told quietly, or not at all."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from watcher.naming.names import take_apart
from watcher.section import Section


class Treatment(enum.StrEnum):
    """What happens to a kind of derived model."""

    REPORT = "report"
    """Like any other release."""
    QUIET = "quiet"
    """As `variant_added`, which only channels get that ask for it."""
    IGNORE = "ignore"
    """Dropped, as by a filter."""
    AUTO = "auto"
    """Quiet when the original's organization is tracked too (its release was told already), else reported."""


class Policy(Section):
    """A table of `[watch.policies]`: one organization's, or everyone's (`"*"`). A key that is absent is everyone's."""

    quantized: Treatment | None = None
    """Quantised copies of another organization's model; auto by default."""
    finetune: Treatment | None = None
    """Finetunes of another organization's model; reported by default, like adapters and merges."""
    adapter: Treatment | None = None
    merge: Treatment | None = None


DEFAULTS = Policy(quantized=Treatment.AUTO, finetune=Treatment.REPORT, adapter=Treatment.REPORT, merge=Treatment.REPORT)
"""What holds where no policy says otherwise."""

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Treated:
    """A treatment and where it comes from."""

    treatment: Treatment
    because: str


def treatment_of(
    policies: Mapping[str, Policy], tracked: Collection[str], name: str, relations: Iterable[tuple[str, str]]
) -> Treated | None:
    """How a repo is treated for what it declares to be made from; None for one that is not another's model remade.

    `policies` and `tracked` by organization in lower case; `relations`: (relation, id of the base).
    """
    organization = name.partition("/")[0].lower()
    kinds = ((_kind(name, relation), base) for relation, base in relations)
    bases = [(kind, base) for kind, base in kinds if kind in Policy.model_fields]
    if not bases or any(_owner(base) == organization for _, base in bases):
        return None
    relation, base = bases[0]
    treatment, source = _look_up(policies, organization, relation)
    if treatment is Treatment.AUTO:
        treatment = Treatment.QUIET if _owner(base) in tracked else Treatment.REPORT
    return Treated(treatment, f"{source}: {relation} of {base}, {treatment.value}")


def _kind(name: str, relation: str) -> str:
    """A base without a relation, in a name that tells of a quantisation or format, is that of a copy."""
    return "quantized" if relation == "base" and take_apart(name).copy else relation


def _owner(name: str) -> str:
    return name.partition("/")[0].lower()


def _look_up(policies: Mapping[str, Policy], organization: str, relation: str) -> tuple[Treatment, str]:
    for key in (organization, EVERYONE):
        found = getattr(policies.get(key), relation, None)
        if found is not None:
            return found, f"watch.policies.{key}.{relation}"
    default: Treatment = getattr(DEFAULTS, relation)
    return default, f"{relation} by default"
