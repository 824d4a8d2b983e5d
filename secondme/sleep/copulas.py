"""What a sentence with "is" states: "my boss is Karen", "Karen is my boss", "the rent is 900"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from secondme.sleep.attributes import is_role, kind_of
from secondme.sleep.shapes import NAME, NOT_VALUES
from secondme.sleep.subjects import Voice, is_new, split_owner, subject_key
from secondme.sleep.vocabulary import IMPERSONAL_NOUNS, PEOPLE, PERSON_NOUNS, SINGLE_NOUNS


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose which attribute has which value."""

    subject: str
    attribute: str
    value: str
    is_single: bool
    is_change: bool
    replaces: str = ""


_ROLE_OF = re.compile(r"the (?P<noun>[\w' -]{2,50}?) of (?P<owner>.+)$")
_FAVOURITE = re.compile(r"\b(?:favou?rite|preferred)\b", re.I)
_COPULA = re.compile(r" (?:is|are) (?:currently )?")
_IMPERSONAL = re.compile(r"(?:[Tt]he|[Mm]y|[Oo]ur) |.+'s |[A-Z]\w*$|\w+$")
_TOOK_OVER = re.compile(
    r"(?P<name>.+?) (?:took over as|is taking over as|takes over as|was (?:appointed|elected|named)(?: as)?)"
    r" (?:the |our )?(?P<role>.+?)(?: from (?P<old>.+))?$"
)
_ANY_VALUED = frozenset(["name", "job", "major", "role", "title", "religion", "birthday", "birthdate"])
_RELATIVE = re.compile(r"[Tt]he .+? (?:that|where|who|which) ")


def slot_of(words: str, value: str, voice: Voice) -> tuple[str, str, str] | None:
    """Return subject, attribute and value of what "the rent went up to 950" or "they moved my appointment" states."""
    owned = split_owner(words, voice)
    kind = kind_of(value)
    if owned and (owned[1].split()[-1:] and _is_single_noun(owned[1])) and not (kind and owned[1] in IMPERSONAL_NOUNS):
        return owned[0], owned[1], value
    if kind is None:
        return None
    if owned and kind[0] == "amount" and re.search(r"\d ?(?:mg|ml|mcg|µg|iu|units?)\b", value):
        return owned[0], f"dose of {owned[1]}", value
    key = subject_key(words, voice)
    return (key, *kind) if key and _IMPERSONAL.match(words) else None


def _is_single_noun(noun: str) -> bool:
    words = noun.split()
    return bool(words) and (
        bool(_FAVOURITE.match(noun)) or (words[-1] in SINGLE_NOUNS and words[-1] not in IMPERSONAL_NOUNS)
    )


def read_copula(text: str, voice: Voice) -> Slot | None:
    """Return what "my boss is Karen", "Karen is my boss", "the capital of X is Y", "the rent is 900" state."""
    if takeover := _TOOK_OVER.match(text):
        role = takeover["role"]
        slot = _reverse(takeover["name"], role if re.match(r"(?:my|the) ", role) else f"the {role}", voice)
        return Slot(*slot, True, True, takeover["old"] or "") if slot else None
    splits = list(_COPULA.finditer(text))
    if not splits:
        return None
    split = splits[-1] if _RELATIVE.match(text) else splits[0]
    left, value = text[: split.start()].strip(), text[split.end() :].strip(" .,;:!")
    if not value or NOT_VALUES.match(value) or len(value) > 160:
        return None
    is_plural = split[0].strip() == "are"
    if found := None if is_plural and _FAVOURITE.search(left) else _forward(left, value, voice):
        return Slot(*found, found[1].split()[-1] not in PEOPLE - PERSON_NOUNS, is_new(left))
    reverse = _reverse(left, value, voice)
    return Slot(*reverse, True, is_new(value)) if reverse else None


def _forward(left: str, value: str, voice: Voice) -> tuple[str, str, str] | None:
    owned = split_owner(left, voice)
    has_name = bool(re.search(r"[A-Z0-9]", value))
    if owned and (_is_single_noun(owned[1]) or owned[1].split()[-1:][0] in PEOPLE):
        last = owned[1].split()[-1]
        if _FAVOURITE.match(owned[1]):
            return (*owned, value) if len(value.split()) <= 8 else None
        if last in PEOPLE:
            return (*owned, value) if NAME.match(value) else None
        is_value = has_name or " of " in left or last in _ANY_VALUED
        is_date = kind_of(value) == ("when", value) and last not in _ANY_VALUED
        return (*owned, value) if is_value and not is_date and not _is_where(value) else None
    if kind := kind_of(value):
        key = subject_key(left, voice)
        return (
            (key, *kind)
            if key and _IMPERSONAL.match(left) and left.lower() not in {"i", "we"} and _is_measured(left, kind[0])
            else None
        )
    if owned and " of " in left and has_name and is_role(owned[1]) and not _is_where(value):
        return *owned, value
    if _RELATIVE.match(f"{left} "):
        return left.lower(), "is", value
    words = left.lower().split()
    if words[0] in {"the", "our"} and words[-1] in SINGLE_NOUNS and NAME.match(value):
        key = subject_key(left, voice)
        return (key, "is", value) if key else None
    return None


def _is_where(value: str) -> bool:
    return bool(
        re.match(
            r"(?:in|at|on|from|with|near|by|for|\d+ \w+ old|\w+ed|born|set|a bit|really|getting|being|doing|going)\b",
            value,
        )
    )


def _is_measured(left: str, kind: str) -> bool:
    """True if the subject may have a time or figure: not a person, whose "34" is an age."""
    if kind != "amount":
        return True
    return left.lower().startswith(("the ", "my ", "our ")) or "'s " in left


def _reverse(left: str, value: str, voice: Voice) -> tuple[str, str, str] | None:
    """Return the slot of "Karen is my boss" and "Lisbon is the capital of Portugal"."""
    name = voice.speaker if left == "I" else left
    if left != "I" and not NAME.match(left):
        return None
    owned = split_owner(value, voice)
    if owned and (
        (_is_single_noun(owned[1]) and owned[1] not in {"type"}) or (_ROLE_OF.match(value) and is_role(owned[1]))
    ):
        return *owned, name
    role = re.match(r"(?:the|our) (?P<role>[a-z][\w -]*)$", value)
    if role and role["role"].split()[-1] in SINGLE_NOUNS and is_role(role["role"]):
        return f"the {role['role'].removeprefix('new ')}", "is", name
    return None
