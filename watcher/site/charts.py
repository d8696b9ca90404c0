"""Charts over all architectures, drawn as SVG here: scatter plots with logarithmic axes, and adoption over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from watcher.report.numbers import count, size
from watcher.report.sketch import words
from watcher.report.sketch.text import valid, width
from watcher.site.families import FAMILIES, family, marks
from watcher.site.model import Model, Row

WIDE: Final = 920.0
TALL: Final = 480.0
LEFT: Final = 92.0
RIGHT: Final = 24.0
TOP: Final = 20.0
BOTTOM: Final = 58.0
MAX_POINTS: Final = 1_000
"""The newest models that are drawn; a page has to stay small."""
MAX_LABELS: Final = 42
MAX_LINES: Final = 100
"""Of the table below a chart."""
LABEL: Final = 12.0
READABLE: Final = 18.0
"""px of a bar's part that can hold a word."""
SWATCH: Final = "M-6-4a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2z"
"""The legend's mark where parts of bars are told apart, which have their word in them."""
SLACK: Final = 1.12
"""How much wider a browser's own font may set a name than ours."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart."""

    title: str
    about: str
    """What it shows, one sentence."""
    svg: str
    legend: tuple[tuple[str, str, str], ...]
    """Family, what it is called, its mark as a path."""
    head: tuple[str, ...]
    """Of the same as a table."""
    table: tuple[tuple[str, ...], ...]
    pages: tuple[str, ...] = ()
    """The page that each line of the table is about."""
    interactive: bool = False
    """Whether it has points that can be gone through."""


# --- scatter ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis."""

    label: str
    short: str
    """What is written behind a point's value."""
    value: Callable[[Row], float | None]
    write: Callable[[float], str]
    base: float
    """Ticks stand at its powers times `step`."""
    start: float = 1.0


def _total(row: Row) -> float | None:
    return row.total


def _active(row: Row) -> float | None:
    return row.active


def _cache(row: Row) -> float | None:
    return row.cache


PARAMETERS = Axis("parameters", "parameters", _total, count, 10)
ACTIVE = Axis("active parameters per token", "active", _active, count, 10)
CACHE = Axis("KV cache per token, bf16", "per token", _cache, size, 4, 1024)


def cache_by_size(models: Sequence[Model]) -> Chart:
    """KV cache per token against parameters."""
    about = "Lower is cheaper to serve: how much memory each token of context takes, by the size of the model."
    return scatter("KV cache per token by model size", about, models, PARAMETERS, CACHE)


def active_by_size(models: Sequence[Model]) -> Chart:
    """Active against total parameters."""
    about = "On the diagonal every weight works on every token; the further below it, the sparser the model."
    return scatter("Active and total parameters", about, models, PARAMETERS, ACTIVE, diagonal=True)


def scatter(
    title: str, about: str, models: Sequence[Model], across: Axis, up: Axis, *, diagonal: bool = False
) -> Chart:
    """A point a model, the newest drawn last and named while there is room."""
    points = [
        (model, x, y)
        for model in models
        if (x := across.value(model.row)) and (y := up.value(model.row)) and min(x, y) >= 1
    ][:MAX_POINTS]
    place_x = _scale([x for _, x, _ in points], LEFT, WIDE - RIGHT)
    place_y = _scale([y for _, _, y in points], TALL - BOTTOM, TOP)
    lines = [_grid(across, [x for _, x, _ in points], place_x, True)]
    lines.append(_grid(up, [y for _, _, y in points], place_y, False))
    if diagonal and points:
        low = max(min(x for _, x, _ in points), min(y for _, _, y in points))
        high = min(max(x for _, x, _ in points), max(y for _, _, y in points))
        ends = [f"{place_x(value):.1f},{place_y(value):.1f}" for value in (low, high)]
        lines.append(f'<polyline class="diagonal" points="{" ".join(ends)}"/>')
    for model, x, y in reversed(points):
        told = f"{model.name}: {across.write(x)} {across.short}, {up.write(y)} {up.short}"
        lines.append(_point(model, told, place_x(x), place_y(y)))
    lines += _labels([(model.short, place_x(x), place_y(y)) for model, x, y in points])
    lines.append(_axis_names(f"{across.label} (logarithmic)", f"{up.label} (logarithmic)"))
    used = {family(model.row) for model, _, _ in points}
    listed = points[:MAX_LINES]
    table = tuple((model.name, model.date, across.write(x), up.write(y)) for model, x, y in listed)
    return Chart(
        title,
        about,
        _svg(f"{title}. {about} {len(points)} models.", [f"<defs>{marks()}</defs>", *lines], "group"),
        tuple((name, item.label, item.mark) for name, item in FAMILIES.items() if name in used),
        ("model", "date", across.label, up.label),
        table,
        tuple(_page(model) for model, _, _ in listed),
        interactive=True,
    )


def _page(model: Model) -> str:
    return f"models/{model.slug}.html"


def _point(model: Model, told: str, x: float, y: float) -> str:
    """A link to the model, which a mouse and, one at a time, the keyboard can reach."""
    return (
        f'<a href="{_page(model)}" tabindex="-1"><title>{_text(told)}</title>'
        f'<use href="#m-{family(model.row)}" x="{x:.0f}" y="{y:.0f}"/></a>'
    )


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """A logarithmic scale with a little room at both ends."""
    low, high = (math.log10(each) for each in (min(values, default=1), max(values, default=10)))
    low, high = low - 0.12, max(high + 0.12, low + 0.5)
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


def _grid(axis: Axis, values: Sequence[float], place: Callable[[float], float], across: bool) -> str:
    """Lines and labels at round numbers within the range."""
    if not values:
        return ""
    low, high = (math.log(each / axis.start, axis.base) for each in (min(values), max(values)))
    drawn = []
    for power in range(math.floor(low - 0.3), math.ceil(high + 0.3) + 1):
        value = axis.start * axis.base**power
        at = place(value)
        if across and LEFT <= at <= WIDE - RIGHT:
            drawn.append(f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{TALL - BOTTOM}"/>')
            drawn.append(
                f'<text x="{at:.1f}" y="{TALL - BOTTOM + 20}" text-anchor="middle">{_text(axis.write(value))}</text>'
            )
        elif not across and TOP <= at <= TALL - BOTTOM:
            drawn.append(f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDE - RIGHT}" y2="{at:.1f}"/>')
            drawn.append(f'<text x="{LEFT - 10}" y="{at + 4:.1f}" text-anchor="end">{_text(axis.write(value))}</text>')
    return "".join(drawn)


def _labels(points: Sequence[tuple[str, float, float]]) -> list[str]:
    """Names beside points, the newest first, where they collide with no name and no point."""
    taken = _Taken()
    for at_x, at_y in {(round(x), round(y)) for _, x, y in points}:
        taken.add((at_x - 6, at_y - 6, at_x + 6, at_y + 6))
    drawn: list[str] = []
    for name, x, y in points:
        text = name if len(name) <= 24 else f"{name[:23]}…"
        wide = width(text, LABEL) * SLACK
        for left in (x + 9, x - 9 - wide):
            box = (left, y - 8, left + wide, y + 5)
            inside = box[0] > LEFT and box[2] < WIDE - RIGHT and box[1] > TOP
            if inside and taken.free(box):
                taken.add(box)
                drawn.append(f'<text class="name" x="{left:.1f}" y="{y + 4:.1f}">{_text(text)}</text>')
                break
        if len(drawn) == MAX_LABELS:
            break
    return drawn


class _Taken:
    """Places that are taken, found again by their height, so that a thousand points cost no million comparisons."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[float, ...]]] = {}

    def add(self, box: tuple[float, ...]) -> None:
        for row in self._of(box):
            self._rows.setdefault(row, []).append(box)

    def free(self, box: tuple[float, ...]) -> bool:
        return not any(_meet(box, other) for row in self._of(box) for other in self._rows.get(row, ()))

    @staticmethod
    def _of(box: tuple[float, ...]) -> range:
        return range(int(box[1] // 16), int(box[3] // 16) + 1)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# --- adoption --------------------------------------------------------------------------------------------------------


def adoption(models: Sequence[Model]) -> Chart:
    """What share of each half-year's architectures uses which family of attention."""
    periods = _periods(models)
    drawn = [period for period in sorted(periods) if period][-16:]
    used = [name for name in FAMILIES if any(periods[period].get(name) for period in drawn)]
    lines = [_share_grid()]
    step = (WIDE - LEFT - RIGHT) / max(len(drawn), 1)
    for index, period in enumerate(drawn):
        lines += _bar(period, periods[period], LEFT + index * step, step, used)
    lines.append(_axis_names("", "share of new architectures"))
    title = "Adoption of attention kinds"
    about = "Of the architectures of each half-year, the share whose most special layers are of each kind."
    table = tuple((period, *(words.whole(periods[period].get(name, 0)) for name in used)) for period in reversed(drawn))
    return Chart(
        title,
        about,
        _svg(f"{title}. {about}", lines),
        tuple((name, FAMILIES[name].label, SWATCH) for name in used),
        ("half-year", *(FAMILIES[name].label for name in used)),
        table,
    )


def _periods(models: Sequence[Model]) -> dict[str, dict[str, int]]:
    """How many models of each family, by half-year."""
    found: dict[str, dict[str, int]] = {}
    for model in models:
        if len(model.date) >= 7 and model.row.known:
            half = 1 if model.date[5:7] <= "06" else 2
            counts = found.setdefault(f"{model.date[:4]} H{half}", {})
            name = family(model.row)
            counts[name] = counts.get(name, 0) + 1
    return found


def _bar(period: str, counts: dict[str, int], left: float, step: float, used: Sequence[str]) -> list[str]:
    total, bottom, tall = sum(counts.values()), TALL - BOTTOM, TALL - BOTTOM - TOP - 18
    drawn = []
    wide = min(step * 0.72, 64)
    x = left + (step - wide) / 2
    for name in used:
        if not counts.get(name):
            continue
        part = counts[name] / total * tall
        bottom -= part
        told = f"{period}: {counts[name]} of {total}, {FAMILIES[name].label}"
        size_ = f'width="{wide:.1f}" height="{max(part - 1.5, 0.5):.1f}" rx="2"'
        drawn.append(f'<rect class="f-{name}" x="{x:.1f}" y="{bottom:.1f}" {size_}><title>{_text(told)}</title></rect>')
        if part >= READABLE and width(FAMILIES[name].short, LABEL, True) * SLACK <= wide:
            at = f'x="{x + wide / 2:.1f}" y="{bottom + part / 2 + 4:.1f}" text-anchor="middle"'
            drawn.append(f'<text class="in-{name}" {at}>{FAMILIES[name].short}</text>')
    middle = f'x="{x + wide / 2:.1f}" text-anchor="middle"'
    drawn.append(f'<text {middle} y="{TOP + 12}">{total}</text>')
    drawn.append(f'<text {middle} y="{TALL - BOTTOM + 20}">{period[:4]}</text>')
    drawn.append(f'<text {middle} y="{TALL - BOTTOM + 36}">{period[5:]}</text>')
    return drawn


def _share_grid() -> str:
    tall = TALL - BOTTOM - TOP - 18
    drawn = []
    for share in (0, 25, 50, 75, 100):
        y = TALL - BOTTOM - share / 100 * tall
        drawn.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDE - RIGHT}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{share} %</text>')
    return "".join(drawn)


# --- the document ----------------------------------------------------------------------------------------------------


def _axis_names(across: str, up: str) -> str:
    middle = (TOP + TALL - BOTTOM) / 2
    named = f'<text class="axis" x="{WIDE - RIGHT}" y="{TALL - 12}" text-anchor="end">{_text(across)}</text>'
    return named + (
        f'<text class="axis" transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{_text(up)}</text>'
    )


def _svg(label: str, lines: Sequence[str], role: str = "img") -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDE:g} {TALL:g}" role="{role}" aria-label="{escape(valid(label))}">'
        + "".join(lines)
        + "</svg>"
    )


def _text(text: str) -> str:
    return escape(valid(text), quote=False)
