"""Python's operators and builtins on plain values, with results bounded: hostile code may not fill the memory."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.stops import Undecided
from watcher.architecture.code.values import UNKNOWN, ClassValue, Copies, ModuleValue, Space, Tensor, Walk, opaque

LARGEST = 2**200
LONGEST = 100_000
"""Items of a list, characters of a string."""

MOST_MODULES = 4096
"""Modules of a list that are walked through."""

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
MATH = {
    name: getattr(math, name)
    for name in ("sqrt", "ceil", "floor", "log", "log2", "log10", "exp", "gcd", "trunc", "isqrt", "pow", "cos", "sin")
}
MATH_VALUES = {"pi": math.pi, "inf": math.inf, "e": math.e, "nan": math.nan}


def binary_of(machine: Machine, kind: ast.operator, left: Any, right: Any) -> Any:
    """`left kind right` for anything the interpreter knows; UNKNOWN where that is not defined or too large."""
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return _combined(machine, kind, left, right)
    if isinstance(left, Copies) or isinstance(right, Copies):
        left, right = (iterable(item) if isinstance(item, Copies) else item for item in (left, right))
    if opaque(left) or opaque(right):
        return UNKNOWN
    if isinstance(left, CONTAINERS) or isinstance(right, CONTAINERS):
        machine.spend(_repeats(left, right) or _size(left) + _size(right))
    return binary(kind, left, right)


CONTAINERS = (str, list, tuple, dict, set)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, CONTAINERS) else 0


def _combined(machine: Machine, kind: ast.operator, left: Any, right: Any) -> Tensor:
    """A tensor computed with another or with a number."""
    one, other = (left, right) if isinstance(left, Tensor) else (right, left)
    if not isinstance(other, Tensor):
        return Tensor(one.shape, one.made, one.marks, one.terms)
    if isinstance(kind, ast.MatMult):
        return product(machine, left, right)
    if isinstance(kind, (ast.Add, ast.Sub)):
        return summed(one, other)
    return multiplied(machine, one, other)


def summed(left: Tensor, right: Tensor) -> Tensor:
    """A sum remembers what was added."""
    terms = tuple(dict.fromkeys([*_terms(left), *_terms(right)]))
    return Tensor(left.shape if left.shape == right.shape else None, "+", left.marks | right.marks, terms[:32])


def _terms(tensor: Tensor) -> tuple[str, ...]:
    return tensor.terms if tensor.made == "+" else (tensor.made,)


def multiplied(machine: Machine, left: Tensor, right: Tensor) -> Tensor:
    """An elementwise product; one with the cosines and sines of positions rotates."""
    angles = [ANGLES in tensor.marks for tensor in (left, right)]
    main = right if angles[0] else left if angles[1] or left.made not in ("", "in") else right if right.made else left
    marks = left.marks | right.marks
    if angles[0] != angles[1] and machine.stack and main.made not in ("", "+"):
        machine.trace.rotated.append((machine.stack[-1], machine.place()))
        marks = (marks - {ANGLES}) | {ROTATED}
    return Tensor(left.shape if left.shape == right.shape else None, main.made, marks, main.terms)


def product(machine: Machine, left: Tensor, right: Tensor, whole: bool = False) -> Tensor:
    """A matrix product of two tensors, as attention scores are; or (`whole`) all of an attention in one call."""
    where = machine.stack[-1] if machine.stack else ""
    machine.trace.products.append((where, left.marks, right.marks, machine.place(), whole))
    return Tensor(None, left.made if SCORES not in left.marks else right.made, frozenset({SCORES}))


ANGLES, ROTATED, SCORES, NORMED, L2 = "angles", "rotated", "scores", "normed", "l2"


def measure(value: Any, limit: int = 300_000) -> int:
    """Items in a value, those of nested ones included. Raises Undecided beyond the limit: Python must not walk it."""
    if not isinstance(value, (list, tuple, dict, set, frozenset)):
        return 0
    total, waiting = 0, [value]
    while waiting:
        items = waiting.pop()
        total += len(items)
        if total > limit:
            raise Undecided("a value too large to compare")
        for item in items.values() if isinstance(items, dict) else items:
            if isinstance(item, (list, tuple, dict, set, frozenset)):
                waiting.append(item)
    return total


def storable(owner: Any, index: Any) -> bool:
    """Whether an index may be used with it: plain keys, and tuples of plain keys, for a dict."""
    if isinstance(owner, list):
        return isinstance(index, (int, slice))
    if isinstance(index, tuple):
        return len(index) < 16 and all(storable(owner, item) and not isinstance(item, tuple) for item in index)
    return index is None or isinstance(index, (str, int, float, ClassValue, Space))


def binary(kind: ast.operator, left: Any, right: Any) -> Any:
    """`left kind right` for plain values, or UNKNOWN where that is not defined or too large."""
    if isinstance(kind, ast.Pow):
        return power(left, right)
    if isinstance(kind, (ast.LShift, ast.RShift)):
        shift = operator.lshift if isinstance(kind, ast.LShift) else operator.rshift
        fits = isinstance(left, int) and isinstance(right, int) and 0 <= right <= 128
        return bounded(shift(left, right)) if fits else UNKNOWN
    if isinstance(kind, ast.Mod) and isinstance(left, (str, bytes)):
        return UNKNOWN
    if isinstance(kind, ast.Mult) and _repeats(left, right) > LONGEST:
        return UNKNOWN
    try:
        return bounded(BINARY[type(kind)](left, right))
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return UNKNOWN


def _repeats(left: Any, right: Any) -> int:
    """Length of a sequence times a number; 0 for anything else."""
    for items, times in ((left, right), (right, left)):
        if isinstance(items, (str, list, tuple)) and isinstance(times, int):
            return len(items) * max(times, 0)
    return 0


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent` within bounds."""
    numbers = isinstance(base, (int, float)) and isinstance(exponent, (int, float))
    if not numbers or abs(exponent) > 256 or abs(base) > 2**64:
        return UNKNOWN
    try:
        return bounded(base**exponent)
    except (ArithmeticError, ValueError):
        return UNKNOWN


def bounded(value: Any) -> Any:
    """The value, or UNKNOWN when it is larger than anything a model needs."""
    if isinstance(value, int) and not -LARGEST < value < LARGEST:
        return UNKNOWN
    if isinstance(value, (str, list, tuple, dict, set, frozenset, range)) and len(value) > LONGEST:
        return UNKNOWN
    return UNKNOWN if isinstance(value, complex) else value


def iterable(value: Any) -> list[Any] | None:
    """The items of something that can be walked through; None when they are not known."""
    if isinstance(value, ModuleValue):
        return value.items() if len(value) <= MOST_MODULES else None
    if isinstance(value, Walk):
        return value.rest()
    if isinstance(value, Copies):
        return [value.item] * value.times if value.times <= MOST_MODULES else None
    if isinstance(value, (set, frozenset)) and len(value) <= LONGEST:
        return sorted(value, key=repr)  # the same in every process
    if isinstance(value, (list, tuple, dict, range, str)) and len(value) <= LONGEST:
        return list(value)
    return None


def _items(function: Callable[..., Any]) -> Callable[..., Any]:
    """A builtin over iterables, given lists."""

    def wrapped(*args: Any, **named: Any) -> Any:
        lists = [iterable(item) for item in args]
        if any(item is None for item in lists):
            return UNKNOWN
        return bounded(function(*lists, **named))

    return wrapped


def _length(value: Any) -> Any:
    if isinstance(value, (ModuleValue, Copies)):
        return value.times if isinstance(value, Copies) else len(value)
    items = iterable(value)
    return UNKNOWN if items is None else len(items)


def _summed(items: Any, start: Any = 0) -> Any:
    found = iterable(items)
    if found is None or any(opaque(item) for item in found):
        return UNKNOWN
    if isinstance(start, list) and all(isinstance(item, list) for item in found):
        return bounded([part for item in found for part in item])
    numbers = all(isinstance(item, (int, float)) for item in found) and isinstance(start, (int, float))
    return bounded(sum(found, start)) if numbers else UNKNOWN


def _chosen(choose: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    items = iterable(args[0]) if len(args) == 1 else list(args)
    if items is None or any(opaque(item) for item in items) or "key" in named:
        return UNKNOWN
    return choose(items, default=named["default"]) if not items and "default" in named else choose(items)


def _whole(value: Any = 0) -> Any:
    return bounded(int(value)) if not isinstance(value, str) or len(value) < 100 else UNKNOWN


BUILTINS: dict[str, Callable[..., Any]] = {
    "len": _length,
    "range": lambda *args: bounded(range(*args)),
    "int": _whole,
    "float": float,
    "str": lambda value="": str(value) if isinstance(value, (int, float, str, bool, type(None))) else UNKNOWN,
    "bool": bool,
    "abs": abs,
    "round": round,
    "divmod": divmod,
    "pow": power,
    "max": lambda *args, **named: _chosen(max, args, named),
    "min": lambda *args, **named: _chosen(min, args, named),
    "sum": _summed,
    "list": _items(lambda items=(): list(items)),
    "tuple": _items(lambda items=(): tuple(items)),
    "set": _items(lambda items=(): set(items)),
    "frozenset": _items(lambda items=(): frozenset(items)),
    "sorted": _items(lambda items, **named: sorted(items, reverse=bool(named.get("reverse")))),
    "reversed": _items(lambda items: list(reversed(items))),
    "enumerate": lambda items, start=0: _items(lambda found: list(enumerate(found, start)))(items),
    "zip": lambda *lists, **named: _items(lambda *found: list(zip(*found, strict=False)))(*lists),
    "any": _items(any),
    "all": _items(all),
    "dict": lambda *args, **named: bounded({**(dict(args[0]) if args else {}), **named}),
}
"""The builtins that code may use; everything else is unknown."""


TAKES_MODULES = frozenset(
    ("len", "list", "tuple", "enumerate", "zip", "reversed", "set", "dict", "sorted", "any", "all")
)


def call_builtin(machine: Machine, function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    """A builtin on plain values; UNKNOWN where Python would refuse."""
    modules = any(function is BUILTINS[name] for name in TAKES_MODULES)
    allowed = (ModuleValue, Copies) if modules else ()
    if any(opaque(item) and not isinstance(item, allowed) for item in args):
        return UNKNOWN
    if any(opaque(item) for item in named.values()):
        return UNKNOWN
    machine.spend(sum(measure(item) for item in args))
    try:
        found = function(*args, **named)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError):
        return UNKNOWN
    machine.spend(len(found) if isinstance(found, (list, tuple, dict, set)) else 0)
    if machine.making is not None and isinstance(found, (list, dict, set)):
        machine.making.own[id(found)] = found
    return found


METHODS = frozenset(
    """get items keys values append extend index count lower upper startswith endswith split pop setdefault update copy
    replace strip join add insert remove is_integer rstrip lstrip""".split()
)
"""Methods of plain values that code may call."""


def call_method(machine: Machine, value: Any, name: str, args: list[Any], named: dict[str, Any]) -> Any:
    """A method of a list, dict, string …; UNKNOWN where Python would refuse or the result would be too large."""
    if name in CHANGES and machine.making is not None and id(value) not in machine.making.own:
        machine.making.apart = True
    if name in ("append", "extend", "insert", "update", "setdefault", "add") and len(value) >= LONGEST:
        return UNKNOWN
    if name in GROWS and _grown(value, args) > LONGEST:
        return UNKNOWN
    machine.spend(_size(value) // 8 + sum(measure(item) for item in args) if name not in CHEAP else 1)
    if name in ("extend", "update", "join") and args:
        found = args[0] if isinstance(args[0], dict) else iterable(args[0])
        args = [found, *args[1:]]
        if found is None:
            return UNKNOWN
    if name in ("index", "count", "remove") and isinstance(value, (list, tuple)):
        machine.spend(measure(value))
    if (
        name in ("get", "setdefault", "pop", "add")
        and isinstance(value, (dict, set))
        and args
        and not storable({}, args[0])
    ):
        return args[1] if len(args) > 1 else UNKNOWN
    try:
        found = getattr(value, name)(*args, **named)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError):
        return UNKNOWN
    return list(found) if name in ("items", "keys", "values") and isinstance(value, dict) else bounded(found)


def _grown(value: Any, args: list[Any]) -> int:
    """The most characters that `value.join(…)` or `value.replace(…)` can give."""
    items = iterable(args[0]) if args and not isinstance(args[0], str) else None
    if items is not None:
        return sum(len(item) for item in items if isinstance(item, str)) + len(value) * len(items)
    return len(value) * max([1, *(len(item) for item in args if isinstance(item, str))])


CHANGES = frozenset(("append", "extend", "insert", "update", "setdefault", "add", "pop", "remove"))
GROWS = frozenset(("replace", "join"))
CHEAP = frozenset(("get", "append", "lower", "upper", "startswith", "endswith", "setdefault", "pop"))
