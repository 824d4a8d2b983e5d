"""Tells what a message does: which of its sentences tell something to keep, which ask, and what they follow."""

from __future__ import annotations

import re

from secondme.answer import is_about_nothing_stored
from secondme.chat.inks import stems
from secondme.recall.words import FUNCTION_WORDS, WORD, content_words

# What goes on in lower case behind a closing quote belongs to the sentence: She asked "why?" and left.
_END = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"')\]”’])(?!\s*[a-z]))\s+|\n+")
_WE = r"(?:i|we|you|he|she|it|they)"
_PERSONS = rf"(?:{_WE}|there|this|that|these|those|my|our|your|his|her|their|the|any|anyone|anybody)"
_IS = r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|would|will|should|might)"
_QUESTION_WORD = r"(?:who|whom|whose|which|what|where|when|why|how)"
# "When I was in Lisbon, ..." tells, "What a day!" and "which reminds me" do; "when was I in Lisbon" asks.
_ASKS_WHAT = (
    r"(?:who|whom|whose)\b"
    r"|which\b(?! (?:reminds|means|made|makes)\b)"
    r"|what\b(?! an? )"
    rf"|(?:when|where)(?: (?:exactly|else|(?:in|on) \w+))? (?={_IS}\b)|(?:when|where)(?='s\b|$)"
    r"|(?:when|where) (?:exactly|to)\b"
    r"|why\b|how\b(?! (?:nice|lovely|great|sweet|funny|sad|strange|wonderful|beautiful|annoying)\b)"
)
_ELIDED = (
    # Diaries leave out "I" and "it": "did the laundry", "was the best day", "had the flu", "was there for an hour".
    r"(?!did (?:the|my|our) (?:laundry|dishes|taxes|homework|shopping|cleaning|ironing|cooking|washing|workout)\b)"
    r"(?!do (?:the|my|our|this|that|these|those) )(?!(?:had|have) (?!i |we |you |he |she |it |they ))"
    r"(?!\w+ (?:the|my|our) (?:best|worst|first|last|only|same|most|\w+est)\b)"
    r"(?!\w+ there (?:for|with|until|till|from|at|all|and|since|yesterday|today)\b)"
)
_NAMES = r"(?-i:(?:[Ii]s|[Aa]re|[Ww]as|[Dd]id|[Hh]as|[Cc]an) [A-Z]\w+ \w)"
_YES_OR_NO = rf"{_ELIDED}{_IS}(?:n't)? {_PERSONS}\b|does (?!not\b)\w|{_NAMES}"
_BIDS = (
    # "Remind me to buy milk" and "find a plumber" are things to do; "remind me what she said" wants an answer.
    rf"(?:please )?(?:(?:tell|show|give) me\b|remind me (?:again )?(?:of|about|if|whether|{_QUESTION_WORD})\b"
    r"|find (?:me|my|all|the|every\w*|any\w*|notes?|a note|what|where)\b|list (?!of\b)\w|count (?!me\b|on\b)\w"
    r"|(?:summari[sz]e|compare) \w)"
    r"|i(?:'d like| want| would like) to know\b|i wonder\b"
)
_ASKS = re.compile(
    rf"(?:so |and |but |ok |okay |well |hey |hi |hello )?(?:(?:{_ASKS_WHAT})(?! {_PERSONS}\b)|{_YES_OR_NO}"
    r"|what about\b|how about\b)",
    re.IGNORECASE,
)
_BIDS_FOR = re.compile(_BIDS, re.IGNORECASE)
_EXCLAIMS = re.compile(r"(?:what|how)\b.*!$", re.IGNORECASE)
_QUOTES = re.compile(r"\S.*[\"“].*\?[\"”]$", re.DOTALL)
# "I met Ana today, what is her surname?" does both.
_TELLS_FIRST = re.compile(rf"(?:i|we)(?:'\w+)? [^,;?]+[,;] (?={_QUESTION_WORD}\b|{_IS} )", re.IGNORECASE)
_CHATTER = re.compile(
    r"(?:ok|okay|yes|yeah|yep|no|nope|sure|right|cool|great|nice|perfect|wow|lol|haha|bye|goodbye|see you|never mind)"
    r"[\s.!,…]*",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"(?:and|but|so|then|what about|how about|why)\b"
    r"|.*\b(?:it|its|he|him|his|she|her|hers|they|them|their|that|those|these|ones?"
    # "this week" is a time, and "is there a dentist" speaks of no place named before.
    r"|this(?! (?:week|month|year|morning|afternoon|evening|time|spring|summer|autumn|fall|winter)\b)"
    r"|(?<!is |re )(?<!was )there|then)\b",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_FOLLOW_UP = 12
"""Words; a longer question says itself what it is about."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a message; a line of its own is one as well, and so is a question behind a comma."""
    parts = [part.strip() for part in _END.split(text) if part.strip()]
    return [one for part in parts for one in _divided(part)]


def _divided(sentence: str) -> list[str]:
    told = _TELLS_FIRST.match(sentence) if sentence.endswith("?") else None
    if told is None or asks(told[0].rstrip(" ,;")):
        return [sentence]
    return [told[0].rstrip(), sentence[told.end() :]]


def asks(sentence: str) -> bool:
    """True if a sentence wants an answer."""
    if _QUOTES.match(sentence):
        return False
    if sentence.rstrip("\"')]”’!").endswith("?") or _BIDS_FOR.match(sentence):
        return True
    return bool(_ASKS.match(sentence)) and not sentence.endswith(".") and not _EXCLAIMS.match(sentence)


def question_in(text: str) -> str:
    """Return what a message asks, "" where it only tells something.

    A sum or a greeting counts as asked: it wants a reply, and there is nothing in it to keep.
    """
    if is_about_nothing_stored(text.strip()):
        return text.strip()
    return " ".join(sentence for sentence in sentences(text) if asks(sentence))


def tells(text: str) -> bool:
    """True if there is something to keep in a message besides its questions."""
    return any(not asks(one) and _says_something(one) for one in sentences(text))


def _says_something(sentence: str) -> bool:
    if is_about_nothing_stored(sentence) or _CHATTER.fullmatch(sentence):
        return False
    return bool(set(content_words(sentence)) - FUNCTION_WORDS)


def follows(question: str) -> bool:
    """True if a question only makes sense after the one before it."""
    words = WORD.findall(question)
    return len(words) <= _LONGEST_FOLLOW_UP and bool(_FOLLOWS.match(question))


def is_on_the_same(question: str, earlier: str) -> bool:
    """True if a question goes on with what was said before it: it follows from it, or shares a word of meaning."""
    return follows(question) or bool(stems(question) & stems(earlier))
