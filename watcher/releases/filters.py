"""Whether a repo is wanted: yes, no, or not decided while the Hub has not said enough. Undecided is not no."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from watcher.hub.model import Sighting
from watcher.releases.model import Repo
from watcher.releases.policy import Treated, Treatment, treatment_of
from watcher.settings import WatchSettings
from watcher.values import first_match


class Answer(enum.Enum):
    """What the rules say together."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer and the rule it comes from."""

    answer: Answer
    because: str


def decide(watch: WatchSettings, sighting: Sighting) -> Decision:
    """Apply every rule of `[watch]`; the first no counts, else the first undecided, else yes."""
    decisions = [decision for _, decision in answers(watch, sighting)]
    for wanted in (Answer.NO, Answer.UNDECIDED):
        found = next((item for item in decisions if item.answer is wanted), None)
        if found is not None:
            return found
    return Decision(Answer.YES, "every rule of [watch] keeps it")


def answers(watch: WatchSettings, sighting: Sighting) -> list[tuple[str, Decision]]:
    """What each rule says by itself, by its key."""
    return [(key, rule(watch, sighting) or Decision(Answer.YES, "keeps it")) for key, rule in RULES.items()]


def _include(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    if not watch.include or first_match(watch.include, sighting.name):
        return None
    return Decision(Answer.NO, "watch.include: no pattern covers it")


def _exclude(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    pattern = first_match(watch.exclude, sighting.name)
    return Decision(Answer.NO, f"watch.exclude: {pattern.text!r} covers it") if pattern else None


def _one_of(key: str, wanted: list[str], value: str | None) -> Decision | None:
    if not wanted:
        return None
    if value is None:
        return Decision(Answer.UNDECIDED, f"{key}: the Hub has not said yet")
    if value.lower() in (item.lower() for item in wanted):
        return None
    return Decision(Answer.NO, f"{key}: {value} is not in the list")


def _tasks(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    return _one_of("watch.tasks", watch.tasks, sighting.pipeline_tag)


def _libraries(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    return _one_of("watch.libraries", watch.libraries, sighting.library_name)


def _licenses(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    return _one_of("watch.licenses", watch.licenses, sighting.license)


def _gated(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    if watch.gated is None or watch.gated == bool(sighting.gated):
        return None
    return Decision(Answer.NO, f"watch.gated: it is {'gated' if sighting.gated else 'open'}")


def _parameters(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    if watch.min_parameters is None and watch.max_parameters is None:
        return None
    count = sighting.stored_parameters
    if count is None:
        return Decision(Answer.UNDECIDED, "watch.min_parameters, max_parameters: the Hub has not counted yet")
    if watch.min_parameters is not None and count < watch.min_parameters:
        return Decision(Answer.NO, f"watch.min_parameters: it has {count:,}")
    if watch.max_parameters is not None and count > watch.max_parameters:
        return Decision(Answer.NO, f"watch.max_parameters: it has {count:,}")
    return None


def _created_after(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    if watch.created_after is None:
        return None
    if sighting.created_at is None:
        return Decision(Answer.UNDECIDED, "watch.created_after: the Hub has not said when it was created")
    if sighting.created_at > watch.created_after:
        return None
    return Decision(Answer.NO, f"watch.created_after: it was created {sighting.created_at:%Y-%m-%d}")


def _policies(watch: WatchSettings, sighting: Sighting) -> Decision | None:
    relations = [(base.relation, base.id) for base in sighting.base_models]
    treated = treat(watch, sighting.name, relations)
    return Decision(Answer.NO, treated.because) if treated and treated.treatment is Treatment.IGNORE else None


def treat(watch: WatchSettings, name: str, relations: Iterable[tuple[str, str]]) -> Treated | None:
    """How `[watch.policies]` treats a repo for what it is made from; None when they do not concern it."""
    tracked = {organization.lower() for organization in watch.organizations}
    return treatment_of(watch.policies, tracked, name, relations)


def is_quiet(watch: WatchSettings, repo: Repo) -> bool:
    """Whether a repo that was kept is told to those only who ask for `variant_added`."""
    treated = treat(watch, repo.name, repo.base_models)
    return treated is not None and treated.treatment is Treatment.QUIET


Rule = Callable[[WatchSettings, Sighting], Decision | None]

RULES: dict[str, Rule] = {
    "watch.include": _include,
    "watch.exclude": _exclude,
    "watch.tasks": _tasks,
    "watch.libraries": _libraries,
    "watch.licenses": _licenses,
    "watch.gated": _gated,
    "watch.min_parameters": _parameters,
    "watch.created_after": _created_after,
    "watch.policies": _policies,
}
"""Every rule by its key; a new one is a function here, which answers None for what it keeps."""
