"""The card witness: `read_card(files)` → what a model card states of its own model, to be weighed and never believed
over what was read."""

from watcher.architecture.card.weigh import weigh
from watcher.architecture.card.witness import read_card

__all__ = ["read_card", "weigh"]
