"""Phrases that count from the day they are said: "yesterday", "two weeks ago", "last Friday", "this summer"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from secondme.recall.calendar import (
    Period,
    Unit,
    day_of,
    midnight,
    month_of,
    period_of,
    season_of,
    shift,
    weekday_after,
    weekday_before,
)
from secondme.recall.dates import ON, Atoms, Builder, Context, Phrase, is_doubtful, nearest
from secondme.recall.numbers import (
    COUNT,
    HOLIDAY,
    MONTH,
    SEASON,
    UNIT,
    WEEKDAY,
    WEEKDAYS,
    read_count,
    read_holiday,
    read_month,
    read_weekday,
)

AMOUNT = rf"{COUNT}[\s-]?{UNIT}s?(?![a-z])(?:\s+and\s+a\s+half)?(?:,?\s+(?:and\s+)?{COUNT}\s?{UNIT}s?(?![a-z])){{0,4}}"
PARTS_OF_DAY = {"morning": (4, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 30)}
"""First and last hour of each, generously."""
_UNITS_BY_SIZE: tuple[Unit, ...] = ("minute", "hour", "day", "weekend", "week", "month", "quarter", "year", "decade")
_ROLLING = frozenset(["over", "in", "during", "within", "for", "throughout"])
_HABIT = frozenset(("every", "each", "most", "usual", "any", "other"))
# From here on people compute the days rather than remember them: by the calendar, or as spans of 24 hours.
_COUNTED = 5
_STEP = re.compile(
    rf"(?P<count>{COUNT})[\s-]?(?P<unit>{UNIT})s?(?![a-z])(?P<half>\s+and\s+a\s+half)?", re.IGNORECASE | re.ASCII
)


def _day_word(match: re.Match[str], context: Context) -> Phrase:
    word = match["word"].lower()
    far = 2 if "before" in word or "after" in word else 1
    days = -far if "yesterday" in word else far if word.endswith(("tomorrow", "tmrw")) else 0
    day = midnight(context.now) + timedelta(days=days)
    period = (day + timedelta(hours=18), day + timedelta(hours=30)) if word in {"tonight", "tonite"} else day_of(day)
    return Phrase(period, "day", match.end(), relative=True)


def _part_of_day(match: re.Match[str], context: Context) -> Phrase:
    day = midnight(context.now) - timedelta(days=1 if "last" in match["which"].lower() else 0)
    first, last = PARTS_OF_DAY[match["part"].lower()]
    return Phrase((day + timedelta(hours=first), day + timedelta(hours=last)), "day", match.end(), relative=True)


def _rest_of(match: re.Match[str], context: Context) -> Phrase:
    unit = cast(Unit, (match["unit"] or "day").lower())
    start, end = period_of(unit, context.now)
    period = (start, context.now) if match["which"].lower() == "earlier" else (context.now, end)
    return Phrase(period, "day", match.end(), relative=True)


def read_amount(text: str) -> tuple[list[tuple[float, Unit]], bool]:
    """Return the steps that an AMOUNT match counts, and whether it counts vaguely."""
    steps: list[tuple[float, Unit]] = []
    vague = False
    for match in _STEP.finditer(text):
        count, is_vague = read_count(match["count"])
        vague = vague or is_vague
        name = match["unit"].lower()
        unit = cast(Unit, {"min": "minute", "hr": "hour", "yr": "year"}.get(name, name))
        count += 0.5 if match["half"] else 0
        if unit == "year" and count % 1:
            count, unit = count * 12, "month"
        steps.append((count, unit))
    return steps, vague


def move(moment: datetime, steps: list[tuple[float, Unit]], sign: int) -> datetime:
    """Return `moment` moved by all the steps, back where `sign` is negative."""
    for count, unit in steps:
        moment = shift(moment, unit, sign * count)
    return moment


def _ago(match: re.Match[str], context: Context) -> Phrase:
    """Read "two weeks ago": the unit that holds the moment, for few people count to the day when they say weeks.

    Of weeks also the days around the moment: on a Monday they began as the week did.
    """
    steps, vague = read_amount(match["amount"])
    sign = -1 if match["way"].lower() in {"ago", "back"} else 1
    unit = min((unit for _, unit in steps), key=_UNITS_BY_SIZE.index)
    moment = move(context.now, steps, sign)
    shown = period_of("day" if unit == "week" else "year" if unit == "decade" else unit, moment)
    period = period_of("year" if unit == "decade" else unit, moment)
    if vague or unit in {"hour", "minute"}:
        near, far = (move(context.now, [(count * by, unit) for count, unit in steps], sign) for by in (0.5, 1.7))
        period = (near, far) if sign > 0 else (far, near)
        if unit not in {"hour", "minute"}:
            period = midnight(period[0]), day_of(period[1])[1]
    elif steps[0][0] >= _COUNTED and unit == "day":
        period = (moment - timedelta(days=1), period[1])
    elif unit == "week":
        period = min(period[0], shown[0] - timedelta(days=3)), max(period[1], shown[1] + timedelta(days=3))
    return Phrase(period, unit, match.end(), relative=True, vague=vague, shown=None if shown == period else shown)


def _weekdays_ago(match: re.Match[str], context: Context) -> Phrase:
    weekday, weeks = read_weekday(match["weekday"]), int(read_count(match["count"])[0]) - 1
    if match["way"].lower() == "ago":
        day = weekday_before(context.now, weekday) - timedelta(days=7 * weeks)
    else:
        day = weekday_after(context.now, weekday) + timedelta(days=7 * weeks)
    return Phrase(day_of(day), "day", match.end(), relative=True)


def _in_amount(match: re.Match[str], context: Context) -> Phrase | None:
    if not {unit for _, unit in read_amount(match["amount"])[0]} - {"hour", "minute"}:
        return None
    return replace(_ago(match, context), open=True)


def _rolling(match: re.Match[str], context: Context) -> Phrase:
    steps, vague = read_amount(match["amount"])
    is_past = match["which"].lower() in {"last", "past", "previous"}
    today = day_of(context.now)
    edge = move(context.now, steps, -1 if is_past else 1)
    if steps[-1][1] in {"hour", "minute"}:
        return Phrase((min(edge, context.now), max(edge, context.now)), "hour", match.end(), relative=True)
    period = (midnight(edge), today[1]) if is_past else (today[0], day_of(edge)[1])
    return Phrase(period, "day", match.end(), relative=True, vague=vague)


def _which(match: re.Match[str], context: Context) -> Phrase | None:
    which = {"past": "last", "previous": "last", "current": "this"}.get(match["which"].lower(), match["which"].lower())
    lead = (match["lead"] or "").strip().lower()
    if lead == "this" and which != "last":
        which = "coming"
    way = "next" if which in {"coming", "upcoming"} else which
    for kind in ("month", "season", "holiday"):
        if word := match[kind]:
            if is_doubtful(word) and (way == "this" or lead):
                return None  # "this may help", "the last march"
            period = nearest(_maker(kind, word), context, way)
            return Phrase(period, "day" if kind == "holiday" else cast(Unit, kind), match.end(), relative=True)
    if word := match["weekday"]:
        if is_doubtful(word):
            return None
        return Phrase(day_of(_which_weekday(which, word, context)), "day", match.end(), relative=True)
    return _which_unit(match, way if which != "upcoming" else "coming", lead, context)


def _maker(kind: str, word: str) -> Callable[[int], Period]:
    if kind == "month":
        return lambda year: month_of(year, read_month(word))
    if kind == "season":
        return lambda year: season_of(year, word.lower())
    holiday = read_holiday(word)
    return lambda year: day_of(holiday(year))


def _which_weekday(which: str, word: str, context: Context) -> datetime:
    weekday, monday = read_weekday(word), period_of("week", context.now)[0]
    if which == "last":
        return weekday_before(context.now, weekday)
    if which in {"coming", "upcoming"}:
        return weekday_after(context.now, weekday)
    return monday + timedelta(days=weekday + (7 if which == "next" else 0))


def _which_unit(match: re.Match[str], which: str, lead: str, context: Context) -> Phrase | None:
    unit = cast(Unit, match["unit"].lower())
    if unit in {"minute", "hour", "day"} or unit not in _UNITS_BY_SIZE:
        return None
    is_rolling = unit != "weekend" and bool(lead or (context.cue in _ROLLING and match["which"].lower() == "past"))
    if which in {"last", "next"} and is_rolling:
        if lead == "the" and which == "next" and context.cue not in _ROLLING:
            return None  # "the next week I was ill" tells a story
        if match["which"].lower() != "previous" or lead == "this":
            edge, today = shift(context.now, unit, -1 if which == "last" else 1), day_of(context.now)
            period = (midnight(edge), today[1]) if which == "last" else (today[0], day_of(edge)[1])
            return Phrase(period, "day", match.end(), relative=True)
    if unit == "weekend" and match["which"].lower() in {"coming", "upcoming"}:
        return Phrase(period_of("weekend", context.now), unit, match.end(), relative=True)
    moment = shift(period_of(unit, context.now)[0], unit, {"last": -1, "this": 0}.get(which, 1))
    period = period_of(unit, moment)
    if unit == "weekend" and which == "last" and context.now.weekday() > 4:
        period = period_of("weekend", context.now - timedelta(days=7))
    return Phrase(period, unit, match.end(), relative=True)


def _before_last(match: re.Match[str], context: Context) -> Phrase:
    sign = -1 if match["way"] else 1
    if match["weekday"]:
        weekday = read_weekday(match["weekday"])
        day = weekday_before(context.now, weekday) if sign < 0 else weekday_after(context.now, weekday)
        return Phrase(day_of(day + timedelta(days=7 * sign)), "day", match.end(), relative=True)
    unit = cast(Unit, match["unit"].lower())
    moment = shift(period_of(unit, context.now)[0], unit, 2 * sign)
    return Phrase(period_of(unit, moment), unit, match.end(), relative=True)


def _weekday(match: re.Match[str], context: Context) -> Phrase | None:
    word = match["weekday"]
    if context.cue in _HABIT or (context.cue not in ON and len(word) < 6) or is_doubtful(word):
        return None
    weekday = read_weekday(word)
    day = weekday_after(context.now, weekday) if context.tense == "future" else weekday_before(context.now, weekday)
    return Phrase(day_of(day), "day", match.end(), relative=True, open=True)


def _the_weekend(match: re.Match[str], context: Context) -> Phrase | None:
    if context.cue not in {"over", "on", "during", "at", "for"}:
        return None
    weekend = period_of("weekend", context.now)
    if context.tense != "future" and weekend[0] > context.now:
        weekend = period_of("weekend", context.now - timedelta(days=7))
    return Phrase(weekend, "weekend", match.end(), relative=True, open=True)


def _lately(match: re.Match[str], context: Context) -> Phrase:
    days = 14 if "other" in match[0].lower() else 30
    today = day_of(context.now)
    return Phrase((today[0] - timedelta(days=days), today[1]), "day", match.end(), vague=True)


_WHAT = (
    rf"(?:(?P<weekday>{WEEKDAY})(?!s)|(?P<month>{MONTH})|(?P<season>{SEASON})|(?P<holiday>{HOLIDAY})"
    rf"|(?P<unit>{UNIT})(?![a-z]))"
)
_PATTERNS: tuple[tuple[str, Builder], ...] = (
    (
        r"(?P<word>(?:the\s+)?day\s+before\s+yesterday|(?:the\s+)?day\s+after\s+(?:tomorrow|tmrw)|today|tonight|tonite"
        r"|yesterday|tomorrow|tmrw)(?![a-z])",
        _day_word,
    ),
    (
        r"(?P<which>this|last|earlier\s+this|late\s+last|later\s+this)\s+(?P<part>morning|afternoon|evening|night)(?![a-z])",
        _part_of_day,
    ),
    (r"(?P<which>earlier)\s+in\s+the\s+(?P<part>morning|afternoon|evening)(?![a-z])", _part_of_day),
    (
        r"(?:the\s+)?(?P<which>earlier|later|rest)\s+"
        r"(?:(?:on\s+)?today|(?:in|of)\s+(?:the|this|my)\s+(?P<unit>day|week|month|year))(?![a-z])",
        _rest_of,
    ),
    (rf"(?P<amount>{AMOUNT})\s+(?P<way>ago|back|from\s+(?:now|today)|hence)(?![a-z])", _ago),
    (rf"(?P<count>{COUNT})\s+(?P<weekday>{WEEKDAYS})\s+(?P<way>ago|from\s+now)(?![a-z])", _weekdays_ago),
    (rf"in\s+(?P<way>(?:about\s+)?)(?P<amount>{AMOUNT})(?!\s+of\b)", _in_amount),
    (
        rf"(?:the\s+|these\s+|this\s+)?(?P<which>last|past|previous|next|coming|upcoming)\s+(?P<amount>{AMOUNT})(?!\s+of\b)",
        _rolling,
    ),
    (
        rf"(?P<lead>the\s+|this\s+)?(?P<which>last|past|previous|this|current|next|coming|upcoming)\s+{_WHAT}(?!\s+of\b|-)",
        _which,
    ),
    (
        rf"(?:the\s+)?(?:(?P<weekday>{WEEKDAY})|(?P<unit>{UNIT}))\s+(?:(?P<way>before)\s+last|(?P<after>after)\s+(?:the\s+)?next)(?![a-z])",
        _before_last,
    ),
    (rf"(?P<weekday>{WEEKDAY})(?![\w'’])", _weekday),
    (r"the\s+weekend(?![\w'’])(?!\s+(?:before|after|of|following)\b)", _the_weekend),
    (r"(?:recently|lately|(?:in\s+)?(?:these|recent)\s+days|the\s+other\s+day)(?![a-z])", _lately),
)
RELATIVE_ATOMS: Atoms = tuple((re.compile(pattern, re.IGNORECASE | re.ASCII), build) for pattern, build in _PATTERNS)
"""Each way to count from now, with what builds the phrase from a match."""
