from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import at_most
from secondme_plugins import ics, ics_calendar

from secondme.records import Note, Skipped

CHANGED = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)
NOW = "2024-06-01T12:00:00Z"
DINNER = """BEGIN:VEVENT
UID:dinner
SUMMARY:Dinner with Ann
DESCRIPTION:Bring the photos
LOCATION:Harbour
DTSTART:20240605T190000Z
DTEND:20240605T210000Z
ATTENDEE;CN=Ann Lee:mailto:ann@example.org
END:VEVENT"""


@pytest.fixture(autouse=True)
def fixed_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", NOW)


def read(path: Path, *items: str, name: str = "") -> list[Note | Skipped]:
    named = f"X-WR-CALNAME:{name}\r\n" if name else ""
    content = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{named}{chr(10).join(items)}\nEND:VCALENDAR\n"
    return read_bytes(path, content.replace("\r\n", "\n").replace("\n", "\r\n").encode())


def read_bytes(path: Path, content: bytes) -> list[Note | Skipped]:
    path.write_bytes(content)
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    found = ics.read_document(path)
    assert found is not None
    return list(found)


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VEVENT", "UID:e1", *lines, "END:VEVENT"])


def test_an_event_is_a_note_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    [note] = read(path, DINNER, name="Private")
    assert isinstance(note, Note)
    assert note.uri == f"{path}#dinner"
    assert (note.thread, note.title, note.origin) == ("calendar:Private", "Dinner with Ann", "import")
    assert note.happened_at == datetime(2024, 6, 5, 19, tzinfo=UTC)
    for said in ("Dinner with Ann\n", "where: Harbour", "with: Ann Lee", "Bring the photos", "5 June 2024"):
        assert said.replace("5 June", "05 June") in note.text


def test_a_whole_day_begins_at_local_midnight(tmp_path: Path) -> None:
    [note] = read(tmp_path / "a.ics", event("SUMMARY:Holiday", "DTSTART;VALUE=DATE:20240605"))
    assert isinstance(note, Note)
    assert note.happened_at == datetime(2024, 6, 5).astimezone()
    assert "all day" in note.text


def test_a_zone_is_honoured(tmp_path: Path) -> None:
    [note] = read(tmp_path / "a.ics", event("SUMMARY:Call", "DTSTART;TZID=America/New_York:20240605T090000"))
    assert isinstance(note, Note)
    assert note.happened_at == datetime(2024, 6, 5, 13, tzinfo=UTC)


def test_tasks_and_journal_entries_are_read(tmp_path: Path) -> None:
    task = "BEGIN:VTODO\nUID:t\nSUMMARY:Pay the rent\nDUE:20240610T120000Z\nEND:VTODO"
    entry = "BEGIN:VJOURNAL\nUID:j\nSUMMARY:A walk\nDTSTART:20240601T120000Z\nEND:VJOURNAL"
    task_note, entry_note = read(tmp_path / "a.ics", task, entry)
    assert isinstance(task_note, Note)
    assert "due: Monday 10 June 2024" in task_note.text
    assert isinstance(entry_note, Note)
    assert entry_note.title == "A walk"


def test_a_recurring_event_is_one_note_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    notes = read(path, event("SUMMARY:Swim", "DTSTART:20240603T180000Z", "RRULE:FREQ=WEEKLY;COUNT=3"))
    assert [note.uri for note in notes if isinstance(note, Note)] == [
        f"{path}#e1/20240603T1800",
        f"{path}#e1/20240610T1800",
        f"{path}#e1/20240617T1800",
    ]


def test_an_event_that_recurs_for_ever_is_bounded(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ics", event("SUMMARY:Pill", "DTSTART:20100101T080000Z", "RRULE:FREQ=DAILY"), DINNER)
    assert [item.why for item in found if isinstance(item, Skipped)] == ["only 500 of its times are taken"]
    assert len(found) == ics_calendar.MOST_TIMES + 2


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1", "FREQ=HOURLY"])
def test_an_event_that_recurs_all_day_is_taken_once(tmp_path: Path, rule: str) -> None:
    [note] = read(tmp_path / "a.ics", event("SUMMARY:Pill", "DTSTART:20240101T080000Z", f"RRULE:{rule}"))
    assert isinstance(note, Note)
    assert note.happened_at == datetime(2024, 1, 1, 8, tzinfo=UTC)


def test_an_event_of_long_ago_that_goes_on_is_told_from_two_years_back(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ics", event("SUMMARY:Birthday", "DTSTART:19800605T080000Z", "RRULE:FREQ=YEARLY"))
    [left_out] = [item for item in found if isinstance(item, Skipped)]
    assert (left_out.why, left_out.is_harmless) == ("its times before 2022-06-02 are left out", True)
    assert [item.happened_at.year for item in found if isinstance(item, Note) and item.happened_at] == [
        2022,
        2023,
        2024,
    ]


@pytest.mark.parametrize(
    ("lines", "why", "is_harmless"),
    [
        (("SUMMARY:Off", "DTSTART:20240605T080000Z", "STATUS:CANCELLED"), "cancelled", True),
        (("DTSTART:20240605T080000Z",), "nothing is said in it", True),
        (("SUMMARY:Odd", "DTSTART:20249905T080000Z"), "not a readable entry: BrokenCalendarProperty", False),
    ],
)
def test_what_is_left_out_is_said(tmp_path: Path, lines: tuple[str, ...], why: str, is_harmless: bool) -> None:
    assert read(tmp_path / "a.ics", event(*lines), DINNER)[0] == Skipped(f"{tmp_path / 'a.ics'}#e1", why, is_harmless)


@pytest.mark.parametrize("content", [b"", b"no calendar", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:cut"])
def test_a_broken_calendar_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    found = read_bytes(tmp_path / "a.ics", content)
    assert not [item for item in found if isinstance(item, Note)]


def test_a_time_zone_whose_name_no_file_can_have_is_no_crash(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ics", event("SUMMARY:Swim", f"DTSTART;TZID=Europe/{'[' * 3000}:20240603T180000"))
    assert [item.why for item in found if isinstance(item, Skipped)] == ["not a readable calendar: OSError"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_calendar_gives_notes_or_reasons_and_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    lines = f"BEGIN:VCALENDAR\n{DINNER}\nEND:VCALENDAR\n".replace("\n", "\r\n").encode()
    content = bytearray(lines)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    for found in read_bytes(tmp_path / "a.ics", bytes(content)):
        assert isinstance(found, Note | Skipped)


def test_a_long_description_is_kept_once_for_all_times(tmp_path: Path) -> None:
    long, short = "words " * 500, "Bring a towel"
    for description, count in ((long, 1), (short, 3)):
        lines = ("SUMMARY:Swim", f"DESCRIPTION:{description}", "DTSTART:20240603T180000Z", "RRULE:FREQ=WEEKLY;COUNT=3")
        notes = [item for item in read(tmp_path / "a.ics", event(*lines)) if isinstance(item, Note)]
        assert len(notes) == 3
        assert sum(description.strip() in note.text for note in notes) == count
        assert all(note.text.startswith("Swim\nwhen: ") for note in notes)


def _every(count: int) -> str:
    return ",".join(map(str, range(count)))


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        (f"FREQ=DAILY;BYHOUR={_every(24)};BYMINUTE={_every(60)};BYSECOND={_every(60)}", "20240101"),
        (f"FREQ=YEARLY;BYMINUTE={_every(60)}", "20240101"),
        (f"FREQ=DAILY;BYHOUR={_every(24)}", "00010101"),
    ],
)
def test_an_event_that_recurs_more_often_than_anybody_lives_is_taken_once(
    tmp_path: Path, rule: str, start: str
) -> None:
    with at_most(5):
        found = read(tmp_path / "a.ics", event("SUMMARY:Pill", f"DTSTART:{start}T080000Z", f"RRULE:{rule}"), DINNER)
    assert [item.title for item in found if isinstance(item, Note)] == ["Pill", "Dinner with Ann"]


def test_an_event_with_two_rules_is_followed(tmp_path: Path) -> None:
    rules = ("RRULE:FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=DAILY;COUNT=2")
    found = read(tmp_path / "a.ics", event("SUMMARY:Swim", "DTSTART:20240603T180000Z", *rules))
    assert len([item for item in found if isinstance(item, Note)]) == 3
