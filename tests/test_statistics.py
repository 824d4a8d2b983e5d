"""What is stored, by days: a day is one where the user lives, and the store keeps UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from nights import open_memory

from secondme.chat.talk import Talk
from secondme.records import Note
from secondme.store.statistics import count_by_day, day_of


@pytest.fixture
def in_nepal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live where a day begins at a quarter past six in the evening of the day before, in UTC."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.usefixtures("in_nepal")
def test_days_are_local_and_begin_to_the_minute(tmp_path: Path) -> None:
    with open_memory(tmp_path) as me:
        for minute in ("2024-06-01T18:14:59", "2024-06-01T18:15", "2024-06-02T18:14", "2024-06-02T18:15"):
            me.add(Note(minute, happened_at=at(minute)))
        assert count_by_day(me.store) == {date(2024, 6, 1): 1, date(2024, 6, 2): 2, date(2024, 6, 3): 1}
        texts = [event.text for event in day_of(me.store, date(2024, 6, 2), most=9).events]
    assert texts == ["2024-06-01T18:15", "2024-06-02T18:14"]


def test_what_counts_on_a_day_is_what_its_list_holds(tmp_path: Path) -> None:
    with open_memory(tmp_path) as me:
        for number in range(3):
            for version in ("first", "second"):  # an earlier version is not current
                me.add(Note(f"{version} {number}", uri=f"a:{number}", happened_at=at(f"2024-06-01T1{number}:00")))
        me.add(Note("another day", happened_at=at("2024-07-01T12:00")))
        counts = count_by_day(me.store)
        found = day_of(me.store, date(2024, 6, 1), most=2)
    assert counts == {date(2024, 6, 1): 3, date(2024, 7, 1): 1}
    assert found.counts == {"note": 3}
    assert [event.text for event in found.events] == ["second 0", "second 1"]


def test_a_day_has_its_facts_behind_their_notes_and_the_questions_that_became_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-01T14:00:00Z")
    with open_memory(tmp_path) as me:
        me.add(Note("I live in Porto.", author="me", happened_at=at("2024-06-01T12:00")))
        me.add(Note("x" * 5000, happened_at=at("2024-06-01T13:00")))
        me.sleep()
        Talk(me).hear("Where do I live?")
        found = day_of(me.store, date(2024, 6, 1), most=9)
        assert day_of(me.store, date(2024, 6, 2), most=9).events == []
    assert [event.kind for event in found.events] == ["note", "fact", "note", "question"]
    assert found.counts == {"note": 2, "fact": 1, "question": 1}
    assert (found.events[2].text, found.events[3].chat) == ("x" * 200, 1)


def test_moments_at_the_ends_of_the_calendar_do_no_harm(tmp_path: Path) -> None:
    with open_memory(tmp_path) as me:
        for moment in ("0001-01-01T00:00", "9999-12-31T23:59"):
            me.add(Note(moment, happened_at=at(moment)))
        assert count_by_day(me.store) == {}
        assert day_of(me.store, date(1, 1, 1), most=9).events != []
