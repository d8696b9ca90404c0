"""Lineage: the chain of nearest earlier architectures, as a forest over the site's models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from watcher.site.model import Model


@dataclass(slots=True)
class Forest:
    """Parents and children by slug."""

    models: dict[str, Model]
    parent: dict[str, str] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)

    def chain(self, slug: str) -> list[Model]:
        """A model's ancestors, the oldest first."""
        found: list[Model] = []
        while (slug := self.parent.get(slug, "")) and len(found) < 50:
            found.append(self.models[slug])
        return found[::-1]

    def heirs(self, slug: str) -> list[Model]:
        """The models whose nearest earlier architecture this is, the oldest first."""
        return [self.models[child] for child in self.children.get(slug, ())]

    def roots(self) -> list[Model]:
        """The models that descend from nothing here, those with the most descendants first."""
        found = [model for slug, model in self.models.items() if slug not in self.parent]
        return sorted(found, key=lambda model: (-self.size(model.slug), model.date, model.slug))

    def size(self, slug: str) -> int:
        """How many descend from a model, itself included."""
        return sum(1 for _ in self.walk(slug))

    def walk(self, slug: str) -> Iterator[tuple[int, Model]]:
        """A tree from its root: depth and model."""
        waiting = [(0, slug)]
        while waiting:
            depth, current = waiting.pop()
            yield depth, self.models[current]
            waiting += [(depth + 1, child) for child in reversed(self.children.get(current, ()))]


def forest(models: Sequence[Model]) -> Forest:
    """Who descends from whom. A parent is never younger than its child, so there are no circles."""
    made = Forest({model.slug: model for model in models})
    names = {alias.lower(): model.slug for model in models for alias in model.row.aliases}
    names |= {model.name.lower(): model.slug for model in models}
    rank = {model.slug: index for index, model in enumerate(sorted(models, key=lambda item: (item.date, item.slug)))}
    for slug in sorted(rank, key=lambda item: rank[item]):
        baseline = made.models[slug].baseline
        parent = names.get(baseline.lower()) if baseline else None
        if parent is not None and rank[parent] < rank[slug]:
            made.parent[slug] = parent
            made.children.setdefault(parent, []).append(slug)
    return made
