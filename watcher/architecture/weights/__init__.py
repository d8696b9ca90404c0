"""The weights witness: `read_weights(files, …)` → what tensor names, shapes and types show. Nothing is unpickled."""

from watcher.architecture.weights.witness import read_weights

__all__ = ["read_weights"]
