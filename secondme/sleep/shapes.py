"""What values look like: a place, an employer, a name, a figure."""

from __future__ import annotations

import re

from secondme.sleep.attributes import kind_of
from secondme.sleep.vocabulary import OCCUPATIONS, word_set

_PURPOSE = re.compile(
    r",? (?:for|with|from|since|to be|where|who|that|which|together|alone|by myself|and (?:I|we|it|he|she|they"
    r"|my)) ?\b.*$"
)
_CAPITAL = re.compile(r"(?:(?:the|central|downtown|north|south|east|west|near|a|an) ){0,2}(?:[A-Z0-9]|\w+[A-Z0-9])")
_INNER_PLACE = re.compile(r"\b(?:in|near) ([A-Z][\w' .-]*(?:, [A-Z][\w' .-]*)?)")
_LOWER_ORG = re.compile(r"(?:a|an|the|our|my) [\w' -]+$")
_NOT_BODIES = word_set(
    """
    home night nights weekends weekend myself all least first last once present day days himself herself 
     moment
    """
)
_VAGUE_VALUES = word_set(
    """
    it this that them him her things something anything everything stuff some one lot bit no fun time
    """
)
_DASHED = re.compile(r",? (?:-|–|—) .*$|, (?:especially|like|such as|even)\b.*$")
_CLAUSE_IN_VALUE = re.compile(r"\b(?:I|you|we|they|he|she|it|is|are|was|were|am|made|me|us|how|who|help|helps|going)\b")
_PARTICIPLE = re.compile(
    r"(?:\w+ed|been|done|come|known|had|made|met|found|felt|gone|seen|got|taken|given|grown|won|lost|begun"
    r"|written|had"
    r"|thought|put|set|read|run|such|to|the|an? (?:great|good|bad|hard|nice|lot)) ?\b", re.I
)  # fmt: skip
NOT_VALUES = re.compile(
    r"(?:is|are|was|were|be|been|that|how|when|what|why|where|to|not|so|very|too|it|this|these|those|them|him"
    r"|her|you|me|us|there|here"
    r"|and|or|but|if|because|than|like|as|off|out|up|down|away|over|about)\b", re.I
)  # fmt: skip
NAME = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][\w.'-]*(?:,? (?:[A-Z][\w.'-]*|de|van|der|von|la|of|the|al|bin|da|di)){0,6}$"
)


def shaped(raw: str, shape: str) -> str | None:
    """Return the value trimmed to its shape, or None where it does not look like one."""
    value = raw.strip(" .,;:!\"'")
    if not value:
        return "" if raw == "" else None
    if NOT_VALUES.match(value) or value.lower() in _VAGUE_VALUES or len(value) > 120:
        return None
    match shape:
        case "place":
            return _place(value)
        case "body":
            value = _PURPOSE.sub("", value)
            is_body = bool(_CAPITAL.match(value)) or bool(_LOWER_ORG.match(value))
            words = set(value.lower().split())
            return value if is_body and not value[0].isdigit() and not words & _NOT_BODIES else None
        case "work":
            noun = _PURPOSE.sub("", value)
            return noun if noun.split() and noun.split()[-1].lower() in OCCUPATIONS else None
    return value if _looks_like(value, shape) else None


def _looks_like(value: str, shape: str) -> bool:
    match shape:
        case "name":
            return bool(NAME.match(value))
        case "thing":
            return bool(re.search(r"[A-Z0-9]", value)) or len(value.split()) <= 4
        case "model":
            return bool(re.search(r"[A-Z0-9]", value))
        case "figure":
            return value[0].isdigit() or value[0] in "€$£¥" or kind_of(value) is not None
        case "time":
            kind = kind_of(f"at {value}")
            return kind is not None and kind[0] == "when"
    return True


def _place(value: str) -> str | None:
    if value.endswith(" at work"):
        return None
    if _CAPITAL.match(value) and not value.startswith(("a ", "an ")):
        return re.sub(
            r",? (?:for|with|from|since|together|alone|to|when|where|last|next|and (?:I|we|it|love|am)|as) ?\b.*$",
            "",
            value,
        )
    if inner := _INNER_PLACE.search(value):
        return inner[1]
    # Someone who types without capitals.
    return value if re.fullmatch(r"[a-z]+", value) and value not in _NOT_PLACES else None


_NOT_PLACES = word_set(
    """
    hope fear peace town there here heaven hell tears bed school work college university church poverty luxury
    denial abroad together alone sin danger harmony style comfort uptown downtown home pain part place motion
    management sales marketing it tech finance
    """
)


def shortened(value: str, attribute: str) -> str | None:
    """Return the value of a many-valued attribute without afterthoughts, or None where it runs on into a clause."""
    value = _DASHED.sub("", value)
    is_clause = len(value.split()) > 8 or _CLAUSE_IN_VALUE.search(value)
    return None if is_clause or (attribute == "has" and _PARTICIPLE.match(value)) else value
