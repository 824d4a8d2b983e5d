"""Times as people name them: where they begin and end, and the moment whose state of things is meant. And places."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secondme.errors import UsageError
from secondme.moments import beginning_of, end_of, moment_of
from secondme.places import file_of, place

NOW = datetime(2024, 7, 10, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock that stands still, in a zone that is one hour ahead in summer."""
    monkeypatch.setenv("SECONDME_NOW", NOW.isoformat())
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2024-06-01", "2024-05-31T23:00", "2024-06-01T23:00"),
        (" 2024-01-05 ", "2024-01-05T00:00", "2024-01-06T00:00"),
        ("2024", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("March 2023", "2023-03-01T00:00", "2023-03-31T23:00"),
        ("yesterday", "2024-07-08T23:00", "2024-07-09T23:00"),
    ],
)
def test_a_time_counts_in_full(text: str, begins: str, ends: str) -> None:
    assert (beginning_of(text, NOW), end_of(text, NOW)) == (utc(begins), utc(ends))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-06-01", "2024-06-01T22:59:59"),
        ("2023", "2023-12-31T23:59:59"),
        ("2024-06-01T10:30:00Z", "2024-06-01T10:30:00"),
        ("2024-06-01 14:30", "2024-06-01T13:30:00"),
        ("now", "2024-07-10T15:00:00"),
    ],
)
def test_as_of_a_day_is_its_last_moment_and_as_of_a_moment_that_one(text: str, moment: str) -> None:
    assert moment_of(text) == utc(moment)


@pytest.mark.parametrize("text", ["soonish", "", "2024-13-01", "32 May 2024", "99999"])
def test_what_is_no_date_is_refused(text: str) -> None:
    for read in (moment_of, lambda words: end_of(words, NOW), lambda words: beginning_of(words, NOW)):
        with pytest.raises(UsageError, match="not a date"):
            read(text)


@pytest.mark.parametrize(
    ("uri", "where"),
    [("/a/b.md", "/a/b.md:7"), ("/a/log.jsonl#L3", "/a/log.jsonl#L3"), ("note:1", "note:1"), ("", "")],
)
def test_a_place_is_what_editors_open(uri: str, where: str) -> None:
    assert place(uri, 7) == where


def test_the_file_of_a_uri_is_one_that_is_there(tmp_path: Path) -> None:
    plain, odd = tmp_path / "a.md", tmp_path / "b#L3"
    for path in (plain, odd):
        path.write_text("x", encoding="utf-8")
    assert file_of(str(plain)) == (plain, 0)
    assert file_of(f"{plain}#L12") == (plain, 12)
    assert file_of(str(odd)) == (odd, 0)
    for uri in ("a.md", "note:1", str(tmp_path), f"{tmp_path}/none.md", f"{tmp_path}/none.md#L2", ""):
        assert file_of(uri)[0] is None
