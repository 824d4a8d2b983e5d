"""When two values or wordings mean the same, when one says more, when one is a newer version of the other."""

from __future__ import annotations

import re

from secondme.sleep.vocabulary import COUNTRIES, word_set

_WORD = re.compile(r"\w+(?:['’.:,/-]\w+)*|[€$£¥%]")
_DETERMINERS = word_set(
    """
    a an the my our his her their some
    """
)
_ELABORATES = word_set(
    """
    in near at on by with for from of a per every each until since which who as and to
    """
)
_DULL = _DETERMINERS | word_set(
    """
    i me we us am is are was were be been do does did not don't doesn't didn't isn't aren't wasn't no never
    anymore any more longer now just still really also to of and
    """
)
_DAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)", re.I
)
_HOUR = re.compile(
    r"^\d{1,2}$|^\d{1,2} (?:in|every|each|sharp)\b|\d:\d\d|\d ?(?:am|pm|o'clock)\b|\b(?:noon|midnight)\b", re.I
)
_PRODUCT = re.compile(r"(?P<name>[\w.+#-]*[A-Za-z][\w.+#-]*(?: [A-Za-z][\w.+#-]*)*?)[ -]?v?(?P<version>\d[\w.]*)$")


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def _core(value: str) -> list[str]:
    words = words_of(value)
    while len(words) > 1 and words[0] in _DETERMINERS:
        words = words[1:]
    return words


def is_same(one: str, other: str) -> bool:
    """True if two values are the same but for case, punctuation and article."""
    return bool(one) and _core(one) == _core(other)


def is_elaboration(longer: str, shorter: str) -> bool:
    """True if `longer` says `shorter` and adds to it: "Porto, near the river" and "Porto"."""
    long, short = _core(longer), _core(shorter)
    if not short or len(long) <= len(short):
        return False
    if long[: len(short)] == short:
        rest = longer.lower().replace("’", "'")
        end = rest.find(short[-1]) + len(short[-1])
        return long[len(short)] in _ELABORATES or rest[end : end + 1] in {",", "(", ";"} or rest[end : end + 2] == " ("
    return long[-len(short) :] == short and long[-len(short) - 1] in {"in", "at", "of"}


def is_same_product(one: str, other: str) -> bool:
    """True if two values are versions of the same thing: "Postgres 14" and "Postgres 16"."""
    first, second = _PRODUCT.match(one), _PRODUCT.match(other)
    name = first["name"].lower() if first else one.lower()
    return bool(first or second) and name == (second["name"].lower() if second else other.lower()) and one != other


def are_of_two_kinds(one: str, other: str) -> bool:
    """True if both may hold as they answer different questions: a country and a town, a day and an hour."""
    if (one.lower() in COUNTRIES) != (other.lower() in COUNTRIES):
        return True
    day, hour = (bool(_DAY.search(one)), bool(_DAY.search(other))), (bool(_HOUR.search(one)), bool(_HOUR.search(other)))
    return any(day) and any(hour) and not all(day) and not all(hour)


def significant_words(text: str) -> frozenset[str]:
    """Return the words that carry meaning, for comparing what two clauses speak about."""
    return frozenset(word for word in words_of(text) if word not in _DULL)
