"""`watcher check --explain ORG/NAME`: what each rule of the configuration says about one repo, and what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watcher.hub.model import Hub, Sighting
from watcher.naming.names import take_apart
from watcher.releases.filters import Answer, Decision, answers, decide, treat
from watcher.releases.policy import Treatment
from watcher.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

WORDS = {Answer.YES: "kept", Answer.NO: "dropped", Answer.UNDECIDED: "a candidate, not decided yet"}

SHARED = ("watch.min_parameters", "watch.policies")
"""Rules that speak for several keys, or have defaults."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule's answer."""

    rule: str
    answer: str
    """yes, no, undecided."""
    because: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides about one repo."""

    name: str
    answer: str
    because: str
    rules: tuple[Row, ...]
    known: tuple[str, ...]
    """What the store and the name say about it, a sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def explain_repo(settings: Settings, hub: Hub, name: str) -> Explanation:
    """Ask the Hub for a repo and every rule for its answer. Raises HubError when the Hub does not tell."""
    sighting = hub.info(name)
    tracked = _tracked(settings, sighting)
    rows = [("watch.organizations", tracked), *_answers(settings, sighting)]
    decision = tracked if tracked.answer is Answer.NO else decide(settings.watch, sighting)
    return Explanation(
        name=sighting.name,
        answer=decision.answer.value,
        because=decision.because,
        rules=tuple(Row(rule, item.answer.value, item.because) for rule, item in rows),
        known=(*_quiet(settings, sighting), *_known(settings, sighting), _name(sighting)),
    )


def _answers(settings: Settings, sighting: Sighting) -> Iterator[tuple[str, Decision]]:
    """Every rule's answer; one that is not in the configuration says so."""
    for rule, decision in answers(settings.watch, sighting):
        value = getattr(settings.watch, rule.rpartition(".")[2])
        unset = value in (None, [], {}) and decision.answer is Answer.YES and rule not in SHARED
        yield rule, Decision(Answer.YES, "not set") if unset else decision


def _tracked(settings: Settings, sighting: Sighting) -> Decision:
    organization = sighting.organization
    if organization.lower() in (name.lower() for name in settings.watch.organizations):
        return Decision(Answer.YES, f"{organization} is tracked")
    return Decision(Answer.NO, f"{organization} is not in watch.organizations")


def _quiet(settings: Settings, sighting: Sighting) -> Iterator[str]:
    treated = treat(settings.watch, sighting.name, [(base.relation, base.id) for base in sighting.base_models])
    if treated is not None and treated.treatment is Treatment.QUIET:
        yield f"told only to channels that ask for variant_added ({treated.because})"


def _known(settings: Settings, sighting: Sighting) -> Iterator[str]:
    """What the store remembers; nothing where there is none yet."""
    from watcher.store import repos as table
    from watcher.store.engine import open_store

    with open_store(settings.store_url) as store, store.begin() as connection:
        repo = table.repo(connection, sighting.hub_id)
        release = table.release(connection, repo.release_id) if repo and repo.release_id else None
    if repo is None:
        yield "not seen yet"
        return
    yield f"seen first {repo.first_seen_at:%Y-%m-%d %H:%M}Z, then {repo.state.value}: {repo.because}"
    if release is not None:
        yield f"in the release {release.id}, which is {release.state.value}"


def _name(sighting: Sighting) -> str:
    parts = take_apart(sighting.name)
    said = {"size": parts.size, "variant": parts.variant, "made on": parts.student}
    words = "".join(f", {key} {value}" for key, value in said.items() if value)
    return f"by its name: family {parts.stem}{words}"


def print_explanation(explanation: Explanation, console: Console) -> None:
    """A table with ✓, ✗ and ? and the sentence that counts."""
    from rich.table import Table
    from rich.text import Text

    marks = {"yes": ("✓", "green"), "no": ("✗", "bold red"), "undecided": ("?", "yellow")}
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in explanation.rules:
        table.add_row(Text(*marks[row.answer]), Text(row.rule), Text(row.because.removeprefix(f"{row.rule}: ")))
    console.print(table)
    for line in explanation.known:
        console.print(f"- {line}", markup=False)
    console.print(f"{explanation.name}: {WORDS[Answer(explanation.answer)]}; {explanation.because}", markup=False)
