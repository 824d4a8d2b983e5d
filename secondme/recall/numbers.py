"""Numbers and calendar words as English writes them: patterns, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from secondme.recall.calendar import HOLIDAYS, MONTH_NAMES, SEASON_STARTS, WEEKDAY_NAMES

_SMALL_TEXT = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ORDINAL_TEXT = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
)
_FIRST_TEXT = (
    "the this these a an in on last past previous next coming upcoming current today tonight tonite yesterday tomorrow "
    "tmrw day week weekend month year quarter early earlier late later mid middle beginning start end half couple few "
    "several recently lately about around roughly almost nearly over just more less circa two st saint mlk martin "
    "new good black cyber boxing earth may april labor labour memorial veterans independence juneteenth columbus "
    "christmas xmas valentine valentines halloween thanksgiving thanks easter mother mothers father fathers president "
    "presidents q1 q2 q3 q4 sept tues thur thurs since after before until till by from between prior ever up "
    "recent rest"
)
_WEAK_TEXT = (
    "the a an this these in on last past previous next coming new good black about around over just more less early "
    "late earlier later half up ever by from before after since until till one second first"
)
_UNIT_TEXT = "minute min hour hr day weekend week month quarter year yr decade"
_NEXT_TEXT = "other than to of morning afternoon evening night following part and"
_SMALL = _SMALL_TEXT.split()
_SMALL_ORDINALS = _ORDINAL_TEXT.split()
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS = {name: i + 1 for i, name in enumerate(_SMALL)} | _TENS | {"a": 1, "an": 1, "hundred": 100}
_ORDINALS = {name: i + 1 for i, name in enumerate(_SMALL_ORDINALS)} | {"twentieth": 20, "thirtieth": 30}
_FUZZY = {"couple": 2.0, "few": 3.0, "several": 4.0}

_NINE, _TEENS, _TENTHS = "|".join(_SMALL[:9]), "|".join(_SMALL[9:]), "|".join(_TENS)
_FROM_TEN = rf"(?:(?:{_TENTHS})(?:[ -](?:{_NINE}))?|{_TEENS})"
_SPOKEN = rf"(?:{_FROM_TEN}|{_NINE})"
_SPOKEN_ORDINAL = rf"(?:(?:(?:twenty|thirty)[ -])?(?:{'|'.join(_SMALL_ORDINALS)})|twentieth|thirtieth)"

COUNT = (
    r"(?:[0-9]{1,4}|(?:a\s+)?couple(?:\s+of)?|(?:a\s+)?few|several|half\s+an?|an?\s+hundred"
    rf"|{_SPOKEN}(?![a-z])|an?(?![a-z]))"
)
ORDINAL = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)|{_SPOKEN_ORDINAL})"
DAY = rf"(?:(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?(?![0-9]|[:.][0-9])|{_SPOKEN_ORDINAL})\b"
SPOKEN_YEAR = (
    rf"(?:nineteen|twenty)[ -](?:(?:oh?|zero)[ -](?:{_NINE})|{_FROM_TEN})\b"
    rf"|two\s+thousand(?:(?:\s+and)?\s+{_SPOKEN})?\b"
)
YEAR = rf"(?:(?:1[89]|20|21)[0-9]{{2}}(?![0-9]|[.,][0-9])|'[0-9]{{2}}\b|{SPOKEN_YEAR})"
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
WEEKDAY = (
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)(?![a-z])\.?"
)
WEEKDAYS = rf"(?:{'|'.join(WEEKDAY_NAMES)})s?(?![a-z])"
SEASON = rf"(?:{'|'.join(SEASON_STARTS)})\b"
UNIT = rf"(?:{_UNIT_TEXT.replace(' ', '|')})"
HOLIDAY = rf"(?:{'|'.join(pattern for pattern, _ in HOLIDAYS)})(?![a-z])"
_HOLIDAY_PATTERNS = [(re.compile(pattern, re.IGNORECASE | re.ASCII), make) for pattern, make in HOLIDAYS]

_MONTH_NUMBERS = {name[:3].lower(): i + 1 for i, name in enumerate(MONTH_NAMES)}
_WEEKDAY_NUMBERS = {name[:3]: i for i, name in enumerate(WEEKDAY_NAMES)}

FIRST_WORDS = frozenset(_FIRST_TEXT.split()).union(
    _WORDS, _ORDINALS, SEASON_STARTS, WEEKDAY_NAMES, _WEEKDAY_NUMBERS, _MONTH_NUMBERS, (m.lower() for m in MONTH_NAMES)
)
"""The words an expression can begin with, besides digits; all others are skipped without a look."""
WEAK_WORDS = frozenset(_WEAK_TEXT.split())
"""Of these the common ones, which begin an expression only before one of NEXT_WORDS or digits."""
NEXT_WORDS = FIRST_WORDS.union(
    _NEXT_TEXT.split(), (f"{name}s" for name in WEEKDAY_NAMES), *((unit, f"{unit}s") for unit in _UNIT_TEXT.split())
)


def read_count(text: str) -> tuple[float, bool]:
    """Return the number that a COUNT match says, and whether it says so vaguely."""
    words = text.lower().replace("-", " ").split()
    for word in words:
        if word in _FUZZY:
            return _FUZZY[word], True
    if words[0] == "half":
        return 0.5, False
    if words[0].isdigit():
        return int(words[0]), False
    return 100 if "hundred" in words else sum(_WORDS[word] for word in words), False


def read_ordinal(text: str) -> int:
    """Return the number that an ORDINAL or DAY match says."""
    digits = re.match(r"[0-9]+", text)
    if digits:
        return int(digits[0])
    words = text.lower().replace("-", " ").split()
    return sum(_TENS.get(word, 0) or _ORDINALS[word] for word in words)


def read_year(text: str) -> int:
    """Return the year that a YEAR match says; two digits mean 1950 to 2049."""
    if text[-1].isdigit():
        year = int(text.lstrip("'"))
        return year if year > 99 else year + (2000 if year < 50 else 1900)
    words = text.lower().replace("-", " ").split()
    century = {"nineteen": 1900, "twenty": 2000, "two": 2000}[words[0]]
    return century + sum(_WORDS.get(word, 0) for word in words[1:])


def read_month(text: str) -> int:
    """Return the number of the month that begins `text`."""
    return _MONTH_NUMBERS[text[:3].lower()]


def read_weekday(text: str) -> int:
    """Return the number of the weekday that begins `text`, 0 for Monday."""
    return _WEEKDAY_NUMBERS[text[:3].lower()]


def read_holiday(text: str) -> Callable[[int], datetime]:
    """Return the function from a year to the day of the holiday that a HOLIDAY match names."""
    return next(make for pattern, make in _HOLIDAY_PATTERNS if pattern.fullmatch(text))
