"""Finds the words of a statement that point outside it, and what they point to where the rules are sure."""

from __future__ import annotations

import re

from secondme.sleep.english import MEN, PERSONS, WOMEN, is_finite, is_surely_finite

_FLAGS = re.IGNORECASE
_PERSONAL = re.compile(r"\b(?:he|him|his|himself|she|hers?|herself)\b", _FLAGS)
_PLURAL = re.compile(r"\b(?:they|them|their|theirs|themselves|['’]em)\b", _FLAGS)
_NEUTER = re.compile(r"\b(?:it|its|itself)\b", _FLAGS)
_AIM = r"(?:for\s+[\w'’-]+\s+to|to\s+(?!me\b|us\b|him\b|her\b|them\b|my\b|our\b|the\b)[a-z]+|that|when|how|if)\b"
_EXPLETIVE = re.compile(
    r"\bit(?:['’](?:s|d|ll))?\s*(?:\b(?:is|was|has|had|will|would|can|could|may|might)\b\s*)?(?:not\s+)?(?:be(?:en)?\s+)?"
    r"(?:(?:so|very|really|too|just|pretty|quite|also|such\s+an?|an?|always|not)\s+)*"
    r"(?:raining|snowing|windy|sunny|cold|hot|warm|late|early|dark|time|\d[\d:.]*\s*(?:am|pm|o['’]clock))\b"
    r"|\bit(?:['’](?:s|d|ll))?\s*(?:\b(?:is|was|can|could|would|will|may|might|has)\b\s*)?(?:not\s+)?(?:be(?:en)?\s+)?"
    r"(?:(?:so|very|really|too|just|pretty|quite|also|always|not)\s+)*"
    rf"(?!(?:an?|the|my|our|such)\b)(?!\w+(?:ed|es|s)\b)[a-z]{{3,}}(?:\s+(?:(?!\w+s\b)[a-z]+|to\s+(?:me|us)))?\s+{_AIM}"
    r"|\bit\s+(?:took|takes|cost|costs)\s+(?:me|us)\s+[\w\s]{1,30}?\s+to\b"
    rf"|\b(?:make|makes|made|find|finds|found)\s+it\s+[\w'’-]+(?:\s+[\w'’-]+)?\s+{_AIM}"
    r"|\bit\s+(?:rains?|rained|snows?|snowed|turns?\s+out|turned\s+out|seems?|seemed|sucks?\s+(?:when|that))\b",
    _FLAGS,
)
_OFFICE = re.compile(
    r"they(?:['’]ve|\s+have)?\s+(?:just\s+)?(?:moved|changed|pushed|cut|raised|put|lowered|increased|rescheduled|postponed"
    r"|delayed|renamed|cancell?ed)\s+(?=my\b|our\b|the\b)",
    _FLAGS,
)
"""Whoever decides such things: "They've moved my appointment" leaves nothing open."""
_DEMONSTRATIVE = re.compile(
    r"^\W*(?:that|this|those|these|such)(?:['’](?:s|ll|d|re|ve))?\b"
    r"|\b(?:of|for|about|like|after|before|at|with|from|to|in|on|by|than|is|was|all|do|did|does|doing|done)\s+"
    r"(?:that|this|those|these)\b"
    r"|\b(?:that|this|those|these)\s*(?:[.!,;]|$)"
    r"|\bthis\b|\bthese\b|\bthose\b(?!\s+(?:who|in|with|of|days))"
    r"|\bthat\s+(?:with|too|and|but|so|for|from|by|as|really|also|again|now|yet|either|before|after)\b"
    r"|\b(?:painted|made|bought|saw|got|took|visited|watched|built|brought|gave|loved?|liked?|read|wrote|met|tried)\s+that\s+"
    r"(?!(?:i|we|he|she|it|they|my|our|the|an?|his|her|their|people|there|some|all|every\w*)\b)"
    r"|\bthat\s+(?:day|time|night|week|year|month|moment|way|kind|sort|place|one|guy|thing|stuff|much|far|long)\b",
    _FLAGS,
)
_TIME_OF_NOW = re.compile(
    r"\b(?:this\s+(?:past\s+|coming\s+|very\s+)?(?:morning|afternoon|evening|week|weekend|month|year|spring|summer|autumn|"
    r"fall|winter|quarter|semester|term|season|decade|century|time|(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"january|february|march|april|may|june|july|august|september|october|november|december)"
    r"|these\s+days|those\s+days)\b",
    _FLAGS,
)
_PLACE = re.compile(
    r"\bhere\b|\bthere\b(?!['’]?s?\s+(?:is|are|was|were|will|has|have|had|['’]s|a|an|no|some|many)\b)", _FLAGS
)
_PLACE_NAMED = re.compile(r"\b(?:in|at|to|near|from|on|visit\w*)\s+(?:the\s+|my\s+|our\s+|an?\s+)?[\w'’-]+", _FLAGS)
_ANAPHOR = re.compile(
    r"\b(?:this|that|another|new|which|first|second|other|good|big|next|best|old|small|similar|great|nice|right|own|last)"
    r"\s+ones?\b(?!\s+of)"
    r"|\bthe\s+ones?\b(?!\s+(?:who|that|which|of|in|on|from|I)\b)"
    r"|^(?:i|we)\s+(?:do|did|have|had|am|was|will|would|can|could)(?:n['’]?t)?\s*(?:[-–—,.!]|$)"
    r"|^(?:a\s+few|some|most|many|others|both|none|each|all|neither|several)\s+(?:are|is|was|were|have|had|will|can|do|did)"
    r"|\b(?:love|like|want|plan|hope|have|had|used|going|need|try|tried|supposed)\s+to\W*$"
    r"|\bthe\s+same\b(?!.*\bas\b)|\bsame\s+(?:here|thing|way|with)\b|\bme\s+(?:too|neither)\b|\b(?:since|by|until|back|even)\s+then\b|\b(?:hope|think|guess|believe)\s+(?:so|not)\b|\b(?:do|did|does)\s+so\b"
    r"|\bthe\s+(?:other|former|latter)\b(?!\s+(?:day|night|week))|\bsuch\s+things?\b|\bas\s+well\s+as\s+(?:that|this)\b",
    _FLAGS,
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b(?!I\b)[A-Z][\w'’-]+")
_PERSON = re.compile(rf"\b(?:{'|'.join(sorted(PERSONS))}|someone|somebody|everyone|man|woman|guy|girl|boy)\b", _FLAGS)
_PEOPLE = re.compile(
    rf"\b(?:(?:{'|'.join(sorted(PERSONS))})s|people|children|kids|parents|folks|family|team|couple|wives|men|women|"
    r"everyone|everybody|someone|anyone|nobody|(?:the|my|our|some|two|three|four|five|many|few|several|these|both|of)\s+"
    r"(?:[\w'’-]+\s+)?[\w-]+s|[A-Z]\w+\s+and\s+[A-Z]\w+)\b",
)
_THING = re.compile(
    r"\b(?:an?|the|my|our|another|some|any|every|each|no)\s+(?!(?:chance|lot|bit|second|way|while|few|group|kind|time)\b)(?:[\w'’-]+\s+){0,3}?[\w-]{2,}"
)
_OPENING = re.compile(r"\W*(?:he|she|it|they|his|her|hers|their|theirs|its|him|them|this|that|these|those)\b", _FLAGS)

_WORDED = r"[A-Z][\w-]+(?:\s+[A-Z][\w-]+){0,2}"
_SUBJECT_PERSON = re.compile(
    rf"(?:(?i:my|our)\s+(?:[a-z-]+\s+){{0,2}}?(?P<noun>{'|'.join(sorted(PERSONS))})(?:,?\s+(?P<called>{_WORDED}))?"
    rf"|(?P<name>{_WORDED}))(?=,?\s+[a-z])"
)
_SUBJECT_THING = re.compile(r"(?:my|our|the)\s+((?:[a-z][\w-]*\s+){1,3})", _FLAGS)
_HUMAN_ACT = re.compile(
    r"\s+(?:lives?|lived|works?|worked|sa(?:ys|id)|t(?:ells|old)|likes?|loves?|stud(?:ies|ied)|call(?:s|ed)|met|wants?|"
    r"wanted|thinks?|thought|moved|married|plays?|hates?|prefers?|bought|teaches|taught|speaks|visited|knows?|studied|"
    r"asked|invited|wrote|left|quit|forgot|lent|borrowed|sent|showed|"
    r"(?:is|was)\s+(?:my|tired|ill|sick|proud|pregnant|married|happy|sad|angry|afraid|busy|turning|\d+|in\s+love))\b"
)
_PLACE_NAME = re.compile(
    r"\b(?:in|at|near|from|(?:moved|went|flew|drove|travelled|traveled|back|relocated)\s+to)\s+(?:the\s+)?"
    rf"{_WORDED}"
)
_PRONOUN = re.compile(r"(?P<who>he|she|it|they|his|her|its|their)(?=\b)", _FLAGS)
_NOT_A_NAME = re.compile(r"(?:I|We|You|He|She|It|They|My|Our|The|This|That|There|[A-Z]\w*(?:ing|ly|day))\b")


def opens_loosely(text: str) -> bool:
    """True if `text` begins with a pronoun that points to something said before."""
    is_plain = _EXPLETIVE.match(text) or _TIME_OF_NOW.match(text) or _OFFICE.match(text)
    return bool(_OPENING.match(text)) and not is_plain


def points_outside(text: str) -> bool:
    """True if `text` has a pronoun or another word whose meaning lies outside it, as far as rules can tell."""
    if opens_loosely(text):
        return True
    named = _TIME_OF_NOW.sub(" ", _OFFICE.sub("", text, count=1))
    if _DEMONSTRATIVE.search(named) or _ANAPHOR.search(named):
        return True
    place = _PLACE.search(named)
    if place and not _PLACE_NAMED.search(named, 0, place.start()):
        return True
    return _lacks(named, _PERSONAL, _PERSON) or _lacks(named, _PLURAL, _PEOPLE) or _lacks_thing(named)


def _lacks(text: str, pronoun: re.Pattern[str], antecedent: re.Pattern[str]) -> bool:
    found = pronoun.search(text)
    if not found:
        return False
    before = text[: found.start()]
    return not (antecedent.search(before) or _NAME.search(before) or _names_subject(before))


def _lacks_thing(text: str) -> bool:
    text = _EXPLETIVE.sub(" ", text)
    found = _NEUTER.search(text)
    return (
        bool(found)
        and not _THING.search(text, 0, found.start() if found else 0)
        and not (found and _NAME.search(text[: found.start()]))
    )


def _names_subject(before: str) -> bool:
    """True if a name opens the text, told by what only a person does."""
    subject = _SUBJECT_PERSON.match(before)
    if not subject or not subject["name"]:
        return bool(subject)
    return not _NOT_A_NAME.match(before) and bool(_HUMAN_ACT.match(before, subject.end()))


def antecedent_of(text: str, before: str) -> tuple[str, int]:
    """Return what the pronoun that opens `text` stands for, and where the pronoun ends; ("", 0) where it is not sure.

    `before` is the statement right before it.
    """
    pronoun = _PRONOUN.match(text)
    if not pronoun or _EXPLETIVE.match(text):
        return "", 0
    who = pronoun["who"].lower()
    if who in {"he", "she", "his", "her"}:
        found = _only_person(before, "he" if who in {"he", "his"} else "she")
    else:
        found = _only_thing(before, is_plural=who in {"they", "their"})
    if found and who in {"his", "her", "its", "their"}:
        found += "'" if found.endswith("s") else "'s"
    return (found, pronoun.end()) if found else ("", 0)


def _only_person(before: str, pronoun: str) -> str:
    subject = _SUBJECT_PERSON.match(before)
    if not subject or (subject["name"] and _NOT_A_NAME.match(before)):
        return ""
    noun, rest = subject["noun"], before[subject.end() :]
    if noun and noun.lower() in (MEN if pronoun == "she" else WOMEN).split():
        return ""
    if not noun and not _HUMAN_ACT.match(rest):
        return ""
    others = _PLACE_NAME.sub(" ", rest)
    if _PERSON.search(others) or _PERSONAL.search(others) or _NAME.search(f" {others}"):
        return ""
    return subject[0]


def _is_verb(word: str, *, behind: str) -> bool:
    # "my walks": only behind people a word that can be a noun is surely a verb.
    return is_surely_finite(word) or (bool(_PEOPLE.fullmatch(behind)) and is_finite(word))


def _only_thing(before: str, *, is_plural: bool) -> str:
    subject = _SUBJECT_THING.match(before)
    if not subject:
        return ""
    words = subject[1].split()
    verb = next((i for i, word in enumerate(words) if i and _is_verb(word, behind=words[i - 1])), 0)
    if not verb or words[verb - 1].lower() in PERSONS:
        return ""
    found = f"{before.split()[0]} {' '.join(words[:verb])}"
    looks_plural = found.endswith("s") or bool(_PEOPLE.fullmatch(words[verb - 1]))
    rest = before[subject.start(1) + subject[1].find(words[verb]) :]
    rest = _PLACE_NAME.sub(" ", rest) if is_plural else rest
    if looks_plural != is_plural or _THING.search(rest) or _NAME.search(f" {rest}") or _NEUTER.search(rest):
        return ""
    return "" if is_plural and _PEOPLE.search(rest) else found
