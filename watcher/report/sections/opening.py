"""The top of the page: the sketch, what must be known first, what the model is."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.architecture.record import LayerKind
from watcher.report.escape import code, inline, link
from watcher.report.sections.page import Page
from watcher.report.summary import summary


def sketch(page: Page) -> Iterator[str]:
    """The picture."""
    svgs = (name for name in page.pictures if name.endswith(".svg") and not name.endswith("-dark.svg"))
    name = next(svgs, None)
    if name:
        yield f"![Sketch of {page.name}'s architecture]({name})"


def notes(page: Page) -> Iterator[str]:
    """The report this one continues, and sentences a reader must know."""
    draft = page.draft
    if draft.earlier is not None:
        yield f"Continues {link(draft.earlier.label, draft.earlier.url)}."
    for note in draft.notes:
        yield f"> {inline(note, 500)}"


def about(page: Page) -> Iterator[str]:
    """What it is, in the field's words, and its layers in order."""
    if page.is_alert:
        return
    text = summary(page.draft.lead.record)
    if text:
        yield inline(text, 1200)


def pattern(page: Page) -> Iterator[str]:
    """The strip of all layers."""
    layers = page.draft.lead.record.layers
    if layers.pattern is None or page.is_alert:
        return
    yield "## Layers"
    yield f"Pattern: {code(layers.pattern, 600)}"
    marks = {kind.id: _marks(kind) for kind in layers.kinds[:12]}
    if layers.sequence and any(marks.values()):
        kinds = "; ".join(
            f"{code(kind.id)} {inline(kind.mixer or 'unknown')}{' + ' + inline(kind.ff) if kind.ff else ''}"
            + "".join(f", {mark}" for mark in marks[kind.id])
            for kind in layers.kinds[:12]
        )
        yield f"Sequence: {code(layers.sequence, 600)} with {kinds}"


def _marks(kind: LayerKind) -> list[str]:
    """What the pattern does not say of a kind of layer."""
    return [
        *([f"window {kind.window:,}"] if kind.window else []),
        *(["no RoPE"] if kind.rope is False and kind.mixer in ATTENTION else []),
        *(["keys and values of another layer"] if kind.shared_kv_from is not None else []),
    ]


ATTENTION = {"mha", "gqa", "mqa", "mla", "sliding", "chunked", "gated-attention"}
