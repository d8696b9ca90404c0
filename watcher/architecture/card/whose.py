"""Whether a text of a card is about the card's own model, or names another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watcher.architecture.card.quantity import NUMBER
from watcher.naming.names import take_apart, words
from watcher.naming.words import FAMILIES, STAGES, TUNINGS, is_copy_word, is_size

GENERIC = frozenset(
    "model models moe dense our ours the this version series family text only multimodal open llm language".split()
)
"""Words of a heading that tell no model from another."""

PARTS = frozenset("eagle eagle3 draft drafter speculator dflash mtp lora adapter mmproj tokenizer".split())
"""Words of names of repos that only go with a model."""

_OTHER_THINGS = re.compile(
    r"v\d+(\.\d+)*|\d+(st|nd|rd|th|k|m|x|d|gb|tb)|[abhl]\d{2,3}s?|mi\d{3}x?|gb\d{3}|t4|py3|python3|u\d{4}"
)
"""Words of letters and digits that name no model: versions, ordinals, lengths, accelerators."""

_PARENTHESIS = re.compile(r"\([^)]*\)")
_AMOUNT = re.compile(rf"(?<!-){NUMBER}(?:\s*(?:tokens?|params?|parameters?))?")
_COMPOUND = re.compile(r"(?<![\w.-])[A-Za-z][\w.]*(?:-[\w.]*\w)+")
_CHUNK = re.compile(r"[\w.+/-]*\w")
_NEXT = re.compile(r"[ \t]+([\w.+-]*\w)")


class Whose:
    """The name of the repo that a card belongs to, taken apart."""

    def __init__(self, name: str) -> None:
        self._judged: dict[str, bool] = {}
        self._parts = take_apart(name)
        self._words = frozenset(words(name))
        self._glued = re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower())
        self._sizes = frozenset(self._parts.size.split("-")) - {""}
        stem = (re.escape(piece) for piece in re.findall(r"[a-z]+|[\d.]+", self._parts.undated))
        self._pattern = re.compile(rf"(?<![\w-]){'[-_ ]?'.join(stem)}", re.IGNORECASE)

    @property
    def is_part(self) -> bool:
        """Whether the repo holds something that only goes with a model: its card tells of that model."""
        return bool(self._words & PARTS)

    def names(self, text: str) -> bool:
        """Whether a text names this model."""
        return any(True for _ in self.mentions(text))

    def same(self, text: str) -> bool:
        """Whether a short text (a cell, a name) names exactly this model, or the size that only it has."""
        found = [word for word in words(_PARENTHESIS.sub(" ", text).replace("/", " ")) if word not in GENERIC]
        if not found:
            return False
        if all(is_size(word) for word in found):
            return any(map(str.isdigit, "".join(found))) and set(found) <= self._sizes
        parts = take_apart("-".join(found))
        own = self._parts
        sizes = frozenset(parts.size.split("-")) - {""}
        same = parts.undated == own.undated and parts.student == own.student and parts.extra == own.extra
        return same and sizes == self._sizes

    def exactly(self, text: str) -> bool:
        """Whether a text is this very repo's name, word by word."""
        return frozenset(words(text)) == self._words

    def mentions(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a sentence names exactly this model, as (start, end)."""
        for match in self._pattern.finditer(text):
            chunk = _CHUNK.match(text, match.end())
            end = chunk.end() if chunk else match.end()
            while (following := _NEXT.match(text, end)) and _continues(following[1]):
                end = following.end()
            if self.same(text[match.start() : end]):
                yield match.start(), end

    def foreign(self, text: str) -> bool:
        """Whether a text names another model, by a name, a version or a size that this one does not have."""
        if text not in self._judged:
            self._judged[text] = self._names_another(text)
        return self._judged[text]

    def _names_another(self, text: str) -> bool:
        rest = _AMOUNT.sub(" ", text).replace("/", " ")
        named = (words(token) for token in _COMPOUND.findall(rest) if any(map(str.isdigit, token)))
        return any(map(self._is_foreign, words(rest))) or any(map(self._is_other, named))

    def _is_other(self, found: list[str]) -> bool:
        """Whether the words of one compound name hold a number that this model's name does not."""
        return any(any(map(str.isdigit, word)) and word not in self._words and not is_copy_word(word) for word in found)

    def _is_foreign(self, word: str) -> bool:
        if word in self._words or is_copy_word(word) or word in GENERIC:
            return False
        family = FAMILIES.match(word)
        if family is not None and family.end() == len(word):
            return re.sub(r"[^a-z0-9]", "", word) not in self._glued
        if not any(map(str.isdigit, word)) or not any(map(str.isalpha, word)):
            return False
        if is_size(word):
            return bool(self._sizes)
        known = _OTHER_THINGS.fullmatch(word) is not None
        return not known and re.sub(r"[^a-z0-9]", "", word) not in self._glued


def _continues(word: str) -> bool:
    """Whether a word after a name still belongs to it."""
    low, sized = word.lower(), is_size(word.lower())
    if sized and any(map(str.isdigit, low)):
        return True
    return word[:1].isupper() and (sized or low in TUNINGS or low in STAGES)
