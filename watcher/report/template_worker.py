"""The process that renders a user's templates: a sandbox in bounds of time, memory and output; JSON in, JSON out."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from watcher.report.escape import clean, code, inline, link
from watcher.report.numbers import count, size, tokens

OUTPUT = 1_000_000
"""Characters that one template may write."""
MEMORY = 768 * 1024 * 1024
SECONDS = 10
"""Of processor time, over all templates."""
FILTERS = frozenset(
    "abs batch capitalize default d dictsort first float groupby int items join last length count_items list lower map "
    "max min reject rejectattr replace reverse round select selectattr slice sort sum title trim truncate unique upper "
    "wordcount".split()
)
"""Filters of Jinja2 that are kept; none of them formats with a width of one's choice."""


class Safe(str):
    """Markdown that we wrote: it is not escaped again."""

    __slots__ = ()


def main() -> None:
    """Read the task, write what came of it."""
    _bound()
    task = json.load(sys.stdin)
    texts, problems = render_all(task["sources"], task["wanted"], task["values"])
    json.dump({"texts": texts, "problems": problems}, sys.stdout)


def _bound() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def render_all(
    sources: Mapping[str, str], wanted: list[tuple[str, str]], values: dict[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Texts by purpose, and what failed. A page is given the sections as they came out."""
    texts: dict[str, str] = {}
    problems: list[str] = []
    for word, name in wanted:
        sections = {**values.get("sections", {}), **texts}
        given = values | {
            "sections": {key: Safe(text) for key, text in sections.items() if key != "headline"},
            "headline": texts.get("headline", values.get("headline", "")),
            "built_in": Safe(values.get("sections", {}).get(word, values.get("headline", ""))),
        }
        try:
            texts[word] = _text(environment(sources, plain=name.endswith(".txt.j2")), name, given)
        except Exception as error:  # whatever a template does wrong, the built-in text stands
            problems.append(f"the template {name} failed ({_said(error)}): the built-in text stands in its place")
    return texts, problems


def _said(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    return clean(f"{type(error).__name__}: {error}" + (f", line {line}" if line else ""), 200)


def _text(environment_: Any, name: str, values: Mapping[str, Any]) -> str:
    parts: list[str] = []
    length = 0
    for part in environment_.get_template(name).generate(values):
        length += len(part)
        if length > OUTPUT:
            raise ValueError(f"it writes more than {OUTPUT:,} characters")
        parts.append(part)
    return "".join(parts).strip()


def environment(sources: Mapping[str, str], *, plain: bool) -> Any:
    """A sandbox that sees the report's data and nothing else; what it prints is escaped for where it lands."""
    from jinja2 import DictLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        loader=DictLoader(dict(sources)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_plain if plain else _markdown,
        autoescape=False,
    )
    made.filters = {name: made.filters[name] for name in FILTERS & set(made.filters)}
    made.filters.update(
        count=count,
        size=size,
        tokens=tokens,
        code=lambda value: Safe(code(value)),
        link=lambda label, url: Safe(link(label, str(url))),
    )
    made.globals = {name: made.globals[name] for name in ("range", "namespace", "dict")}
    return made


def _markdown(value: Any) -> str:
    if isinstance(value, Safe):
        return value
    return "" if value is None else inline(value, 4000)


def _plain(value: Any) -> str:
    return "" if value is None else clean(value, 4000)


if __name__ == "__main__":
    main()
