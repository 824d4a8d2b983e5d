from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondme.recall.calendar import easter_sunday
from secondme.recall.when import TimeRange, annotate, find_ranges, format_day, question_range

NOW = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)  # a Monday


@pytest.fixture(autouse=True)
def _zone_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(found: TimeRange) -> str:
    """The range as `first day..last day`; a part of a day keeps its hours."""

    def edge(moment: datetime | None, *, is_end: bool) -> str:
        if moment is None:
            return ""
        if moment.hour or moment.minute:
            return moment.strftime("%Y-%m-%dT%H:%M")
        return (moment - timedelta(days=1 if is_end else 0)).date().isoformat()

    return f"{edge(found.start, is_end=False)}..{edge(found.end, is_end=True)}"


def day(text: str) -> str:
    return f"{text}..{text}"


RANGES = [
    # days counted from now
    ("I went yesterday", day("2023-05-07")),
    ("see you tomorrow", day("2023-05-09")),
    ("the day before yesterday", day("2023-05-06")),
    ("the day after tomorrow", day("2023-05-10")),
    ("earlier today", "2023-05-08..2023-05-08T13:56"),
    ("this morning", "2023-05-08T04:00..2023-05-08T12:00"),
    ("last night", "2023-05-07T18:00..2023-05-08T06:00"),
    ("yesterday evening", "2023-05-07T17:00..2023-05-07"),
    ("two days ago", day("2023-05-06")),
    ("a couple of hours ago", "2023-05-08T10:32..2023-05-08T12:56"),
    ("167 days ago", "2022-11-21T13:56..2022-11-22"),  # the calendar day, or 167 times 24 hours ago
    ("twenty-one days ago", "2023-04-16T13:56..2023-04-17"),
    ("1 month and 21 days ago", "2023-03-18..2023-03-18"),
    ("two weeks ago", "2023-04-21..2023-04-30"),  # that week and the days around: nobody counts to the day
    ("5 months ago", "2022-12-01..2022-12-31"),
    ("a year ago", "2022-01-01..2022-12-31"),
    ("a year and a half ago", "2021-11-01..2021-11-30"),
    ("two Sundays ago", day("2023-04-30")),
    ("I will leave in 3 weeks", "2023-05-26..2023-06-04"),
    ("three weeks from tomorrow", day("2023-05-30")),
    # weeks, months, years around now
    ("last week", "2023-05-01..2023-05-07"),
    ("this week", "2023-05-08..2023-05-14"),
    ("next week", "2023-05-15..2023-05-21"),
    ("the week before last", "2023-04-24..2023-04-30"),
    ("over the last week", "2023-05-01..2023-05-08"),  # rolling: up to now
    ("last month", "2023-04-01..2023-04-30"),
    ("next month", "2023-06-01..2023-06-30"),
    ("last year", "2022-01-01..2022-12-31"),
    ("earlier this year", "2023-01-01..2023-05-08T13:56"),
    ("the rest of the week", "2023-05-08T13:56..2023-05-14"),
    ("the past three days", "2023-05-05..2023-05-08"),
    ("in the last 2 weeks", "2023-04-24..2023-05-08"),
    ("the next 3 months", "2023-05-08..2023-08-08"),
    # weekends and weekdays
    ("last weekend", "2023-05-06..2023-05-07"),
    ("this past weekend", "2023-05-06..2023-05-07"),
    ("this weekend", "2023-05-13..2023-05-14"),
    ("we hiked over the weekend", "2023-05-06..2023-05-07"),
    ("the weekend before last", "2023-04-29..2023-04-30"),
    ("last Friday", day("2023-05-05")),  # said on a Monday
    ("last Monday", day("2023-05-01")),  # never today
    ("last Tues", day("2023-05-02")),
    ("this past Saturday", day("2023-05-06")),
    ("on friday", day("2023-05-05")),
    ("I will call on Friday", day("2023-05-12")),
    ("this Friday", day("2023-05-12")),
    ("next Friday", day("2023-05-19")),  # the Friday of next week
    ("Tuesday next week", day("2023-05-16")),
    ("last week on Friday", day("2023-05-05")),
    ("Friday the 5th", day("2023-05-05")),
    # dates
    ("on 7 May 2023", day("2023-05-07")),
    ("May 7, 2023", day("2023-05-07")),
    ("7th of May", day("2023-05-07")),
    ("October 22: a concert", day("2022-10-22")),
    ("May 9th", day("2022-05-09")),  # the latest one up to now
    ("the twenty-first of June 2022", day("2022-06-21")),
    ("September 10, nineteen oh one", day("1901-09-10")),
    ("Sunday, May 7", day("2023-05-07")),
    ("2023-05-07", day("2023-05-07")),
    ("05/07/2023", day("2023-05-07")),
    ("21/04/2016", day("2016-04-21")),  # no month 21
    ("13.5.2015", day("2015-05-13")),
    ("on 4/22", day("2023-04-22")),
    ("on the 3rd", day("2023-05-03")),
    ("on the 20th", day("2023-04-20")),
    ("the 20th of next month", day("2023-06-20")),
    ("on 29 February", day("2020-02-29")),  # the last leap year
    # months, quarters, seasons, years
    ("in May", "2023-05-01..2023-05-31"),
    ("in June", "2022-06-01..2022-06-30"),
    ("in may 2021", "2021-05-01..2021-05-31"),
    ("May of last year", "2022-05-01..2022-05-31"),
    ("next May", "2024-05-01..2024-05-31"),
    ("mid-March", "2023-03-08..2023-03-23"),
    ("early 2024", "2024-01-01..2024-06-30"),
    ("late last month", "2023-04-16..2023-04-30"),
    ("Q3 2025", "2025-07-01..2025-09-30"),
    ("the third quarter of last year", "2022-07-01..2022-09-30"),
    ("last summer", "2022-06-01..2022-08-31"),
    ("in the fall", "2022-09-01..2022-11-30"),
    ("winter 2022", "2022-12-01..2023-02-28"),
    ("in 2022", "2022-01-01..2022-12-31"),
    ("in twenty twenty two", "2022-01-01..2022-12-31"),
    ("in the 1990s", "1990-01-01..1999-12-31"),
    ("the week of 10 May", "2022-05-09..2022-05-15"),
    ("the first weekend of August 2023", "2023-08-05..2023-08-06"),
    ("the last Friday of April 2022", day("2022-04-29")),
    ("the Friday before 15 July 2022", day("2022-07-08")),
    ("two days after Christmas 2022", day("2022-12-27")),
    # holidays
    ("Christmas 2024", day("2024-12-25")),
    ("on Halloween", day("2022-10-31")),
    ("Thanksgiving 2010", day("2010-11-25")),
    ("Easter 2018", day("2018-04-01")),
    ("Christmas last year", day("2022-12-25")),
    ("last Christmas", day("2022-12-25")),
    # open and joined
    ("since March", "2023-03-01.."),
    ("before 2023", "..2022-12-31"),
    ("after 3 May 2023", "2023-05-04.."),
    ("until last Friday", "..2023-05-05"),
    ("from 2020 on", "2020-01-01.."),
    ("between May and July 2022", "2022-05-01..2022-07-31"),
    ("from May 8th 2022 to June 9th", "2022-05-08..2022-06-09"),
    ("from 25 October to 3 January", "2022-10-25..2023-01-03"),
    ("between January 2023 and now", "2023-01-01..2023-05-08T13:56"),
    ("November 19-20 2021", "2021-11-19..2021-11-20"),
    ("4 to 8 January 2021", "2021-01-04..2021-01-08"),
    ("2014-2018", "2014-01-01..2018-12-31"),
    # vague
    ("I saw her recently", "2023-04-08..2023-05-08"),
    ("a few days ago", "2023-05-03..2023-05-07"),
    ("around Christmas 2022", "2022-12-24..2022-12-26"),
]


@pytest.mark.parametrize(("text", "expected"), RANGES)
def test_an_expression_names_its_range(text: str, expected: str) -> None:
    assert [shown(found) for found in find_ranges(text, now=NOW)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "you may go and we march on",  # verbs
        "Will they ever march for me",
        "he may 2 times a day",
        "April and June came over with August",  # names
        "the second one, me, the sun, the fall of Rome",
        "back in a minute, wait a second",
        "on the 3rd floor",
        "from the first through third sessions",
        "every Friday, on Sundays",
        "I need 2000 people and 3.14 of 192.168.10.12",
        "this may help, last minute, next time",
        "read it in two weeks",  # how long, not when
        "1/2 a cup, version 1.2.3",
        "31 June, 99999 years ago, February 30",
        "Christmas tree",
        "the next day it rained",
    ],
)
def test_a_word_without_a_temporal_cue_is_no_date(text: str) -> None:
    assert find_ranges(text, now=NOW) == []


def test_all_expressions_of_a_text_are_found_with_their_words() -> None:
    text = "Since March I run; last Tuesday, and again on 7 May 2023, I won."
    found = find_ranges(text, now=NOW)
    assert [r.text for r in found] == ["Since March", "last Tuesday", "7 May 2023"]
    assert all(text[r.span[0] : r.span[1]] == r.text for r in found)


def test_a_local_day_is_given_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    [found] = find_ranges("yesterday", now=datetime(2023, 5, 8, 23, 0, tzinfo=UTC))  # the 9th, where the user is
    assert (found.start, found.end) == (datetime(2023, 5, 7, 22, tzinfo=UTC), datetime(2023, 5, 8, 22, tzinfo=UTC))


QUESTIONS = [
    ("What did we discuss 2 days ago?", day("2023-05-06"), True),
    ("Tell me what we talked about last week.", "2023-05-01..2023-05-07", True),
    ("Tell me what we talked about two years ago", "2021-01-01..2021-12-31", True),  # not "about two years"
    ("What did I do about two years ago?", "2020-07-02T12:00..2022-07-02T12:00", False),
    ("What have I read since March?", "2023-03-01..", True),
    ("Where did I live before 2020?", "..2019-12-31", True),
    ("What did I do recently?", "2023-04-08..2023-05-08", False),
    ("What happened in May 2022 that I mentioned recently?", "2022-05-01..2022-05-31", True),  # the vague one yields
    ("What did she plan in April for last Sunday?", "2023-04-01..2023-05-07", True),  # both fit
    ("What is planned for next month?", "2023-06-01..2023-06-30", False),  # noted before, so no filter
]


@pytest.mark.parametrize(("question", "expected", "is_explicit"), QUESTIONS)
def test_a_question_restricts_itself_to_a_range(question: str, expected: str, is_explicit: bool) -> None:
    found = question_range(question, now=NOW)
    assert found is not None
    assert (shown(found), found.explicit) == (expected, is_explicit)


@pytest.mark.parametrize("question", ["When did I move to Porto?", "How long have I known Ana?", "What may I eat?", ""])
def test_a_question_without_a_cue_has_no_range(question: str) -> None:
    assert question_range(question, now=NOW) is None


NOTES = [
    ("I went yesterday", "I went yesterday [7 May 2023]"),
    ("It rained last night.", "It rained last night [7 May 2023]."),
    ("We met last week!", "We met last week [the week before 8 May 2023]!"),
    ("next week", "next week [week of 15 May 2023]"),
    ("last Saturday", "last Saturday [6 May 2023]"),
    ("last weekend", "last weekend [6-7 May 2023]"),
    ("this weekend", "this weekend [13-14 May 2023]"),
    ("the weekend before last", "the weekend before last [29-30 April 2023]"),
    ("Can't wait for tomorrow's show", "Can't wait for tomorrow's [9 May 2023] show"),
    ("last month", "last month [April 2023]"),
    ("next month", "next month [June 2023]"),
    ("last year", "last year [2022]"),
    ("two years ago", "two years ago [2021]"),
    ("two weeks ago", "two weeks ago [about 24 April 2023]"),
    ("a few days ago", "a few days ago [about 5 May 2023]"),
    ("167 days ago", "167 days ago [22 November 2022]"),  # counted, so exact
    ("last summer", "last summer [summer 2022]"),
    ("the past three days", "the past three days [5-8 May 2023]"),
    ("the last two weeks", "the last two weeks [24 April - 8 May 2023]"),
    ("since last Tuesday", "since last Tuesday [2 May 2023]"),
    ("I saw her on Friday.", "I saw her on Friday [5 May 2023]."),
    ("I'll see her on Friday.", "I'll see her on Friday [12 May 2023]."),
    ("Yoga on Friday", "Yoga on Friday"),  # no tense, no guess
    ("I read it in two weeks", "I read it in two weeks"),
    ("on 7 May 2023, in 2022", "on 7 May 2023, in 2022"),  # absolute already
    ("an hour ago", "an hour ago"),
    ("recently", "recently"),
    ("He said [yesterday].", "He said [yesterday]."),  # brackets are left alone
]


@pytest.mark.parametrize(("text", "expected"), NOTES)
def test_a_statement_gets_the_dates_it_means(text: str, expected: str) -> None:
    assert annotate(text, said_at=NOW) == expected
    assert annotate(expected, said_at=NOW) == expected


def test_a_day_is_written_as_people_write_it() -> None:
    assert format_day(NOW) == "8 May 2023"


@pytest.mark.parametrize(("year", "month", "number"), [(2018, 4, 1), (2024, 3, 31), (2025, 4, 20), (2038, 4, 25)])
def test_easter_falls_where_the_church_says(year: int, month: int, number: int) -> None:
    easter = easter_sunday(year)
    assert (easter.month, easter.day) == (month, number)


WORDS = (
    "the a in on last next this past two few days weeks week weekend month year ago before after since between and "
    "from to until May march Friday sun first 3rd of early mid- 2023 7 07/05 , . [ ] ] yesterday today tomorrow "
    "morning Christmas summer Q3 will went about around now 's"
)
phrases = st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join)
moments = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=300, deadline=None)
@given(st.text() | phrases, moments)
def test_no_text_makes_it_raise_and_every_range_is_in_order(text: str, now: datetime) -> None:
    for found in find_ranges(text, now=now):
        assert found.start or found.end
        assert not (found.start and found.end) or found.start < found.end
        assert found.text == text[found.span[0] : found.span[1]] != ""
    question_range(text, now=now)


@settings(max_examples=300, deadline=None)
@given(st.text() | phrases, moments)
def test_annotating_twice_adds_nothing(text: str, said_at: datetime) -> None:
    once = annotate(text, said_at=said_at)
    assert annotate(once, said_at=said_at) == once


@pytest.mark.parametrize("unit", ["yesterday ", "the last ", "I may march on and ", "x", "first day of ", "[1 2/3 "])
def test_a_text_of_100_000_characters_takes_linear_time(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    started = time.perf_counter()
    find_ranges(text, now=NOW)
    assert time.perf_counter() - started < 5  # 0.3 s when the machine is idle; backtracking would take minutes


def test_a_text_that_has_its_dates_gets_no_more_of_them() -> None:
    said_at = datetime(2000, 1, 1, tzinfo=UTC)
    once = annotate("IN CHRISTMAS:00000000000000000000:TOMORROW:WENT", said_at=said_at)
    assert "TOMORROW [2 January 2000]" in once
    assert annotate(once, said_at=said_at) == once
