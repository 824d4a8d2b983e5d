"""Calendar arithmetic on local days: weeks start on Monday, periods end where the next one begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

Unit = Literal["minute", "hour", "day", "weekend", "week", "month", "quarter", "season", "year", "decade"]
Period = tuple[datetime, datetime]
"""Start and exclusive end, both local without a zone."""

_MONTH_TEXT = "January February March April May June July August September October November December"
MONTH_NAMES = tuple(_MONTH_TEXT.split())
WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SEASON_STARTS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "season": 3, "year": 12, "decade": 120}


def local_day(year: int, month: int, day: int) -> datetime:
    """Return the start of that day."""
    return datetime(year, month, day)  # noqa: DTZ001 (a local day; the zone is added where it leaves recall)


def midnight(moment: datetime) -> datetime:
    """Return the start of that day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> Period:
    """Return that whole day."""
    return midnight(moment), midnight(moment) + timedelta(days=1)


def month_of(year: int, month: int, count: int = 1) -> Period:
    """Return `count` months from that one; a month beyond 12 belongs to a later year, one below 1 to an earlier."""
    start, end = divmod(year * 12 + month - 1, 12), divmod(year * 12 + month - 1 + count, 12)
    return local_day(start[0], start[1] + 1, 1), local_day(end[0], end[1] + 1, 1)


def season_of(year: int, name: str) -> Period:
    """Return the three months of a northern season; winter begins in December of its year."""
    return month_of(year, SEASON_STARTS[name], 3)


def period_of(unit: Unit, moment: datetime) -> Period:
    """Return the day, week, weekend, month ... that `moment` lies in; a weekend belongs to the week before it."""
    day = midnight(moment)
    monday = day - timedelta(days=day.weekday())
    match unit:
        case "minute":
            return moment, moment + timedelta(minutes=1)
        case "hour":
            return moment, moment + timedelta(hours=1)
        case "day":
            return day_of(day)
        case "weekend":
            return monday + timedelta(days=5), monday + timedelta(days=7)
        case "week":
            return monday, monday + timedelta(days=7)
        case "month":
            return month_of(day.year, day.month)
        case "quarter" | "season":
            first = (day.month - 1) // 3 * 3 + 1 if unit == "quarter" else day.month // 3 * 3
            return month_of(day.year, first, 3)
        case "year":
            return month_of(day.year, 1, 12)
        case "decade":
            return month_of(day.year // 10 * 10, 1, 120)


def shift(moment: datetime, unit: Unit, count: float) -> datetime:
    """Return `moment` moved by `count` units; a day that a month lacks becomes its last."""
    if unit in _MONTHS_IN:
        whole = round(count * _MONTHS_IN[unit])
        start, end = month_of(moment.year, moment.month + whole)
        last = (end - start).days
        return moment.replace(year=start.year, month=start.month, day=min(moment.day, last))
    days = {"week": 7.0, "weekend": 7.0, "day": 1.0, "hour": 1 / 24, "minute": 1 / 1440}.get(unit, 1.0)
    return moment + timedelta(days=days * count)


def weekday_before(day: datetime, weekday: int) -> datetime:
    """Return the most recent such weekday before `day`."""
    return midnight(day) - timedelta(days=(day.weekday() - weekday - 1) % 7 + 1)


def weekday_after(day: datetime, weekday: int) -> datetime:
    """Return the first such weekday after `day`."""
    return midnight(day) + timedelta(days=(weekday - day.weekday() - 1) % 7 + 1)


def nth_weekday(period: Period, weekday: int, number: int) -> datetime:
    """Return the `number`-th such weekday of the period, the last for -1. Raises ValueError where there is none."""
    if number < 0:
        return weekday_before(period[1], weekday)
    found = weekday_after(period[0] - timedelta(days=1), weekday) + timedelta(days=7 * (number - 1))
    if found >= period[1]:
        raise ValueError(f"no such weekday in the month: {number}")
    return found


def part_of(period: Period, first: float, last: float) -> Period:
    """Return the days between two fractions of the period: 0 and 0.5 for its first half."""
    start, end = period
    days = (end - start).days
    if first % 0.25 == 0 and last % 0.25 == 0 and days > 80:  # whole months, as people mean them
        months = round(days / 30.44)
        return shift(start, "month", round(first * months)), shift(start, "month", round(last * months))
    return start + timedelta(days=int(days * first)), start + timedelta(days=int(days * last))


def easter_sunday(year: int) -> datetime:
    """Return Easter of the Gregorian calendar, by the anonymous algorithm of 1876."""
    golden, century, rest = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shorten = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shorten + 114, 31)
    return local_day(year, month, day + 1)


def _fixed(month: int, day: int) -> Callable[[int], datetime]:
    return lambda year: local_day(year, month, day)


def _floating(month: int, weekday: int, number: int, later: int = 0) -> Callable[[int], datetime]:
    return lambda year: nth_weekday(month_of(year, month), weekday, number) + timedelta(days=later)


def _around_easter(days: int) -> Callable[[int], datetime]:
    return lambda year: easter_sunday(year) + timedelta(days=days)


HOLIDAYS: tuple[tuple[str, Callable[[int], datetime]], ...] = (
    (r"(?:christmas|xmas)\s+eve", _fixed(12, 24)),
    (r"(?:christmas|xmas)(?:\s+day)?", _fixed(12, 25)),
    (r"boxing\s+day", _fixed(12, 26)),
    (r"new\s+year['’]?s?\s+eve", _fixed(12, 31)),
    (r"new\s+year(?:['’]?s(?:\s+day)?|\s+day)", _fixed(1, 1)),
    (r"valentine['’]?s?(?:\s+day)?", _fixed(2, 14)),
    (r"(?:st\.?|saint)\s+patrick['’]?s?\s+day", _fixed(3, 17)),
    (r"april\s+fools?['’]?s?(?:\s+day)?", _fixed(4, 1)),
    (r"earth\s+day", _fixed(4, 22)),
    (r"may\s+day", _fixed(5, 1)),
    (r"juneteenth", _fixed(6, 19)),
    (r"independence\s+day", _fixed(7, 4)),
    (r"halloween", _fixed(10, 31)),
    (r"veterans['’]?\s+day", _fixed(11, 11)),
    (r"(?:mlk|martin\s+luther\s+king(?:\s+jr\.?)?)\s+day", _floating(1, 0, 3)),
    (r"presidents?['’]?s?\s+day", _floating(2, 0, 3)),
    (r"mother['’]?s['’]?\s+day", _floating(5, 6, 2)),
    (r"memorial\s+day", _floating(5, 0, -1)),
    (r"father['’]?s['’]?\s+day", _floating(6, 6, 3)),
    (r"labou?r\s+day", _floating(9, 0, 1)),
    (r"columbus\s+day", _floating(10, 0, 2)),
    (r"thanks\s?giving(?:\s+day)?", _floating(11, 3, 4)),
    (r"black\s+friday", _floating(11, 3, 4, later=1)),
    (r"cyber\s+monday", _floating(11, 3, 4, later=4)),
    (r"good\s+friday", _around_easter(-2)),
    (r"easter\s+monday", _around_easter(1)),
    (r"easter(?:\s+sunday)?", _around_easter(0)),
)
"""How each holiday is written (a pattern) and the day it falls on in a year."""
