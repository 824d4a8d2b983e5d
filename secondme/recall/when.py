"""Time expressions in English text: the ranges they name, the one a question asks for, dates written behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from secondme.recall.calendar import MONTH_NAMES, SEASON_STARTS, Period, midnight, month_of
from secondme.recall.dates import Context, Phrase, Tense
from secondme.recall.numbers import FIRST_WORDS, NEXT_WORDS, WEAK_WORDS
from secondme.recall.phrases import read_phrase

_FLAGS = re.IGNORECASE | re.ASCII
_WORD = re.compile(r"\w+", re.ASCII)
_CONNECTOR = re.compile(
    r"(?P<word>(?:ever\s+)?since|before|prior\s+to|after|until|till|up\s+(?:to|until)|by|from|between)\s+(?:(?:on|in)\s+)?",
    _FLAGS,
)
_AND = re.compile(r",?\s+and\s+(?:(?:on|in)\s+)?", _FLAGS)
_TO = re.compile(r"\s*(?:-|–|—)\s*|,?\s+(?:up\s+)?(?:to|until|till|through|thru)\s+(?:(?:on|in)\s+)?", _FLAGS)
_BETWEEN = re.compile(rf"{_AND.pattern}|{_TO.pattern}", _FLAGS)
_ONWARDS = re.compile(r"\s+(?:on(?:wards?)?|forwards?)(?![a-z])(?!\s+the\b)", _FLAGS)
_PRESENT = re.compile(r"(?:now|the\s+present|present)(?![a-z])", _FLAGS)
_PAST = re.compile(
    r"\b(?:was|were|did|didn't|had|went|got|took|saw|met|made|came|bought|said|told|gave|found|felt|left|lost|began|ran"
    r"|ate|spent|wrote|won|[a-z]{2,}ed)\b",
    _FLAGS,
)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|gonna|going\s+to|plan(?:s|ning)?|upcoming|next|tomorrow|looking\s+forward|can't\s+wait"
    r"|hop(?:e|ing)\s+to|about\s+to|see\s+you)\b|['’]ll\b"
    r"|(?:\b(?:am|are|is)|['’](?:m|re|s))\s+[a-z]+ing\b",
    _FLAGS,
)
_SEASON_NAMES = {start: name for name, start in reversed(SEASON_STARTS.items())}
_POSSESSIVE = re.compile(r"['’]s\b")
_DATED = re.compile(r" ?\[[^\[\]\n]{0,60}\d{4}\]")
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,80}\]")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A stretch of time that words name."""

    start: datetime | None
    end: datetime | None
    """Exclusive."""
    text: str
    """The words that said so."""
    explicit: bool
    """True when the words draw a line ("since March", "last Tuesday"), False when they are vague ("recently")."""
    span: tuple[int, int]
    """Where the words are in the text."""


@dataclass(frozen=True, slots=True)
class _Found:
    start: datetime | None
    end: datetime | None
    span: tuple[int, int]
    vague: bool


def find_ranges(text: str, *, now: datetime) -> list[TimeRange]:
    """Return every date and range that `text` names, in order; what names no year is the latest one up to now."""
    local = _as_local(now)
    ranges = []
    for found in _scan(text, local):
        start, end = (_as_utc(moment) if moment else None for moment in (found.start, found.end))
        words = text[found.span[0] : found.span[1]]
        ranges.append(TimeRange(start, end, words, not found.vague, found.span))
    return ranges


def question_range(question: str, *, now: datetime) -> TimeRange | None:
    """Return the range a question restricts itself to; the hull of all where it names several, the vague aside."""
    ranges = find_ranges(question, now=now)
    ranges = [r for r in ranges if r.explicit] or ranges
    if not ranges:
        return None
    if len(ranges) == 1:
        whole = ranges[0]
    else:
        starts, ends = [r.start for r in ranges if r.start], [r.end for r in ranges if r.end]
        whole = TimeRange(
            min(starts) if len(starts) == len(ranges) else None,
            max(ends) if len(ends) == len(ranges) else None,
            ", ".join(r.text for r in ranges),
            all(r.explicit for r in ranges),
            (ranges[0].span[0], ranges[-1].span[1]),
        )
    # What lies ahead was written about before it came: it must not exclude the past.
    if (whole.end is None and whole.start is None) or (whole.start is not None and whole.start > now):
        return replace(whole, explicit=False)
    return whole


def annotate(text: str, *, said_at: datetime) -> str:
    """Return `text` with the date in brackets behind each expression that depends on the day it was said.

    Annotating twice adds nothing. "On Friday" gets a date only where the tense of the sentence is clear.
    """
    local = _as_local(said_at)
    pieces, done = [], 0
    for start, phrase in _scan_phrases(_BRACKETED.sub(_blanked, text), local):
        stop = phrase.stop + (2 if _POSSESSIVE.match(text, phrase.stop) else 0)
        if _DATED.match(text, stop):
            return text  # it has its dates already
        is_followed = text[stop : stop + 2].lstrip(" ").startswith("[")
        shown = "" if is_followed else _wording(phrase, start, text, local)
        if shown:
            pieces.append(f"{text[done:stop]} [{shown}]")
            done = stop
    return "".join(pieces) + text[done:]


def read_moment(words: str, *, now: datetime) -> datetime | None:
    """Return the start of the day, month or year that `words` name from end to end, or None."""
    local = _as_local(now)
    for cue in ("on", "in"):
        phrase = _read(words, 0, Context(local, cue))
        if phrase is not None and phrase.stop == len(words):
            return _as_utc((phrase.shown or phrase.period)[0])
    return None


def format_day(moment: datetime) -> str:
    """Return the local day as people write it: 8 May 2023."""
    return _day_text(_as_local(moment))


def _as_local(moment: datetime) -> datetime:
    return moment.astimezone().replace(tzinfo=None)


def _as_utc(local: datetime) -> datetime:
    return local.astimezone(UTC)


def _blanked(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


# Reading a text


def _candidates(text: str) -> Iterator[tuple[int, str]]:
    """Yield each place where an expression can begin, with the word before it."""
    matches = list(_WORD.finditer(text))
    words = [match[0].lower() for match in matches]
    for i, (match, word) in enumerate(zip(matches, words, strict=True)):
        if word not in FIRST_WORDS and not word[0].isdigit():
            continue
        following = words[i + 1] if i + 1 < len(words) else " "
        if word in WEAK_WORDS and following not in NEXT_WORDS and not following[0].isdigit():
            continue
        start = match.start()
        is_decimal = word[0].isdigit() and start > 1 and text[start - 1] in ".,/-" and text[start - 2].isdigit()
        if not is_decimal:
            yield start, words[i - 1] if i and text[matches[i - 1].end() : start].isspace() else ""


def _scan_phrases(text: str, now: datetime) -> Iterator[tuple[int, Phrase]]:
    position = 0
    for start, cue in _candidates(text):
        if start >= position and (phrase := _read(text, start, Context(now, cue))):
            yield start, phrase
            position = phrase.stop


def _scan(text: str, now: datetime) -> Iterator[_Found]:
    position = 0
    for start, cue in _candidates(text):
        if start >= position and (found := _read_range(text, start, Context(now, cue))):
            yield found
            position = found.span[1]


def _read(text: str, start: int, context: Context) -> Phrase | None:
    """Read a phrase, looking at the tense of the sentence only where the phrase leaves the direction open."""
    phrase = read_phrase(text, start, context)
    if phrase is None or not phrase.open:
        return phrase
    if _tense(text, start) == "future":
        return read_phrase(text, start, replace(context, tense="future")) or phrase
    # "in two weeks" is a date only of what is to come: "I read it in two weeks" is a duration.
    return None if text[start : start + 2].lower() == "in" else phrase


def _tense(text: str, position: int) -> Tense:
    before = re.split(r"[.!?\n]", text[max(0, position - 100) : position])[-1]
    after = re.split(r"[.!?\n]", text[position : position + 60], maxsplit=1)[0]
    sentence = before + after
    is_past, is_future = bool(_PAST.search(sentence)), bool(_FUTURE.search(sentence))
    return "" if is_past == is_future else "past" if is_past else "future"


def _read_range(text: str, start: int, context: Context) -> _Found | None:
    connector = _CONNECTOR.match(text, start)
    if connector:
        word = connector["word"].lower().split()[0]
        first = _read(text, connector.end(), replace(context, cue="in"))
        if first:
            return _connected(text, start, word, connector.end(), first, context.now)
    phrase = _read(text, start, context)
    if phrase is None:
        return None
    joined = _join(text, (start, start), phrase, _TO, context.now)
    return joined or _Found(*phrase.period, (start, phrase.stop), phrase.vague)


def _connected(text: str, start: int, word: str, at: int, first: Phrase, now: datetime) -> _Found:
    span = (start, first.stop)
    if word in {"between", "from"}:
        joined = _join(text, (start, at), first, _BETWEEN if word == "between" else _TO, now)
        if joined is None and word == "from" and (onwards := _ONWARDS.match(text, first.stop)):
            return _Found(first.period[0], None, (start, onwards.end()), first.vague)
        return joined or _Found(*first.period, (at, first.stop), first.vague)
    if word in {"since", "ever"}:
        return _Found(first.period[0], None, span, first.vague)
    if word == "after":
        return _Found(first.period[1], None, span, first.vague)
    return _Found(None, first.period[0 if word in {"before", "prior"} else 1], span, first.vague)


def _join(text: str, at: tuple[int, int], first: Phrase, link: re.Pattern[str], now: datetime) -> _Found | None:
    """Read the other end of a range whose words begin at `at[0]` and whose first phrase begins at `at[1]`."""
    match = link.match(text, first.stop)
    if not match:
        return None
    if present := _PRESENT.match(text, match.end()):
        return _Found(first.period[0], now, (at[0], present.end()), first.vague) if first.period[0] < now else None
    second = _read(text, match.end(), Context(now, "in"))
    if second is None or (match[0].strip() in "-–—" and not (_is_date(first) and _is_date(second))):
        return None
    earlier: Phrase | None = first
    later: Phrase | None = second
    if first.open:  # the May before that July
        earlier = read_phrase(text, at[1], Context(second.period[1] - timedelta(seconds=1), "in", "past"))
    elif second.open:
        later = read_phrase(text, match.end(), Context(first.period[0], "in", "future"))
    if earlier is None or later is None or not earlier.period[0] < later.period[1]:
        return None
    return _Found(earlier.period[0], later.period[1], (at[0], later.stop), first.vague or second.vague)


def _is_date(phrase: Phrase) -> bool:
    return phrase.open or not phrase.relative


# Writing a date


def _wording(phrase: Phrase, start: int, text: str, now: datetime) -> str:
    if not phrase.relative or phrase.unit in {"hour", "minute"} or (phrase.open and not _tense(text, start)):
        return ""
    label = _label(phrase.shown or phrase.period)
    today = midnight(now)
    if label.startswith("week of") and phrase.period[1] <= today < phrase.period[1] + timedelta(days=7):
        return f"the week before {_day_text(today)}"
    return f"about {label}" if phrase.shown and (phrase.vague or phrase.unit != "day") else label


def _label(period: Period) -> str:
    first, last = midnight(period[0]), midnight(period[1] - timedelta(seconds=1))
    if last <= first or period[1] - period[0] < timedelta(days=1):
        return _day_text(first)
    months = (period[1].year - first.year) * 12 + period[1].month - first.month
    if period == month_of(first.year, first.month, months):
        return _months_label(first, last, months)
    if (last - first).days == 6 and first.weekday() == 0:
        return f"week of {_day_text(first)}"
    if first.year != last.year:
        return f"{_day_text(first)} - {_day_text(last)}"
    if first.month != last.month:
        return f"{first.day} {MONTH_NAMES[first.month - 1]} - {_day_text(last)}"
    return f"{first.day}-{_day_text(last)}"


def _months_label(first: datetime, last: datetime, months: int) -> str:
    name = MONTH_NAMES[first.month - 1]
    if months == 1:
        return f"{name} {first.year}"
    if months == 12 and first.month == 1:
        return str(first.year)
    if months == 3 and first.month % 3:
        return f"Q{first.month // 3 + 1} {first.year}"
    if months == 3:
        return f"{_SEASON_NAMES[first.month]} {first.year}"
    return f"{name} {first.year} - {MONTH_NAMES[last.month - 1]} {last.year}"


def _day_text(day: datetime) -> str:
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"
