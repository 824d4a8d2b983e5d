"""Whom or what a clause is about: one key for the same person or thing, however it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from secondme.sleep.vocabulary import PEOPLE, word_set

_I = re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says "I", and who the user is."""

    speaker: str
    me: str


_SPEAKER_WORDS = frozenset(["i", "we", "me", "us", "i myself", "my wife and i", "my husband and i", "my partner and i"])
_NOT_SUBJECTS = word_set(
    """
    he she it they you this that these those there here who what which where when why how someone somebody
    anyone everyone everybody nobody people something nothing everything anything one all some most many few
    every each no any both either neither another others him her them his their its your an a so if although
    though while as because since but and or to in on at for with from by of not being having only even just
    more less such same once life things thing
    """
)
_CLAUSE_WORDS = word_set(
    """
    am is are was were be been to i you he she they we me us that how when who whom which what where why got
    get have has had made make do did does been not glad happy sure lucky thanks thank proud love like just
    because 'cause cause if can could - – — it them him really so
    """
)
_OPEN_ENDS = word_set(
    """
    the my our that their his her your its a an of and
    """
)
_OWNER = re.compile(r"(?P<owner>.+(?:'s|s'))\s+(?P<noun>[^']+)$")
_MINE = re.compile(r"(?:my|our)\s+", _I)
_ADJECTIVE = re.compile(r"\b(?:new|current|own|brand-new|actual|dear|beloved)\s+")
_PAST = re.compile(r"\b(?:old|former|previous|ex-?|late|last|first|next|future|ideal|dream|previously|then)\s+\w")
_OF = re.compile(
    r"the (?P<head>appointment|deadline|rent|price|cost|fee|budget|meeting|date|salary|due date|fare|start time)"
    r" (?:for|of|with|at) (?:the |my |our )?(?P<what>(?!\w+day)[\w -]+)$"
)
_SPELLING = (
    ("favorite", "favourite"),
    ("color", "colour"),
    ("telephone", "phone"),
    ("cellphone", "phone"),
    ("mobile phone", "phone"),
)


def is_new(words: str) -> bool:
    """True if the words call a thing new."""
    return " new " in f" {words.lower()} "


def normalise(noun: str) -> str:
    """Return a noun phrase in lower case, in one spelling, without "new" and "current"."""
    words = _ADJECTIVE.sub("", noun.lower().replace("’", "'").strip(" ,.\"'"))
    for other, usual in _SPELLING:
        words = words.replace(other, usual)
    return " ".join(words.split())


def subject_key(words: str, voice: Voice) -> str:
    """Return the key of whom or what the words name, or "" where they name nothing for sure."""
    plain = normalise(words)
    if plain in _SPEAKER_WORDS:
        return voice.speaker.lower()
    if not plain or len(plain) > 90 or _PAST.search(plain):
        return ""
    first = plain.split(" ", 1)[0]
    if plain.split()[-1] in _OPEN_ENDS or not _is_noun_phrase(words):
        return ""
    is_title = words[:1].isupper() and words.partition(" ")[2][:1].isupper()
    if (first in _NOT_SUBJECTS and not is_title) or first.isdigit() or not plain[0].isalnum():
        return ""
    if mine := _MINE.match(plain):
        return _own_key(plain[mine.end() :], words, voice)
    if plain.startswith(f"{voice.me.lower()}'s "):  # the user's things, told by name
        return _own_key(plain[len(voice.me) + 3 :], words, Voice(voice.me, voice.me))
    if first in {"the", "that"} or words[:1].isupper():
        match = _OF.match(plain)
        return f"the {match['what']} {match['head']}" if match else plain
    return plain if len(plain.split()) <= 3 else ""


def _is_noun_phrase(words: str) -> bool:
    """True if no verb, pronoun or clause word stands in the phrase, unless between the capitals of a name."""
    tokens = words.split()
    for position, token in enumerate(tokens):
        if token.lower().strip(",") in _CLAUSE_WORDS or (
            token.endswith("ing") and position == 0 and len(tokens) > 1 and tokens[1].islower()
        ):
            is_inside_name = (
                0 < position < len(tokens) - 1
                and tokens[position - 1][:1].isupper()
                and tokens[position + 1][:1].isupper()
            )
            if not is_inside_name and not (token[:1].isupper() and position):
                return False
    return True


def _own_key(noun: str, words: str, voice: Voice) -> str:
    """Return the key of the speaker's own thing or person; the user's own things are "the car"."""
    if "'s " in noun or voice.speaker != voice.me or _is_person(words):
        return f"{voice.speaker.lower()}'s {noun}"
    match = _OF.match(f"the {noun}")
    return f"the {match['what']} {match['head']}" if match else f"the {noun}"


def _is_person(words: str) -> bool:
    """True for "my sister" and "my sister Ana", not for "my sister act" and "my doctor appointment"."""
    tokens = words.split()
    return any(
        token.lower() in PEOPLE and (position == len(tokens) - 1 or tokens[position + 1][:1].isupper())
        for position, token in enumerate(tokens)
    )


def split_owner(words: str, voice: Voice) -> tuple[str, str] | None:
    """Return owner and noun of "my boss", "Ana's car" or "the capital of France"; None without an owner."""
    text = words.replace("’", "'").strip()
    if match := re.match(
        r"(?:[Tt]he) (?P<noun>(?:(?!of\b|that\b|where\b|who\b|which\b)[\w'-]+ ){1,5})of (?P<owner>.+)$", text
    ):
        owner = subject_key(match["owner"], voice)
        return (owner, normalise(match["noun"])) if owner else None
    if match := _OWNER.match(text):
        owned = match["owner"][:-2] if match["owner"].endswith("'s") else match["owner"][:-1]
        owner = subject_key(owned, voice)
        return (owner, normalise(match["noun"])) if owner else None
    if mine := _MINE.match(text):
        return voice.speaker.lower(), normalise(text[mine.end() :])
    return None
