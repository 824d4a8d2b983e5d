"""A question, taken apart once for all arms of the search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from secondme.recall.when import TimeRange
from secondme.recall.words import FUNCTION_WORDS, WORD

Matrix = NDArray[np.float32]
_LONG_WORD = re.compile(r"\b[^\W\d_]{3,}\b")
_SENTENCE_START = re.compile(r"(?:^|[.!?:])\W*$")
FIRST_PERSON = frozenset({"i", "me", "my", "mine", "myself"})


@dataclass(frozen=True, slots=True)
class Query:
    """What the ranking needs to know of a question."""

    text: str
    terms: tuple[str, ...] = ()
    """Words as the word index knows them, without function words."""
    tokens: Matrix = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    """Token vectors, (tokens, width); 0 rows without an embedder."""
    weights: Matrix = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    """How much each token counts."""
    named: frozenset[int] = frozenset()
    """The authors whom the question names, as numbers of the layout."""


def names_in(question: str, time: TimeRange | None) -> list[str]:
    """Return the words of `question` that are names by their capital letter; the first word and dates are not."""
    start, end = time.span if time else (0, 0)
    names = [
        match[0]
        for match in _LONG_WORD.finditer(question)
        if match[0].istitle()
        and not start <= match.start() < end
        and not _SENTENCE_START.search(question[: match.start()])
    ]
    return [name for name in dict.fromkeys(names) if name.lower() not in FUNCTION_WORDS]


def token_weights(pieces: Sequence[str]) -> Matrix:
    """Return how much each token of a question counts: function words half as much as others, punctuation nothing."""
    weights = [0.0 if not WORD.search(piece) else 0.5 if piece in FUNCTION_WORDS else 1.0 for piece in pieces]
    found = np.array(weights, dtype=np.float32)
    return found if found.any() else np.ones(len(pieces), dtype=np.float32)


def named_authors(question: str, names: Sequence[str], *, me: str) -> frozenset[int]:
    """Return the numbers of the `names` that the question mentions, by any part of the name of three letters or more.

    "I" and "my" mention `me`.
    """
    words = set(WORD.findall(question.lower()))
    if words & FIRST_PERSON:
        words.add(me.lower())
    return frozenset(
        number
        for number, name in enumerate(names)
        if any(part in words and (len(part) > 2 or part == me.lower()) for part in WORD.findall(name.lower()))
    )
