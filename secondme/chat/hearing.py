"""Tells what a message does: which of its sentences tell something to keep, which ask, and what they follow."""

from __future__ import annotations

import re

from secondme.answer import is_about_nothing_stored
from secondme.recall.words import FUNCTION_WORDS, WORD, content_words

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_PERSONS = r"(?:i|we|you|he|she|it|they|there|this|that|these|those|my|our|your|his|her|their|the|any|anyone|anybody)"
_ASKS = re.compile(
    # "When I was in Lisbon, ..." tells; "when was I in Lisbon" asks. So does "is my dentist ...", but not "is great".
    rf"(?:so |and |but |ok |well )?(?:(?:who|whom|whose|which|what|where|when|why|how)(?:'s)?\b(?! {_PERSONS}\b)"
    rf"|(?:is|are|was|were|am|do|does|did|has|have|had|can|could|would|will|should|might)(?:n't)? {_PERSONS}\b"
    r"|what about\b|how about\b|(?:please )?(?:tell|show|remind|give) me\b"
    r"|(?:please )?(?:find|list|summari[sz]e|compare|count)\b)",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"(?:and|but|so|then|what about|how about|why)\b"
    r"|.*\b(?:it|its|he|him|his|she|her|hers|they|them|their|there|then|that|this|those|these|ones?)\b",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_FOLLOW_UP = 12
"""Words; a longer question says itself what it is about."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a message; a line of its own is one as well."""
    return [part.strip() for part in _END.split(text) if part.strip()]


def asks(sentence: str) -> bool:
    """True if a sentence wants an answer."""
    return sentence.rstrip("\"')]").endswith("?") or bool(_ASKS.match(sentence) and not sentence.endswith("."))


def question_in(text: str) -> str:
    """Return what a message asks, "" where it only tells something.

    A sum or a greeting counts as asked: it wants a reply, and there is nothing in it to keep.
    """
    if is_about_nothing_stored(text.strip()):
        return text.strip()
    return " ".join(sentence for sentence in sentences(text) if asks(sentence))


def tells(text: str) -> bool:
    """True if there is something to keep in a message besides its questions."""
    if is_about_nothing_stored(text.strip()):
        return False
    return any(not asks(one) and set(content_words(one)) - FUNCTION_WORDS for one in sentences(text))


def follows(question: str) -> bool:
    """True if a question only makes sense after the one before it."""
    words = WORD.findall(question)
    return len(words) <= _LONGEST_FOLLOW_UP and bool(_FOLLOWS.match(question))


def is_on_the_same(question: str, earlier: str) -> bool:
    """True if a question goes on with what was said before it: it follows from it, or shares a word of meaning."""
    words = set(content_words(question)) - FUNCTION_WORDS
    return follows(question) or bool(words & (set(content_words(earlier)) - FUNCTION_WORDS))
