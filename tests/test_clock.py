from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondme.clock import from_text, now, parse_moment, to_text
from secondme.errors import ConfigError, UsageError

NOW = datetime(2024, 6, 12, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _zone_two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_now_is_aware_and_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECONDME_NOW", raising=False)
    assert now().tzinfo is UTC
    assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-06-01T14:30:00Z", datetime(2024, 6, 1, 14, 30, tzinfo=UTC)),
        ("2024-06-01T14:30:00+02:00", datetime(2024, 6, 1, 12, 30, tzinfo=UTC)),
        ("2024-06-01T14:30", datetime(2024, 6, 1, 12, 30, tzinfo=UTC)),  # no zone: local
        ("2024-06-01", datetime(2024, 5, 31, 22, 0, tzinfo=UTC)),  # a local midnight
    ],
)
def test_the_environment_can_fix_the_clock(text: str, moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", text)
    assert now() == moment
    assert now().tzinfo is UTC


def test_a_bad_fixed_clock_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", "noon-ish")
    with pytest.raises(ConfigError, match="SECONDME_NOW is not a date: 'noon-ish'"):
        now()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-01", "2024-05-31T22:00:00Z"),  # local midnight
        ("2024-06-01 14:30", "2024-06-01T12:30:00Z"),
        ("2024-06-01T14:30:00Z", "2024-06-01T14:30:00Z"),  # a zone is kept
        (" 2024-06-01T14:30-05:00 ", "2024-06-01T19:30:00Z"),
        ("now", "2024-06-12T12:00:00Z"),
        ("yesterday", "2024-06-10T22:00:00Z"),
        ("yesterday 14:30", "2024-06-11T12:30:00Z"),
        ("yesterday at 3pm", "2024-06-11T13:00:00Z"),
        ("at 9", "2024-06-12T07:00:00Z"),  # today
        ("12:15 am", "2024-06-11T22:15:00Z"),
        ("last Tuesday", "2024-06-10T22:00:00Z"),
        ("on Friday", "2024-06-06T22:00:00Z"),
        ("7 May 2023, 8:05", "2023-05-07T06:05:00Z"),
        ("May 2023", "2023-04-30T22:00:00Z"),  # the start of the range
        ("in May", "2024-04-30T22:00:00Z"),
        ("2019", "2018-12-31T22:00:00Z"),
        ("two weeks ago", "2024-05-28T22:00:00Z"),  # to the day
        ("10 days ago", "2024-06-01T22:00:00Z"),
        ("a few months ago", "2024-02-29T22:00:00Z"),
        ("the 3rd", "2024-06-02T22:00:00Z"),
        ("Christmas 2023", "2023-12-24T22:00:00Z"),
    ],
)
def test_what_people_type_becomes_a_moment(text: str, expected: str) -> None:
    assert to_text(parse_moment(text, now=NOW)) == expected


@pytest.mark.parametrize(
    "text",
    ["", "soon", "99:99", "yesterday at 25:00", "13 pm", "2024-13-01", "31 June", "before May", "the cat sat", "7"],
)
def test_what_is_no_date_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="not a date or time") as caught:
        parse_moment(text, now=NOW)
    assert "2024-06-01" in caught.value.hint


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_parsing_crash(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_moment(text, now=NOW).tzinfo is UTC


moments = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]),
)


@settings(deadline=None)
@given(moments, moments)
def test_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    assert len(to_text(one)) == len("2024-06-01T00:00:00Z")
    assert (to_text(one) <= to_text(other)) or one > other


@settings(deadline=None)
@given(moments)
def test_text_becomes_the_same_second_again(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment.astimezone(UTC).replace(microsecond=0)


def test_the_clock_alone_loads_no_grammar() -> None:
    code = "import sys, secondme.clock; sys.exit('secondme.recall.when' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
