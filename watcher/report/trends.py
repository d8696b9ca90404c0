"""What architectures of a month have in common: shares and medians beside the year before, from the store's reports."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from watcher.architecture.record import Architecture
from watcher.compare import words
from watcher.releases.model import EventKind
from watcher.report.escape import inline, link, short
from watcher.report.model import Report
from watcher.report.numbers import count, size, tokens
from watcher.report.sections.page import table

Test = Callable[[Architecture], bool | None]
"""True, False, or None where the record does not tell."""
Measure = Callable[[Architecture], float | None]


@dataclass(frozen=True, slots=True)
class Model:
    """One architecture that came out."""

    name: str
    date: date
    record: Architecture
    verdict: str | None = None
    headline: str = ""
    url: str = ""


def _mixes(*kinds: str) -> Test:
    return lambda record: any(kind.mixer in kinds for kind in record.layers.kinds) if record.layers.kinds else None


def _has(get: Callable[[Architecture], object], fact: str) -> Test:
    return lambda record: None if record.is_unknown(fact) else bool(get(record))


SHARES: tuple[tuple[str, Test], ...] = (
    ("mixture of experts", lambda record: record.moe is not None if record.decoder_type else None),
    ("shared expert", lambda record: bool(record.moe.num_shared_experts) if record.moe else None),
    ("MHA", _mixes("mha")),
    ("GQA or MQA", _mixes("gqa", "mqa")),
    ("MLA", _mixes("mla")),
    ("sliding or chunked windows", _mixes("sliding", "chunked")),
    ("linear or recurrent mixers", _mixes("gated-deltanet", "kda", "mamba", "mamba2", "lightning", "mlstm", "slstm",
                                          "rwkv", "rglru")),
    ("sparse attention", _has(lambda record: record.attention.sparse, "attention.sparse")),
    ("QK-norm", lambda record: record.attention.qk_norm),
    ("attention sinks", lambda record: record.attention.sinks),
    ("NoPE layers", _has(lambda record: record.position.nope_layers, "position.nope_layers")),
    ("norms after the sublayer", lambda record: record.norm.placement in ("post", "post-inside", "sandwich")
     if record.norm.placement else None),
    ("MTP layers", _has(lambda record: record.mtp_layers, "mtp_layers")),
    ("another modality beside text", lambda record: len(record.model.modalities) > 1),
    ("tied embeddings", lambda record: record.tied_embeddings),
)  # fmt: skip
"""Label → whether a model has it. A new line of the page is a row here."""

MEDIANS: tuple[tuple[str, Measure, Callable[[float], str]], ...] = (
    ("parameters", lambda record: record.parameters.total or record.parameters.text, count),
    ("active per token, of those with experts", lambda record: record.parameters.active if record.moe else None, count),
    ("layers", lambda record: record.layers.count, words.decimal),
    ("experts", lambda record: record.moe.num_experts if record.moe else None, words.decimal),
    ("experts per token", lambda record: record.moe.num_experts_per_tok if record.moe else None, words.decimal),
    ("nominal KV cache per token", lambda record: record.kv_cache.nominal_bytes_per_token, size),
    ("context", lambda record: record.context_length, lambda value: tokens(round(value))),
    ("vocabulary", lambda record: record.vocab_size, lambda value: f"{round(value):,}"),
)


def trends_report(month: date, models: Sequence[Model], now: datetime) -> Report:
    """The page of one month (its first day); `models` are all there are, of any time."""
    mine = sorted((item for item in models if _month(item.date) == _month(month)), key=lambda item: item.name)
    before = [item for item in models if _year_before(item.date, month)]
    new = [item for item in mine if item.verdict == "new"]
    told = (
        f"Architecture trends of {month:%B %Y}: {words.counted(len(mine), 'architecture')}"
        f"{f', {len(new)} of them new' if new else ''}"
    )
    identity = "rep_" + hashlib.sha256(f"trends {month:%Y-%m} {[item.name for item in mine]}".encode()).hexdigest()[:20]
    front = {"report": identity, "event": EventKind.DIGEST.value, "date": now.isoformat(), "headline": told}
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in front.items())
    blocks = [f"---\n{lines}\n---", f"# {inline(told, 400)}", *_blocks(mine, before, new)]
    return Report(
        report_id=identity,
        release_id="",
        event=EventKind.DIGEST,
        organization="trends",
        created_at=now,
        headline=told,
        significance=None,
        verdict=None,
        repos=(),
        path=f"trends/{month:%Y}/{month:%Y-%m}-trends.md",
        markdown="\n\n".join(blocks) + "\n",
    )


def _month(day: date) -> tuple[int, int]:
    return (day.year, day.month)


def _year_before(day: date, month: date) -> bool:
    months = (month.year - day.year) * 12 + month.month - day.month
    return 1 <= months <= 12


def _blocks(mine: Sequence[Model], before: Sequence[Model], new: Sequence[Model]) -> Iterator[str]:
    if not mine:
        yield "Nothing whose architecture is known came out."
        return
    if new:
        yield "## New architectures"
        yield "\n".join(f"- {inline(item.headline or item.name, 400)}" for item in new[:50])
    yield "## How common"
    head = ("of the models whose record tells", "this month", "the 12 months before")
    yield table(head, ((label, _share(test, mine), _share(test, before)) for label, test in SHARES))
    yield "## How large (medians)"
    yield table(
        ("", "this month", "the 12 months before"),
        ((label, _median(get, say, mine), _median(get, say, before)) for label, get, say in MEDIANS),
    )
    yield "## Models of the month"
    rows = ((_named(item), f"{item.date}", inline(item.record.decoder_type or "unknown"), item.verdict or "–")
            for item in mine[:200])  # fmt: skip
    yield table(("model", "date", "type", "verdict"), rows)
    if len(mine) > 200:
        yield f"And {words.counted(len(mine) - 200, 'more model')}."


def _named(item: Model) -> str:
    return link(short(item.name), item.url) if item.url else inline(item.name)


def _share(test: Test, models: Sequence[Model]) -> str:
    """`40% (4 of 10)`; a dash where no record tells."""
    told = [answer for item in models if (answer := test(item.record)) is not None]
    return f"{sum(told) / len(told):.0%} ({sum(told)} of {len(told)})" if told else "–"


def _median(get: Measure, say: Callable[[float], str], models: Sequence[Model]) -> str:
    told = [value for item in models if (value := get(item.record))]
    return say(statistics.median(told)) if told else "–"


def model_of(report: Report, url: str = "") -> Model | None:
    """A kept report as a model of its day; None for one that tells no architecture."""
    if report.event not in (EventKind.RELEASED, EventKind.RECREATED) or not report.repos:
        return None
    record = Architecture.from_dict(dict(report.record)) if report.record else Architecture()
    if record.layers.count is None:
        return None
    return Model(report.name, report.created_at.date(), record, report.verdict, report.headline, url)


def models_of_catalog(baselines: Sequence[tuple[str, str, Architecture]]) -> list[Model]:
    """(name, date, record) of catalogued models with a date, for the time before the store began."""
    found = []
    for name, day, record in baselines:
        try:
            found.append(Model(name, date.fromisoformat(day if len(day) == 10 else f"{day}-01"), record))
        except ValueError:
            continue
    return found


def merged(own: Sequence[Model], catalog: Sequence[Model]) -> list[Model]:
    """Both, a model that is in both once: as the store tells it."""
    names: Mapping[str, Model] = {item.name.lower(): item for item in (*catalog, *own)}
    return list(names.values())
