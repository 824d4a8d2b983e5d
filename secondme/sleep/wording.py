"""What a clause says beside its statement: who speaks, since when it holds, whether it denies or changes something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from secondme.recall.when import TimeRange, find_ranges
from secondme.sleep.vocabulary import word_set

LONGEST_CLAUSE = 400
_I = re.IGNORECASE

_DOUBTFUL_WORDS = word_set(
    """
    if unless whether might maybe perhaps may would could should must ought shall wish wishes wished wishing
    hope hopes hoping want wants wanted wanna gonna plan plans planning planned thinking considering dream
    dreams dreaming dreamed suppose supposed imagine pretend pretending probably possibly likely let's lets
    almost nearly seem seems seemed sounds guess apparently supposedly allegedly rumour rumor rumoured
    rumored rumours rumors wonder wonders wondering jk kidding said says saying tell tells told asked asks
    think thinks thought believe believes believed claim claims claimed heard hears reckon reckons mentioned
    mentions reportedly dreamt joked
    """
)
_DOUBTFUL = re.compile(
    r"\b(?:let us|have to|has to|had to|need to|needs to|going to|try to|trying to|tried to|about to|looks like"
    r"|feels? like|as though|wrote that|according to|knew that|remember(?:s|ed)? when)\b|[\"“”«»]"
)
_PLAIN_WORD = re.compile(r"[A-Za-z']+")
_WILL = re.compile(r"\b(?:will|won't|shall)\b", _I)
_SPACE = re.compile(r"\s+")

_NEW = re.compile(
    r",?\s*\b(?:nowadays|these days|from now on(?:wards)?|as of now|right now|now|finally|recently|lately|newly"
    r"|officially)\b,?(?=[\s.!;]|$)",
)
_FILLER = re.compile(
    r",?\s*\b(?:currently|at the moment|at present|presently|actually|still|really|already|just|again|basically"
    r"|definitely|unfortunately"
    r"|luckily|sadly|happily|simply|honestly|as usual|for sure|by the way|btw|ever since|too|as well|of course"
    r"|truly|absolutely|also|additionally"
    r"|mostly|usually|generally|normally|always|often)\b,?(?=[\s.!;]|$)", _I,
)  # fmt: skip
_ENDED = re.compile(r"\b(?:no longer|no more)\b|,?\s*\b(?:anymore|any more|any longer|no more)\b", _I)
_NOT = re.compile(
    r"\b(?:(?:do|does|did) (?:not|never)|(?<=\bam) not|(?<=\bis) not|(?<=\bare) not|(?<=\bwas) not"
    r"|(?<=\bwere) not|never)\b ?",
    _I,
)
_ALSO = re.compile(
    r"\b(?:also|as well|too|another|additionally|on the side|part[- ]time|sometimes|occasionally|at times"
    r"|temporarily|at work|at the office)\b",
    _I,
)
_PASSING = re.compile(r"\b(?:today|tonight|tomorrow|this (?:morning|afternoon|evening|time|week|weekend|once))\b", _I)
_VISIT = re.compile(
    r"\bfor (?:the|a|two|three|a few|a couple of|this|\d+) (?:\w+ )?(?:weekends?|weeks?|days?|nights?|hours?"
    r"|moment|conference|wedding|holidays?|trip|visit|summer)\b"
    r"|\b(?:visiting|on (?:holiday|vacation|a trip|business))\b", _I,
)  # fmt: skip
_SINCE_EVENT = re.compile(r",?\s+(?:ever )?since\s+.*$", _I)
_TAIL = re.compile(
    r",?\s+(?:because|so that|which|although|though|even though|whereas|while|until|when|as soon as|after"
    r"|before|so|but)\s.*$|\s*\((?![^)]*\d)[^)]*\)\s*$",
    _I,
)
_BRACKET = re.compile(r"\s?\[([^\[\]\n]{1,80})\]")
_BEFORE_DATE = re.compile(
    r"(?:,?\s*\b(?:as of|as from|starting|effective|from|back in|sometime in|in|on|at|by|around|during"
    r"|early|late|of|ever)\s+(?:the\s+)?)+$",
    _I,
)
_OPENS = re.compile(r"\b(?:as of|as from|starting|effective|from)\b", _I)
_HAS_DATE = re.compile(
    r"\d|\b(?:since|until|till|before|after|january|february|march|april|may|june|july|august|september|october"
    r"|november"
    r"|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|yesterday|today|tonight|tomorrow|last"
    r"|this|next|past|ago"
    r"|week|month|year|morning|spring|summer|autumn|fall|winter|christmas|easter)\b",
    _I,
)
_CONNECTED = re.compile(r"(?:ever )?(since|until|till|before|prior to|up to|up until|after|by)\b", _I)
_DAYTIME_ONLY = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class Wording:
    """A clause without the words that say when, whether and since when it holds."""

    text: str
    """Without any date."""
    dated: str
    """With the dates that may be its value."""
    has_change_word: bool
    is_denied: bool
    is_also: bool
    """True if it adds to what holds instead of replacing it."""
    is_visit: bool
    is_passing: bool
    """True if it speaks of today or this week only, unless its verb says otherwise."""
    since: datetime | None
    """Start where the words say since when."""
    until: datetime | None
    """Exclusive end where the words say until when."""
    at: tuple[datetime | None, datetime | None]
    """The period of a date without such a word, as in "in March"."""


def is_doubtful(text: str) -> bool:
    """True if the words do not claim that something is so: a wish, a guess, a condition, another's words."""
    words = _PLAIN_WORD.findall(text)
    return any(w in _DOUBTFUL_WORDS or (w != "May" and w.lower() in _DOUBTFUL_WORDS) for w in words) or bool(
        _DOUBTFUL.search(text.lower())
    )


def is_future(text: str) -> bool:
    """True if the words speak of what will be."""
    return bool(_WILL.search(text))


def read_wording(text: str, *, said_at: datetime) -> Wording:
    """Return the clause without its dates, change words and negation, and what these said."""
    plain, dated, since, until, at = _split_dates(text, said_at)
    is_ended = bool(_ENDED.search(plain))
    is_change = is_ended or bool(_NEW.search(plain))
    is_denied = is_ended or bool(_NOT.search(plain))
    is_also, is_visit = bool(_ALSO.search(plain)), bool(_VISIT.search(plain))
    if _SINCE_EVENT.search(plain) and plain.split(" ", 1)[0].lower() != "since":
        is_change = True
    bare = _without_words(plain)
    return Wording(
        text=bare,
        dated=bare if dated == plain else _without_words(dated),
        has_change_word=is_change,
        is_denied=is_denied,
        is_also=is_also,
        is_visit=is_visit,
        is_passing=bool(_PASSING.search(text)),
        since=since,
        until=until,
        at=at,
    )


def _without_words(text: str) -> str:
    for pattern in (_SINCE_EVENT, _TAIL, _ENDED, _NEW, _FILLER):
        text = pattern.sub("", text)
    text = _NOT.sub(" ", text)
    return _SPACE.sub(" ", text).strip(" .!;,:-–—…")


_Dates = tuple[str, str, datetime | None, datetime | None, tuple[datetime | None, datetime | None]]


def _split_dates(text: str, said_at: datetime) -> _Dates:
    """Return the text without dates, the text with the dates that have no since or until, and what they say."""
    if not _HAS_DATE.search(text):
        return text, text, None, None, (None, None)
    bare, brackets = _without_brackets(text, said_at)
    ranges = find_ranges(bare, now=said_at)
    plain, dated = bare, bare
    since = until = None
    at: tuple[datetime | None, datetime | None] = (None, None)
    for found in reversed(ranges):
        start, end = found.span
        if _DAYTIME_ONLY.fullmatch(found.text) and not (
            len(found.text) == 4 and bare[:start].endswith(("in ", "since "))
        ):
            continue
        before = _BEFORE_DATE.search(bare, max(0, start - 30), start)
        connector = _CONNECTED.match(found.text)
        word = connector[1].lower() if connector else ""
        shown, written = brackets.get(end, ("", None))
        first, last = _bounded(found, word, written)
        opening = _OPENS.search(before[0]) if before else None
        word = word or (opening[0].lower() if opening else "")
        cut = before.start() if before else start
        if word in {"since", "after", "as of", "as from", "starting", "effective", "from"} or (first and last is None):
            since = first
            dated = dated[:cut] + dated[end:]
        elif word in {"until", "till", "up to", "up until", "before", "prior to"} or (last and first is None):
            until = last
            dated = dated[:cut] + dated[end:]
        else:
            at = (first, last)
            if shown and not any(c.isdigit() for c in found.text):
                dated = dated[:start] + shown + dated[end:]
        plain = plain[:cut] + plain[end:]
    return plain, dated, since, until, at


def _without_brackets(text: str, said_at: datetime) -> tuple[str, dict[int, tuple[str, TimeRange]]]:
    """Return the text without dates in brackets, and these by the place where they stood."""
    dates: dict[int, tuple[str, TimeRange]] = {}
    pieces: list[str] = []
    length = done = 0
    for match in _BRACKET.finditer(text):
        ranges = find_ranges(match[1], now=said_at)
        if len(ranges) != 1:
            continue
        pieces.append(text[done : match.start()])
        length += len(pieces[-1])
        dates[length] = (match[1], ranges[0])
        done = match.end()
    return "".join([*pieces, text[done:]]), dates


def _bounded(found: TimeRange, word: str, written: TimeRange | None) -> tuple[datetime | None, datetime | None]:
    """Return start and end, from the written date behind the words where there is one."""
    if written is None:
        return found.start, found.end
    match word:
        case "since":
            return written.start, None
        case "after":
            return written.end, None
        case "before" | "prior to":
            return None, written.start
        case "until" | "till" | "up to" | "up until" | "by":
            return None, written.end
    return written.start, written.end
