"""The grammar of time phrases: what "last Tuesday", "7 May 2023" or "the first weekend of August" stand for.

A phrase is an atom ("May 2023", "last week"), maybe with a prefix before it that narrows it ("the first weekend of")
and a suffix behind it ("evening"). Of all readings at one place the longest wins. Days are local, without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from secondme.recall.calendar import (
    Unit,
    day_of,
    local_day,
    month_of,
    nth_weekday,
    part_of,
    period_of,
    season_of,
    shift,
    weekday_after,
    weekday_before,
)
from secondme.recall.dates import DATE_ATOMS, Builder, Context, Phrase
from secondme.recall.numbers import (
    DAY,
    HOLIDAY,
    MONTH,
    ORDINAL,
    SEASON,
    WEEKDAY,
    read_holiday,
    read_month,
    read_ordinal,
    read_weekday,
)
from secondme.recall.relative import AMOUNT, PARTS_OF_DAY, RELATIVE_ATOMS, move, read_amount

_SPEAKING_TEXT = (
    "talk talked talking tell told say said speak spoke spoken know knew hear heard think thought ask asked write "
    "wrote chat chatted discuss discussed learn learned read what how dream dreamed worry worried forgot remember"
)
_SPEAKING = frozenset(_SPEAKING_TEXT.split())
Wrapper = Callable[[re.Match[str], Phrase, Context], Phrase | None]


def read_phrase(text: str, position: int, context: Context, depth: int = 0) -> Phrase | None:
    """Return the longest phrase that begins at `position`."""
    best = _read_atom(text, position, context)
    if depth < 3:
        best = _longer(best, _read_prefixed(text, position, context, depth))
    for pattern, wrap in _SUFFIXES:
        if best is not None and (match := pattern.match(text, best.stop)):
            best = _attempt_wrap(wrap, match, best, context) or best
    if best is not None and text[best.stop - 1] == ".":  # a full stop more likely than an abbreviation
        return replace(best, stop=best.stop - 1)
    return best


def _read_atom(text: str, position: int, context: Context) -> Phrase | None:
    best: Phrase | None = None
    for pattern, build in _ATOMS:
        if match := pattern.match(text, position):
            best = _longer(best, _attempt(build, match, context))
    return best


def _read_prefixed(text: str, position: int, context: Context, depth: int) -> Phrase | None:
    best: Phrase | None = None
    for pattern, wrap in _PREFIXES:
        if match := pattern.match(text, position):
            inside = read_phrase(text, match.end(), replace(context, cue="in"), depth + 1)
            if inside is not None:
                best = _longer(best, _attempt_wrap(wrap, match, inside, context))
    return best


def _attempt(build: Builder, match: re.Match[str], context: Context) -> Phrase | None:
    try:
        return _plausible(build(match, context))
    except (ValueError, OverflowError, IndexError):  # 31 June, the fifth Friday, a million years ago
        return None


def _attempt_wrap(wrap: Wrapper, match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    try:
        return _plausible(wrap(match, inside, context))
    except (ValueError, OverflowError, IndexError):
        return None


def _plausible(phrase: Phrase | None) -> Phrase | None:
    if phrase is None or not 1800 <= phrase.period[0].year <= phrase.period[1].year <= 2200:
        return None
    return phrase if phrase.period[0] < phrase.period[1] else None


def _longer(first: Phrase | None, second: Phrase | None) -> Phrase | None:
    if first is None or second is None:
        return first or second
    return second if second.stop > first.stop else first


def _ordinal_part(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "the first weekend of August"."""
    is_linked = match["link"] or (inside.relative and not inside.open)  # "the third week next year"
    if inside.unit not in {"month", "quarter", "season", "year"} or not is_linked:
        return None
    word = match["ordinal"].lower()
    number = -1 if word == "last" else read_ordinal(word)
    unit = cast(Unit, (match["unit"] or "day").lower())
    period = inside.period
    if match["weekday"]:
        period = day_of(nth_weekday(period, read_weekday(match["weekday"]), number))
    elif match["half"]:
        period = part_of(period, *((0.0, 0.5) if number == 1 else (0.5, 1.0)))
    elif unit == "weekend":
        period = period_of("weekend", nth_weekday(period, 5, number))
    elif unit == "week":
        period = period_of("week", nth_weekday(period, 3, number))  # a week belongs where its Thursday lies
    else:
        period = period_of(
            unit, shift(period[1] if number < 0 else period[0], unit, min(number, number - 1) if number > 0 else -1)
        )
    return replace(inside, period=period, unit=unit)


def _fuzzy_part(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "early 2024", "mid-March", "the end of last year"."""
    if inside.unit not in {"week", "month", "quarter", "season", "year", "decade"}:
        return None
    word = match["part"].lower()
    first, last = (0.25, 0.75) if word[:3] == "mid" else (0.5, 1.0) if word in {"late", "end"} else (0.0, 0.5)
    return replace(inside, period=part_of(inside.period, first, last), vague=True)


def _rest_of_period(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    start, end = inside.period
    if not start < context.now < end:
        return inside
    period = (start, context.now) if match["which"].lower() == "earlier" else (context.now, end)
    return replace(inside, period=period)


def _beside(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "the week of 8 May", "the Friday before 15 July", "the day after Christmas"."""
    way, (start, end) = match["way"].lower(), inside.period
    name = "day" if match["part"] else (match["unit"] or "").lower()
    if match["weekday"]:
        weekday = read_weekday(match["weekday"])
        if way == "of":
            return (
                replace(inside, period=day_of(start + timedelta(days=weekday)), unit="day")
                if inside.unit == "week"
                else None
            )
        day = weekday_before(start, weekday) if way == "before" else weekday_after(end - timedelta(days=1), weekday)
        return replace(inside, period=day_of(day), unit="day", shown=None)
    unit = cast(Unit, name)
    if inside.unit not in {"day", unit}:
        return None
    if way == "of":
        period = period_of(unit, start) if unit != "day" else None
    elif way == "before":
        before = period_of(unit, shift(start, unit, -1))
        period = (before[0], start) if unit == "week" else before
    elif way in {"after", "following"}:
        after = period_of(unit, shift(start, unit, 1))
        period = (end, after[1]) if unit == "week" else after
    else:
        period = (start, shift(start, unit, 1))
    return replace(inside, period=period, unit=unit, shown=None) if period else None


def _steps_beside(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "two days after Christmas", "three weeks from tomorrow"."""
    if inside.unit != "day":
        return None
    steps, vague = read_amount(match["amount"])
    sign = -1 if match["way"].lower() in {"before", "prior to"} else 1
    period = day_of(move(inside.period[0], steps, sign))
    return replace(inside, period=period, vague=vague or inside.vague, shown=None)


def _named_part(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "May of last year", "Christmas two years ago"."""
    if inside.unit != "year" or not inside.relative:
        return None
    year = inside.period[0].year
    if match["month"]:
        return replace(inside, period=month_of(year, read_month(match["month"])), unit="month", shown=None)
    if match["number"]:
        return replace(inside, period=month_of(year, int(match["number"]) * 3 - 2, 3), unit="quarter", shown=None)
    if match["season"]:
        return replace(inside, period=season_of(year, match["season"].lower()), unit="season", shown=None)
    return replace(inside, period=day_of(read_holiday(match["holiday"])(year)), unit="day", shown=None)


def _numbered_day(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "the 20th of next month"."""
    if inside.unit != "month" or not inside.relative:
        return None
    start = inside.period[0]
    return replace(inside, period=day_of(local_day(start.year, start.month, read_ordinal(match["day"]))), unit="day")


def _weekday_in(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "Friday, 12 May", "Friday the 12th", "Tuesday next week"."""
    if inside.unit == "week" and inside.relative:
        day = inside.period[0] + timedelta(days=read_weekday(match["weekday"]))
        return replace(inside, period=day_of(day), unit="day")
    return inside if inside.unit == "day" and (inside.open or not inside.relative) else None


def _roughly(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read "around Christmas", "about two years ago", but not "what we talked about two years ago"."""
    if context.cue in _SPEAKING:
        return None
    margin = max((inside.period[1] - inside.period[0]) / 2, timedelta(days=1))
    wider = (inside.period[0] - margin, inside.period[1] + margin)
    return replace(inside, period=wider, vague=True, shown=inside.shown or inside.period)


def _part_of_that_day(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read the evening of "yesterday evening"."""
    if inside.unit != "day" or inside.period != day_of(inside.period[0]):
        return None
    first, last = PARTS_OF_DAY[match["part"].lower()]
    day = inside.period[0]
    return replace(inside, period=(day + timedelta(hours=first), day + timedelta(hours=last)), stop=match.end())


def _weekday_of_that_week(match: re.Match[str], inside: Phrase, context: Context) -> Phrase | None:
    """Read the Friday of "last week on Friday"."""
    if inside.unit != "week" or not inside.relative or inside.vague or inside.shown:
        return None
    day = inside.period[0] + timedelta(days=read_weekday(match["weekday"]))
    return replace(inside, period=day_of(day), unit="day", stop=match.end())


def _compiled(patterns: tuple[tuple[str, Wrapper], ...]) -> tuple[tuple[re.Pattern[str], Wrapper], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE | re.ASCII), wrap) for pattern, wrap in patterns)


_PREFIXES = _compiled(
    (
        (
            rf"(?:the\s+)?(?P<ordinal>{ORDINAL}|last)\s+(?:(?P<unit>day|weekend|week|month|quarter)|(?P<half>half)"
            rf"|(?P<weekday>{WEEKDAY}))\s+(?P<link>of\s+|in\s+)?",
            _ordinal_part,
        ),
        (
            r"(?:the\s+)?(?P<part>early|mid|middle|late|beginning|start|end)(?:\s*-\s*|\s+(?:in\s+|of\s+)?)(?:the\s+)?",
            _fuzzy_part,
        ),
        (r"(?P<which>earlier|later)\s+(?:in\s+)?", _rest_of_period),
        (
            rf"(?:the\s+)?(?:(?P<unit>weekend|week|month|day)|(?P<part>night|evening)|(?P<weekday>{WEEKDAY}))\s+"
            r"(?P<way>before|after|of|following|beginning|starting|commencing)\s+(?:on\s+)?",
            _beside,
        ),
        (rf"(?P<amount>{AMOUNT})\s+(?P<way>before|prior to|after|from)\s+", _steps_beside),
        (
            rf"(?:the\s+)?(?:(?P<month>{MONTH})|(?P<season>{SEASON})|(?P<holiday>{HOLIDAY})|q(?P<number>[1-4])),?\s+(?:of\s+|in\s+)?",
            _named_part,
        ),
        (rf"(?:the\s+)?(?P<day>{DAY})\s+of\s+", _numbered_day),
        (rf"(?P<weekday>{WEEKDAY})[\s,]{{1,3}}(?:of\s+)?", _weekday_in),
        (
            r"(?:about|roughly|almost|nearly|(?:just\s+)?(?:over|under)|(?:more|less)\s+than|approximately)\s+"
            rf"(?={AMOUNT}\s+(?:ago|before|after|from)\b)|(?:around|circa)\s+",
            _roughly,
        ),
    )
)
_SUFFIXES = _compiled(
    (
        (r",?\s+(?:in\s+the\s+|at\s+)?(?P<part>morning|afternoon|evening|night)(?![a-z])", _part_of_that_day),
        (rf",?\s+(?:on\s+)?(?P<weekday>{WEEKDAY})(?![\w'’])", _weekday_of_that_week),
    )
)
_ATOMS = (*DATE_ATOMS, *RELATIVE_ATOMS)
