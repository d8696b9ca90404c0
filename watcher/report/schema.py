"""The record and the comparison as JSON Schema (draft 2020-12), made from the record's own classes and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import types
import typing
from functools import cache
from importlib.resources import files
from typing import Any

from watcher.architecture import record
from watcher.compare.model import Significance, Verdict

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMES = ("record", "comparison")
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Any: {},
}


def shipped(name: str) -> dict[str, Any]:
    """A schema as it ships: `record` or `comparison`."""
    data: dict[str, Any] = json.loads(files("watcher.report").joinpath(f"data/{name}.schema.json").read_text("utf-8"))
    return data


def record_schema() -> dict[str, Any]:
    """What `watcher inspect --json` prints."""
    return {"$schema": DIALECT, "title": "Architecture record", **_record(), "$defs": _definitions()}


def comparison_schema() -> dict[str, Any]:
    """What `watcher compare --json` prints: A is the baseline, B the model."""
    change = {
        "type": "object",
        "required": ["fact", "from", "to", "significance", "sentence"],
        "properties": {
            "fact": {"type": "string", "description": "Dotted path of the record, or `config.<key>`."},
            "from": {},
            "to": {},
            "significance": {"enum": [item.value for item in Significance]},
            "sentence": {"type": "string"},
        },
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": "Comparison of two architectures",
        "type": "object",
        "required": ["a", "b", "verdict", "similarity", "changes", "config_diff"],
        "properties": {
            "a": {"$ref": "#/$defs/Architecture"},
            "b": {"$ref": "#/$defs/Architecture"},
            "verdict": {"enum": [item.value for item in Verdict]},
            "similarity": {"type": "number", "minimum": 0, "maximum": 1},
            "changes": {"type": "array", "items": change},
            "config_diff": {"type": "object", "description": "deepdiff's JSON view of the two raw configs."},
        },
        "$defs": _definitions() | {"Architecture": _record()},
    }


def _record() -> dict[str, Any]:
    return _object(record.Architecture)


def _definitions() -> dict[str, Any]:
    """One definition for each class that the record is made of, itself left out."""
    found: dict[str, Any] = {}
    waiting: list[type] = [record.Architecture]
    while waiting:
        kind = waiting.pop()
        for hint in typing.get_type_hints(kind).values():
            for part in _classes(hint):
                if part.__name__ not in found:
                    found[part.__name__] = _object(part)
                    waiting.append(part)
    return dict(sorted(found.items()))


def _classes(hint: Any) -> list[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    return [part for argument in typing.get_args(hint) for part in _classes(argument)]


OPTIONAL = {"Evidence": ("doubt",)}
"""Keys that are only there when there is something to say."""


def _object(kind: type) -> dict[str, Any]:
    hints, said = typing.get_type_hints(kind), _docstrings(kind)
    properties = {}
    for item in dataclasses.fields(kind):
        about = {"description": said[item.name]} if item.name in said else {}
        properties[item.name.rstrip("_")] = _type(hints[item.name]) | about
    required = [name for name in properties if name not in OPTIONAL.get(kind.__name__, ())]
    schema = {"type": "object", "required": required, "properties": properties, "additionalProperties": False}
    return {"description": inspect.getdoc(kind) or "", **schema}


def _type(hint: Any) -> dict[str, Any]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_type(argument) for argument in arguments]}
    if origin in (tuple, list):
        return {"type": "array", "items": _type(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    raise TypeError(f"the record has a type that the schema does not know: {hint}")


@cache
def _docstrings(kind: type) -> dict[str, str]:
    """The string below each field, by the field's name."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = str(ast.literal_eval(text.value))
    return found
