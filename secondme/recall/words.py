"""Words that say little about what a text is about."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W_]+")

FUNCTION_WORDS = frozenset(
    (  # noqa: SIM905  a hundred quoted words are harder to read
        "a about also am an and any are as at be been being but by can could d did do does doing for from had has "
        "have having he her here him his how i if in is it its ll m may me might must my no not of on or our re s "
        "same shall she should so some such t than that the their them then there these they this those to too us "
        "ve very was we were what when where which who whom whose why will with would you your "
        "ain aren couldn didn doesn don hadn hasn haven isn shouldn wasn weren won wouldn"
    ).split()
)


def content_words(text: str) -> list[str]:
    """Return the words of `text` that carry meaning, in lower case; all words where none of them does."""
    words = WORD.findall(text.lower())
    return [word for word in words if word not in FUNCTION_WORDS] or words
