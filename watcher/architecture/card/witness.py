"""What a card states of its own model: labels, tables and the few sentences that name it. Precision before reach."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from watcher.architecture.card.labels import Said, meaning, read_label
from watcher.architecture.card.layout import Layout, Line, Table, lay_out
from watcher.architecture.card.prose import read_sentences
from watcher.architecture.card.whose import Whose
from watcher.architecture.witness import Fact, Reading, RepoFiles

CARD = "README.md"

ELSEWHERE = re.compile(
    r"\b(train\w*|pre-?train\w*|fine-?tun\w*|evaluat\w*|benchmark\w*|results?|usage|quick ?start|how to|deploy\w*|"
    r"inference|serving|limitations?|datasets?|hardware|performance|hyperparameters?|generation|sampling|recommended|"
    r"best practices|requirements?|citation|changelog|news|previous|teacher|draft|comparison|base model|"
    r"vision|visual|image|audio|speech|encoder|vae|tokenizer|projector|adapter|lora)\b",
    re.IGNORECASE,
)
"""Headings and items under which numbers are about something else than the language model's structure."""

RECURRENT = re.compile(r"linear|delta|mamba|lightning|kda|recurrent|ssm|conv|indexer|mtp", re.IGNORECASE)


def read_card(files: RepoFiles) -> tuple[Reading, tuple[Said, ...]]:
    """(the licence as a reading, everything else to be weighed against what was read). Never raises."""
    data = files.files.get(CARD)
    if data is None:
        return Reading(witness="card"), ()
    layout, whose = lay_out(data), Whose(files.name)
    facts = {}
    if "license" in layout.front and re.fullmatch(r"[\w.+-]{1,60}", layout.front["license"][0]):
        name, line = layout.front["license"]
        facts["model.license"] = Fact(name.lower(), f"{CARD}:{line}")
    return Reading(witness="card", facts=facts), () if whose.is_part else tuple(_statements(layout, whose))


def _statements(layout: Layout, whose: Whose) -> Iterator[Said]:
    for table in layout.tables:
        if _here(table.above, whose):
            yield from _of_table(table, whose)
    for line in layout.lines:
        if line.label and _here(line.above, whose) and not whose.foreign(line.label):
            yield from _of_line(line, whose)
        elif not line.label and _here(line.above, whose):
            yield from read_sentences(line, whose)


def _here(above: tuple[str, ...], whose: Whose) -> bool:
    """Whether what stands under these headings and items is about this model's structure."""
    return all(whose.names(text) or not (ELSEWHERE.search(text) or whose.foreign(text)) for text in above)


def _of_line(line: Line, whose: Whose) -> Iterator[Said]:
    part = any(RECURRENT.search(text) for text in line.above)
    for said in read_label(line.label, line.value, line.number):
        if not (part and said.fact.startswith(("attention.", "hidden"))) and not whose.foreign(line.value):
            yield said


def _of_table(table: Table, whose: Whose) -> Iterator[Said]:
    """A table of properties, with one column of values, or of models: this one's column or row alone."""
    header = table.rows[0] if table.rows else ()
    if any(meaning(cell) is not None for cell in header[1:]):
        yield from _of_row(table, header, whose)
        return
    column = _column(header, whose)
    for cells, number in zip(table.rows, table.numbers, strict=False):
        if column is not None and column < len(cells) and cells[column]:
            yield from read_label(cells[0], cells[column], number)


def _column(header: tuple[str, ...], whose: Whose) -> int | None:
    if len(header) == 2:
        return None if whose.foreign(header[1]) and not whose.same(header[1]) else 1
    return _own(header, whose)


def _of_row(table: Table, header: tuple[str, ...], whose: Whose) -> Iterator[Said]:
    own = _own([cells[0] if cells else "" for cells in table.rows], whose)
    for label, value in zip(header[1:], table.rows[own][1:] if own else (), strict=False):
        if value:
            yield from read_label(label, value, table.numbers[own or 0])


def _own(names: Sequence[str], whose: Whose) -> int | None:
    """Which of several names is this model's: the only one, or the one that is it word by word."""
    same = [index for index, name in enumerate(names) if index and whose.same(name)]
    exact = [index for index in same if whose.exactly(names[index])]
    return next((found[0] for found in (exact, same) if len(found) == 1), None)
