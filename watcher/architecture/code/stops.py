"""Why reading cannot go on."""

from __future__ import annotations


class Stopped(Exception):
    """Reading cannot go on.

    ├── Undecided    a value that must be known is not
    ├── Raised       the code itself raises here
    ├── NoAttribute  a config or an object has no such attribute
    └── Exhausted    the steps that reading one model may take are used up: the end of the whole reading
    """

    where: str = ""
    """`file.py:line`, kept where it is first known."""


class Undecided(Stopped):
    """A value that must be known is not."""


class Raised(Stopped):
    """The code itself raises here."""


class NoAttribute(Stopped):
    """A config or an object has no such attribute."""


class Exhausted(Stopped):
    """The steps, or the memory, that reading one model may take are used up."""


FAILURES = (Undecided, Raised, NoAttribute, RecursionError)
"""What ends the reading of one statement or call, not of the whole."""
