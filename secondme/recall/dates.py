"""Phrases that name a date of the calendar: "7 May 2023", "in May", "Q3 2025", "Christmas"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from secondme.recall.calendar import Period, Unit, day_of, local_day, midnight, month_of, period_of, season_of, shift
from secondme.recall.numbers import (
    DAY,
    HOLIDAY,
    MONTH,
    ORDINAL,
    SEASON,
    YEAR,
    read_holiday,
    read_month,
    read_ordinal,
    read_year,
)

Tense = Literal["past", "future", ""]


@dataclass(frozen=True, slots=True)
class Phrase:
    """What one expression stands for."""

    period: Period
    unit: Unit
    stop: int
    """Where the words end."""
    relative: bool = False
    """It depends on when it is said."""
    open: bool = False
    """It could lie before or after: "in May", "on Friday"."""
    vague: bool = False
    shown: Period | None = None
    """The day or month to name, where the period is wider than the words say."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader of a phrase knows besides its words."""

    now: datetime
    cue: str = ""
    """The word before, such as "in"; a phrase inside another has "in"."""
    tense: Tense = ""


Atoms = tuple[tuple[re.Pattern[str], "Builder"], ...]
Builder = Callable[[re.Match[str], Context], Phrase | None]

_BEFORE_MONTHS = "in since by until till before after during throughout through from between"
IN = frozenset(_BEFORE_MONTHS.split())
"""Words that a bare month or year needs before it."""
ON = IN | {"on", "at", "for", "over", "around"}
"""Words that a bare day or holiday needs before it."""
# Months that are never a first name or a verb: the word is cue enough.
_PLAIN_MONTHS = frozenset(("january", "february", "july", "september", "october", "november", "december"))


def nearest(make: Callable[[int], Period], context: Context, which: str = "") -> Period:
    """Return the last, this or next occurrence of what comes once a year; else the latest begun, or in the future
    tense the first not over. Raises ValueError where the day does not exist."""
    found = _occurrences(make, context.now.year, 1) or _occurrences(make, context.now.year, 4)
    today = midnight(context.now)
    if which == "this":
        found = [period for period in found if period[0].year == today.year]
        return found[0]
    if which == "next" or (not which and context.tense == "future"):
        return min(period for period in found if (period[0] > today if which else period[1] > today))
    return max(period for period in found if (period[1] <= today if which else period[0] <= today))


def _occurrences(make: Callable[[int], Period], year: int, reach: int) -> list[Period]:
    try:
        return [make(near) for near in range(year - reach, year + reach + 1)]
    except ValueError:  # 29 February: only in leap years
        return [make(near) for near in range(year - reach, year + reach + 1) if near % 4 == 0] if reach > 1 else []


def is_doubtful(word: str) -> bool:
    """True of words that are seldom dates in lower case: "may", "march", "sun", "sat"."""
    return word[0].islower() and word.rstrip(".") in {"may", "march", "mar", "sun", "sat", "mon", "wed", "fri"}


def _yearly(match: re.Match[str], context: Context, make: Callable[[int], Period], unit: Unit) -> Phrase:
    if match["year"]:
        return Phrase(make(read_year(match["year"])), unit, match.end())
    return Phrase(nearest(make, context), unit, match.end(), relative=True, open=True)


def _day_in_month(match: re.Match[str], context: Context) -> Phrase | None:
    word, month, day = match["month"], read_month(match["month"]), read_ordinal(match["day"])
    is_plain = match["day"].isdigit() or match["day"].isalpha()
    if is_doubtful(word) and is_plain and context.cue not in ON and not match["year"]:
        return None  # "you may first need", "2 may be enough"
    return _yearly(match, context, lambda year: day_of(local_day(year, month, day)), "day")


def _days_in_month(match: re.Match[str], context: Context) -> Phrase | None:
    month, first, last = read_month(match["month"]), read_ordinal(match["day"]), read_ordinal(match["last"])
    return _yearly(
        match, context, lambda year: (local_day(year, month, first), day_of(local_day(year, month, last))[1]), "day"
    )


def _month(match: re.Match[str], context: Context) -> Phrase | None:
    word, month = match["month"], read_month(match["month"])
    if not match["year"] and context.cue not in IN and word.lower() not in _PLAIN_MONTHS:
        return None
    return _yearly(match, context, lambda year: month_of(year, month), "month")


def _number_date(match: re.Match[str], context: Context) -> Phrase:
    first, second, year = int(match["first"]), int(match["second"]), read_year(match["year"])
    is_day_first = first > 12 or (match["sign"] == "." and second <= 12)
    month, day = (second, first) if is_day_first else (first, second)
    return Phrase(day_of(local_day(year, month, day)), "day", match.end())


def _open_number_date(match: re.Match[str], context: Context) -> Phrase | None:
    first, second = int(match["first"]), int(match["second"])
    if context.cue not in ON:
        return None  # "1/2 a cup"
    month, day = (second, first) if first > 12 else (first, second)
    period = nearest(lambda year: day_of(local_day(year, month, day)), context)
    return Phrase(period, "day", match.end(), relative=True, open=True)


def _iso_date(match: re.Match[str], context: Context) -> Phrase:
    moment = local_day(int(match["year"]), int(match["month"]), int(match["day"]))
    return Phrase(day_of(moment), "day", match.end())


def _number_month(match: re.Match[str], context: Context) -> Phrase:
    return Phrase(month_of(*_checked_month(int(match["year"]), int(match["month"]))), "month", match.end())


def _checked_month(year: int, month: int) -> tuple[int, int]:
    if not 1 <= month <= 12:
        raise ValueError(month)
    return year, month


def _year(match: re.Match[str], context: Context) -> Phrase | None:
    if context.cue not in IN:
        return None
    return Phrase(month_of(read_year(match["year"]), 1, 12), "year", match.end())


def _years(match: re.Match[str], context: Context) -> Phrase:
    start, end = month_of(int(match["year"]), 1)[0], month_of(int(match["last"]), 1, 12)[1]
    return Phrase((start, end), "year", match.end())


def _decade(match: re.Match[str], context: Context) -> Phrase:
    digits = match["decade"]
    year = int(digits) if len(digits) == 4 else int(digits) + (2000 if digits < "30" else 1900)
    return Phrase(period_of("decade", local_day(year, 1, 1)), "decade", match.end(), vague=True)


def _quarter(match: re.Match[str], context: Context) -> Phrase | None:
    if not match["year"] and context.cue not in IN:
        return None
    number = int(match["number"])
    return _yearly(match, context, lambda year: month_of(year, number * 3 - 2, 3), "quarter")


def _season(match: re.Match[str], context: Context) -> Phrase | None:
    name = match["season"].lower()
    if not match["year"] and (context.cue not in IN - {"before", "after"} or (name == "fall" and not match["the"])):
        return None
    return _yearly(match, context, lambda year: season_of(year, name), "season")


def _holiday(match: re.Match[str], context: Context) -> Phrase | None:
    if not match["year"] and context.cue not in ON and "day" not in match["holiday"].lower():
        return None
    make = read_holiday(match["holiday"])
    return _yearly(match, context, lambda year: day_of(make(year)), "day")


def _day_of_month(match: re.Match[str], context: Context) -> Phrase | None:
    cues = ON - {"at", "over"} if match["day"][0].isdigit() else ON - {"at", "over", "for"}
    if not (match["the"] and context.cue in cues) and context.cue != "in":
        return None
    number = read_ordinal(match["day"])
    if not 1 <= number <= 31:
        return None
    back = range(0, -13, -1) if context.tense != "future" else range(13)
    for months in back:
        month = period_of("month", shift(context.now.replace(day=1), "month", months))
        day = month[0] + timedelta(days=number - 1)
        is_due = day > context.now if context.tense == "future" else day <= context.now
        if is_due and day < month[1]:
            return Phrase(day_of(day), "day", match.end(), relative=True, open=True)
    return None


_GAP = r"[\s,]{1,3}"
_YEAR = rf"(?P<year>{YEAR})"
_OPEN_YEAR = rf"(?:{_GAP}(?:of\s+)?{_YEAR})?"
_PLAIN_YEAR = "(?:19|20)[0-9]{2}"
_MONTH = rf"(?P<month>{MONTH})"
_DAY = rf"(?P<day>{DAY})"
_TO = rf"\s*(?:-|–|to|until|till|through|and)\s*(?:the\s+)?(?P<last>{DAY})"
_NO_COUNTED = r"(?!\s*%|\s+(?:people|dollars|euros|pounds|met(?:er|re)s|miles|feet|km|kg|words|steps|times|calories)\b)"
# "on the 3rd" is a day, "on the 3rd floor" is not.
_NO_NOUN = (
    r"(?=\s*(?:$|[^\w\s]|(?:and|or|at|i|we|he|she|they|you|it|with|for|to|till|until|through|from|in|my|our|when|because"
    r"|but|that|was|is|did|about|after|before|of)(?![a-z])))"
)
# "the first through third sessions"
_NEXT_ORDINAL = rf"\s+(?:and|or|to|till|until|through)\s+(?:the\s+)?{ORDINAL}\s+[a-z]{{3,}}"
_PATTERNS: tuple[tuple[str, Builder], ...] = (
    (rf"{_MONTH}[\s,./-]{{0,2}}(?:the\s+)?{_DAY}{_OPEN_YEAR}", _day_in_month),
    (rf"(?:the\s+)?{_DAY}[\s./-]{{0,2}}(?:of\s+)?{_MONTH}(?:-(?={YEAR}))?{_OPEN_YEAR}", _day_in_month),
    (rf"{_MONTH}\s+{_DAY}{_TO}{_OPEN_YEAR}", _days_in_month),
    (rf"(?:the\s+)?{_DAY}{_TO}\s+(?:of\s+)?{_MONTH}{_OPEN_YEAR}", _days_in_month),
    (rf"{_MONTH}(?:(?:{_GAP}|-)(?:of\s+)?{_YEAR})?(?!\w)(?!\s+[0-9]{{1,2}}(?![0-9]|:[0-9]))", _month),
    (rf"{_YEAR}{_GAP}{_MONTH}", _month),
    (r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})(?![0-9])", _iso_date),
    (r"(?P<first>[0-9]{1,2})(?P<sign>[-/.])(?P<second>[0-9]{1,2})[-/.,](?P<year>[12][0-9]{3})(?![0-9])", _number_date),
    (r"(?P<first>[0-9]{1,2})(?P<sign>/)(?P<second>[0-9]{1,2})/(?P<year>[0-9]{2})(?![0-9])", _number_date),
    (r"(?P<first>[0-9]{1,2})/(?P<second>[0-9]{1,2})(?![0-9/])", _open_number_date),
    (r"(?P<year>[12][0-9]{3})[-/](?P<month>0[1-9]|1[0-2])(?![-/0-9])", _number_month),
    (r"(?P<month>[0-9]{1,2})/(?P<year>[12][0-9]{3})(?![-/0-9])", _number_month),
    (rf"(?:the\s+year\s+)?{_YEAR}(?!-(?!{_PLAIN_YEAR})|[/%\w]){_NO_COUNTED}", _year),
    (rf"(?P<year>{_PLAIN_YEAR})\s?[-–]\s?(?P<last>{_PLAIN_YEAR})(?![-\w])", _years),
    (r"the\s+'?(?P<decade>[0-9]0|(?:19|20)[0-9]0)'?s(?!\w)", _decade),
    (rf"(?:the\s+)?q(?P<number>[1-4])(?!\w)(?:(?:{_GAP}(?:of\s+)?|[-/]){_YEAR})?", _quarter),
    (rf"(?P<the>the\s+)?(?P<season>{SEASON})(?:\s+(?:of\s+)?{_YEAR}|(?!\s+of\b))", _season),
    (rf"(?P<year>{_PLAIN_YEAR})\s+q(?P<number>[1-4])(?!\w)", _quarter),
    (rf"(?P<holiday>{HOLIDAY}){_OPEN_YEAR}", _holiday),
    (rf"(?P<the>the\s+)?(?P<day>{ORDINAL})(?!\w){_NO_NOUN}(?!{_NEXT_ORDINAL})", _day_of_month),
)
DATE_ATOMS: Atoms = tuple((re.compile(pattern, re.IGNORECASE | re.ASCII), build) for pattern, build in _PATTERNS)
"""Each way to write a date, with what builds the phrase from a match."""
